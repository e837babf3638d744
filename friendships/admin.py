"""Friend requests, friendships and blocks for staff to look at.

Nothing is changed here: a row changed by hand would tell no client, and half a friendship could stay.
"""

from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from friendships.models import Block, FriendRequest, Friendship


@admin.register(FriendRequest)
class FriendRequestAdmin(ReadOnlyAdmin):
    list_display = ("from_user", "to_user", "status", "created_at", "answered_at")
    list_filter = ("status",)
    list_select_related = ("from_user", "to_user")
    search_fields = ("^from_user__username", "^to_user__username")
    ordering = ("-id",)


@admin.register(Friendship)
class FriendshipAdmin(ReadOnlyAdmin):
    list_display = ("user", "friend", "since")
    list_select_related = ("user", "friend")
    search_fields = ("^user__username", "^friend__username")
    ordering = ("-id",)


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    list_display = ("blocker", "blocked", "created_at")
    list_select_related = ("blocker", "blocked")
    search_fields = ("^blocker__username", "^blocked__username")
    ordering = ("-id",)
