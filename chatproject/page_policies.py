"""What a browser may load, and where a page may send to. Part of the settings."""

from typing import Any

from csp.constants import NONCE

Policy = dict[str, Any]

STRICT: Policy = {
    "default-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
}
"""Nothing: for answers that are no pages."""

PAGES: dict[str, Policy] = {
    r"/": {"style-src": [NONCE]},
    r"/admin/.*": {
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
    },
    r"/asyncapi": {"style-src": [NONCE]},
    r"/redoc": {
        "script-src": ["'self'"],
        # As with Swagger's; and its search is a worker that it makes itself.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "worker-src": ["blob:"],
    },
    r"/swagger/.*": {
        "script-src": ["'self'"],
        # Its library writes styles into the page.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
    },
}
"""What pages need beyond it, by their paths."""
