"""The settings of `baselines.rest`: ours, with the URLs of the baseline and a connection per request.

Django's ASGI handler runs each request on a thread of its own, where a kept connection would never be used again.
"""

from chatproject.settings import *  # noqa: F403
from chatproject.settings import DATABASES, REST_FRAMEWORK

ROOT_URLCONF = "bench.baselines.rest"
ASGI_APPLICATION = "bench.baselines.rest.application"
DATABASES["default"]["CONN_MAX_AGE"] = 0
REST_FRAMEWORK |= {
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "rest_framework.views.exception_handler",
}
