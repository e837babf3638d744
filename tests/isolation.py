"""Keeps parallel test processes out of each other's Redis and files. Loaded by `-p tests.isolation`, before the settings.

Tests empty the cache, which empties a whole Redis database: each process gets one of its own. Published
messages cross all databases of a server: each process gets a prefix of its own, too.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from urllib.parse import urlsplit

if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and (urls := os.environ.get("REDIS_URL")):
    database = int(worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = ",".join(
        urlsplit(url)._replace(path=f"/{database}").geturl() for url in urls.split(",")
    )
    os.environ["REDIS_PREFIX"] = f"chat-{worker}"

# No test puts files where a developer's are, or into a real account.
os.environ["CLOUDINARY_URL"] = ""
os.environ["MEDIA_ROOT"] = tempfile.mkdtemp(prefix="chat-media-")
atexit.register(shutil.rmtree, os.environ["MEDIA_ROOT"], ignore_errors=True)
