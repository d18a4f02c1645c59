"""The summary of a school or the county for a period: what the office adds to the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from povertyaid.files.models import Document
from povertyaid.lib import periods
from povertyaid.schools.base import Record
from povertyaid.schools.models import County, School

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


def validate_period(value: str) -> None:
    """Raise ValidationError unless `value` is a period code (2026H1, 2026, 2025-2026-2, 2025-2026)."""
    try:
        periods.Period.parse(value)
    except periods.PeriodError as error:
        raise ValidationError(str(error), code="period") from None


class Summary(Record):
    """A summary (工作总结): what people write; its figures come from the records through indicators."""

    county = models.ForeignKey(County, models.PROTECT, related_name="summaries", verbose_name=_("county"))
    school = models.ForeignKey(
        School,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="summaries",
        verbose_name=_("school"),
        help_text=_("Empty for the county's own summary."),
    )
    period = models.CharField(
        _("period"),
        max_length=11,
        validators=[validate_period],
        help_text=_(
            "2026H1 first half-year, 2026H2 second, 2026 year, 2025-2026-2 semester, 2025-2026 school year."
        ),
    )
    basis = models.ForeignKey(
        Document,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="summaries",
        verbose_name=_("basis document"),
    )
    problems = models.TextField(_("problems"), blank=True, help_text=_("One paragraph a line."))
    next_steps = models.TextField(_("next steps"), blank=True, help_text=_("One paragraph a line."))
    issued_on = models.DateField(_("date on the paper"), null=True, blank=True)
    sealed = models.BooleanField(_("will be sealed"), default=True)

    class Meta(Record.Meta):
        verbose_name = _("summary")
        verbose_name_plural = _("summaries")
        ordering = ("-period", "school")
        default_permissions: ClassVar[tuple[str, ...]] = (
            "add",
            "change",
            "delete",
            "view",
            "import",
            "export",
            "reveal",
            "sign",
        )
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["school", "period"],
                condition=Q(school__isnull=False),
                name="summary_once_a_school",
                violation_error_message=_("The school has a summary for this period already."),
            ),
            models.UniqueConstraint(
                fields=["county", "period"],
                condition=Q(school__isnull=True),
                name="summary_once_a_county",
                violation_error_message=_("The county has a summary for this period already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school or self.county} {periods.Period.parse(self.period).label}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(school__in=scope.schools) | Q(school__isnull=True, county__in=scope.county_ids)

    def clean(self) -> None:
        if self.school_id and self.county_id and self.school and self.school.county_id != self.county_id:
            raise ValidationError({"school": _("The school lies in another county.")})
