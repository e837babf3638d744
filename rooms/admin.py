"""Rooms and memberships for the staff: to look things up. What members see changes through services only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from rooms.models import Membership, Room


class MemberInline(admin.TabularInline):
    model = Membership
    fields = ("user", "role", "joined_at", "left_pos", "last_read_seq")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ("id", "name", "slug", "type", "visibility", "state", "member_count", "last_activity_at")
    list_filter = ("type", "visibility", "state")
    list_select_related = ("created_by",)
    show_full_result_count = False
    search_fields = ("name", "slug")
    ordering = ("-id",)
    inlines = (MemberInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("id", "room", "user", "role", "joined_at", "left_pos")
    list_filter = ("role",)
    list_select_related = ("room", "user")
    show_full_result_count = False
    search_fields = ("room__name", "room__slug")
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return False
