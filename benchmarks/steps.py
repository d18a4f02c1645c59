"""The steps that are measured. `prepare` makes a database ready, every other step begins there."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db import connections, transaction
from import_export import fields, resources
from import_export.formats.base_formats import XLSX
from python_calamine import CalamineWorkbook
from tablib import Dataset

from benchmarks import people
from povertyaid.audit.actor import system_user
from povertyaid.imports import services, undo
from povertyaid.imports.models import ImportBatch
from povertyaid.imports.options import Options
from povertyaid.lib import names
from povertyaid.lib.crypto import lookup_hash
from povertyaid.lib.periods import entry_year_of, school_year_of
from povertyaid.schools.models import County, School, SchoolClass, Stage
from students.models import Enrolment, Student

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Seconds = dict[str, float]
# A part that is told beside the others and is no time of its own: the longest transaction.
LONGEST = "longest transaction"
FLOOR_BATCH = 500


class Clock:
    """Measures one part after the other."""

    def __init__(self) -> None:
        """Begin with nothing measured."""
        self.seconds: Seconds = {}

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        """Do the work and keep how long it took."""
        begun = time.perf_counter()
        result = work()
        self.seconds[name] = round(time.perf_counter() - begun, 2)
        return result


@contextmanager
def transactions() -> Iterator[list[float]]:
    """Seconds of every transaction; on SQLite nobody else can write as long as one is open."""
    found: list[float] = []
    begun = 0.0
    connection = connections["default"]
    switch = connection.set_autocommit

    def watched(autocommit: bool, **options: Any) -> None:
        nonlocal begun
        switch(autocommit, **options)
        if autocommit:
            found.append(time.perf_counter() - begun)
        else:
            begun = time.perf_counter()

    vars(connection)["set_autocommit"] = watched
    try:
        yield found
    finally:
        del vars(connection)["set_autocommit"]


def prepare(_path: Path, _count: int) -> Seconds:
    """Tables, a county and its schools: where every other step begins."""
    call_command("migrate", verbosity=0)
    system_user()
    county = County.objects.create(name="云岭县", bureau_name="云岭县教育局")
    for number in range(people.SCHOOLS):
        School.objects.create(
            county=county,
            code=people.school_code(number),
            name=people.school_name(number),
            stage="primary",
        )
    return {}


def first(path: Path, count: int) -> Seconds:
    """The whole import through the services that the pages and the command line use."""
    seconds, batch = _imported(path)
    _expect(batch.counts["created"], count)
    _expect(Student.objects.count(), count)
    _expect(Enrolment.objects.count(), count)
    return seconds


def again(path: Path, count: int) -> Seconds:
    """The same file once more: nothing is to be written but the new batch."""
    seconds, batch = _imported(path)
    _expect(batch.counts["unchanged"], count)
    return seconds


def _imported(path: Path) -> tuple[Seconds, ImportBatch]:
    user, clock, data = system_user(), Clock(), path.read_bytes()

    def preview() -> ImportBatch:
        kept = services.receive(data=data, name=path.name, user=user, options=Options(), kinds=["students"])
        return services.prepare(batch=kept, user=user)

    with transactions() as lasted:
        batch = clock.time("preview", preview)
        done = clock.time(
            "commit", lambda: services.commit_batch(batch=batch, user=user, all_or_nothing=True)
        )
    return {**clock.seconds, LONGEST: round(max(lasted), 2)}, done


def take_back(_path: Path, count: int) -> Seconds:
    """Undo the import of a database: every pupil and enrolment that it brought goes."""
    user, clock = system_user(), Clock()
    batch = ImportBatch.objects.get()
    _expect(Student.objects.count(), count)
    clock.time("look", lambda: undo.plan_undo(batch, user))
    with transactions() as lasted:
        clock.time("undo", lambda: undo.undo_batch(batch=batch, user=user))
    _expect(Student.objects.count(), 0)
    return {**clock.seconds, LONGEST: round(max(lasted), 2)}


def floor(path: Path, count: int) -> Seconds:
    """What nobody can do without: read the file, encrypt the numbers, store the same records with bulk_create.

    No cleaning, no matching, no preview, no history; what the cells mean and the sort keys are known beforehand.
    """
    clock = Clock()
    pupils = list(people.pupils(count))
    keys = [(names.sort_key(pupil.name), names.initials(pupil.name)) for pupil in pupils]
    schools = {school.code: school for school in School.objects.all()}
    year = school_year_of(pupils[0].birth.replace(year=2026, month=3, day=1))
    rows = clock.time("read", lambda: _calamine(path))
    _expect(len(rows), count + 1)

    @transaction.atomic
    def store() -> None:
        classes: dict[tuple[int, int, int], SchoolClass] = {}
        students, enrolments = [], []
        for pupil, (sort_key, initials) in zip(pupils, keys, strict=True):
            school = schools[people.school_code(pupil.school)]
            place = (pupil.school, pupil.grade, pupil.number)
            if place not in classes:
                classes[place] = SchoolClass(
                    school=school,
                    stage=Stage.PRIMARY,
                    entry_year=entry_year_of(pupil.grade, year),
                    number=pupil.number,
                )
            student = Student(
                name=pupil.name,
                name_key=sort_key,
                name_initials=initials,
                sex="male" if pupil.male else "female",
                identity=pupil.identity,
                pupil_number=pupil.pupil_number,
                birth_date=pupil.birth,
                ethnic_group=pupil.ethnic_group,
                boarding="boarding" if pupil.boarding else "day",
                left_behind=("none", "one_parent", "both_parents")[pupil.left_behind],
                guardian_name=pupil.guardian,
                phone=pupil.phone,
                address=pupil.address,
            )
            students.append(student)
            enrolments.append(Enrolment(student=student, school=school, school_class=classes[place]))
        SchoolClass.objects.bulk_create(classes.values(), batch_size=FLOOR_BATCH)
        Student.objects.bulk_create(students, batch_size=FLOOR_BATCH)
        Enrolment.objects.bulk_create(enrolments, batch_size=FLOOR_BATCH)

    clock.time("store", store)
    _expect(Student.objects.count(), count)
    return clock.seconds


def _calamine(path: Path) -> list[list[Any]]:
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


class StockResource(resources.ModelResource):
    """django-import-export with its defaults: one record after the other, looked up, compared and saved.

    Of the twelve columns it takes the eleven of the pupil; schools, classes and enrolments it knows nothing of.
    """

    name = fields.Field("name", "姓名")
    sex = fields.Field("sex", "性别")
    identity = fields.Field("identity", "身份证号码")
    pupil_number = fields.Field("pupil_number", "学籍号")
    boarding = fields.Field("boarding", "就读方式")
    ethnic_group = fields.Field("ethnic_group", "民族")
    guardian_name = fields.Field("guardian_name", "监护人姓名")
    phone = fields.Field("phone", "联系电话")
    address = fields.Field("address", "家庭住址")
    left_behind = fields.Field("left_behind", "留守儿童")

    class Meta:
        model = Student
        # Found again by the keyed hash, which has an index: by the encrypted number itself it would never end.
        import_id_fields = ("identity_hash",)

    def before_import_row(self, row: dict[str, Any], **_kwargs: Any) -> None:
        """The hash is no column of the file."""
        row["identity_hash"] = lookup_hash("identity", row["身份证号码"])


def stock(path: Path, count: int) -> Seconds:
    """The same file through the stock resource, once; its pages do it twice (preview and confirmation)."""
    clock = Clock()

    def load() -> Dataset:
        dataset = XLSX().create_dataset(path.read_bytes())
        dataset.append_col([""] * len(dataset), header="identity_hash")
        return dataset

    dataset = clock.time("read", load)
    result = clock.time("import", lambda: StockResource().import_data(dataset, raise_errors=True))
    _expect(result.totals["new"], count)
    return clock.seconds


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        msg = f"Expected {wanted}, found {found}: what was measured is not what was meant."
        raise RuntimeError(msg)


STEPS: dict[str, Callable[[Path, int], Seconds]] = {
    step.__name__: step for step in (prepare, first, again, floor, stock, take_back)
}
