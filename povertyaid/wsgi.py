"""WSGI entry point: `gunicorn povertyaid.wsgi`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "povertyaid.settings")

application = get_wsgi_application()

# After the apps are loaded: production must not serve demo accounts, nor records that its keys cannot read.
from povertyaid.schools.starting import refuse_unsafe_start  # noqa: E402

refuse_unsafe_start()
