"""Spreadsheets of schools and of the people who work there.

They stand here and not beside their models, since schools lie below imports and may not know of them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext_lazy as _

from povertyaid.audit.services import Update
from povertyaid.imports.context import SHORT_NAME_RULE, unknown_school
from povertyaid.imports.resources import (
    SAME_RECORD,
    Column,
    Planned,
    Row,
    SheetResource,
    by_key,
    refuse_repeated,
    register,
)
from povertyaid.imports.schoolbook import SchoolBook, names_of, school_key
from povertyaid.lib.cells import (
    CellError,
    Cleaned,
    Context,
    Repair,
    as_text,
    clean_choice,
    clean_date,
    clean_name,
    clean_phone,
    clean_text,
    clean_yes_no,
    split_list,
)
from povertyaid.lib.masks import mask_phone
from povertyaid.lib.messages import Message
from povertyaid.schools.models import School, SchoolStage, Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from povertyaid.imports.context import ImportContext
    from povertyaid.lib.sheets.model import Value
    from povertyaid.schools.models import User

STAGES: dict[str, SchoolStage] = {
    "幼儿园": SchoolStage.PRESCHOOL,
    "小学": SchoolStage.PRIMARY,
    "初级中学": SchoolStage.JUNIOR,
    "九年一贯制学校": SchoolStage.NINE_YEAR,
    "高级中学": SchoolStage.SENIOR,
    "完全中学": SchoolStage.SECONDARY,
    "中等职业学校": SchoolStage.VOCATIONAL,
    "特殊教育学校": SchoolStage.SPECIAL,
    # Other spellings.
    "学前": SchoolStage.PRESCHOOL,
    "学前教育": SchoolStage.PRESCHOOL,
    "幼儿": SchoolStage.PRESCHOOL,
    "完小": SchoolStage.PRIMARY,
    "完全小学": SchoolStage.PRIMARY,
    "中心小学": SchoolStage.PRIMARY,
    "中心完小": SchoolStage.PRIMARY,
    "村小": SchoolStage.PRIMARY,
    "小学教学点": SchoolStage.PRIMARY,
    "教学点": SchoolStage.PRIMARY,
    "初中": SchoolStage.JUNIOR,
    "普通初中": SchoolStage.JUNIOR,
    "九年一贯制": SchoolStage.NINE_YEAR,
    "九年制学校": SchoolStage.NINE_YEAR,
    "九年制": SchoolStage.NINE_YEAR,
    "高中": SchoolStage.SENIOR,
    "普通高中": SchoolStage.SENIOR,
    "中职": SchoolStage.VOCATIONAL,
    "职业高中": SchoolStage.VOCATIONAL,
    "职业学校": SchoolStage.VOCATIONAL,
    "职高": SchoolStage.VOCATIONAL,
    "中专": SchoolStage.VOCATIONAL,
    "特殊教育": SchoolStage.SPECIAL,
    "特教学校": SchoolStage.SPECIAL,
    "特教": SchoolStage.SPECIAL,
}
SITES: dict[str, School.Site] = {
    "学校": School.Site.SCHOOL,
    "教学点": School.Site.TEACHING_POINT,
    "校区": School.Site.CAMPUS,
    "中心校": School.Site.SCHOOL,
    "中心学校": School.Site.SCHOOL,
    "独立学校": School.Site.SCHOOL,
    "本部": School.Site.CAMPUS,
    "分校": School.Site.CAMPUS,
}
# The first two digits of a school code tell the kind (POLICY §4).
_STAGE_OF_CODE = {
    "11": SchoolStage.PRESCHOOL,
    "21": SchoolStage.PRIMARY,
    "31": SchoolStage.JUNIOR,
    "34": SchoolStage.SENIOR,
    "36": SchoolStage.VOCATIONAL,
    "51": SchoolStage.SPECIAL,
}
_FOREIGN_CODE = _("This school code cannot be entered here; check it, or ask who runs the software.")


def clean_school_code(value: Value, *, ctx: Context) -> Cleaned[str]:
    """A school code of ten digits; a numeric cell holds all ten, and is told. Error code: school_code."""
    text = clean_text(as_text(value) if isinstance(value, int | float) else value, ctx=ctx)
    if text.value is None:
        return Cleaned(None)
    if len(text.value) != 10 or not (text.value.isascii() and text.value.isdecimal()):
        raise CellError(
            "school_code", _("A school code has 10 digits. Copy it again from the list of schools.")
        )
    if isinstance(value, int | float):
        text.repairs.append(Repair("number_as_text", text.value, text.value))
    return text


def _word(words: dict[str, Any], value: object) -> str:
    return next((word for word, meaning in words.items() if meaning == value), "")


@register
class SchoolResource(SheetResource):
    """The schools of the county: the key is the school code."""

    kind = "schools"
    label = _("schools")
    model = School
    permission = "schools.import_school"
    key_help = _("school code")
    columns = (
        Column("county", ("县区", "县(市、区、旗)", "县", "区县", "县市区"), partial(clean_text, longest=60),
               example="鹤山区"),
        Column("code", ("学校标识码", "学校代码", "学校编码", "标识码", "代码", "编码"), clean_school_code, required=True,
               text=True, example="2143000101"),
        Column("name", ("学校名称", "学校", "学校全称", "单位名称", "名称", "全称"), partial(clean_text, longest=80),
               required=True, example="青石坳中心完小"),
        Column("short_names", ("学校简称", "简称", "别名"), partial(clean_text, longest=200),
               example="青石坳小学、青石坳完小",
               help=_("Several with 、 between them: as other lists write the school.")),
        Column("stage", ("学校类别", "办学类型", "学段", "学校类型", "办学层次", "类别", "类型"),
               partial(clean_choice, choices=STAGES), choices=tuple(dict.fromkeys(_word(STAGES, v) for v in SchoolStage)),
               example="小学", help=_("Left empty, it is told by the first two digits of the code.")),
        Column("site", ("办学形式", "机构类别", "校点类型", "校点性质"), partial(clean_choice, choices=SITES),
               choices=("学校", "教学点", "校区"), example="学校"),
        Column("township", ("乡镇", "乡(镇)", "乡镇街道", "所在乡镇", "所属乡镇", "驻地乡镇"),
               partial(clean_text, longest=40), example="青石乡"),
        Column("central_school", ("中心校", "所属中心校", "上级中心校", "中心学校", "隶属中心校", "所属学校"),
               partial(clean_text, longest=80),
               help=_("Code or name of the central school above a teaching point or campus.")),
    )  # fmt: skip

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """Schools as the importer reads them back."""
        prefetch_related_objects(records, "county", "central_school")
        return [
            {
                "county": item.county.name,
                "code": item.code,
                "name": item.name,
                "short_names": item.short_names,
                "stage": _word(STAGES, item.stage),
                "site": _word(SITES, item.site),
                "township": item.township,
                "central_school": item.central_school.code if item.central_school is not None else "",
            }
            for item in records
        ]

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The schools of the county, or one of them."""
        del period
        found = School.objects.visible_to(user).select_related("county", "central_school")
        found = found.filter(pk=school.pk) if school is not None else found
        return found.order_by("code")

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Find every school by its code; central schools may stand in the same file."""
        for row in rows:
            self._derive(row)
        good = [row for row in rows if row.ok]
        refuse_repeated(good, "code", lambda row: row.get("code"), SAME_RECORD)
        refuse_repeated(
            [row for row in good if row.ok],
            "name",
            lambda row: (row.get("county"), school_key(row.get("name"))),
            _("Row %(row)d has a school of this name already. Names differ within a county."),
        )
        stored = {code: found[0] for code, found in by_key(
            School.objects.visible_to(context.user).select_related("county", "central_school"),
            "code", [row.get("code") for row in good]).items()}  # fmt: skip
        # Codes are unique everywhere; a school of another county is not told.
        taken = by_key(School.objects.only("code"), "code", [row.get("code") for row in good])
        names = {(school.county_id, school_key(school.name)): school for school in context.schools.schools}
        planned: list[tuple[Planned, School]] = []
        for row in good:
            county = context.county_of(row) if row.ok else None
            if county is None:
                continue
            school = stored.get(row.get("code"))
            self._check(row, school, taken, names.get((county.pk, school_key(row.get("name")))))
            if not row.ok:
                continue
            item = Planned(row)
            values = {key: row.get(key) for key in ("name", "short_names", "stage", "site", "township")
                      if row.get(key) is not None}  # fmt: skip
            if school is None:
                school = item.add(School(county=county, code=row.get("code"), **values), main=True)
            else:
                item.change(school, values)
            planned.append((item, school))
        self._join(planned, context)
        return [item for item, _school in planned if item.row.ok]

    @staticmethod
    def _derive(row: Row) -> None:
        """Short names in one spelling; the kind of school by its code where no cell says it."""
        if row.get("short_names"):
            row.values["short_names"] = "、".join(split_list(row.get("short_names")))
        if not row.ok or row.get("stage"):
            return
        stage = _STAGE_OF_CODE.get(row.get("code", "")[:2])
        if stage is not None:
            row.values["stage"] = stage

    @staticmethod
    def _check(row: Row, school: School | None, taken: dict[str, Any], namesake: School | None) -> None:
        if school is None and row.get("code") in taken:
            row.refuse("code", _FOREIGN_CODE)
        if namesake is not None and namesake.code != row.get("code"):
            text = _("The school %(name)s is stored with the code %(code)s. Correct the code or the name.")
            row.refuse("code", Message("other_code", text, {"name": namesake.name, "code": namesake.code}))
        if school is None and not row.get("stage"):
            row.refuse(
                "stage", _("The kind of school is missing, and the code does not tell it. Type it here.")
            )
        if school is None and not row.get("site") and str(row.get("name", "")).endswith("教学点"):
            row.values["site"] = School.Site.TEACHING_POINT

    @staticmethod
    def _join(planned: list[tuple[Planned, School]], context: ImportContext) -> None:
        """Set the central schools, once every school of the file is known."""
        book = SchoolBook(
            context.user, scope=context.scope, more=[school for item, school in planned if item.new]
        )
        waiting: list[tuple[Planned, School]] = []
        for item, school in planned:
            row = item.row
            text = row.get("central_school")
            centre = school.central_school
            if text:
                found = book.resolve(text)
                centre = found.school
                if centre is None:
                    row.refuse("central_school", unknown_school(text, names_of(found.candidates)).message)
                elif found.short:
                    row.repaired("central_school", text, centre.name, SHORT_NAME_RULE)
                # Central schools are often named as their own centre.
                if centre is not None and centre.code != school.code:
                    if item.new:
                        # Set after all schools of the file are stored.
                        item.update.append(Update(school, {"central_school": centre}))
                        waiting.append((item, centre))
                    else:
                        item.change(school, {"central_school": centre})
            item.values = {
                "学校标识码": row.get("code"),
                "学校名称": row.get("name"),
                "简称": row.get("short_names", school.short_names),
                "学校类别": _word(STAGES, row.get("stage", school.stage)),
                "乡镇": row.get("township", school.township),
                "中心校": centre.name if centre is not None and centre.code != school.code else "",
            }
        refused = {school.code for item, school in planned if item.new and not item.row.ok}
        for item, centre in waiting:
            if centre.code in refused and item.row.ok:
                text = _("The row of the central school %(name)s is refused. Mend that row first.")
                item.row.refuse("central_school", Message("centre_refused", text, {"name": centre.name}))


@register
class StaffResource(SheetResource):
    """People of schools and offices: the key is name and school, and the telephone number among namesakes."""

    kind = "staff"
    label = _("staff")
    model = Staff
    permission = "schools.import_staff"
    key_help = _("name and school (or office); among namesakes the telephone number")
    columns = (
        Column("name", ("姓名", "教师姓名", "教职工姓名", "职工姓名"), clean_name, required=True, example="张三"),
        Column("school", ("学校", "所在学校", "学校名称", "任教学校", "工作学校"), partial(clean_text, longest=80),
               example="青石坳中心完小", help=_("Empty for people of the bureau and of other offices.")),
        Column("office", ("单位", "工作单位", "所在单位", "部门", "科室"), partial(clean_text, longest=80),
               help=_("The unit of a person who belongs to no school.")),
        Column("post", ("职务", "岗位", "职务岗位", "行政职务"), partial(clean_text, longest=40), header_required=True,
               example="班主任"),
        Column("phone", ("联系电话", "手机号码", "手机号", "手机", "电话", "电话号码"), clean_phone,
               sensitive="phone", text=True),
        Column("is_leader", ("是否领导", "是否班子成员", "学校领导"), clean_yes_no, choices=("是", "否"), example="否"),
        Column("left_on", ("离校日期", "调离日期", "离职日期"), clean_date),
    )  # fmt: skip

    def present(self, records: Sequence[Any], context: ImportContext) -> list[dict[str, str]]:
        """People as the importer reads them back."""
        prefetch_related_objects(records, "school")
        return [
            {
                "name": item.name,
                "school": item.school.name if item.school is not None else "",
                "office": "" if item.school_id else item.office,
                "post": item.post,
                "phone": mask_phone(item.phone),
                "is_leader": "是" if item.is_leader else "否",
                "left_on": str(item.left_on or ""),
            }
            for item in records
        ]

    def listed(self, user: User, school: School | None, period: str) -> QuerySet[Any]:
        """The people who have not left."""
        del period
        found = Staff.objects.visible_to(user).filter(left_on__isnull=True).select_related("school")
        found = found.filter(school=school) if school is not None else found
        return found.order_by("school", "name_key", "pk")

    def plan(self, rows: list[Row], context: ImportContext) -> list[Planned]:
        """Find people by name within their school or office; namesakes are told apart by telephone, never guessed."""
        anywhere = context.county_wide
        units: dict[int, tuple[Any, ...]] = {}
        schools: dict[int, School | None] = {}
        for row in rows:
            if not row.ok:
                continue
            named = row.get("school")
            school = context.school_of(row) if named else row.school
            if school is None and not named and not anywhere:
                row.refuse(
                    "school", _("The school is missing. Type its name, or choose one for the whole file.")
                )
            office = "" if school else row.get("office", "")
            schools[id(row)] = school
            units[id(row)] = (row.get("name"), school.pk if school else None, office)
        good = [row for row in rows if row.ok]
        refuse_repeated(
            good,
            "name",
            lambda row: (*units[id(row)], row.get("phone", ""), row.returned),
            _("This is the same person as in row %(row)d. Keep one of the two rows."),
        )
        known: dict[Any, list[Staff]] = {}
        people = Staff.objects.visible_to(context.user).select_related("school")
        returned = by_key(people, "pk", [row.returned for row in good])
        for found in by_key(people, "name", [row.get("name") for row in good]).values():
            for person in found:
                key = (person.name, person.school_id, "" if person.school_id else person.office)
                known.setdefault(key, []).append(person)
        namesakes: dict[Any, int] = {}
        for row in good:
            namesakes[units[id(row)]] = namesakes.get(units[id(row)], 0) + 1
        planned = []
        for row in good:
            if not row.ok:
                continue
            unit = units[id(row)]
            person, certain = self._match(row, known.get(unit, []), alone=namesakes[unit] == 1)
            if row.returned in returned:
                person, certain = returned[row.returned][0], True
            if not certain:
                row.refuse(
                    "phone",
                    _(
                        "There are several people of this name. Write the telephone number by which this one is known."
                    ),
                )
                continue
            planned.append(self._plan_person(row, person, schools[id(row)], context))
        return planned

    @staticmethod
    def _match(row: Row, known: list[Staff], *, alone: bool) -> tuple[Staff | None, bool]:
        """The stored person, or None for a new one; and whether that is certain."""
        if not known:
            return None, alone or bool(row.get("phone"))
        if len(known) == 1 and alone:
            return known[0], True
        same = [person for person in known if person.phone and person.phone == row.get("phone")]
        return (same[0], True) if len(same) == 1 else (None, False)

    @staticmethod
    def _plan_person(
        row: Row, person: Staff | None, school: School | None, context: ImportContext
    ) -> Planned:
        item = Planned(row)
        values = {
            key: row.get(key) for key in ("name", "post", "phone", "is_leader") if row.get(key) is not None
        }
        if school is None and row.get("office"):
            values["office"] = row.get("office")
        if row.get("left_on"):
            values["left_on"] = row.get("left_on").value
        if person is None:
            county = school.county if school is not None else context.county
            item.add(Staff(county=county, school=school, **values), main=True)
        else:
            item.change(person, values)
        item.values = {
            "姓名": row.get("name"),
            "学校": school.name if school else "",
            "单位": "" if school else row.get("office", ""),
            "职务": row.get("post", ""),
            "联系电话": mask_phone(row.get("phone", "")),
        }
        return item
