"""The database backend for SQLite; Django finds it by this name (ENGINE)."""
