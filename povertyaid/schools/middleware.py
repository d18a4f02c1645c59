"""Session time-out and forced change of a first password."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

GetResponse = Callable[[HttpRequest], HttpResponse]


class SessionTimeoutMiddleware:
    """Keeps a session alive while somebody works, renewing it at most once a minute.

    Renewing at every request would write to the database at every request (SESSION_SAVE_EVERY_REQUEST).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            if now - int(request.session.get("renewed", 0)) >= settings.SESSION_RENEW_SECONDS:
                request.session["renewed"] = now
        return self.get_response(request)


class PasswordChangeMiddleware:
    """Sends whoever still has a password that somebody else set to the page for changing it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if getattr(request.user, "must_change_password", False):
            page = reverse("admin:password_change")
            allowed = (
                page,
                reverse("admin:logout"),
                reverse("admin:jsi18n"),
                reverse("set_language"),
                settings.STATIC_URL,
            )
            if not request.path.startswith(allowed):
                return redirect(page)
        return self.get_response(request)
