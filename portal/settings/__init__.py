"""Settings, read from the environment. `docs/settings.md` lists every variable.

The origins that people and agents use decide the security switches: cookies are secure and plain http is
redirected as soon as ``ISTHMUS_PUBLIC_URL`` is https; plain http is accepted for localhost only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal import embedded
from portal.settings import database, entra, environment, keys
from portal.settings.console import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = embedded.var_directory()

SECRET_KEY = keys.read_or_create("ISTHMUS_SECRET_KEY", VAR_DIR / "keys" / "secret-key", keys.new_secret_key)
# The first key seals, every key opens: put a new one in front to rotate.
SEALING_KEYS = keys.read_or_create(
    "ISTHMUS_SEALING_KEYS", VAR_DIR / "keys" / "sealing-keys", keys.new_sealing_key
).split(",")

DEBUG = environment.boolean("ISTHMUS_DEBUG", default=False)

# ── Where people and agents reach us ──
PUBLIC_URL = environment.origin("ISTHMUS_PUBLIC_URL", "http://localhost:8000", schemes=("https", "http"))
AGENT_URL = environment.origin("ISTHMUS_AGENT_URL", "https://localhost:8443", schemes=("https",))
_HOSTS = {urlsplit(url).hostname or "" for url in (PUBLIC_URL, AGENT_URL)}
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"} if urlsplit(PUBLIC_URL).scheme == "http" else set()
ALLOWED_HOSTS = sorted(_HOSTS | _LOCAL_HOSTS | set(environment.items("ISTHMUS_ALLOWED_HOSTS")))
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

IS_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if environment.boolean("ISTHMUS_BEHIND_PROXY", default=False)
    else None
)

# ── Django ──
INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "agents.apps.AgentsConfig",
    "directory.apps.DirectoryConfig",
    "provisioning.apps.ProvisioningConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database.settings()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
# Served straight from the apps: nothing to collect on a first start, and a deployment may still collect.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# A page of resources may be larger than Django's default; the bus enforces its own limits.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

# ── REST ──
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 100,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.api.errors.handle",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Isthmus",
    "DESCRIPTION": "Cloud sync for Active Directory: agents, domains, configurations, jobs, cycles and the log.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AgentStateEnum": "agents.models.AgentState",
        "TargetKindEnum": "provisioning.models.TargetKind",
        "JobKindEnum": "provisioning.models.JobKind",
        "JobStateEnum": "provisioning.models.JobState",
        "CycleKindEnum": "provisioning.models.CycleKind",
        "CycleStepEnum": "provisioning.models.CycleStep",
        "LogActionEnum": "provisioning.models.LogAction",
        "LogStatusEnum": "provisioning.models.LogStatus",
    },
}

# ── Celery: the broker carries hints, PostgreSQL holds the truth ──
CELERY_BROKER_URL = environment.secret("ISTHMUS_BROKER_URL") or "filesystem://"
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT = "portal.file_broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "broker" / "queue"),
        "data_folder_out": str(VAR_DIR / "broker" / "queue"),
        "control_folder": str(VAR_DIR / "broker" / "control"),
        "polling_interval": 0.1,
    }
    for _folder in ("queue", "control"):
        (VAR_DIR / "broker" / _folder).mkdir(parents=True, exist_ok=True)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "isthmus"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CONCURRENCY = environment.integer("ISTHMUS_WORKERS", 2, minimum=1, maximum=64)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# How many tasks share a database session: all of them. portal.celery drops sessions that broke or grew old.
CELERY_DB_REUSE_MAX = sys.maxsize

# ── The cycle and the bus (seconds) ──
CYCLE_INTERVAL_S = environment.integer("ISTHMUS_CYCLE_INTERVAL", 120, minimum=5, maximum=86_400)
CYCLE_STALLED_S = environment.integer("ISTHMUS_CYCLE_STALLED", 20, minimum=2, maximum=3_600)
# Never longer than what the heartbeat expects.
BOOTSTRAP_INTERVAL_S = environment.integer("ISTHMUS_BOOTSTRAP_INTERVAL", 600, minimum=2, maximum=600)
CHANGE_NOTIFICATION = environment.boolean("ISTHMUS_CHANGE_NOTIFICATION", default=True)
BUS_LEASE_S = environment.integer("ISTHMUS_BUS_LEASE", 60, minimum=2, maximum=600)
ON_DEMAND_TIMEOUT_S = environment.integer("ISTHMUS_ON_DEMAND_TIMEOUT", 30, minimum=1, maximum=300)
BUS_REQUEST_TIMEOUT_S = environment.integer("ISTHMUS_BUS_TIMEOUT", 600, minimum=5, maximum=86_400)

# ── Entra: people sign in there to add an agent ──
ENTRA_TENANT, ENTRA_CLIENT_ID, ENTRA_ENROLLERS, ENTRA_LOGIN_URL = entra.read()

# ── Mail ──
EMAIL_HOST = environment.text("ISTHMUS_SMTP_HOST", "localhost")
EMAIL_PORT = environment.integer("ISTHMUS_SMTP_PORT", 25, minimum=1, maximum=65_535)
EMAIL_HOST_USER = environment.text("ISTHMUS_SMTP_USER", "")
EMAIL_HOST_PASSWORD = environment.secret("ISTHMUS_SMTP_PASSWORD") or ""
EMAIL_USE_TLS = environment.boolean("ISTHMUS_SMTP_STARTTLS", default=False)
EMAIL_USE_SSL = environment.boolean("ISTHMUS_SMTP_TLS", default=False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = environment.text("ISTHMUS_MAIL_FROM", "Isthmus <isthmus@localhost>")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # A line for each of the ticks that come every two seconds would bury everything else.
    "loggers": {
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
    "root": {
        "handlers": ["console"],
        "level": environment.text("ISTHMUS_LOG_LEVEL", "INFO"),
    },
}
