"""What the half on SQLite leaves out: an outage needs something that can be away."""

from __future__ import annotations

from django.conf import settings

collect_ignore = [] if settings.REDIS_URLS else ["test_outages.py"]
