"""Ask pip-audit for known vulnerabilities of pinned libraries: scripts/audit.py requirements/run.txt

Exit status 1 when one is known. Where the vulnerability service cannot be reached (closed networks), or does
not know a library, that is said plainly and is no failure: nothing was found, and nothing was checked either.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TIMEOUT_SECONDS = 300
# Words of pip-audit and requests for a service that does not answer (pip_audit/_service/pypi.py).
UNREACHABLE = ("connection", "could not connect", "max retries", "proxy", "serviceerror", "timed out")


def main(requirements: str) -> int:
    """Print what pip-audit knows about the file; return the exit status."""
    tool = Path(sys.executable).with_name("pip-audit")
    options = ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(
            [str(tool), *options, "--requirement", requirements],
            capture_output=True,
            check=False,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        print(f"NOT CHECKED: the vulnerability service gave no answer in {TIMEOUT_SECONDS} seconds.")
        return 0
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        if not any(word in done.stderr.lower() for word in UNREACHABLE):
            print(f"pip-audit failed: {reason}")
            return 1
        print(f"NOT CHECKED: the vulnerability service could not be asked ({reason}).")
        return 0
    unknown = [answer["name"] for answer in answers if "skip_reason" in answer]
    bad = [answer for answer in answers if answer.get("vulns")]
    for answer in bad:
        for flaw in answer["vulns"]:
            mended = ", ".join(flaw["fix_versions"]) or "no release yet"
            print(f"{answer['name']} {answer['version']}: {flaw['id']}, mended in {mended}")
    if len(unknown) == len(answers):
        print(f"NOT CHECKED: the service knows none of the {len(answers)} libraries (closed network?).")
    else:
        print(f"{len(answers) - len(unknown)} libraries checked, {len(bad)} with known vulnerabilities.")
        if unknown:
            print(f"Not checked, unknown to the service: {', '.join(unknown)}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
