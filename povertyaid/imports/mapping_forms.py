"""The form of the mapping page: for each layout of a file its sheets, its kinds, its header, and what each column is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from povertyaid.imports.examining import column_key
from povertyaid.imports.options import Options, Part
from povertyaid.imports.resources import in_order, resource_for
from povertyaid.imports.schoolbook import SchoolBook
from povertyaid.lib.cells import CellError, Context
from povertyaid.lib.messages import Message
from povertyaid.schools.admin_base.presets import SemesterSelect, semester_choices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.http import QueryDict

    from povertyaid.imports.models import ImportBatch
    from povertyaid.imports.resources import Column, SheetResource
    from povertyaid.schools.models import User

_NOT_USED = _("not used")
_AS_TOLD = _("as the title rows of the file say")
_LAST_ROW = 1_048_576
_HEIGHTS = [(number, str(number)) for number in (1, 2, 3)]
# A browser sends at most 1,000 fields (DATA_UPLOAD_MAX_NUMBER_FIELDS); columns beyond these are matched by their headers.
_MOST_SELECTS = 700
_EXTRA_ROWS = 3
# What is each person's own is never told for a whole file.
_OWN = frozenset({"name", "helper", "students", "head_name", "guardian_name", "person_number", "number"})


def may_be_given(column: Column) -> bool:
    """Whether a value for the whole file makes sense for a column."""
    return not column.sensitive and column.key not in _OWN


@dataclass(frozen=True)
class ShownChoice:
    """One column as one kind: the field of the form, and in words how certain it is."""

    label: str
    bound: forms.BoundField
    certainty: Any
    doubtful: bool


@dataclass(frozen=True)
class ShownColumn:
    """One line of the table: the header, its samples, what it may be."""

    letter: str
    group: str
    text: str
    hidden: bool
    samples: Sequence[str]
    choices: list[ShownChoice]


@dataclass
class Missing:
    """Columns that a kind must have and that nothing fills; `one_of` is a group of which one is enough."""

    resource: SheetResource
    columns: list[Column]

    @property
    def headers(self) -> str:
        """Their published headers."""
        return "、".join(column.header for column in self.columns)


class LayoutForm(forms.Form):
    """What one layout is; `layout` is its part of the JSON of an Inspection."""

    def __init__(
        self,
        data: QueryDict | None,
        *,
        layout: dict[str, Any],
        prefix: str,
        resources: Sequence[SheetResource],
    ) -> None:
        """Offer the kinds that the account may import; columns are shown for the kinds that are chosen."""
        super().__init__(data, prefix=prefix)
        self.layout = layout
        # Each kind in the shape that the header is of.
        self.resources = {
            resource.kind: resource_for(layout["fits"][resource.kind].get("shape", "")) or resource
            for resource in resources
        }
        self.missing: list[Missing] = []
        names = [sheet["name"] for sheet in layout["sheets"]]
        self.single = len(names) == 1
        self.fields["sheets"] = forms.MultipleChoiceField(
            label=_("Read"),
            required=False,
            choices=[(name, name) for name in names],
            widget=forms.CheckboxSelectMultiple,
            initial=[sheet["name"] for sheet in layout["sheets"] if sheet["on"]],
        )
        self.fields["kinds"] = forms.MultipleChoiceField(
            label=_("What it is"),
            required=False,
            choices=[(resource.kind, self._kind_label(resource)) for resource in self.resources.values()],
            widget=forms.CheckboxSelectMultiple,
            initial=layout["kinds"],
        )
        self.fields["first"] = forms.IntegerField(
            label=_("First row of the header"),
            min_value=1,
            max_value=_LAST_ROW,
            required=self.single,
            initial=layout["sheets"][0]["first"],
        )
        self.fields["height"] = forms.TypedChoiceField(
            label=_("Rows of the header"),
            coerce=int,
            choices=_HEIGHTS,
            required=self.single,
            initial=layout["sheets"][0]["height"],
        )
        self.columns = layout["columns"][: max(1, _MOST_SELECTS // max(1, len(self.kinds)))]
        for resource in self.kinds:
            fit = layout["fits"][resource.kind]
            for column in self.columns:
                index = str(column["index"])
                self.fields[_name(column, resource)] = forms.ChoiceField(
                    label=column["text"],
                    required=False,
                    choices=[("", _NOT_USED), *((item.key, item.header) for item in resource.columns)],
                    initial=fit["keys"].get(index) or fit["strong"].get(index, ""),
                )

    def _kind_label(self, resource: SheetResource) -> Any:
        fit = self.layout["fits"][resource.kind]
        if not fit["keys"]:
            return resource.label
        text = _("%(kind)s (%(found)d of %(all)d headers known)")
        params = {"kind": resource.label, "found": len(fit["keys"]), "all": len(self.layout["columns"])}
        return str(Message("kind", text, params))

    @property
    def kinds_boxes(self) -> forms.BoundField:
        """The boxes of the kinds; `kinds` are those that are ticked."""
        return self["kinds"]

    @property
    def kinds_errors(self) -> Any:
        """What is wrong with the kinds."""
        return self["kinds"].errors

    @property
    def place(self) -> str:
        """Where the header stands as it is shown."""
        sheet = self.layout["sheets"][0]
        return f"{sheet['first']}:{sheet['height']}"

    @property
    def kinds(self) -> list[SheetResource]:
        """The kinds that are chosen, in the order in which they are written."""
        raw = self["kinds"].value() or []
        return [self.resources[kind] for kind in in_order(set(raw) & set(self.resources))]

    @property
    def names(self) -> list[str]:
        """The sheets that are chosen."""
        raw = self["sheets"].value() or []
        return [sheet["name"] for sheet in self.layout["sheets"] if sheet["name"] in raw]

    @property
    def now_shown(self) -> str:
        """The header and the kinds for which the columns are shown, to tell whether a person saw them."""
        return f"{self.place}|{','.join(resource.kind for resource in self.kinds)}"

    def chosen(self, resource: SheetResource) -> dict[int, str]:
        """The field of each column of a kind, by index, as it is chosen now; "" is not used."""
        known = {column.key for column in resource.columns}
        found = {}
        for column in self.columns:
            key = self[_name(column, resource)].value() or ""
            found[column["index"]] = key if key in known else ""
        return found

    def lacking(self, constants: Sequence[str]) -> list[Missing]:
        """What the chosen kinds must have and no column gives; `constants` are headers with a value for the file."""
        if not self.names:
            return []
        found = []
        for resource in self.kinds:
            present = set(self.chosen(resource).values()) | {
                column_key(resource, header) or "" for header in constants
            }
            found += [
                Missing(resource, [resource.by(key)]) for key in resource.required if key not in present
            ]
            found += [
                Missing(resource, [resource.by(key) for key in group])
                for group in resource.one_of
                if not present & set(group)
            ]
        return found

    def clean(self) -> dict[str, Any]:
        """One field may be chosen once for each kind."""
        if self.names and not self.kinds:
            self.add_error("kinds", _("Choose what these sheets are, or leave them out."))
        for resource in self.kinds if self.names else ():
            first: dict[str, str] = {}
            for column in self.columns:
                key = self.cleaned_data.get(_name(column, resource))
                if key and key in first:
                    text = _("“%(field)s” is chosen for “%(header)s” already. Choose it once.")
                    params = {"field": resource.by(key).header, "header": first[key]}
                    self.add_error(_name(column, resource), str(Message("twice", text, params)))
                elif key:
                    first[key] = column["text"]
        return self.cleaned_data

    def shown_columns(self) -> Iterator[ShownColumn]:
        """The lines of the table."""
        several = len(self.kinds) > 1
        for column in self.columns:
            choices = []
            for resource in self.kinds:
                words, doubtful = self._certainty(column, resource)
                label = str(resource.label) if several else ""
                choices.append(ShownChoice(label, self[_name(column, resource)], words, doubtful))
            yield ShownColumn(
                column["letter"],
                column["group"],
                column["text"],
                column["hidden"],
                column["samples"],
                choices,
            )

    def _certainty(self, column: dict[str, Any], resource: SheetResource) -> tuple[Any, bool]:
        """How a column is known, in words, and whether a person should look."""
        fit, index = self.layout["fits"][resource.kind], str(column["index"])
        if index in fit["keys"]:
            by_header = fit["how"][index] == "header"
            return (_("by its header") if by_header else _("as it was decided")), False
        if index in fit["strong"]:
            return _("guessed by its values, please check"), True
        keys = fit["maybe"].get(index) or ([fit["duplicates"][index]] if index in fit["duplicates"] else [])
        if keys:
            headers = "、".join(resource.by(key).header for key in keys)
            return str(Message("maybe", _("may be: %(headers)s"), {"headers": headers})), True
        return _("header not known"), False

    def parts(self) -> list[Part]:
        """The decision as parts: every column that was shown is decided."""
        signatures = {column["index"]: column["signature"] for column in self.columns}
        places = {sheet["name"]: (sheet["first"], sheet["height"]) for sheet in self.layout["sheets"]}
        return [
            Part(
                resource.kind,
                name,
                {signatures[index]: key for index, key in self.chosen(resource).items()},
                places[name],
            )
            for resource in self.kinds
            for name in self.names
        ]


def _name(column: dict[str, Any], resource: SheetResource) -> str:
    return f"c{column['index']}-{resource.kind}"


class FileForm(forms.Form):
    """What holds for the whole file: school, semester, values for missing columns, who sent it."""

    school = forms.ChoiceField(label=_("School"), required=False)
    period = forms.ChoiceField(label=_("Semester"), required=False, widget=SemesterSelect)
    erase_empty = forms.BooleanField(
        label=_("Empty cells erase what is stored"),
        required=False,
        help_text=_(
            "Careful: wherever the file has the column and the cell is empty, the stored text is removed. "
            "Without this an empty cell changes nothing."
        ),
    )
    office = forms.CharField(
        label=_("Sending office"),
        required=False,
        max_length=80,
        help_text=_("For example the disabled persons' federation."),
    )
    remember = forms.BooleanField(
        label=_("Keep these columns under the sender's name"),
        required=False,
        help_text=_(
            "When a list with the same header comes again, it is read in the same way without asking."
        ),
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        batch: ImportBatch,
        user: User,
        layouts: Sequence[LayoutForm],
        may_remember: bool,
    ) -> None:
        """Offer values for the columns that the layouts lack, and a few lines for others."""
        options = Options.from_json(batch.options)
        super().__init__(
            data,
            prefix="file",
            initial={
                "school": options.school,
                "period": options.period,
                "erase_empty": options.erase_empty,
                "office": batch.office,
            },
        )
        self.layouts = layouts
        if not may_remember:
            del self.fields["remember"]
        schools = [(school.code, school.name) for school in SchoolBook(user).schools]
        if options.school and options.school not in dict(schools):
            schools.append((options.school, options.school))
        self._choices("school", [("", _AS_TOLD), *schools])
        periods = semester_choices()
        if options.period and options.period not in dict(periods):
            periods.append((options.period, options.period))
        self._choices("period", [("", _AS_TOLD), *periods])
        self._resources = {
            resource.kind: resource for form in layouts for resource in form.kinds if form.names
        }
        self._add_constants(dict(options.constants), schools, periods)
        for form in layouts:
            form.missing = form.lacking(list(options.constants))

    def _choices(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        found = self.fields[name]
        if isinstance(found, forms.ChoiceField):
            found.choices = choices

    def _add_constants(
        self, known: dict[str, str], schools: list[tuple[str, str]], periods: list[tuple[str, str]]
    ) -> None:
        """A field for each column that must be there and is not, then lines for any column."""
        self.values: dict[str, tuple[str, Column]] = {}
        for form in self.layouts:
            for missing in form.lacking(()):
                for column in filter(may_be_given, missing.columns):
                    name = f"v-{missing.resource.kind}-{column.key}"
                    if any(header == column.header for header, _column in self.values.values()):
                        continue
                    self.values[name] = column.header, column
                    offered = {"school": schools, "semester": periods}.get(
                        column.key, [(word, word) for word in column.choices]
                    )
                    initial = known.pop(column.header, "")
                    label = column.header
                    self.fields[name] = (
                        forms.ChoiceField(
                            label=label,
                            required=False,
                            choices=[("", "---------"), *offered],
                            initial=initial,
                        )
                        if offered
                        else forms.CharField(label=label, required=False, max_length=200, initial=initial)
                    )
        groups = [
            (
                str(resource.label),
                [(column.header, column.header) for column in resource.columns if may_be_given(column)],
            )
            for resource in self._resources.values()
        ]
        rows = list(known.items())
        for number in range(max(_EXTRA_ROWS, len(rows) + 1)):
            header, value = rows[number] if number < len(rows) else ("", "")
            self.fields[f"x{number}-column"] = forms.ChoiceField(
                label=_("column"),
                required=False,
                choices=[("", "---------"), *groups],
                initial=self._published(header),
            )
            self.fields[f"x{number}-value"] = forms.CharField(
                label=_("value"), required=False, max_length=200, initial=value
            )
        self.extra_count = max(_EXTRA_ROWS, len(rows) + 1)

    def _published(self, header: str) -> str:
        """A header as the list of columns writes it."""
        for resource in self._resources.values():
            key = column_key(resource, header) if header else None
            if key is not None:
                return resource.by(key).header
        return ""

    def plain_fields(self) -> list[forms.BoundField]:
        """The fields that every file has."""
        names = ("school", "period", "erase_empty", "office", "remember")
        return [self[name] for name in names if name in self.fields]

    def value_fields(self) -> list[forms.BoundField]:
        """The fields for missing columns."""
        return [self[name] for name in self.values]

    def extra_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The lines for other columns."""
        return [(self[f"x{number}-column"], self[f"x{number}-value"]) for number in range(self.extra_count)]

    def constants(self) -> dict[str, str]:
        """The values for the whole file by header, as they stand in the form."""
        found = {}
        for name, (header, _column) in self.values.items():
            value = str(self.cleaned_data.get(name) or "").strip()
            if value:
                found[header] = value
        for number in range(self.extra_count):
            chosen = str(self.cleaned_data.get(f"x{number}-column") or "")
            value = str(self.cleaned_data.get(f"x{number}-value") or "").strip()
            if chosen and value:
                found.setdefault(chosen, value)
        return found

    def clean(self) -> dict[str, Any]:
        """Each value must be readable; what is missing must be given by a column or a value."""
        if self.cleaned_data.get("remember") and not str(self.cleaned_data.get("office") or "").strip():
            self.add_error("office", _("Type the sender's name under which the columns are kept."))
        for name, (_header, column) in self.values.items():
            self._check(name, column)
        for number in range(self.extra_count):
            header, name = self.cleaned_data.get(f"x{number}-column"), f"x{number}-value"
            if not header and self.cleaned_data.get(name):
                self.add_error(f"x{number}-column", _("Choose the column for which the value is."))
            for resource in self._resources.values():
                key = column_key(resource, header) if header else None
                if key is not None:
                    self._check(name, resource.by(key))
        if not any(form.names for form in self.layouts):
            self.add_error(None, _("Choose at least one sheet."))
        told = list(self.constants())
        for form in self.layouts:
            form.missing = form.lacking(told)
            for missing in form.missing:
                text = _(
                    "“%(kind)s” needs %(headers)s: choose the column in the table, or give one value for the whole file."
                )
                params = {"kind": missing.resource.label, "headers": missing.headers}
                self.add_error(None, str(Message("missing", text, params)))
        return self.cleaned_data

    def _check(self, name: str, column: Column) -> None:
        value = str(self.cleaned_data.get(name) or "").strip()
        if not value:
            return
        try:
            column.cleaner(value, ctx=Context(timezone.localdate()))
        except CellError as error:
            self.add_error(name, str(error))

    def options(self, parts: Sequence[Part]) -> Options:
        """The decision for the whole file."""
        data = self.cleaned_data
        return Options(
            data.get("school") or "",
            data.get("period") or "",
            self.constants(),
            tuple(parts),
            bool(data.get("erase_empty")),
        )
