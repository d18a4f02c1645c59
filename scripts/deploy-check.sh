#!/usr/bin/env bash
# `manage.py check --deploy` as a production server would start: every setting given, any warning is a failure.
# The keys are made for this one check and forgotten; no database is opened.
set -euo pipefail

cd "$(dirname "$0")/.."
key() { .venv/bin/python -c "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())"; }

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export POVERTYAID_MODE=production
export POVERTYAID_HOME="$home"
export POVERTYAID_ALLOWED_HOSTS=aid.example.edu.cn
export POVERTYAID_DATABASE_URL=postgres://povertyaid@db.example.edu.cn/povertyaid
POVERTYAID_SECRET_KEY=$(key)$(key)
POVERTYAID_LOOKUP_KEY=$(key)$(key)
POVERTYAID_FIELD_KEYS=$(key)
export POVERTYAID_SECRET_KEY POVERTYAID_LOOKUP_KEY POVERTYAID_FIELD_KEYS
.venv/bin/python manage.py check --deploy --fail-level WARNING
