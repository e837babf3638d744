"""Messages and files for the staff: to look things up. What members see changes through services only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from core.text import comparison_key
from messaging.models import File, Message

MOST_COUNTED = 10_000


class _BoundedPaginator(Paginator):
    """Counts no further than anyone pages; `COUNT(*)` would read the whole table for every list."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows[:MOST_COUNTED].count()


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ("id", "room", "seq", "sender", "type", "created_at", "deleted_at")
    list_select_related = ("room", "sender")
    show_full_result_count = False
    paginator = _BoundedPaginator
    search_fields = ("sender__username_key__startswith", "room__slug__exact")
    search_help_text = "The beginning of the sender's user name, or a room's slug."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        return super().get_search_results(request, queryset, comparison_key(search_term))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(File)
class FileAdmin(admin.ModelAdmin):
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
    show_full_result_count = False
    paginator = _BoundedPaginator
    search_fields = ("uploader__username_key__startswith",)
    search_help_text = "The beginning of the uploader's user name."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[File], search_term: str
    ) -> tuple[QuerySet[File], bool]:
        return super().get_search_results(request, queryset, comparison_key(search_term))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
