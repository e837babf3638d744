"""What the apps' consoles for the staff have in common."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.text import comparison_key


class FoldedSearch(admin.ModelAdmin):
    """Searches columns in which names are folded (`username_key`), by whatever the staff type."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, comparison_key(search_term))


class UnchangedAdmin(admin.ModelAdmin):
    """Rows that are to be looked at, and may be deleted."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(UnchangedAdmin):
    """Rows that are only to be looked at: what is changed by hand tells no client."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
