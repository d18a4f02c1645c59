"""Fills in the real pages of the admin: what a browser would send is read from the page that it got."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

TOKEN = "csrfmiddlewaretoken"


class FormReader(HTMLParser):
    """Collects names and values of the form that posts back to its own page."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.inside = False
        self.values: dict[str, list[str]] = {}
        self.names: set[str] = set()
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.inside = found.get("id") == self.form_id
        name = found.get("name") or ""
        if not self.inside or (not name and tag != "option"):
            return
        if tag in {"input", "select", "textarea"}:
            self.names.add(name)
        if tag == "input":
            self._input(name, found)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in found:
            self.values.setdefault(self._select, []).append(found.get("value") or "")
        elif tag == "textarea":
            self._area = name
            self.values[name] = [""]

    def _input(self, name: str, found: dict[str, str | None]) -> None:
        kind = found.get("type")
        if kind == "submit" or (kind in {"checkbox", "radio"} and "checked" not in found):
            return
        self.values.setdefault(name, []).append(found.get("value") or ("on" if kind == "checkbox" else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area:
            # The line break after <textarea> belongs to the markup.
            self.values[self._area] = [(self.values[self._area][0] + data).removeprefix("\n")]


def page(model: type[models.Model], what: str, *args: Any) -> str:
    """The address of an admin page: add, change, changelist, delete, history."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


def filled(client: Client, url: str) -> dict[str, Any]:
    """What the form at an address would send as it stands."""
    response = client.get(url)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    model = url.strip("/").split("/")[1]
    reader = FormReader(f"{model}_form")
    reader.feed(response.content.decode())
    assert reader.names, f"{url} has no form {model}_form"
    data: dict[str, Any] = {
        name: values for name, values in reader.values.items() if "__prefix__" not in name
    }
    data.pop(TOKEN, None)
    return data


def field_names(client: Client, url: str) -> set[str]:
    """Names of the inputs that the form at an address offers (management data and templates of rows left out)."""
    model = url.strip("/").split("/")[1]
    reader = FormReader(f"{model}_form")
    reader.feed(client.get(url).content.decode())
    skip = (TOKEN, "_save", "_continue", "_addanother", "lock_version")
    return {
        name
        for name in reader.names
        if "__prefix__" not in name and "_FORMS" not in name and name not in skip
    }


def send(client: Client, url: str, **values: Any) -> Any:
    """Open the form, enter `values`, press Save; returns the answer (302 after success)."""
    return client.post(url, {**filled(client, url), **values, "_save": "1"})


def saved(client: Client, url: str, **values: Any) -> None:
    """Send the form and see it saved."""
    response = send(client, url, **values)
    assert response.status_code == 302, errors_of(response)


def errors_of(response: Any) -> list[str]:
    """Every error that a form page shows."""
    if response.status_code != 200 or not response.context:
        return [f"status {response.status_code}"]
    found = [message for errors in response.context["adminform"].form.errors.values() for message in errors]
    for inline in response.context["inline_admin_formsets"]:
        found += [str(message) for message in inline.formset.non_form_errors()]
        for errors in inline.formset.errors:
            found += [message for messages in errors.values() for message in messages]
    return found


def run_action(client: Client, model: type[models.Model], action: str, records: Any, **entered: Any) -> Any:
    """Choose records in the list, run an action, confirm its page with what it asks for."""
    # Of every state: the list of pupils holds only present ones by itself.
    url = page(model, "changelist") + ("?enrolment=all" if model._meta.model_name == "student" else "")
    chosen = {"action": action, "_selected_action": [record.pk for record in records]}
    asked = client.post(url, chosen)
    assert asked.status_code == 200, f"{action} did not ask: {asked.status_code}"
    return client.post(url, {**chosen, "confirmed": "yes", **entered}, follow=True)


def told(response: Any) -> list[str]:
    """The messages on a page."""
    return [str(message) for message in response.context["messages"]]


def queries(client: Client, url: str) -> int:
    """How many queries a page costs (the session renewed beforehand, so that it does not count)."""
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url)
    assert response.status_code == 200, response.status_code
    return len(captured)
