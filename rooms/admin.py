"""Rooms, memberships, bans and invites for the staff: to look things up, and to take an invite back.

What members see changes through services only.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import ReadOnlyAdmin, UnchangedAdmin
from rooms.models import Ban, Invite, Membership, Room


class MemberInline(admin.TabularInline):
    model = Membership
    fields = ("user", "role", "joined_at", "left_pos", "silenced_until", "last_read_seq")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "slug", "type", "visibility", "state", "member_count", "last_activity_at")
    list_filter = ("type", "visibility", "state")
    list_select_related = ("created_by",)
    search_fields = ("name", "slug")
    ordering = ("-id",)
    inlines = (MemberInline,)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("id", "room", "user", "role", "joined_at", "left_pos", "silenced_until")
    list_filter = ("role",)
    list_select_related = ("room", "user")
    search_fields = ("room__name", "room__slug")
    ordering = ("-id",)


@admin.register(Ban)
class BanAdmin(ReadOnlyAdmin):
    list_display = ("id", "room", "user", "reason", "expires_at", "banned_by", "created_at")
    list_select_related = ("room", "user", "banned_by")
    search_fields = ("room__name", "room__slug", "^user__username")
    ordering = ("-id",)


@admin.register(Invite)
class InviteAdmin(UnchangedAdmin):
    """Without the code, which would let whoever sees it here into the room."""

    list_display = ("id", "room", "created_by", "uses", "max_uses", "expires_at", "created_at")
    list_select_related = ("room", "created_by")
    exclude = ("code",)
    search_fields = ("room__name", "room__slug")
    ordering = ("-id",)
