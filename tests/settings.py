"""The settings of the software with a data folder of the tests' own and a password hash that costs nothing."""

from __future__ import annotations

import os
import tempfile

# Before the settings are read: they make keys and folders in POVERTYAID_HOME.
os.environ.setdefault("POVERTYAID_HOME", tempfile.mkdtemp(prefix="povertyaid-tests-"))

from povertyaid.settings import *  # noqa: F403 - every setting, then the exceptions below

# There is no worker: long work is done where it is started.
WORK_INLINE = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
