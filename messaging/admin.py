"""Messages and files for the staff: to look things up. What members see changes through services only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.utils.functional import cached_property

from core.admin import FoldedSearch, ReadOnlyAdmin
from messaging.models import File, Message

MOST_COUNTED = 10_000


class _BoundedPaginator(Paginator):
    """Counts no further than anyone pages; `COUNT(*)` would read the whole table for every list."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows[:MOST_COUNTED].count()


@admin.register(Message)
class MessageAdmin(FoldedSearch, ReadOnlyAdmin):
    list_display = ("id", "room", "seq", "sender", "type", "created_at", "deleted_at")
    list_select_related = ("room", "sender")
    paginator = _BoundedPaginator
    search_fields = ("sender__username_key__startswith", "room__slug__exact")
    search_help_text = "The beginning of the sender's user name, or a room's slug."
    ordering = ("-id",)


@admin.register(File)
class FileAdmin(FoldedSearch, ReadOnlyAdmin):
    list_display = (
        "id",
        "uploader",
        "name",
        "content_type",
        "size",
        "created_at",
        "completed_at",
        "unsent_since",
    )
    list_select_related = ("uploader",)
    paginator = _BoundedPaginator
    search_fields = ("uploader__username_key__startswith",)
    search_help_text = "The beginning of the uploader's user name."
    ordering = ("-id",)
