"""Every path of the project; each app brings its own below /api/v1."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from accounts.admin import change_own_password
from chatproject import views

handler400 = "core.problems.bad_request"
handler403 = "core.problems.permission_denied"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"

urlpatterns = [
    path("", views.home),
    # First what is asked for most: the paths are tried in this order, and no two fit the same request.
    path("api/v1/", include("messaging.urls")),
    path("api/v1/", include("rooms.urls")),
    path("api/v1/", include("friendships.urls")),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("moderation.urls")),
    re_path(r"^(?:api/v1/)?ws/?$", views.socket_over_http),
    path("api/schema", views.schema, name="schema"),
    path(
        "swagger/index.html",
        SpectacularSwaggerSplitView.as_view(
            url_name="schema", authentication_classes=[], permission_classes=[AllowAny], throttle_classes=[]
        ),
        name="swagger",
    ),
    path(
        "redoc",
        SpectacularRedocView.as_view(
            url_name="schema",
            template_name="chatproject/redoc.html",
            authentication_classes=[],
            permission_classes=[AllowAny],
            throttle_classes=[],
        ),
        name="redoc",
    ),
    path("asyncapi", views.asyncapi),
    re_path(r"^media/avatars/(?P<name>[0-9a-f]{32}\.webp)$", views.avatar),
    path("health/live", views.live),
    path("health/ready", views.ready),
    path("metrics", views.metrics),
    path("admin/login/", views.admin_login),
    path("admin/password_change/", admin.site.admin_view(change_own_password, cacheable=True)),
    path("admin/", admin.site.urls),
    # With DEBUG, Django's own page would answer, and list every path.
    re_path("", views.nothing_here),
]
