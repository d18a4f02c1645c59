"""Settings, all from the environment (docs/production.md lists the variables).

Apps are named only as strings here, so that the layers stay one-way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import env

# Lets QuerySet["Model"] and ModelAdmin["Model"] be written at run time, as mypy wants them.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Path(env.text("HOME", str(BASE_DIR / "var")))

# embedded: one machine, SQLite, keys made at the first start. production: everything is given, nothing is guessed.
MODE = env.choice("MODE", ("embedded", "production"), "embedded")
PRODUCTION = MODE == "production"
DEBUG = env.flag("DEBUG", default=False)
if PRODUCTION and DEBUG:
    _msg = "POVERTYAID_DEBUG must be off in production: error pages would show children's records."
    raise ImproperlyConfigured(_msg)

_KEYS = None if PRODUCTION else HOME / "keys"
SECRET_KEY = env.secret("SECRET_KEY", _KEYS and _KEYS / "secret_key")
FIELD_KEYS = env.fernet_keys(env.secret("FIELD_KEYS", _KEYS and _KEYS / "field_keys", fernet=True))
LOOKUP_KEY = env.secret("LOOKUP_KEY", _KEYS and _KEYS / "lookup_key")
if PRODUCTION and len({SECRET_KEY, LOOKUP_KEY, *FIELD_KEYS}) != 2 + len(FIELD_KEYS):
    _msg = "POVERTYAID_SECRET_KEY, POVERTYAID_LOOKUP_KEY and the field keys must all differ."
    raise ImproperlyConfigured(_msg)

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
if PRODUCTION and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    _msg = "POVERTYAID_ALLOWED_HOSTS must name the hosts that are served; * is not allowed in production."
    raise ImproperlyConfigured(_msg)

DATABASES = {
    "default": env.database(
        env.text("DATABASE_URL", "sqlite:///" + str(HOME / "povertyaid.sqlite3") if not PRODUCTION else None),
        base=BASE_DIR,
    )
}
if not PRODUCTION:
    HOME.mkdir(parents=True, exist_ok=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "reports",
    "pairings",
    "aid",
    "students",
    "households",
    "povertyaid.imports",
    "povertyaid.files",
    "povertyaid.work",
    "povertyaid.audit",
    "povertyaid.schools",
    "povertyaid.apps.OfficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "import_export",
    "django_tasks",
    "django_tasks_db",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "povertyaid.audit.middleware.RequestLogMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "povertyaid.schools.middleware.SessionTimeoutMiddleware",
    "povertyaid.schools.middleware.PasswordChangeMiddleware",
    "povertyaid.audit.middleware.ActorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "povertyaid.urls"
WSGI_APPLICATION = "povertyaid.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
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

# Who may log in and what they may do
AUTH_USER_MODEL = "schools.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "povertyaid.schools.backends.RoleBackend",
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "povertyaid.schools.passwords.LongEnoughValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "povertyaid.schools.passwords.MixedCharactersValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_USERNAME_CALLABLE = "povertyaid.schools.lockout.account_name"
AXES_LOCKOUT_TEMPLATE = "locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_SENSITIVE_PARAMETERS = ["username", "password"]
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
# Locked by account, not by address: a whole school shares one address.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]

SESSION_COOKIE_AGE = env.integer("SESSION_MINUTES", 30, least=5) * 60
SESSION_RENEW_SECONDS = 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "povertyaid.schools.views.csrf_failure"

# In production nginx ends TLS in front (docs/production.md).
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31536000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_TRUSTED_ORIGINS = env.words("TRUSTED_ORIGINS", [])
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Limits on what is sent to us
UPLOAD_LIMIT_BYTES = env.integer("UPLOAD_LIMIT_MB", 20, least=1) * 1024 * 1024
# A workbook is read in a child process that may take this much time and memory (povertyaid/lib/sheets/child.py).
# A list up to this size is looked at and written in the request itself, a larger one in the worker.
IMPORT_INLINE_BYTES = env.integer("IMPORT_INLINE_KB", 200, least=0) * 1024
IMPORT_READ_SECONDS = env.integer("IMPORT_READ_SECONDS", 20, least=1)
IMPORT_READ_MB = env.integer("IMPORT_READ_MB", 500, least=200)
# The file of a finished import is erased after so many days, with the values of its rows.
IMPORT_FILE_DAYS = env.integer("IMPORT_FILE_DAYS", 180, least=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# Words, dates
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = HOME / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "whitenoise.storage.CompressedStaticFilesStorage"
    },
}
# What collectstatic gathered is served compressed; before that (tests, a first look) straight from the source folders.
WHITENOISE_USE_FINDERS = not PRODUCTION and not STATIC_ROOT.is_dir()
WHITENOISE_MAX_AGE = 3600

# django-import-export: without these its pages stand open and formulas pass through (each has a test)
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_ESCAPE_ILLEGAL_CHARS_ON_EXPORT = True

# Long work runs in a worker beside the web server (`manage.py serve`, `manage.py run_worker`).
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
# In the request itself instead: for tests, which have no worker.
WORK_INLINE = False
WORK_FOLDER = HOME / "work"
# How long a running work may go on when the server stops, before it is broken off and rolls back.
WORK_GRACE_SECONDS = 20

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "povertyaid.audit.logs.ScrubFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "filters": ["scrub"], "formatter": "line"},
    },
    "root": {
        "handlers": ["console"],
        "level": env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
    },
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # WeasyPrint and fontTools report every glyph they subset.
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
    },
}
