"""The paged list behind a figure: one row for each record or person that it counts, masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_permission_codename
from django.core.paginator import Paginator
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from aid.models import Payment
from households.models import Household, Member, Village
from pairings.models import Contact, Pairing
from povertyaid.lib import periods
from povertyaid.lib.money import yuan_table
from povertyaid.lib.periods import Period
from povertyaid.schools.base import Record
from povertyaid.schools.models import SchoolClass, Staff, User
from reports.indicators import Indicator, Target
from reports.indicators.base import Records, Value
from students.models import Recognition, Student

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django_stubs_ext import StrOrPromise

PER_PAGE = 50


@dataclass(frozen=True)
class Column:
    """A column of a list: its head, and how a record fills it."""

    title: StrOrPromise
    cell: Callable[[Any, Period], object]
    numeric: bool = False


@dataclass(frozen=True)
class Listing:
    """How the records of a model are listed; `related` are read along with them."""

    columns: tuple[Column, ...]
    related: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line; without cells when the reader may count the record but not see it."""

    cells: list[tuple[object, bool]]
    url: str = ""


def _class_name(school_class: SchoolClass | None, period: Period) -> str:
    return school_class.name_in(period.school_year) if school_class else ""


def _helped(pairing: Pairing) -> str:
    return str(pairing.student or _("household %(number)s") % {"number": pairing.household})


def _aided(payment: Payment) -> str:
    return str(payment.student or _("household %(number)s") % {"number": payment.household})


def _place(person: Staff) -> str:
    return str(person.school) if person.school else person.office


LISTINGS: dict[type[Record], Listing] = {
    Recognition: Listing(
        (
            Column(_("pupil"), lambda item, _p: item.student.name),
            Column(_("identity number"), lambda item, _p: item.student.identity),
            Column(_("school"), lambda item, _p: item.school),
            Column(_("class"), lambda item, period: _class_name(item.school_class, period)),
            Column(_("level of hardship"), lambda item, _p: item.get_level_display()),
            Column(_("group for statistics"), lambda item, _p: item.primary_group or ""),
            Column(_("semester"), lambda item, _p: periods.semester_label(item.semester)),
            Column(_("state"), lambda item, _p: item.get_state_display()),
        ),
        ("student", "school", "school_class", "primary_group"),
    ),
    Student: Listing(
        (
            Column(_("pupil"), lambda item, _p: item.name),
            Column(_("identity number"), lambda item, _p: item.identity),
            Column(_("sex"), lambda item, _p: item.get_sex_display()),
            Column(_("boarding"), lambda item, _p: item.get_boarding_display()),
            Column(_("left-behind child"), lambda item, _p: item.get_left_behind_display()),
        )
    ),
    Household: Listing(
        (
            Column(_("household number"), lambda item, _p: str(item)),
            Column(_("township"), lambda item, _p: item.village.township),
            Column(_("village"), lambda item, _p: item.village.name),
            Column(_("household category"), lambda item, _p: item.get_category_display()),
            Column(_("cause of poverty"), lambda item, _p: item.get_cause_display()),
            Column(_("identified on"), lambda item, _p: item.identified_on or ""),
        ),
        ("village",),
    ),
    Member: Listing(
        (
            Column(_("household number"), lambda item, _p: str(item.household)),
            Column(_("name"), lambda item, _p: item.name),
            Column(_("identity number"), lambda item, _p: item.identity),
            Column(_("relation to the head"), lambda item, _p: item.get_relation_to_head_display()),
            Column(_("student status"), lambda item, _p: item.student_status),
        ),
        ("household",),
    ),
    Village: Listing(
        (
            Column(_("township"), lambda item, _p: item.township),
            Column(_("village"), lambda item, _p: item.name),
        )
    ),
    Staff: Listing(
        (
            Column(_("name"), lambda item, _p: item.name),
            Column(_("post"), lambda item, _p: item.post),
            Column(_("school or office"), lambda item, _p: _place(item)),
        ),
        ("school",),
    ),
    Pairing: Listing(
        (
            Column(_("helper"), lambda item, _p: item.helper.name),
            Column(_("post"), lambda item, _p: item.helper.post),
            Column(_("helped"), lambda item, _p: _helped(item)),
            Column(_("school"), lambda item, _p: item.school or ""),
            Column(_("from"), lambda item, _p: item.start_on),
            Column(_("to"), lambda item, _p: item.end_on or ""),
            Column(_("state"), lambda item, _p: item.get_state_display()),
        ),
        ("helper", "student", "household", "school"),
    ),
    Contact: Listing(
        (
            Column(_("date"), lambda item, _p: item.date),
            Column(_("kind"), lambda item, _p: item.get_kind_display()),
            Column(_("form"), lambda item, _p: item.get_form_display()),
            Column(_("helper"), lambda item, _p: item.pairing.helper.name),
            Column(_("helped"), lambda item, _p: _helped(item.pairing)),
            Column(_("school"), lambda item, _p: item.pairing.school or ""),
        ),
        ("pairing__helper", "pairing__student", "pairing__household", "pairing__school"),
    ),
    Payment: Listing(
        (
            Column(_("pupil or household"), lambda item, _p: _aided(item)),
            Column(_("school"), lambda item, _p: item.disbursement.school),
            Column(_("programme"), lambda item, _p: item.disbursement.programme),
            Column(_("semester"), lambda item, _p: periods.semester_label(item.disbursement.semester)),
            Column(_("bank account"), lambda item, _p: item.account),
            Column(_("state"), lambda item, _p: item.get_state_display()),
            Column(_("paid on"), lambda item, _p: item.paid_on or ""),
            Column(
                _("paid (yuan)"),
                lambda item, _p: "" if item.paid is None else yuan_table(item.paid),
                numeric=True,
            ),
        ),
        ("student", "household", "disbursement__school", "disbursement__programme"),
    ),
}


@dataclass(frozen=True)
class FigureList:
    """One page of the list behind a figure, with the figure itself for comparison."""

    value: Value
    count: int
    columns: tuple[Column, ...]
    rows: list[Row]
    page: Any
    hidden: int  # rows of this page that the reader may count but not see


def figure_list(
    indicator: Indicator,
    target: Target,
    period: Period,
    filters: Mapping[str, str],
    *,
    user: User,
    number: str | None,
) -> FigureList:
    """Return a page of the list. Raises WrongFilter for a group that does not exist.

    The reader has come through a summary of the own scope; a row whose record lies outside (a helper of another
    office) is counted, and neither shown nor linked.
    """
    records = indicator.listed(target, period, filters)
    listing = LISTINGS[records.model]
    ordered = records.select_related(*listing.related).order_by(*records.model._meta.ordering)
    page = Paginator(ordered, PER_PAGE).get_page(number)
    objects = list(page.object_list)
    seen = _visible(records, [item.pk for item in objects], user)
    rows = [_row(item, listing, period, shown=item.pk in seen) for item in objects]
    return FigureList(
        value=indicator.value(target, period, filters),
        count=page.paginator.count,
        columns=listing.columns,
        rows=rows,
        page=page,
        hidden=sum(1 for row in rows if not row.cells),
    )


def _visible(records: Records, keys: list[int], user: User) -> set[int]:
    model = records.model
    opts = model._meta
    if not user.has_perm(f"{opts.app_label}.{get_permission_codename('view', opts)}"):
        return set()
    return set(model.objects.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True))


def _row(item: Any, listing: Listing, period: Period, *, shown: bool) -> Row:
    if not shown:
        return Row([])
    opts = item._meta
    try:
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[item.pk])
    except NoReverseMatch:
        url = ""
    return Row([(column.cell(item, period), column.numeric) for column in listing.columns], url)


def total_text(value: Value) -> str:
    """Return a figure for the head of its list: money with two places."""
    return yuan_table(value) if isinstance(value, Decimal) else str(value)
