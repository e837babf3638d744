"""Every path of the project; each app brings its own below /api/v1."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

handler400 = "core.problems.bad_request"
handler403 = "core.problems.permission_denied"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"

urlpatterns = [
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("friendships.urls")),
    path("api/v1/", include("rooms.urls")),
    path("api/v1/", include("messaging.urls")),
    path("admin/", admin.site.urls),
]
