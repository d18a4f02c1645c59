"""One step in a process of its own: nothing is warm that was not warmed by the step itself.

`python -m benchmarks.step STEP FILE COUNT` prints one JSON object with the seconds by part. The database is that of
POVERTYAID_DATABASE_URL.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django
from django.utils.module_loading import import_string


def main() -> None:
    """Do one step and print what it took."""
    name, path, count = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "povertyaid.settings")
    django.setup()
    # By its name: it cannot be loaded before Django is set up.
    steps = import_string("benchmarks.steps.STEPS")
    print(json.dumps(steps[name](Path(path), int(count))))


if __name__ == "__main__":
    main()
