"""The staff console of accounts: who there is, who may come in, where they are logged in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.forms import AdminPasswordChangeForm as OwnPasswordChangeForm
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts import selectors, services
from accounts.models import Session, User
from accounts.services.attempts import Attempt, at_login
from core.addresses import client_address
from core.admin import FoldedSearch
from core.errors import RateLimited

_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class _LoginForm(AdminAuthenticationForm):
    """The console's own login, with the API's limit on how often it may be tried."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None  # noqa: S101 - the console always gives one
        login, address = self.cleaned_data.get("username", ""), client_address(self.request)
        try:
            with Attempt(at_login(), login=login, address=address):
                return super().clean()
        except RateLimited as error:
            raise forms.ValidationError(error.detail, code=error.code) from None


admin.site.login_form = _LoginForm


class _UniqueNames(forms.ModelForm):
    """Tells of a taken name at its field; the unique columns are not in the form."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        names = {name: cleaned.get(name) or "" for name in ("username", "email")}
        for name in selectors.taken(**names, except_for=self.instance.id):
            self.add_error(name, forms.ValidationError(f"Another account has this {name}.", code="unique"))
        return cleaned


class _NewUserForm(_UniqueNames, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("username", "email")


class _UserForm(_UniqueNames, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose


class _PasswordForm(AdminPasswordChangeForm):
    """A new password from staff ends what was logged in by the old one."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        user: User = super().save(commit=False)
        services.keep_new_password(user)
        return user


class _OwnPasswordForm(OwnPasswordChangeForm):
    """So does a new password that staff give themselves."""

    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - Django's signature
        user: User = super().save(commit=False)
        services.keep_new_password(user)
        return user


def change_own_password(request: HttpRequest) -> HttpResponseBase:
    """The console's own page for this, whose form can't be chosen, with a form of ours."""
    page = PasswordChangeView.as_view(
        form_class=_OwnPasswordForm,
        success_url=reverse("admin:password_change_done"),
        extra_context=admin.site.each_context(request),
    )
    return page(request)


@admin.register(User)
class UserAdmin(FoldedSearch, DjangoUserAdmin):
    """Accounts are deactivated here, or erased, never deleted: messages and the event log name their users."""

    form = _UserForm
    add_form = _NewUserForm
    change_password_form = _PasswordForm
    fieldsets = (
        (None, {"fields": ("username", "email", "email_verified", "password")}),
        ("Profile", {"fields": ("display_name", "bio", "is_bot")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("created_at", "last_seen_at", "last_login", "erased_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),
    )
    # Only the actions change `is_active`, since they close the sockets too.
    readonly_fields = ("is_active", "created_at", "last_seen_at", "last_login", "erased_at")
    list_display = (
        "username",
        "email",
        "display_name",
        "is_active",
        "is_staff",
        "is_bot",
        "created_at",
        "erased_at",
    )
    list_filter = (
        "is_active",
        "is_staff",
        "is_superuser",
        "is_bot",
        ("erased_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("username_key__startswith", "email_key__startswith", "display_name_key__startswith")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("deactivate", "activate", "erase")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        services.save_user(_staff(request), user=obj, is_new=not change)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Only a superuser hands out rights; else who may change users could make themselves one."""
        return self.readonly_fields if _staff(request).is_superuser else (*self.readonly_fields, *_RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff accounts, their passwords included, are a superuser's business, and erased ones nobody's."""
        within = obj is None or (obj.erased_at is None and (not obj.is_staff or _staff(request).is_superuser))
        return within and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return _staff(request).is_superuser

    @admin.action(description="Deactivate the selected users", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        services.deactivate_users([user for user in queryset if self.has_change_permission(request, user)])
        self.message_user(request, "The users are shut out.")

    @admin.action(description="Activate the selected users", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        services.activate_users([user for user in queryset if self.has_change_permission(request, user)])
        self.message_user(request, "The users are let in again.")

    @admin.action(description="Erase the selected users", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Asks first, on a page of its own: nothing brings an account back."""
        users = list(queryset.filter(erased_at=None))
        if "messages" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "title": "Erase users",
                "users": users,
                "opts": self.opts,
            }
            return TemplateResponse(request, "accounts/erase_users.html", context)
        services.erase_users(users, erases_messages=request.POST["messages"] == "erase")
        self.message_user(
            request, f"Erased: {len(users)}. What they have in many places goes within minutes."
        )
        return None


@admin.register(Session)
class SessionAdmin(FoldedSearch):
    """Sessions come from logins; staff may end them."""

    list_display = ("user", "device_name", "ip", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("revoked_at", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username_key__startswith", "ip")
    ordering = ("-id",)
    fields = (*list_display, "user_agent")
    readonly_fields = fields
    show_full_result_count = False
    actions = ("end",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="End the selected sessions", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        for session in queryset.select_related("user"):
            services.logout(session.user, session_id=session.id)
        self.message_user(request, "The sessions have ended.")


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the admin lets nobody else in
    return request.user
