"""Tags of the passages: figures with unit and link, and clauses that are joined when they have something to say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from povertyaid.lib import money
from reports.words import chinese_date, numeral

if TYPE_CHECKING:
    from django.template import Context

    from reports.indicators import Figures
    from reports.passages import Gap

register = template.Library()

# Between clauses in a template; no programme's or school's name contains it.
CLAUSE = "¦"


def value_of(figures: Figures, key: str, filters: dict[str, str]) -> Any:
    """Return a figure's value, or that of one of its groups ({breakdown: token}); 0 for a group without records."""
    figure = figures[key]
    if not filters:
        return figure.value
    ((breakdown, token),) = filters.items()
    return next((group.value for group in figures.groups(key, breakdown) if group.token == token), 0)


def told(value: Any, unit: str) -> str:
    """Return a value as sentences write it: yuan as it stands, from ten thousand on 万元 with two places."""
    if value is None:
        return ""
    if unit == "元":
        amount = Decimal(value)
        if amount >= money.TEN_THOUSAND:
            return f"{money.wan_text(amount)}万元"
        return f"{money.yuan_text(amount)}元"
    if isinstance(value, Decimal):
        return f"{money.yuan_text(value)}{unit}"
    return f"{value}{unit}"


@register.simple_tag(takes_context=True)
def figure(context: Context, key: str, unit: str | None = None, **filters: str) -> SafeString:
    """Print a figure with its unit; on screen it leads to the records that it counts."""
    figures: Figures = context["figures"]
    text = told(value_of(figures, key, filters), figures[key].indicator.unit if unit is None else unit)
    address = context["records_url"](key, filters) if context.get("records_url") else ""
    if address:
        return format_html('<a class="figure nb" href="{}">{}</a>', address, text)
    return format_html('<span class="nb">{}</span>', text)


@register.simple_tag(takes_context=True)
def gap(context: Context, item: Gap, wording: str) -> SafeString:
    """Print the problem or the remedy of a gap with its figure, in the words of the paper."""
    text: str = getattr(item, wording)
    before, _place, after = text.replace("学生", context["w"].pupil).partition("{}")
    return format_html("{}{}{}", before, figure(context, item.key, item.unit), after)


@register.simple_tag(takes_context=True)
def cell(context: Context, key: str, places: str = "", **filters: str) -> SafeString:
    """Print a figure in a table: without unit, money as 万元 with four places, nothing for nil."""
    figures: Figures = context["figures"]
    value = value_of(figures, key, filters)
    if not value:
        return mark_safe("")
    if places == "yuan":
        text = money.yuan_table(Decimal(value))
    else:
        text = money.wan_table(value) if isinstance(value, Decimal) else str(value)
    address = context["records_url"](key, filters) if context.get("records_url") else ""
    if address:
        return format_html('<a class="figure" href="{}">{}</a>', address, text)
    return format_html("{}", text)


@register.simple_tag(takes_context=True)
def group_cell(context: Context, key: str, breakdown: str, token: str) -> SafeString:
    """Print one group of a figure in a table."""
    return cell(context, key, **{breakdown: token})


@register.simple_tag(takes_context=True)
def cross_cell(context: Context, key: str, filters: dict[str, str], value: int) -> SafeString:
    """Print one cell of a table of two breakdowns."""
    if not value:
        return mark_safe("")
    address = context["records_url"](key, filters) if context.get("records_url") else ""
    if address:
        return format_html('<a class="figure" href="{}">{}</a>', address, value)
    return format_html("{}", value)


@register.filter
def hanzi(number: int) -> str:
    """Write a number from 1 to 99 in Chinese numerals."""
    return numeral(number)


@register.filter
def after(number: int, items: list[object]) -> int:
    """Count on after a list."""
    return number + len(items)


@register.filter
def following(number: int) -> int:
    """The next number."""
    return number + 1


@register.filter
def cn_date(day: date) -> str:
    """Write a date as 2026年7月5日."""
    return chinese_date(day)


class ClausesNode(template.Node):
    """Joins the clauses inside that are not empty; prints nothing when all are."""

    def __init__(self, nodelist: NodeList, separator: FilterExpression, ends: dict[str, FilterExpression]) -> None:
        self.nodelist = nodelist
        self.separator = separator
        self.ends = ends

    def render(self, context: Context) -> SafeString:
        clauses = [part.strip() for part in self.nodelist.render(context).split(CLAUSE)]
        said = [clause for clause in clauses if clause]
        if not said:
            return mark_safe("")
        start, end = (
            self.ends[name].resolve(context) if name in self.ends else "" for name in ("start", "end")
        )
        joined = str(self.separator.resolve(context)).join(said)
        return mark_safe(f"{start}{joined}{end}")  # noqa: S308 - the parts were escaped when they were rendered


@register.tag
def clauses(parser: Parser, token: Token) -> ClausesNode:
    """{% clauses "，" start="其中" end="。" %}…¦…{% endclauses %}"""
    _name, separator, *rest = token.split_contents()
    ends = {}
    for part in rest:
        name, _equals, value = part.partition("=")
        ends[name] = parser.compile_filter(value)
    nodelist = parser.parse(("endclauses",))
    parser.delete_first_token()
    return ClausesNode(nodelist, parser.compile_filter(separator), ends)
