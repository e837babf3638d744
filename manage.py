#!/usr/bin/env python
"""Django's command line: `manage.py migrate`, `manage.py seed` and the rest."""

import os
import sys

try:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ImportError:
    sys.exit("Django is not installed here. Run `make setup`, then `.venv/bin/python manage.py …`.")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{sys.argv[0]} can't start: {error}")


if __name__ == "__main__":
    main()
