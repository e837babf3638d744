"""Keeps parallel test processes out of each other's Redis. Loaded by `-p tests.isolation`, so before the settings are.

Tests empty the cache, which empties a whole Redis database: each process gets one of its own. Published
messages cross all databases of a server: each process gets a prefix of its own, too.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and (urls := os.environ.get("REDIS_URL")):
    database = int(worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = ",".join(
        urlsplit(url)._replace(path=f"/{database}").geturl() for url in urls.split(",")
    )
    os.environ["REDIS_PREFIX"] = f"chat-{worker}"
