"""Log lines without personal data."""

from __future__ import annotations

import logging

from povertyaid.lib import masks


class ScrubFilter(logging.Filter):
    """Masks identity numbers, accounts, pupil numbers and mobiles in every line, also in those of libraries."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        scrubbed = masks.scrub(message)
        if scrubbed != message:
            record.msg, record.args = scrubbed, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = masks.scrub(logging.Formatter().formatException(record.exc_info))
        return True
