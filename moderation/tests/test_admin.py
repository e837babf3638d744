"""The staff read reports and close them; the evidence stays as it is."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from moderation.models import Report
from moderation.services import dismiss_reports, report, resolve_reports

pytestmark = pytest.mark.django_db

LIST = "/admin/moderation/report/"


@pytest.fixture
def root():
    return User.objects.create_superuser("root", "root@example.com", "root-demo-2026")


@pytest.fixture
def staff(client, root):
    client.force_login(root)
    return client


@pytest.fixture
def made(alice, said):
    return report(alice, target_type="message", target_id=said.id, reason="spam", comment="Look!")[0]


def close(client, action, *rows):
    body = {"action": action, "_selected_action": [str(row.id) for row in rows]}
    return client.post(LIST, body, follow=True)


class TestService:
    def test_closing_says_by_whom_and_when(self, root, made):
        assert resolve_reports(root, report_ids=[made.id]) == 1
        made.refresh_from_db()
        assert (made.state, made.handled_by) == ("resolved", root)
        assert made.handled_at > made.created_at

    def test_what_is_closed_stays_as_it_was_closed(self, root, alice, made):
        resolve_reports(root, report_ids=[made.id])
        assert dismiss_reports(alice, report_ids=[made.id]) == 0
        made.refresh_from_db()
        assert (made.state, made.handled_by) == ("resolved", root)

    @pytest.mark.django_db(transaction=True)
    def test_of_two_at_once_one_closes_it(self, root, made, race):
        counts = race(
            lambda: resolve_reports(root, report_ids=[made.id]),
            lambda: dismiss_reports(root, report_ids=[made.id]),
        )
        assert sorted(counts) == [0, 1]


class TestAdmin:
    def test_the_list_is_filtered_by_state(self, staff, root, alice, bob, made):
        other, _ = report(alice, target_type="user", target_id=bob.id, reason="hate")
        dismiss_reports(root, report_ids=[other.id])
        for query, rows in (({}, [other, made]), ({"state__exact": "open"}, [made])):
            assert list(staff.get(LIST, query).context["cl"].result_list) == rows

    @pytest.mark.parametrize(
        ("action", "state"), [("resolve", Report.State.RESOLVED), ("dismiss", Report.State.DISMISSED)]
    )
    def test_an_action_closes_what_is_selected(self, staff, root, made, action, state):
        assert "Reports closed: 1." in close(staff, action, made).content.decode()
        made.refresh_from_db()
        assert (made.state, made.handled_by) == (state, root)

    def test_the_evidence_is_shown_and_escaped(self, staff, made):
        page = staff.get(f"{LIST}{made.id}/change/").content.decode()
        assert "&lt;b&gt;Rubbish!&lt;/b&gt;" in page
        assert "<b>Rubbish!</b>" not in page

    def test_nothing_is_changed_by_hand(self, staff, made):
        before = Report.objects.values().get()
        staff.post(f"{LIST}{made.id}/change/", {"reason": "x", "evidence": "{}", "state": "resolved"})
        assert Report.objects.values().get() == before
        assert staff.get(f"{LIST}add/").status_code == 403
        assert staff.post(f"{LIST}{made.id}/delete/", {"post": "yes"}).status_code == 403

    def test_reports_are_found_by_reporter_and_by_target(self, staff, made, said):
        for search, found in (("ALI", [made]), (str(said.id), [made]), ("bob", []), ("zoe", [])):
            assert list(staff.get(LIST, {"q": search}).context["cl"].result_list) == found

    def test_who_may_only_look_closes_nothing(self, client, made):
        looker = User.objects.create_user("looker", "looker@example.com", is_staff=True)
        looker.user_permissions.add(Permission.objects.get(codename="view_report"))
        client.force_login(looker)
        assert client.get(LIST).status_code == 200
        close(client, "resolve", made)
        assert Report.objects.get().state == "open"

    def test_only_staff_come_in(self, client, alice, made):
        client.force_login(alice)
        assert client.get(LIST).status_code == 302

    def test_the_number_of_queries_does_not_grow(self, staff, alice, bob, room, made):
        counts = []
        for target in (None, ("user", bob.id), ("room", room.id)):
            if target:
                report(alice, target_type=target[0], target_id=target[1], reason="spam")
            with CaptureQueriesContext(connection) as queries:
                assert staff.get(LIST).status_code == 200
            counts.append(len(queries))
        assert len(set(counts)) == 1
