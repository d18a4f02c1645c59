"""Villages, households of the national registry, and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from povertyaid.lib.fields import EncryptedField, HashField, PhoneField, TailField
from povertyaid.lib.masks import mask_identity
from povertyaid.lib.validators import validate_identity
from povertyaid.schools.base import NamedPerson, Record
from povertyaid.schools.models import County, School

if TYPE_CHECKING:
    from povertyaid.schools.scope import Scope


class Precision(models.TextChoices):
    """How exactly a date is known; lists often give only year and month."""

    DAY = "day", _("day")
    MONTH = "month", _("month")
    YEAR = "year", _("year")


class Sex(models.TextChoices):
    MALE = "male", _("male")
    FEMALE = "female", _("female")


class Relation(models.TextChoices):
    """Relation to the head of the household, in the registry's words (POLICY §5)."""

    HEAD = "head", _("head of the household")
    SPOUSE = "spouse", _("spouse")
    SON = "son", _("son")
    DAUGHTER = "daughter", _("daughter")
    DAUGHTER_IN_LAW = "daughter_in_law", _("daughter-in-law")
    SON_IN_LAW = "son_in_law", _("son-in-law")
    SONS_SON = "sons_son", _("son's son")
    SONS_DAUGHTER = "sons_daughter", _("son's daughter")
    DAUGHTERS_SON = "daughters_son", _("daughter's son")
    DAUGHTERS_DAUGHTER = "daughters_daughter", _("daughter's daughter")
    FATHER = "father", _("father")
    MOTHER = "mother", _("mother")
    WIFES_FATHER = "wifes_father", _("wife's father")
    WIFES_MOTHER = "wifes_mother", _("wife's mother")
    HUSBANDS_FATHER = "husbands_father", _("husband's father")
    HUSBANDS_MOTHER = "husbands_mother", _("husband's mother")
    FATHERS_FATHER = "fathers_father", _("father's father")
    FATHERS_MOTHER = "fathers_mother", _("father's mother")
    MOTHERS_FATHER = "mothers_father", _("mother's father")
    MOTHERS_MOTHER = "mothers_mother", _("mother's mother")
    SIBLING = "sibling", _("brother or sister")
    OTHER = "other", _("other relation")


class Village(Record):
    """An administrative village (行政村) or community."""

    county = models.ForeignKey(County, models.PROTECT, related_name="villages", verbose_name=_("county"))
    township = models.CharField(_("township"), max_length=40)
    name = models.CharField(_("village"), max_length=60)

    class Meta(Record.Meta):
        verbose_name = _("village")
        verbose_name_plural = _("villages")
        ordering = ("township", "name")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["county", "township", "name"],
                name="village_unique_in_township",
                violation_error_message=_("This village exists already in the township."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.township}{self.name}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Reference data: everybody of the county knows its villages."""
        return Q(county__in=scope.home_county_ids)


class Household(Record):
    """A household of the registry, or one that a school entered itself (then without a number)."""

    class Category(models.TextChoices):
        LIFTED = "lifted", _("lifted household")
        MONITORED = "monitored", _("monitored household")
        ORDINARY = "ordinary", _("ordinary household")

    class MonitoredType(models.TextChoices):
        UNSTABLE = "unstable", _("lifted but unstable")
        MARGINAL = "marginal", _("on the margin of poverty")
        SUDDEN = "sudden", _("in sudden severe hardship")

    class Cause(models.TextChoices):
        ILLNESS = "illness", _("illness")
        DISABILITY = "disability", _("disability")
        SCHOOLING = "schooling", _("schooling")
        DISASTER = "disaster", _("disaster")
        MARRIAGE = "marriage", _("marriage")
        BEREAVEMENT = "bereavement", _("bereavement")
        LAND = "land", _("lack of land")
        WATER = "water", _("lack of water")
        SKILLS = "skills", _("lack of skills")
        LABOUR = "labour", _("lack of labour")
        MONEY = "money", _("lack of money")
        TRANSPORT = "transport", _("poor transport")
        MOTIVATION = "motivation", _("lack of own drive")
        OTHER = "other", _("other cause")

    county = models.ForeignKey(County, models.PROTECT, related_name="households", verbose_name=_("county"))
    village = models.ForeignKey(Village, models.PROTECT, related_name="households", verbose_name=_("village"))
    number = models.CharField(
        _("household number"), max_length=30, blank=True, help_text=_("From the national registry.")
    )
    category = models.CharField(_("household category"), max_length=12, choices=Category)
    monitored_type = models.CharField(
        _("type of monitored household"), max_length=12, choices=MonitoredType, blank=True
    )
    cause = models.CharField(_("cause of poverty"), max_length=12, choices=Cause, blank=True)
    declared_size = models.PositiveSmallIntegerField(
        _("persons in the registry"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
    )
    address = models.CharField(
        _("address"), max_length=120, blank=True, help_text=_("Hamlet or group, house number.")
    )
    phone = PhoneField(_("phone of the household"))
    dangerous_house = models.BooleanField(_("lives in a dangerous house"), null=True, blank=True)
    safe_water = models.BooleanField(_("has safe drinking water"), null=True, blank=True)
    identified_on = models.DateField(_("identified on"), null=True, blank=True)
    identified_precision = models.CharField(
        _("exact to"), max_length=5, choices=Precision, default=Precision.DAY
    )
    risk_on = models.DateField(_("risk identified on"), null=True, blank=True)
    risk_precision = models.CharField(_("exact to"), max_length=5, choices=Precision, default=Precision.DAY)
    risk_cleared = models.BooleanField(_("risk cleared"), null=True, blank=True)
    risk_cleared_on = models.DateField(_("risk cleared on"), null=True, blank=True)
    exited_on = models.DateField(_("left the registry on"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)

    logs_reads: ClassVar[bool] = True

    class Meta(Record.Meta):
        verbose_name = _("household")
        verbose_name_plural = _("households")
        ordering = ("number", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["county", "number"],
                condition=~Q(number=""),
                name="household_number_unique",
                violation_error_message=_(
                    "This household number cannot be entered here; ask the county bureau."
                ),
            ),
            models.CheckConstraint(
                condition=Q(monitored_type="") | Q(category="monitored"),
                name="household_type_only_if_monitored",
                violation_error_message=_("Only a monitored household has a type."),
            ),
            models.CheckConstraint(
                condition=Q(exited_on__isnull=True)
                | Q(identified_on__isnull=True)
                | Q(exited_on__gte=F("identified_on")),
                name="household_exit_after_identification",
                violation_error_message=_("The household left the registry before it was identified."),
            ),
        ]

    def __str__(self) -> str:
        """Head (where the query brought it along) and number, which offices quote; without one, the record's own."""
        head: str | None = self.__dict__.get("head_name")
        if head:
            return f"{head} {self.number}".strip()
        return self.number or str(_("household %(pk)s") % {"pk": self.pk})

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Every school that has a child of it or is assigned to help it; teachers and helpers through their children."""
        objects = cls.objects
        found = Q(county__in=scope.county_ids)
        found |= Q(pk__in=objects.filter(members__student__enrolments__school__in=scope.schools).values("pk"))
        found |= Q(pk__in=objects.filter(assignments__school__in=scope.schools).values("pk"))
        if scope.class_ids:
            taught = objects.filter(
                members__student__enrolments__school_class__in=scope.class_ids,
                members__student__enrolments__state="enrolled",
            )
            found |= Q(pk__in=taught.values("pk"))
        if scope.staff_id:
            for path in ("pairings", "members__student__pairings"):
                helped = objects.filter(**{f"{path}__helper": scope.staff_id, f"{path}__state": "active"})
                found |= Q(pk__in=helped.values("pk"))
        return found

    def clean(self) -> None:
        if self.village_id and self.county_id and self.village.county_id != self.county_id:
            raise ValidationError({"village": _("The village lies in another county.")})


class Member(NamedPerson):
    """A person of a household."""

    class Health(models.TextChoices):
        HEALTHY = "healthy", _("healthy")
        CHRONIC = "chronic", _("chronic illness")
        SEVERE = "severe", _("severe illness")
        DISABLED = "disabled", _("disabled")

    class Labour(models.TextChoices):
        ORDINARY = "ordinary", _("ordinary labour")
        SKILLED = "skilled", _("skilled labour")
        WEAK = "weak", _("weak or half labour")
        LOST = "lost", _("lost ability to work")
        NONE = "none", _("no labour")

    household = models.ForeignKey(
        Household, models.CASCADE, related_name="members", verbose_name=_("household")
    )
    person_number = models.CharField(_("person number"), max_length=30, blank=True)
    relation_to_head = models.CharField(_("relation to the head"), max_length=20, choices=Relation)
    identity_hash = HashField()
    identity_last4 = TailField()
    identity = EncryptedField(
        _("identity number"),
        domain="identity",
        mask=mask_identity,
        hash_field="identity_hash",
        tail_field="identity_last4",
        validators=[validate_identity],
    )
    sex = models.CharField(_("sex"), max_length=6, choices=Sex, blank=True)
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    ethnic_group = models.CharField(_("ethnic group"), max_length=20, blank=True)
    education = models.CharField(_("education"), max_length=20, blank=True)
    student_status = models.CharField(_("student status"), max_length=20, blank=True)
    health = models.CharField(_("health"), max_length=10, choices=Health, blank=True)
    labour = models.CharField(_("ability to work"), max_length=10, choices=Labour, blank=True)
    work_months = models.PositiveSmallIntegerField(
        _("months of paid work"), null=True, blank=True, validators=[MaxValueValidator(12)]
    )
    insured = models.BooleanField(_("has severe illness insurance"), null=True, blank=True)
    phone = PhoneField(_("phone"))
    identified_on = models.DateField(_("identified on"), null=True, blank=True)
    identified_precision = models.CharField(
        _("exact to"), max_length=5, choices=Precision, default=Precision.DAY
    )
    left_on = models.DateField(_("left the household on"), null=True, blank=True)

    logs_reads: ClassVar[bool] = True

    class Meta(NamedPerson.Meta):
        verbose_name = _("household member")
        verbose_name_plural = _("household members")
        ordering = ("household", "pk")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(relation_to_head="head", left_on__isnull=True),
                name="member_one_head",
                violation_error_message=_("The household has a head already."),
            ),
            models.UniqueConstraint(
                fields=["identity_hash"],
                condition=~Q(identity_hash="") & Q(left_on__isnull=True),
                name="member_identity_unique",
                violation_error_message=_(
                    "This identity number cannot be entered here; ask the county bureau."
                ),
            ),
        ]

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(household__in=Household.objects.filter(Household.scope_filter(scope)).values("pk"))


class IncomeYear(Record):
    """Net income a head of a household in a year, in yuan."""

    household = models.ForeignKey(
        Household, models.CASCADE, related_name="incomes", verbose_name=_("household")
    )
    year = models.PositiveSmallIntegerField(
        _("year"), validators=[MinValueValidator(1980), MaxValueValidator(2100)]
    )
    amount = models.DecimalField(
        _("net income a head (yuan)"), max_digits=12, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta(Record.Meta):
        verbose_name = _("income of a year")
        verbose_name_plural = _("incomes by year")
        ordering = ("household", "-year")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["household", "year"],
                name="income_once_a_year",
                violation_error_message=_("The income of this year is entered already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year}: {self.amount}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(household__in=Household.objects.filter(Household.scope_filter(scope)).values("pk"))


class Assignment(Record):
    """A school that is assigned to help a household, and so sees it."""

    household = models.ForeignKey(
        Household, models.CASCADE, related_name="assignments", verbose_name=_("household")
    )
    school = models.ForeignKey(School, models.PROTECT, related_name="assignments", verbose_name=_("school"))
    start_on = models.DateField(_("from"), null=True, blank=True)

    class Meta(Record.Meta):
        verbose_name = _("assigned school")
        verbose_name_plural = _("assigned schools")
        ordering = ("household", "school")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["household", "school"],
                name="assignment_unique",
                violation_error_message=_("The school is assigned to this household already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school}"

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        return Q(school__in=scope.schools)
