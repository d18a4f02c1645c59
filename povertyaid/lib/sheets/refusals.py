"""Why a file is refused, each cause with its sentence: what is wrong with the file and how to mend it."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import gettext_lazy as _

from povertyaid.lib.sheets.model import UnreadableFileError

Measure = Literal["bytes", "unpacked", "sheets", "rows", "columns", "cells", "cell_characters", "characters"]

_MEGABYTE = 1024 * 1024
_TOO_MUCH = {
    "bytes": _(
        "The file is larger than %(most)s MB. Remove pictures from it, or split it into several files."
    ),
    "unpacked": _(
        "Unpacked, the file is larger than %(most)s MB. Delete empty rows and columns beside and below the table, "
        "or split it into several files."
    ),
    "sheets": _("The file has more than %(most)s sheets. Split it into several files."),
    "rows": _(
        "A sheet has more than %(most)s rows. Delete what stands below the table, or split it into several files."
    ),
    "columns": _("A sheet has more than %(most)s columns. Delete what stands to the right of the table."),
    "cells": _(
        "A sheet has more than %(most)s cells. Delete rows and columns beside and below the table, "
        "or split it into several files."
    ),
    "cell_characters": _("A cell holds more than %(most)s characters. Shorten it."),
    "characters": _(
        "The texts in a sheet are longer than %(most)s characters together. Split it into several files."
    ),
}


def damaged(detail: object = "") -> UnreadableFileError:
    """The error of a file that breaks off or contradicts itself; `detail` is for the developer only."""
    return UnreadableFileError(
        "damaged",
        _(
            "The file is damaged or incomplete. Open it in Excel or WPS, save it again as .xlsx, and send that file."
        ),
        {"detail": detail},
    )


def too_large(measure: Measure, most: int) -> UnreadableFileError:
    """The error of a file above the limits: of what it holds too much, and how much may be there."""
    megabytes = measure in {"bytes", "unpacked"}
    return UnreadableFileError(
        "too_large",
        _TOO_MUCH[measure],
        {"most": most // _MEGABYTE if megabytes else most, "measure": measure},
    )


def encrypted() -> UnreadableFileError:
    """The error of a file with a password."""
    return UnreadableFileError(
        "encrypted",
        _(
            "The file is protected by a password. Open it in Excel or WPS, remove the password, save it, and try again."
        ),
    )


def unsafe(detail: object = "") -> UnreadableFileError:
    """The error of a file whose XML declares entities, which no program that keeps lists writes."""
    return UnreadableFileError(
        "unsafe",
        _(
            "The file contains declarations (XML entities) that no workbook needs and that can do harm. "
            "Open it in Excel or WPS, save it again as .xlsx, and send that file."
        ),
        {"detail": detail},
    )


def empty() -> UnreadableFileError:
    """The error of a file without a single value."""
    return UnreadableFileError("empty", _("The file is empty. Choose the file that holds the list."))


def not_spreadsheet() -> UnreadableFileError:
    """The error of another kind of file, told by its bytes."""
    return UnreadableFileError(
        "not_spreadsheet",
        _(
            "The file is not a spreadsheet but a document, picture or archive. Choose an .xlsx, .xls, .ods or .csv file."
        ),
    )


def unknown() -> UnreadableFileError:
    """The error of bytes that are no file that we know."""
    return UnreadableFileError(
        "unknown", _("The file is of no kind that can be read. Choose an .xlsx, .xls, .ods or .csv file.")
    )


def bad_encoding() -> UnreadableFileError:
    """The error of a text in no encoding that we can be sure of."""
    return UnreadableFileError(
        "encoding",
        _(
            "The text in the file is in an unknown encoding, or the file is damaged. "
            "Open it in Excel or WPS, save it as .xlsx, and send that file."
        ),
    )


def binary_workbook() -> UnreadableFileError:
    """The error of an .xlsb."""
    return UnreadableFileError(
        "xlsb",
        _(
            "The file is a binary workbook (.xlsb). Open it in Excel or WPS, save it as .xlsx, and send that file."
        ),
    )


def no_table_in_page() -> UnreadableFileError:
    """The error of a web page without a table."""
    return UnreadableFileError(
        "html",
        _(
            "The file is a web page without a table, under the name of a workbook. "
            "Open it in Excel or WPS, save it as .xlsx, and send that file."
        ),
    )


def foreign_xml() -> UnreadableFileError:
    """The error of XML that is no workbook."""
    return UnreadableFileError(
        "xml",
        _(
            "The file is XML of an unknown kind, under the name of a workbook. "
            "Open it in Excel or WPS, save it as .xlsx, and send that file."
        ),
    )
