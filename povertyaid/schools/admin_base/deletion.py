"""What a deletion would take along, in counts: no name of a record that the account may not know of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import NestedObjects
from django.db import router
from django.utils.translation import gettext as _

from povertyaid.schools.admin_base.scoping import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.admin import AdminSite
    from django.db import models
    from django.http import HttpRequest


@dataclass
class Deletion:
    """Counts by kind of record; what stands in the way; which permissions are missing."""

    told: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    protected: list[str] = field(default_factory=list)


def _line(model: type[models.Model], count: int) -> str:
    return _("%(kind)s: %(count)d") % {"kind": model._meta.verbose_name, "count": count}


def foresee(objects: Iterable[models.Model], request: HttpRequest, site: AdminSite) -> Deletion:
    """Say what deleting `objects` (all visible) would mean."""
    objects = list(objects)
    result = Deletion()
    if not objects:
        return result
    collector = NestedObjects(using=router.db_for_write(type(objects[0])))
    collector.collect(objects)
    result.told = [str(item) for item in objects[:20]]
    if len(objects) > len(result.told):
        result.told.append(_("and %(count)d more") % {"count": len(objects) - len(result.told)})
    found_by_model: Any = collector.model_objs
    for model, found in found_by_model.items():
        if model._meta.auto_created:
            continue
        result.counts[str(model._meta.verbose_name_plural)] = len(found)
        if site.is_registered(model):
            admin = site.get_model_admin(model)
            if not admin.has_delete_permission(request):
                result.missing.add(str(model._meta.verbose_name))
        elsewhere = len(found) - _visible_count(model, found, request)
        if elsewhere:
            result.protected.append(
                _("%(kind)s outside your scope: %(count)d") % {"kind": model._meta.verbose_name, "count": elsewhere}
            )
    for model, count in Counter(type(item) for item in collector.protected).items():
        result.protected.append(_line(model, count))
    return result


def _visible_count(model: type[models.Model], found: Iterable[models.Model], request: HttpRequest) -> int:
    pks: list[Any] = [item.pk for item in found]
    return visible(model, request.user).filter(pk__in=pks).count()
