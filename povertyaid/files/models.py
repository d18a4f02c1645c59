"""Attachments (kept encrypted) and the register of documents that work rests on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import crypto
from povertyaid.lib.messages import MessageError
from povertyaid.schools.base import Record
from povertyaid.schools.models import County, School

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class ErasedFileError(MessageError):
    """The bytes of a file were erased after the set time; its name, size and digest are kept. Code: erased."""


class Attachment(Record):
    """A file as it arrived: a scan, a photo, an imported workbook. Its bytes are stored encrypted."""

    county = models.ForeignKey(County, models.PROTECT, related_name="attachments", verbose_name=_("county"))
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="attachments", verbose_name=_("school")
    )
    name = models.CharField(_("file name"), max_length=200)
    size = models.PositiveIntegerField(_("size in bytes"), editable=False, default=0)
    digest = models.CharField("SHA-256", max_length=64, editable=False, db_index=True, default="")
    content = models.BinaryField(editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("sent by"),
    )

    class Meta(Record.Meta):
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """A school's own files; those without a school only for the bureau and whoever sent them."""
        return (
            Q(school__in=scope.schools)
            | Q(school__isnull=True, county__in=scope.county_ids)
            # Not those of a school that one has left since.
            | Q(school__isnull=True, owner=scope.user_id, county__in=scope.home_county_ids)
        )

    def put(self, data: bytes) -> None:
        """Take in the bytes: size, digest and the encrypted content."""
        self.size = len(data)
        self.digest = hashlib.sha256(data).hexdigest()
        self.content = crypto.encrypt_bytes(data)

    def get(self) -> bytes:
        """Return the bytes as they arrived. Raises WrongKeyError when the keys do not fit, ErasedFileError without any."""
        if not self.content:
            raise ErasedFileError(
                "erased",
                _("The file was erased after the set time. Only its name and what became of it are kept."),
            )
        return crypto.decrypt_bytes(bytes(self.content))


class Document(Record):
    """A document that work rests on (文件依据): title, number, issuer, date."""

    county = models.ForeignKey(County, models.PROTECT, related_name="documents", verbose_name=_("county"))
    school = models.ForeignKey(
        School,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name=_("school"),
        help_text=_("Empty: a document for the whole county."),
    )
    title = models.CharField(_("title"), max_length=200)
    number = models.CharField(
        _("document number"), max_length=60, blank=True, help_text=_("For example 教财〔2018〕16号")
    )
    issuer = models.CharField(_("issued by"), max_length=100, blank=True)
    issued_on = models.DateField(_("issued on"), null=True, blank=True)
    attachment = models.ForeignKey(
        Attachment,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name=_("attachment"),
    )

    class Meta(Record.Meta):
        verbose_name = _("basis document")
        verbose_name_plural = _("basis documents")
        ordering = ("-issued_on", "title")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["county", "title", "number"],
                name="document_unique",
                violation_error_message=_("This document is registered already."),
            ),
        ]

    def __str__(self) -> str:
        return f"《{self.title}》{f'（{self.number}）' if self.number else ''}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """The county's documents for everybody in it, a school's own for that school."""
        return Q(school__isnull=True, county__in=scope.home_county_ids) | Q(school__in=scope.schools)
