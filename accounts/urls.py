from django.urls import path

from accounts.views import (
    AvatarViewSet,
    CodeViewSet,
    LoginViewSet,
    MeViewSet,
    PresenceViewSet,
    SessionViewSet,
    UserViewSet,
)

urlpatterns = [
    path("auth/register", LoginViewSet.as_view({"post": "register"})),
    path("auth/login", LoginViewSet.as_view({"post": "login"})),
    path("auth/refresh", LoginViewSet.as_view({"post": "refresh"})),
    path("auth/logout", SessionViewSet.as_view({"post": "logout"})),
    path("auth/logout-all", SessionViewSet.as_view({"post": "logout_all"})),
    path("auth/verify-email", CodeViewSet.as_view({"post": "verify_email"})),
    path("auth/verify-email/resend", CodeViewSet.as_view({"post": "resend_verification"})),
    path("auth/password/reset", CodeViewSet.as_view({"post": "request_password_reset"})),
    path("auth/password/reset/confirm", CodeViewSet.as_view({"post": "reset_password"})),
    path("auth/password/change", SessionViewSet.as_view({"post": "change_password"})),
    path("auth/ws-ticket", SessionViewSet.as_view({"post": "ws_ticket"})),
    path("auth/sessions", SessionViewSet.as_view({"get": "list"})),
    path("auth/sessions/<uuid:id>", SessionViewSet.as_view({"delete": "destroy"})),
    path("users/me", MeViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    path("users/me/export", MeViewSet.as_view({"get": "export"})),
    path("users/me/avatar", AvatarViewSet.as_view({"put": "update", "delete": "destroy"})),
    path("users", UserViewSet.as_view({"get": "list"})),
    path("users/presence", PresenceViewSet.as_view({"get": "list"})),
    path("users/<uuid:id>", UserViewSet.as_view({"get": "retrieve"})),
]
