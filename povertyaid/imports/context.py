"""What an import knows beside the cells: who imports, for which school and period, and what the titles say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.options import Options
from povertyaid.imports.questions import Decision, Decisions
from povertyaid.imports.schoolbook import SchoolBook, import_scope, names_of, school_like, unit_in
from povertyaid.lib.messages import Message, MessageError
from povertyaid.lib.periods import Period, PeriodError, find_period_in_text
from povertyaid.schools.base import Record
from povertyaid.schools.models import County
from povertyaid.schools.scope import scope_of

if TYPE_CHECKING:
    import datetime as dt

    from django.db.models import QuerySet

    from povertyaid.imports.resources import Row, SheetResource
    from povertyaid.lib.cells.base import Sensitive
    from povertyaid.lib.sheets.layout import Table
    from povertyaid.schools.models import School, User

SHORT_NAME_RULE = "school_short_name"
RecordT = TypeVar("RecordT", bound=Record)


class ImportRefusedError(MessageError):
    """A whole file that cannot be imported as it was sent; nothing was written.

    Codes: kind, permission, no_table, wrong_kind, columns, duplicate_column, school, school_unknown, school_ambiguous,
    period, semester, county, constant.
    """


@dataclass
class TableInfo:
    """A table for its rows: the sheet, the headers as the file writes them, school and period that hold for it."""

    name: str
    resource: SheetResource
    labels: dict[str, str]
    title: str = ""
    school: School | None = None
    period: str | None = None

    @property
    def semester(self) -> str | None:
        """The one semester of the period; a whole year has two, so that it says none."""
        semesters = Period.parse(self.period).semesters if self.period else ()
        return semesters[0] if len(semesters) == 1 else None

    def label(self, key: str) -> str:
        """The header of a column in this file, else the published one."""
        return self.labels.get(key) or self.resource.by(key).header

    def sensitive(self, key: str) -> Sensitive:
        """How the cells of a column are masked."""
        return self.resource.by(key).sensitive


class ImportContext:
    """What a resource may ask while it plans: user, day, schools, county."""

    def __init__(
        self, user: User, options: Options, label: str = "", *, decisions: Decisions | None = None
    ) -> None:
        """Read the options; ImportRefusedError when the school or the period does not exist.

        `label` is the model that is imported ("students.student"): only roles that may import it count.
        """
        self.user = user
        self.options = options
        self._decisions = decisions or Decisions()
        self.kind = ""
        self.today: dt.date = timezone.localdate()
        self.scope = import_scope(user, label) if label else scope_of(user)
        self.schools = SchoolBook(user, scope=self.scope)
        self.school = self._chosen_school()
        self.period = self._chosen_period()

    def _chosen_school(self) -> School | None:
        if not self.options.school:
            return None
        found = self.schools.resolve(self.options.school)
        if found.school is None:
            raise unknown_school(self.options.school, names_of(found.candidates))
        return found.school

    def _chosen_period(self) -> str | None:
        if not self.options.period:
            return None
        try:
            return Period.parse(self.options.period).code
        except PeriodError as error:
            raise ImportRefusedError("period", error.message.text, error.message.params) from None

    def decision(self, row: Row, code: str) -> Decision | None:
        """What a person decided about a near miss of a row (`Row.ask` with that code); None as long as nobody did."""
        # The kind that is imported: a row may have been split into rows of another kind.
        return self._decisions.of(row.sheet, row.number, self.kind or row.table.resource.kind, code)

    def records(self, model: type[RecordT]) -> QuerySet[RecordT]:
        """The stored records that the account may change by this import: not those that another role merely shows."""
        found: Any = model._default_manager.visible_to(self.user)
        if not self.scope.everything and self.scope != scope_of(self.user):
            found = found.filter(model.scope_filter(self.scope))
        records: QuerySet[RecordT] = found
        return records

    @property
    def county_wide(self) -> bool:
        """Whether the account imports for the bureau, and not for its schools alone."""
        return self.scope.everything or bool(self.scope.county_ids)

    @cached_property
    def counties(self) -> list[County]:
        """The counties that the account works for."""
        found = County.objects.visible_to(self.user)
        scope = scope_of(self.user)
        if not scope.everything:
            found = found.filter(
                pk__in=scope.county_ids | {school.county_id for school in self.schools.schools}
            )
        return list(found.order_by("pk"))

    @cached_property
    def county(self) -> County:
        """The county of the file: of the chosen school, else the only one; ImportRefusedError when it is not clear."""
        if self.school is not None:
            return self.school.county
        if len(self.counties) == 1:
            return self.counties[0]
        if not self.counties:
            raise ImportRefusedError(
                "county", _("There is no county yet that you work for. Set one up first (init_county).")
            )
        raise ImportRefusedError(
            "county", _("It is not clear for which county the file is. Choose a school of that county.")
        )

    def county_of(self, row: Row, key: str = "county") -> County | None:
        """The county that a row names, where there are several; None after refusing the row.

        With one county the cell is not asked: lists write the county in many ways, and it can be no other.
        """
        if self.school is not None or len(self.counties) <= 1:
            return self.county
        text = row.get(key)
        if not text:
            row.refuse(key, _("The county is missing. Type its name."))
            return None
        found = [county for county in self.counties if text in {county.name, county.bureau_name}]
        if len(found) != 1:
            message = _("“%(county)s” is none of your counties. Write its name as in the list of counties.")
            row.refuse(key, Message("county", message, {"county": text}))
            return None
        return found[0]

    def describe(self, resource: SheetResource, table: Table) -> tuple[TableInfo, list[Message]]:
        """School and period of a table, with what to look at; ImportRefusedError when the kind needs what nobody says."""
        labels = {header.key: header.text for header in table.headers if header.key is not None}
        info = TableInfo(table.sheet, resource, labels, table.title_text)
        warnings: list[Message] = []
        info.school = self._school_of(resource, info, warnings)
        named = find_period_in_text(table.title_text)
        info.period = self.period or named
        if self.period and named and not _overlap(self.period, named):
            text = _("The title says %(title)s, but %(chosen)s was chosen. Check that it is the right file.")
            warnings.append(Message("other_period", text, {"title": named, "chosen": self.period}))
        if resource.needs_semester and "semester" not in labels and info.semester is None:
            raise ImportRefusedError(
                "semester",
                _("The file does not say for which semester it is. Choose one, for example 2025-2026-2."),
            )
        return info, warnings

    def _school_of(self, resource: SheetResource, info: TableInfo, warnings: list[Message]) -> School | None:
        """The chosen school; else the one that a title row names; else the only one that it can be."""
        unit = unit_in(info.title)
        told = self.schools.resolve(unit) if unit else self.schools.named_in(info.title)
        if told.school is None and not told.candidates:
            told = self.schools.named_in(info.title)
        if self.school is not None:
            if told.school is not None and told.school.pk != self.school.pk:
                text = _(
                    "The title names %(title)s, but %(chosen)s was chosen. Check that it is the right file."
                )
                params = {"title": told.school.name, "chosen": self.school.name}
                warnings.append(Message("other_school", text, params))
            return self.school
        if told.school is not None:
            return told.school
        named = unit or school_like(info.title)
        only = self.schools.schools[0] if len(self.schools.schools) == 1 and not named else None
        if not resource.needs_school or "school" in info.labels:
            # The county's own lists belong to no school, even where there is but one.
            return None if self.county_wide else only
        if named:
            raise unknown_school(named, names_of(told.candidates))
        if only is not None:
            return only
        raise ImportRefusedError(
            "school", _("The file does not say for which school it is. Choose the school.")
        )

    def school_of(self, row: Row, key: str = "school") -> School | None:
        """The school of a row: what its cell names, else the table's; None after refusing the row.

        An abbreviation is listed as a repair. A school outside the scope is answered like one that does not exist.
        """
        text = row.get(key)
        if not text:
            if row.school is None and row.ok:
                row.refuse(key, _("The school is missing. Type its name, or choose one for the whole file."))
            return row.school
        found = self.schools.resolve(text)
        if found.school is None:
            row.refuse(key, unknown_school(text, names_of(found.candidates)).message)
        elif found.short:
            row.repaired(key, text, found.school.name, SHORT_NAME_RULE)
        return found.school


def _overlap(chosen: str, named: str) -> bool:
    """Whether two periods have a semester in common: a school year and one of its semesters are no contradiction."""
    return bool(set(Period.parse(chosen).semesters) & set(Period.parse(named).semesters))


def unknown_school(text: str, candidates: str = "") -> ImportRefusedError:
    """The answer to a name that means no school of the account, or several."""
    if candidates:
        return ImportRefusedError(
            "school_ambiguous",
            _("“%(school)s” may be %(candidates)s. Write the full name or the code of the school."),
            {"school": text, "candidates": candidates},
        )
    return ImportRefusedError(
        "school_unknown",
        _("“%(school)s” is none of your schools. Write its name or code as in the list of schools."),
        {"school": text},
    )
