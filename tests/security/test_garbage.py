"""What no browser would send is refused in the form or not found, never an error of the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from povertyaid.schools.models import User
from tests.personas import World

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


@pytest.mark.parametrize("value", ["abc", "\x00", "²", "-1", "9" * 30, "a" * 5000])
def test_keys_that_are_none(client_of: ClientOf, clerk: User, world: World, value: str) -> None:
    client = client_of(clerk)
    for name, field in (("students_enrolment", "student"), ("schools_department", "school")):
        sent = client.post(reverse(f"admin:{name}_add"), {field: value})
        assert sent.status_code == 200, name
        assert sent.context["adminform"].form.errors
    data = {"action": "delete_selected", ACTION_CHECKBOX_NAME: value}
    assert client.post(reverse("admin:files_document_changelist"), data).status_code == 404
