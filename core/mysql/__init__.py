"""The database backend for MySQL and MariaDB; Django finds it by this name (ENGINE)."""
