"""What holds for every model: a scope of its own, a row in the table of roles, a page, nothing without a role."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db import models

from povertyaid.schools.admin_base import ScopedAdmin
from povertyaid.schools.base import Record
from povertyaid.schools.models import User
from povertyaid.schools.roles import TABLE, Role, permissions_of
from students.models import Student
from tests import personas
from tests.personas import SchoolRecords, World
from tests.structure.models import MODELS, name_of

# Kept on the page of the record that they belong to.
WITHIN_ANOTHER_PAGE = {
    "households.IncomeYear",  # incomes by year stand in the household
    "households.Assignment",  # assigned schools too
    "pairings.PrivateNote",  # written beside the contact, by its author alone
    "imports.ImportRow",  # rows stand in the preview and the report of their import
    "imports.UndoEntry",  # shown, masked, where an import is undone
    "imports.ReturnSheet",  # lists for return have a page of their own under import/returns/
    "imports.ImportBatch",  # imports have pages of their own under import/
}
OTHERS = (
    "rival_clerk",
    "rival_principal",
    "rival_vice_principal",
    "rival_central_clerk",
    "rival_class_teacher",
    "rival_helper",
    "rival_bureau_clerk",
    "rival_county_admin",
    "foreign_clerk",
)
OWN = (
    "county_admin",
    "county_director",
    "bureau_clerk",
    "principal",
    "vice_principal",
    "central_clerk",
    "clerk",
    "inspector",
)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_model_is_a_record_with_a_scope_of_its_own(model: Any) -> None:
    if model is not User:
        assert issubclass(model, Record)
        assert model.scope_filter.__func__ is not Record.__dict__["scope_filter"].__func__
    assert callable(model._default_manager.visible_to)


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_model_has_a_page(model: Any) -> None:
    if model._meta.label in WITHIN_ANOTHER_PAGE:
        return
    assert isinstance(admin.site.get_model_admin(model), ScopedAdmin)


def test_pages_belong_to_models_of_ours() -> None:
    assert set(admin.site._registry) <= set(MODELS)


def test_the_table_of_roles_names_every_model_and_no_other() -> None:
    labels = {model._meta.label_lower for model in MODELS}
    for role in Role:
        assert set(TABLE[role]) == labels


@pytest.mark.parametrize("role", list(Role))
def test_roles_name_permissions_that_exist(role: Role) -> None:
    known = {
        f"{model._meta.app_label}.{action}_{model._meta.model_name}"
        for model in MODELS
        for action in model._meta.default_permissions
    }
    assert permissions_of(role) <= known


def test_nobody_reveals_or_signs_what_has_nothing_to_reveal_or_sign() -> None:
    for role in Role:
        for label, actions in TABLE[role].items():
            model = next(model for model in MODELS if model._meta.label_lower == label)
            hidden = [
                field for field in model._meta.fields if hasattr(field, "hash_field") or field.name == "phone"
            ]
            # A file holds what it holds: an imported list comes whole only to who may see whole numbers.
            assert "reveal" not in actions or hidden or label == "files.attachment", label
            assert "sign" not in actions or label == "reports.summary"
            assert not actions or "view" in actions, label


@pytest.mark.django_db
def test_without_a_role_nothing_is_visible(world: World, nobody: User) -> None:
    for model in MODELS:
        own = {nobody.pk} if model is User else set()
        assert set(visible(model, nobody)) == own, model
        assert visible(model, AnonymousUser()) == [], model


@pytest.mark.django_db
@pytest.mark.parametrize("name", OTHERS)
def test_nobody_sees_records_of_a_rival_school(
    name: str, world: World, request: pytest.FixtureRequest
) -> None:
    persona = personas.as_new(request.getfixturevalue(name))
    for record in world.home.all():
        assert record.pk not in visible(type(record), persona), record


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["rival_bureau_clerk", "foreign_clerk"])
def test_reference_data_of_another_county_is_not_visible(
    name: str, world: World, request: pytest.FixtureRequest
) -> None:
    persona = personas.as_new(request.getfixturevalue(name))
    assert world.home.village.pk not in visible(type(world.home.village), persona)
    assert world.foreign.village.pk in visible(type(world.foreign.village), persona)


@pytest.mark.django_db
@pytest.mark.parametrize("name", OWN)
def test_the_own_school_is_visible(name: str, world: World, request: pytest.FixtureRequest) -> None:
    persona = personas.as_new(request.getfixturevalue(name))
    for record in world.home.all():
        seen = record.pk in visible(type(record), persona)
        # What was said in a talk is for its author alone.
        assert seen == (record is not world.home.note), record


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["class_teacher", "helper"])
def test_teachers_and_helpers_see_their_own_children(
    name: str, world: World, request: pytest.FixtureRequest
) -> None:
    home, persona = world.home, personas.as_new(request.getfixturevalue(name))
    shown: tuple[models.Model, ...] = (
        home.pupil, home.enrolment, home.recognition, home.payment, home.household, home.member, home.child,
        home.pairing, home.contact,
    )  # fmt: skip
    hidden: tuple[models.Model, ...] = (
        home.other_pupil, home.household_payment, home.disbursement, home.summary, home.attachment, home.batch,
        home.row, home.colleague, home.department,
    )  # fmt: skip
    for record in shown:
        assert record.pk in visible(type(record), persona), record
    for record in hidden:
        assert record.pk not in visible(type(record), persona), record
    assert (home.note.pk in visible(type(home.note), persona)) == (name == "helper")


@pytest.mark.django_db
def test_a_central_school_sees_its_teaching_point_and_the_point_not_the_centre(
    central_clerk: User, clerk: User, principal: User, teaching_point: Any, school: Any
) -> None:
    point: SchoolRecords = personas.make_records(teaching_point)

    def see(user: User) -> bool:
        return point.pupil.pk in visible(Student, personas.as_new(user))

    assert see(central_clerk)
    assert see(principal)
    assert not see(clerk)


def visible(model: Any, user: Any) -> list[int]:
    """Primary keys of what somebody sees of a model."""
    return list(model._default_manager.visible_to(user).values_list("pk", flat=True))
