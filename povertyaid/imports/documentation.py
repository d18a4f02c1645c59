"""The published headers of every kind as a page of the documentation (docs/import-columns.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import translation

from povertyaid.imports.resources import Column, SheetResource, kinds, variants_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTRODUCTION = """\
# Columns of the spreadsheets

This page is written by `python manage.py document_imports > docs/import-columns.md`; a test keeps it true.

Every kind is imported with `python manage.py import_workbook KIND FILE` or on the page 名单导入, and has a workbook to
fill in: `python manage.py export_template KIND --output FILE.xlsx`. Headers are compared without blanks, brackets and
punctuation; the first one is the published one. Columns that a file lacks can be given for the whole file with
`--set HEADER=VALUE`. **Bold** columns must hold a value in every row.
"""


def columns_document() -> str:
    """The page in Markdown, in English, with the Chinese headers as they are published."""
    with translation.override("en"):
        return "\n".join([_INTRODUCTION, *(line for resource in _shapes() for line in _kind(resource))])


def _shapes() -> Iterator[SheetResource]:
    """Every kind with the shapes in which its lists arrive."""
    return (shape for resource in kinds() for shape in variants_of(resource.kind))


def _kind(resource: SheetResource) -> Iterator[str]:
    yield f"## {resource.variant or resource.kind}: {resource.label}\n"
    if resource.variant:
        yield f"Another shape of `{resource.kind}`, told by its headers."
    yield f"Key: {resource.key_help}. Permission: `{resource.permission}`."
    if resource.needs_school:
        yield "School: `--school`, else the title rows, else the only school of the account or county."
    if resource.needs_semester:
        yield "Semester: `--period`, else the title rows."
    yield from (f"At least one of: {_headers(resource, group)}." for group in resource.one_of)
    yield "\n| column | also written | allowed words | note |"
    yield "|---|---|---|---|"
    for column in resource.columns:
        yield f"| {_name(column)} | {'、'.join(column.headers[1:])} | {'、'.join(column.choices)} | {column.help} |"
    yield ""


def _name(column: Column) -> str:
    return f"**{column.header}**" if column.required else column.header


def _headers(resource: SheetResource, group: tuple[str, ...]) -> str:
    return "、".join(resource.by(key).header for key in group)
