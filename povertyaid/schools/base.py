"""The base of every record: scope closed by default, a version for optimistic locking, dates of entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from povertyaid.lib import names

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from povertyaid.schools.models import User
    from povertyaid.schools.scope import Scope

RecordT_co = TypeVar("RecordT_co", bound="Record", covariant=True)
NOTHING = Q(pk__in=())


class ScopedQuerySet(models.QuerySet[RecordT_co]):
    """A queryset whose only way in is `visible_to`."""

    def visible_to(self, user: User | AnonymousUser) -> ScopedQuerySet[RecordT_co]:
        """Return the records that this account may know of: the union of its roles; nothing without a role."""
        from povertyaid.schools.scope import scope_of  # noqa: PLC0415 - scope reads models that stand on this module

        scope = scope_of(user)
        if scope.everything:
            return self.all()
        if scope.user_id is None:
            # Nobody logged in: a condition such as owner=None would find what belongs to nobody.
            return self.none()
        return self.filter(self.model.scope_filter(scope))


class Record(models.Model):
    """Base of every stored record."""

    created_at = models.DateTimeField(_("entered at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)
    # Raised at every save; a form that was opened at an older version is refused.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = models.Manager.from_queryset(ScopedQuerySet)()

    # Reading a change page of such a record is logged (POLICY §8: access to children's records).
    logs_reads: ClassVar[bool] = False
    # Private notes and logs stay outside the history.
    keeps_history: ClassVar[bool] = True

    class Meta:
        abstract = True
        default_permissions: ClassVar[tuple[str, ...]] = (
            "add",
            "change",
            "delete",
            "view",
            "import",
            "export",
            "reveal",
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.prepare()
        if not self._state.adding:
            self.version += 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version", "updated_at"}
        super().save(*args, **kwargs)

    @classmethod
    def scope_filter(cls, scope: Scope) -> Q:
        """Return the condition for what `scope` may see; a model that forgets it shows nothing."""
        del scope
        return NOTHING

    def prepare(self) -> None:
        """Fill derived columns (sort keys and the like); called before every save, single or in bulk."""


class WrongMoveError(RuntimeError):
    """A record was asked to go where its life cycle does not lead; nothing was changed."""


class LifeCycle(models.Model):
    """A record with a `state` that moves only where the table `MOVES` leads."""

    # Every life cycle has a column `state`; its choices are the model's own.
    state: Any
    MOVES: ClassVar[dict[str, frozenset[str]]]
    wrong_move: ClassVar[type[WrongMoveError]] = WrongMoveError

    class Meta:
        abstract = True

    def move(self, state: str) -> None:
        """Go to another state and save; raise the model's WrongMoveError when MOVES does not lead there."""
        before: str = self.state
        if state not in self.MOVES[before]:
            msg = f"{self._meta.label} cannot go from {before} to {state}."
            raise self.wrong_move(msg)
        self.state = state
        self.save()


class NamedPerson(Record):
    """A person with a name that sorts and is found by its pinyin: databases collate Chinese differently."""

    name = models.CharField(_("name"), max_length=60)
    name_key = models.CharField(max_length=250, editable=False, default="", db_index=True)
    name_initials = models.CharField(max_length=60, editable=False, default="", db_index=True)

    class Meta(Record.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name

    def prepare(self) -> None:
        super().prepare()
        self.name_key = names.sort_key(self.name)[:250]
        self.name_initials = names.initials(self.name)[:60]
