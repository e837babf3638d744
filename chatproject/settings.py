"""Settings: one file, the environment is the only difference. `.env.example` lists every variable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from chatproject import api_document, env, file_stores, page_policies
from core.logs import logging_settings

BASE_DIR = env.ROOT

# --- What kind of process this is ---------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", debug=DEBUG)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "*" if DEBUG else "localhost,127.0.0.1,[::1]")

INSTALLED_APPS = [
    "daphne",  # before staticfiles: its runserver serves the socket too
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "csp",
    "core",
    "eventlog",
    "realtime",
    "accounts",
    "friendships",
    "rooms",
    "messaging",
    "moderation",
    "chatproject",
]

MIDDLEWARE = [
    "core.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.middleware.PagePolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.ApiMiddleware",
    "core.middleware.BodyLimitMiddleware",
    "core.middleware.TrailingSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "chatproject.urls"
ASGI_APPLICATION = "chatproject.asgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LOGGING = logging_settings(json_lines=not DEBUG, level=env.text("LOG_LEVEL", "INFO").upper())

# --- Database -----------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {
    "default": {
        **env.database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}"),
        # HTTP and the socket each have a fixed pool of threads; a connection lives as long as its thread.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }
}
EMBEDDED_DATABASE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
DATABASES["default"]["ENGINE"] = "core.sqlite" if EMBEDDED_DATABASE else "core.mysql"
DATABASES["default"]["OPTIONS"] = (
    {
        # Without IMMEDIATE two transactions that both read first can't both write later.
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
    }
    if EMBEDDED_DATABASE
    else {
        "charset": "utf8mb4",
        "isolation_level": "read committed",
        # Less than DATABASE_SECONDS: a lock that is held is not a database that is away.
        "init_command": "SET SESSION innodb_lock_wait_timeout=2",
        "connect_timeout": 2,
    }
)
# For server processes, `chatproject.asgi`; a migration may take its time.
DATABASE_SECONDS = env.number("DATABASE_SECONDS", 3, least=3)

# --- Redis: channel layer and cache. Without it both live in this process's memory ----------------

REDIS_URLS = env.words("REDIS_URL")
REDIS_PREFIX = env.text("REDIS_PREFIX", "chat")
if REDIS_URLS:
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {
            "BACKEND": "realtime.layer.PipeliningLayer",
            "CONFIG": {
                "hosts": [
                    {
                        "address": url,
                        "socket_connect_timeout": 3,
                        # A subscriber waits for a long time, on purpose; commands do not.
                        "socket_keepalive": True,
                        "health_check_interval": 15,
                    }
                    for url in REDIS_URLS
                ],
                "prefix": REDIS_PREFIX,
            },
        }
    }
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URLS[0],
            "KEY_PREFIX": REDIS_PREFIX,
            "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 3},
        }
    }
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            # One process, one membership per stream: room for bursts, and no membership that expires.
            "CONFIG": {"capacity": 100_000, "expiry": 86_400, "group_expiry": 10 * 365 * 86_400},
        }
    }
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- Mail ---------------------------------------------------------------------------------------

# Codes are mailed; only in development the console is a place for them.
vars().update(env.email("EMAIL_URL", "consolemail://" if DEBUG else "dummymail://"))
EMAIL_TIMEOUT = env.number("EMAIL_SECONDS", 10, least=1)
EMAIL_VERIFICATION = env.choice("EMAIL_VERIFICATION", "off", among=("off", "optional", "required"))
if EMAIL_VERIFICATION != "off" and not (DEBUG or env.text("EMAIL_URL")):
    raise ImproperlyConfigured(
        f"EMAIL_VERIFICATION is {EMAIL_VERIFICATION}, but no mail leaves without EMAIL_URL. "
        "Set it to a mail server: smtp+tls://user:password@host:587."
    )
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "chat@localhost")

# --- Accounts and tokens ------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# auth.W004: the user name is unique through `username_key`, the same way on every database.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["accounts.selectors.LoginBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

ACCESS_TOKEN_SECONDS = env.number("ACCESS_TOKEN_SECONDS", 900, least=60)
REFRESH_TOKEN_SECONDS = env.number("REFRESH_TOKEN_SECONDS", 30 * 86_400, least=600)
REFRESH_GRACE_SECONDS = env.number("REFRESH_GRACE_SECONDS", 10)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": env.secret("JWT_SIGNING_KEY", debug=DEBUG),
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=REFRESH_TOKEN_SECONDS),
    "USER_ID_CLAIM": "sub",
    "UPDATE_LAST_LOGIN": False,
}
JWT_OLD_SIGNING_KEYS = env.secrets("JWT_OLD_SIGNING_KEYS")
WS_TICKET_SECONDS = env.number("WS_TICKET_SECONDS", 30, least=5)

CODE_SECONDS = env.number("CODE_SECONDS", 1800, least=60)

# --- The socket ---------------------------------------------------------------------------------

WS_QUERY_TOKEN = env.flag("WS_QUERY_TOKEN", default=DEBUG)
WS_ALLOWED_ORIGINS = env.words("WS_ALLOWED_ORIGINS", "*" if DEBUG else "")
WS_AUTH_SECONDS = env.number("WS_AUTH_SECONDS", 10, least=1)
WS_HEARTBEAT_SECONDS = env.number("WS_HEARTBEAT_SECONDS", 20, least=1)
WS_MAX_FRAME_BYTES = env.number("WS_MAX_FRAME_BYTES", 65_536, least=1024)
WS_BUFFER_FRAMES = env.number("WS_BUFFER_FRAMES", 256, least=16)
WS_BUFFER_BYTES = env.number("WS_BUFFER_BYTES", 1_048_576, least=65_536)
WS_DRAIN_SECONDS = env.number("WS_DRAIN_SECONDS", 5)
WS_SLOW_SECONDS = env.number("WS_SLOW_SECONDS", 10, least=1)
WS_DATABASE_THREADS = env.number("WS_DATABASE_THREADS", 4, least=1)
PRESENCE_GRACE_SECONDS = env.number("PRESENCE_GRACE_SECONDS", 3, least=0)
HEAD_POLL_SECONDS = env.number("HEAD_POLL_SECONDS", 2, least=1)

# --- Limits: so many at once, refilled at so many a second --------------------------------------------

# With DEBUG a script may talk as fast as it can.
MESSAGES_PER_SECOND = env.number("MESSAGES_PER_SECOND", 1_000 if DEBUG else 20, least=1)
MESSAGE_BURST = env.number("MESSAGE_BURST", 10_000 if DEBUG else 40, least=1)

# Of one account from one address: failed logins in five minutes; in an hour codes that are tried, and asked for.
LOGIN_ATTEMPTS = env.number("LOGIN_ATTEMPTS", 10, least=1)
CODE_ATTEMPTS = env.number("CODE_ATTEMPTS", 10, least=1)
CODE_REQUESTS = env.number("CODE_REQUESTS", 5, least=1)

# Requests of one user, or of one address where nobody is logged in: which to log in, to read, to write, to upload.
LOGINS_PER_SECOND = env.number("LOGINS_PER_SECOND", 1_000 if DEBUG else 2, least=1)
LOGIN_BURST = env.number("LOGIN_BURST", 10_000 if DEBUG else 100, least=1)
READS_PER_SECOND = env.number("READS_PER_SECOND", 10_000 if DEBUG else 50, least=1)
READ_BURST = env.number("READ_BURST", 50_000 if DEBUG else 500, least=1)
WRITES_PER_SECOND = env.number("WRITES_PER_SECOND", 1_000 if DEBUG else 10, least=1)
WRITE_BURST = env.number("WRITE_BURST", 10_000 if DEBUG else 100, least=1)
UPLOADS_PER_SECOND = env.number("UPLOADS_PER_SECOND", 1_000 if DEBUG else 1, least=1)
UPLOAD_BURST = env.number("UPLOAD_BURST", 10_000 if DEBUG else 30, least=1)

# Of a message, and of a room.
EDIT_WINDOW_SECONDS = env.number("EDIT_WINDOW_SECONDS", 86_400)
MAX_MENTIONS = env.number("MAX_MENTIONS", 20)
MAX_REACTIONS = env.number("MAX_REACTIONS", 20)
MAX_PINS = env.number("MAX_PINS", 100)

# Of one user: so many at once, and so many more in five minutes.
PASSWORD_ATTEMPTS = env.number("PASSWORD_ATTEMPTS", 10, least=1)

# Of one user, likewise, in an hour.
EXPORTS_PER_HOUR = env.number("EXPORTS_PER_HOUR", 1_000 if DEBUG else 5, least=1)

WS_FRAMES_PER_SECOND = env.number("WS_FRAMES_PER_SECOND", 10_000 if DEBUG else 100, least=1)
WS_FRAME_BURST = env.number("WS_FRAME_BURST", 50_000 if DEBUG else 400, least=1)
WS_CONNECTIONS_PER_USER = env.number("WS_CONNECTIONS_PER_USER", 20, least=1)

# --- HTTP ---------------------------------------------------------------------------------------

HTTP_THREADS = env.number("HTTP_THREADS", 8, least=1)
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)
HTTP_REQUEST_SECONDS = env.number("HTTP_REQUEST_SECONDS", 15, least=1)
MAX_BODY_BYTES = env.number("MAX_BODY_BYTES", 1_048_576, least=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
MAX_MESSAGE_LENGTH = env.number("MAX_MESSAGE_LENGTH", 4_000, least=1)
FILE_URL_HOSTS = env.words("FILE_URL_HOSTS", "cloudinary.com,res.cloudinary.com")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.tokens.SessionTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.tokens.IsVerified"],
    "DEFAULT_THROTTLE_CLASSES": ["core.throttles.ScopeThrottle"],
    "DEFAULT_PARSER_CLASSES": ["core.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.renderers.StructRenderer"],
    "DEFAULT_SCHEMA_CLASS": "core.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.problems.exception_handler",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.negotiation.JSONOnly",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = api_document.SETTINGS

# --- Files --------------------------------------------------------------------------------------

MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_BYTES", 26_214_400, least=1024)
UPLOAD_PATHS = r"/api/v1/(uploads|users/me/avatar|rooms/[^/]+/avatar)/?"
MAX_IMAGE_PIXELS = env.number("MAX_IMAGE_PIXELS", 50_000_000, least=10_000)
FILE_LINK_SECONDS = env.number("FILE_LINK_SECONDS", 300, least=10)
STORAGE_SECONDS = env.number("STORAGE_SECONDS", 10, least=1)
# Cloudinary's library looks for the name.
CLOUDINARY = env.cloudinary("CLOUDINARY_URL")
# So does django-cloudinary-storage, which can't be imported without.
CLOUDINARY_STORAGE = {
    name.upper(): CLOUDINARY.get(name, "") for name in ("cloud_name", "api_key", "api_secret")
}
MEDIA_ROOT = env.text("MEDIA_ROOT", str(BASE_DIR / "media"))
MEDIA_URL = "/media/"

# --- Browsers -----------------------------------------------------------------------------------

CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CORS_EXPOSE_HEADERS = [
    "X-Request-Id",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset-After",
    "X-RateLimit-Scope",
    "Retry-After",
    "Idempotent-Replay",
]
CORS_ALLOW_HEADERS = [*default_headers, "x-request-id"]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
CONTENT_SECURITY_POLICY = {"DIRECTIVES": page_policies.STRICT}
PAGE_POLICIES = page_policies.PAGES
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Of the admin site; the API has none.
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "core.problems.csrf_failed"
BEHIND_TLS = env.flag("BEHIND_TLS", default=False)
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    **(file_stores.CLOUDINARY if CLOUDINARY else file_stores.LOCAL),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# --- Demo ---------------------------------------------------------------------------------------

ECHO_BOT = env.flag("ECHO_BOT", default=DEBUG)
