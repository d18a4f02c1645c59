"""Every model has a factory, and every factory gives a valid record."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import models

from povertyaid.lib.identity import check_identity
from povertyaid.schools.models import User
from tests import factories
from tests.personas import World
from tests.structure.models import MODELS, name_of


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_model_has_a_factory_that_gives_valid_records(model: type[models.Model]) -> None:
    factory = getattr(factories, f"{model.__name__}Factory")
    first, second = factory(), factory()
    assert first.pk != second.pk or model.__name__ == "SpecialGroup"
    stored = model._default_manager.get(pk=first.pk)
    # Empty JSON is what the software writes itself; no form asks for it.
    stored.full_clean(exclude=[f.name for f in model._meta.fields if isinstance(f, models.JSONField)])


def test_invented_identity_numbers_are_right() -> None:
    for number in range(0, 900, 7):
        for sex in ("male", "female"):
            born = date(2015, 3, 1 + number % 28)
            facts = check_identity(factories.identity_number(born, number, sex), date(2026, 1, 1))
            assert (facts.birth, facts.sex) == (born, sex)


def test_world_has_rivals(world: World, nobody: User) -> None:
    assert world.home.school.county == world.rival.school.county != world.foreign.school.county
    assert world.home.pupil.member == world.home.child
    assert nobody.grants.count() == 0
