"""The county bureau, its schools, their classes and people, accounts and roles."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import names, periods
from povertyaid.lib.fields import PhoneField
from povertyaid.schools.base import NamedPerson, Record, ScopedQuerySet
from povertyaid.schools.roles import COUNTY_ROLES, DERIVED_ROLES, EITHER_ROLES, Role

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class Stage(models.TextChoices):
    """The stage of education of a class, a programme or a standard."""

    PRESCHOOL = "preschool", _("Pre-school")
    PRIMARY = "primary", _("Primary")
    JUNIOR = "junior", _("Junior secondary")
    SENIOR = "senior", _("Senior secondary")
    VOCATIONAL = "vocational", _("Vocational")
    SPECIAL = "special", _("Special education")
    HIGHER = "higher", _("Higher education")


class SchoolStage(models.TextChoices):
    """What a school teaches; some teach two stages."""

    PRESCHOOL = "preschool", _("Kindergarten")
    PRIMARY = "primary", _("Primary school")
    JUNIOR = "junior", _("Junior secondary school")
    NINE_YEAR = "nine_year", _("Nine-year school")
    SENIOR = "senior", _("Senior secondary school")
    SECONDARY = "secondary", _("Complete secondary school")
    VOCATIONAL = "vocational", _("Vocational school")
    SPECIAL = "special", _("Special school")


STAGES_OF_SCHOOL: dict[str, tuple[Stage, ...]] = {
    SchoolStage.PRESCHOOL: (Stage.PRESCHOOL,),
    SchoolStage.PRIMARY: (Stage.PRIMARY, Stage.PRESCHOOL),
    SchoolStage.JUNIOR: (Stage.JUNIOR,),
    SchoolStage.NINE_YEAR: (Stage.PRIMARY, Stage.JUNIOR, Stage.PRESCHOOL),
    SchoolStage.SENIOR: (Stage.SENIOR,),
    SchoolStage.SECONDARY: (Stage.JUNIOR, Stage.SENIOR),
    SchoolStage.VOCATIONAL: (Stage.VOCATIONAL,),
    SchoolStage.SPECIAL: (Stage.SPECIAL, Stage.PRIMARY, Stage.JUNIOR),
}


class County(Record):
    """A county and its education bureau."""

    name = models.CharField(_("county"), max_length=60)
    bureau_name = models.CharField(_("name of the bureau"), max_length=80)
    # The words for the work in titles: 扶贫帮困, 学生资助, 常态化帮扶 (SUMMARIES §5).
    title_words = models.CharField(_("words for the work in titles"), max_length=20, default="扶贫帮困")

    class Meta(Record.Meta):
        verbose_name = _("county bureau")
        verbose_name_plural = _("county bureaus")
        ordering = ("name",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["name"],
                name="county_name_unique",
                violation_error_message=_("This county exists already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(pk__in=scope.home_county_ids)


class School(Record):
    """A school, kindergarten, campus or teaching point."""

    class Site(models.TextChoices):
        SCHOOL = "school", _("School")
        TEACHING_POINT = "teaching_point", _("Teaching point")
        CAMPUS = "campus", _("Campus")

    county = models.ForeignKey(County, models.PROTECT, related_name="schools", verbose_name=_("county"))
    code = models.CharField(
        _("school code"),
        max_length=10,
        validators=[RegexValidator(r"^\d{10}$", _("A school code has 10 digits."))],
        help_text=_("10 digits: kind, province, six more."),
    )
    name = models.CharField(_("school name"), max_length=80)
    short_names = models.CharField(
        _("short names"), max_length=200, blank=True, help_text=_("As lists write them, separated by 、")
    )
    name_key = models.CharField(max_length=250, editable=False, default="", db_index=True)
    stage = models.CharField(_("kind of school"), max_length=20, choices=SchoolStage)
    site = models.CharField(_("kind of site"), max_length=20, choices=Site, default=Site.SCHOOL)
    township = models.CharField(_("township"), max_length=40, blank=True)
    central_school = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="sites", verbose_name=_("central school")
    )

    class Meta(Record.Meta):
        verbose_name = _("school")
        verbose_name_plural = _("schools")
        ordering = ("code",)
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["code"],
                name="school_code_unique",
                violation_error_message=_("A school with this code exists already."),
            ),
            models.UniqueConstraint(
                fields=["county", "name"],
                name="school_name_unique_in_county",
                violation_error_message=_("A school with this name exists already in the county."),
            ),
            models.CheckConstraint(
                condition=Q(central_school__isnull=True) | ~Q(central_school=F("pk")),
                name="school_not_its_own_centre",
                violation_error_message=_("A school cannot be its own central school."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return scope.known_schools

    def prepare(self) -> None:
        super().prepare()
        self.name_key = names.sort_key(self.name)[:250]

    @property
    def is_kindergarten(self) -> bool:
        """Kindergartens have 幼儿 and a 园长 in their papers."""
        return self.stage == SchoolStage.PRESCHOOL

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that it teaches; the first is the usual one."""
        return STAGES_OF_SCHOOL[self.stage]

    @property
    def all_names(self) -> list[str]:
        """The full name, then the short ones."""
        return [self.name, *filter(None, (part.strip() for part in self.short_names.split("、")))]


class Department(Record):
    """An office of a school or of the bureau (教导处, 德育处, 学生资助管理中心)."""

    county = models.ForeignKey(County, models.PROTECT, related_name="departments", verbose_name=_("county"))
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="departments", verbose_name=_("school")
    )
    name = models.CharField(_("name"), max_length=60)

    class Meta(Record.Meta):
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        ordering = ("school", "name")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["county", "school", "name"],
                name="department_unique",
                violation_error_message=_("This department exists already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(school__in=scope.schools) | Q(school__isnull=True, county__in=scope.county_ids)


class AccountManager(UserManager.from_queryset(ScopedQuerySet)):  # type: ignore[misc]
    """Django's manager of accounts, with `visible_to`."""


class User(AbstractUser):
    """An account. What it may do comes from its roles alone; there is no superuser's way round."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    must_change_password = models.BooleanField(_("must change the password"), default=False)
    is_demo = models.BooleanField(_("demo account"), default=False, editable=False)
    # The command line acts under this account where no other is named; it cannot log in.
    is_system = models.BooleanField(default=False, editable=False)

    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    logs_reads: ClassVar[bool] = False
    keeps_history: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        """Return the name of the person who holds the account, else the account's own."""
        staff = Staff.objects.filter(account=self).first()
        return staff.name if staff else self.username

    def get_short_name(self) -> str:
        return self.get_full_name()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Ask the roles; is_superuser opens nothing."""
        from django.contrib.auth import get_backends  # noqa: PLC0415 - backends import this module

        return self.is_active and any(
            backend.has_perm(self, perm, obj) for backend in get_backends() if hasattr(backend, "has_perm")
        )

    def has_module_perms(self, app_label: str) -> bool:
        from django.contrib.auth import get_backends  # noqa: PLC0415 - backends import this module

        return self.is_active and any(
            backend.has_module_perms(self, app_label)
            for backend in get_backends()
            if hasattr(backend, "has_module_perms")
        )

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Accounts of one's counties: those with a role there or held by a person there, and one's own."""
        counties = scope.county_ids
        grants = RoleGrant.objects.filter(Q(county__in=counties) | Q(school__county__in=counties)).values(
            "user"
        )
        people = Staff.objects.filter(county__in=counties, account__isnull=False).values("account")
        return Q(pk__in=grants) | Q(pk__in=people) | Q(pk=scope.user_id)


class Staff(NamedPerson):
    """A person who acts: teacher, head, cadre, official. One person is one record, so that helpers can be counted."""

    county = models.ForeignKey(County, models.PROTECT, related_name="staff", verbose_name=_("county"))
    school = models.ForeignKey(
        School,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="staff",
        verbose_name=_("school"),
        help_text=_("Empty for the bureau's own people and those of other offices."),
    )
    office = models.CharField(
        _("office"), max_length=80, blank=True, help_text=_("Unit of a person who belongs to no school.")
    )
    post = models.CharField(_("post"), max_length=40, blank=True)
    phone = PhoneField(_("phone"))
    account = models.OneToOneField(
        User, models.SET_NULL, null=True, blank=True, related_name="staff", verbose_name=_("account")
    )
    is_leader = models.BooleanField(_("leads the school or a department"), default=False)
    left_on = models.DateField(_("left on"), null=True, blank=True)

    class Meta(NamedPerson.Meta):
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        ordering = ("school", "name_key", "pk")

    def __str__(self) -> str:
        return f"{self.name}（{self.post}）" if self.post else self.name

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return (
            Q(school__in=scope.schools)
            | Q(school__isnull=True, county__in=scope.county_ids)
            | Q(pk=scope.staff_id)
        )


class SchoolClass(Record):
    """A class, named by the year in which its pupils entered the stage: a new school year moves it up by itself."""

    school = models.ForeignKey(School, models.PROTECT, related_name="classes", verbose_name=_("school"))
    stage = models.CharField(_("stage"), max_length=20, choices=Stage)
    entry_year = models.PositiveSmallIntegerField(
        _("entry year"),
        validators=[MinValueValidator(1980), MaxValueValidator(2100)],
        help_text=_(
            "The year in which the class began this stage, for example 2024 for grade one of 2024—2025."
        ),
    )
    number = models.PositiveSmallIntegerField(
        _("class number"), validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    teacher = models.ForeignKey(
        Staff, models.SET_NULL, null=True, blank=True, related_name="classes", verbose_name=_("class teacher")
    )

    class Meta(Record.Meta):
        verbose_name = _("class")
        verbose_name_plural = _("classes")
        ordering = ("school", "stage", "-entry_year", "number")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["school", "stage", "entry_year", "number"],
                name="class_unique_in_school",
                violation_error_message=_("This class exists already in the school."),
            ),
        ]

    def __str__(self) -> str:
        return self.name_in(periods.school_year_of(timezone.localdate()))

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(school__in=scope.schools) | Q(pk__in=scope.class_ids)

    def clean(self) -> None:
        if self.school_id and self.teacher_id and self.teacher and self.teacher.school_id != self.school_id:
            raise ValidationError({"teacher": _("The class teacher belongs to another school.")})
        if self.school_id and self.stage and self.stage not in self.school.stages:
            raise ValidationError({"stage": _("This school does not teach this stage.")})

    def grade_in(self, school_year: int) -> int:
        """Return the grade (1 = first) in a school year, given by the year in which that begins."""
        return periods.grade_of(self.entry_year, school_year)

    def name_in(self, school_year: int) -> str:
        """Return the class's name in a school year: 三年级2班, or 2018级2班（已毕业） once it has left."""
        if self.grade_in(school_year) > periods.last_grade(self.stage):
            return f"{self.entry_year}级{self.number}班（已毕业）"
        return f"{periods.grade_label(self.stage, self.grade_in(school_year))}{self.number}班"


class RoleGrant(Record):
    """A role that an account holds, for a county or a school, perhaps between two dates (delegation)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants", verbose_name=_("account"))
    role = models.CharField(
        _("role"),
        max_length=20,
        choices=[choice for choice in Role.choices if choice[0] not in DERIVED_ROLES],
    )
    county = models.ForeignKey(
        County, models.PROTECT, null=True, blank=True, related_name="grants", verbose_name=_("county")
    )
    school = models.ForeignKey(
        School, models.PROTECT, null=True, blank=True, related_name="grants", verbose_name=_("school")
    )
    valid_from = models.DateField(_("from"), null=True, blank=True)
    valid_to = models.DateField(_("to"), null=True, blank=True)
    delegated_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="delegated_grants",
        verbose_name=_("delegated by"),
    )

    class Meta(Record.Meta):
        verbose_name = _("role of an account")
        verbose_name_plural = _("roles of accounts")
        ordering = ("user", "role")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(county__isnull=False, school__isnull=True)
                | Q(county__isnull=True, school__isnull=False),
                name="grant_county_or_school",
                violation_error_message=_("A role holds for a county or for a school, one of the two."),
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_to__gte=F("valid_from")),
                name="grant_dates_in_order",
                violation_error_message=_("The last day lies before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} · {self.school or self.county}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(county__in=scope.county_ids) | Q(school__in=scope.schools)

    def clean(self) -> None:
        if self.role in COUNTY_ROLES and not self.county_id:
            raise ValidationError({"county": _("This role holds for a county.")})
        if self.role and self.role not in COUNTY_ROLES | EITHER_ROLES and not self.school_id:
            raise ValidationError({"school": _("This role holds for a school.")})

    def is_live(self, day: dt.date) -> bool:
        """Say whether the role holds on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )
