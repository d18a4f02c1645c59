"""Spreadsheets of villages and of the registry of households."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from households.models import Village
from povertyaid.imports.resources import (
    SAME_RECORD,
    Column,
    Planned,
    Row,
    SheetResource,
    refuse_repeated,
    register,
)
from povertyaid.lib.cells import clean_text

if TYPE_CHECKING:
    from povertyaid.imports.context import ImportContext


@register
class VillageResource(SheetResource):
    """Villages of the county: the key is township and name."""

    kind = "villages"
    label = _("villages")
    model = Village
    permission = "households.import_village"
    key_help = _("township and village")
    columns = (
        Column("county", ("县区", "县(市、区、旗)", "县", "区县", "县市区"), clean_text, example="鹤山区"),
        Column(
            "township",
            ("乡镇", "乡(镇)", "乡镇街道", "所在乡镇"),
            clean_text,
            required=True,
            example="青石乡",
        ),
        Column(
            "name",
            ("行政村", "村", "村名", "行政村名称", "村名称", "村(社区)"),
            clean_text,
            required=True,
            example="青石村",
        ),
    )

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Every village is found by township and name; a known one is left as it is."""
        refuse_repeated(
            [row for row in rows if row.ok],
            "name",
            lambda row: (row.get("township"), row.get("name")),
            SAME_RECORD,
        )
        known = {
            (village.township, village.name)
            for village in Village.objects.visible_to(context.user).filter(county=context.county)
        }
        planned = []
        for row in rows:
            if not row.ok:
                continue
            township, name = row.get("township"), row.get("name")
            item = Planned(row, {"乡镇": township, "行政村": name})
            if (township, name) not in known:
                item.add(Village(county=context.county, township=township, name=name), main=True)
            planned.append(item)
        return planned
