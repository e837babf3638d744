"""Reports for the staff: to read, and to say what was made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User
from core.admin import FoldedSearch
from moderation import services
from moderation.models import Report


@admin.register(Report)
class ReportAdmin(FoldedSearch):
    """Nothing of a report is changed by hand, least of all its evidence: the actions close it, and say by whom."""

    list_display = ("id", "target_type", "reason", "reporter", "state", "handled_by", "created_at")
    list_filter = ("state", "target_type")
    list_select_related = ("reporter", "handled_by")
    search_fields = ("reporter__username_key__startswith",)
    search_help_text = "The beginning of the reporter's user name, or the id of what was reported."
    show_full_result_count = False
    ordering = ("-id",)
    fields = (
        *("target_type", "target_id", "reason", "comment", "reporter", "created_at"),
        *("what_it_was", "state", "handled_by", "handled_at"),
    )
    readonly_fields = fields
    actions = ("resolve", "dismiss")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Report], search_term: str
    ) -> tuple[QuerySet[Report], bool]:
        try:
            return queryset.filter(target_id=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Evidence")
    def what_it_was(self, report: Report) -> SafeString:
        """The evidence, laid out; what users wrote in it is escaped."""
        return format_html("<pre>{}</pre>", json.dumps(report.evidence, indent=2, ensure_ascii=False))

    @admin.action(description="Resolve the selected reports", permissions=["change"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._close(request, queryset, services.resolve_reports)

    @admin.action(description="Dismiss the selected reports", permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._close(request, queryset, services.dismiss_reports)

    def _close(self, request: HttpRequest, queryset: QuerySet[Report], close: Callable[..., int]) -> None:
        assert isinstance(request.user, User)  # noqa: S101 - the admin lets nobody else in
        count = close(request.user, report_ids=list(queryset.values_list("id", flat=True)))
        self.message_user(
            request, f"Reports closed: {count}. Those that were closed before stay as they were."
        )
