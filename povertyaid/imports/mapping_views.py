"""The mapping page: what each sheet is, which column is which field, what holds for the whole file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from povertyaid.imports import jobs, services
from povertyaid.imports.batch_page import page_of
from povertyaid.imports.examining import Examination
from povertyaid.imports.forms import allowed_kinds
from povertyaid.imports.mapping import told, undecided
from povertyaid.imports.mapping_forms import FileForm, LayoutForm
from povertyaid.imports.mapping_services import Remembered, decide_columns
from povertyaid.imports.models import WrongBatchMoveError
from povertyaid.imports.views import ADD, _allowed, _batch, _may_import, _user
from povertyaid.lib.messages import MessageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, QueryDict

    from povertyaid.imports.layouts import Place
    from povertyaid.imports.models import ImportBatch
    from povertyaid.imports.resources import SheetResource
    from povertyaid.schools.models import User

REMEMBER = "imports.add_savedmapping"
_LAST_ROW = 1_048_576
_DIGITS = 7


@_allowed(ADD)
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the columns of a file may be; POST keeps the decision and compares the file with the records."""
    user = _user(request)
    found = _batch(request, pk)
    _may_import(found, user)
    if found.state not in services.OPEN:
        messages.warning(request, _("This import was confirmed or cancelled before."))
        return redirect("imports:batch", found.pk)
    try:
        page = MappingPage(found, user, request)
    except MessageError as error:
        messages.error(request, str(error))
        return redirect("imports:batch", found.pk)
    if page.may_save and page.is_valid():
        try:
            page.save()
            jobs.begin(jobs.PREPARE, batch=found, user=user)
        except WrongBatchMoveError:
            messages.warning(request, _("This import was confirmed or cancelled before."))
        except IntegrityError:
            messages.error(request, _("Somebody kept the same columns at this moment. Save once more."))
        except MessageError as error:
            messages.error(request, str(error))
        found.refresh_from_db()
        return redirect(page_of(found))
    return render(request, "imports/mapping.html", {**admin.site.each_context(request), **page.context()})


class MappingPage:
    """The forms of the page for one request."""

    def __init__(self, batch: ImportBatch, user: User, request: HttpRequest) -> None:
        """Read the file again only when a header was moved, saved columns were chosen, or a preview stands."""
        self.batch, self.user = batch, user
        self.resources = allowed_kinds(user)
        self.data: QueryDict | None = request.POST.copy() if request.method == "POST" else None
        self.mapping = _number(request.GET.get("mapping") or self._posted("mapping"))
        self.found = self._examined()
        self.changed = self._follow_changes()
        self.layouts = self._forms()
        self.file = FileForm(
            self.data, batch=batch, user=user, layouts=self.layouts, may_remember=user.has_perm(REMEMBER)
        )
        self.saving = self.data is not None and "save" in self.data

    def _examined(self) -> dict[str, Any]:
        stored = self.batch.report.get("inspection")
        if stored and all(
            resource.kind in item["fits"] for item in stored["layouts"] for resource in self.resources
        ):
            places = self._moved(stored)
            if not places and self.mapping is None:
                found: dict[str, Any] = stored
                return found
        source = services.source_of(self.batch, self.user)
        if self.mapping is not None:
            # Saved columns are looked for as in a file about which nothing was decided.
            source = undecided(source)
        found = told(Examination(source, office=self.batch.office, mapping=self.mapping))
        places = self._moved(found)
        if places:
            found = told(Examination(source, office=self.batch.office, mapping=self.mapping, places=places))
        return found

    def _moved(self, found: dict[str, Any]) -> dict[str, Place]:
        """Headers that a person set elsewhere than they were found, by sheet."""
        moved: dict[str, Place] = {}
        for layout in found["layouts"] if self.data is not None else ():
            sheet = layout["sheets"][0]
            prefix = _prefix(layout)
            place = _number(self._posted(f"{prefix}-first")), _number(self._posted(f"{prefix}-height"))
            if (
                place[0]
                and place[1] in {1, 2, 3}
                and place[0] <= _LAST_ROW
                and place != (sheet["first"], sheet["height"])
            ):
                moved[sheet["name"]] = place[0], place[1] or 1
        return moved

    def _posted(self, name: str) -> str:
        return str(self.data.get(name, "")) if self.data is not None else ""

    def _forms(self) -> list[LayoutForm]:
        return [
            LayoutForm(self.data, layout=layout, prefix=_prefix(layout), resources=self.resources)
            for layout in self.found["layouts"]
        ]

    def _follow_changes(self) -> bool:
        """Fill in the columns that nobody saw yet: of a kind that was added, of a header that was moved."""
        if self.data is None:
            return False
        changed = False
        for layout in self.found["layouts"]:
            prefix = _prefix(layout)
            form = LayoutForm(self.data, layout=layout, prefix=prefix, resources=self.resources)
            place, _sign, kinds = self._posted(f"{prefix}-shown").partition("|")
            for resource in form.kinds:
                if place == form.place and resource.kind in kinds.split(","):
                    continue
                changed = changed or bool(form.names)
                self._fill(form, resource)
        return changed

    def _fill(self, form: LayoutForm, resource: SheetResource) -> None:
        if self.data is not None:
            for column in form.columns:
                name = f"c{column['index']}-{resource.kind}"
                self.data[form.add_prefix(name)] = form.fields[name].initial

    @property
    def may_save(self) -> bool:
        """Whether a person saw everything that is to be saved and asked for it."""
        return self.saving and not self.changed

    def is_valid(self) -> bool:
        """Whether all forms are right; all of them are looked at."""
        read = [form for form in self.layouts if form.names]
        return all([form.is_valid() for form in read] + [self.file.is_valid()])

    def save(self) -> None:
        """Keep the decision."""
        parts = [part for form in self.layouts for part in form.parts()]
        office = str(self.file.cleaned_data.get("office") or "").strip()
        offered = {item["pk"] for layout in self.found["layouts"] for item in layout["saved"]}
        decide_columns(
            batch=self.batch,
            user=self.user,
            options=self.file.options(parts),
            office=office,
            mapping=self.mapping if self.mapping in offered else None,
            remember=self._remembered() if self.file.cleaned_data.get("remember") else (),
        )

    def _remembered(self) -> Sequence[Remembered]:
        """The layouts with their parts; one that is left out is kept as such where it would be read otherwise."""
        return [
            Remembered(
                form.layout["digest"],
                [part for part in form.parts() if part.sheet == form.names[0]] if form.names else [],
            )
            for form in self.layouts
            if form.names or any(sheet["on"] for sheet in form.layout["sheets"])
        ]

    def context(self) -> dict[str, Any]:
        """For the template."""
        if self.saving and self.changed:
            note = _("The kind or the header was changed. Check the columns below, then save.")
        else:
            note = self.batch.report.get("asked", "")
        return {
            "title": _("Columns of the list"),
            "batch": self.batch,
            "layouts": self.layouts,
            "file": self.file,
            "note": note,
            "checked": self.may_save,
            "mapping": self.mapping or "",
        }


def _prefix(layout: dict[str, Any]) -> str:
    """The same for a sheet as long as the page is worked on."""
    name = str(layout["sheets"][0]["name"])
    return f"s{hashlib.sha256(name.encode()).hexdigest()[:10]}"


def _number(text: Any) -> int | None:
    """A number that somebody sent; None for anything else."""
    plain = str(text or "")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) <= _DIGITS else None
