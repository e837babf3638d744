"""The server with switches: `python -m chaos.server [BREAKAGE]` in place of `python -m chatproject.serve`.

The code is that of the product. Around it stand a channel layer that can be made lossy, points at
which the process can be made to die, and, if one is named, a breakage of `chaos.broken`.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")

import django

django.setup()

from chaos import failpoints, lossy
from chaos.broken import BREAKAGES
from chatproject import serve

if __name__ == "__main__":
    failpoints.install()
    lossy.install()
    for name in sys.argv[1:]:
        BREAKAGES[name].install()
    serve.main()
