"""Who acts in this request, and one log line a request without personal data."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from povertyaid.audit.actor import acting_as
from povertyaid.schools.models import User

GetResponse = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger("povertyaid.requests")


class ActorMiddleware:
    """Names the logged-in account to the history."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user if isinstance(request.user, User) else None
        with acting_as(user):
            return self.get_response(request)


class RequestLogMiddleware:
    """Logs method, route, status, time and the account's number: never the address's words (names are searched by them)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        request_id = uuid.uuid4().hex[:12]
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "-"
        user = getattr(request, "user", None)
        log.info(
            "%s %s /%s %s %dms user=%s",
            request_id,
            request.method,
            route,
            response.status_code,
            (time.monotonic() - started) * 1000,
            getattr(user, "pk", None) or "-",
        )
        response["X-Request-ID"] = request_id
        return response
