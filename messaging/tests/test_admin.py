import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from messaging.models import Message
from messaging.services import upload_file
from rooms.services import create_room
from tests.files import upload

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/message/"


@pytest.fixture
def staff(client):
    client.force_login(User.objects.create_superuser("root", "root@example.com", "root-demo-2026"))
    return client


@pytest.fixture
def said(alice, bob, say):
    """A message of alice in the kitchen, one of bob in the bath, whose name is the kitchen's slug."""
    create_room(bob, name="kitchen", slug="kitchen-2")
    return say(alice, "Tea?\n<b>Now</b>"), say(bob, "Soap?", room="kitchen-2")


class TestAdmin:
    def test_the_list_shows_where_who_and_when(self, staff, said):
        answer = staff.get(LIST)
        assert answer.status_code == 200
        for text in (str(said[0].id), "Kitchen", "alice", "kitchen", "bob"):
            assert text in answer.content.decode()

    @pytest.mark.parametrize(
        ("search", "found"),
        [
            ("alice", [0]),
            ("ALI", [0]),
            ("kitchen", [0]),
            ("kitchen-2", [1]),
            ("bob kitchen-2", [1]),
            ("alice kitchen-2", []),
            ("kitch", []),
            ("lice", []),
            ("Tea", []),
            ("", [1, 0]),
        ],
    )
    def test_search_is_by_sender_and_by_the_rooms_slug(self, staff, said, search, found):
        rows = staff.get(LIST, {"q": search}).context["cl"].result_list
        assert [row.id for row in rows] == [said[place].id for place in found]

    def test_the_content_can_be_read_and_is_escaped(self, staff, said):
        page = staff.get(f"{LIST}{said[0].id}/change/").content.decode()
        assert "Tea?<br>&lt;b&gt;Now&lt;/b&gt;" in page

    def test_nothing_is_changed_past_the_services(self, staff, said):
        path = f"{LIST}{said[0].id}"
        assert staff.get(f"{LIST}add/").status_code == 403
        assert staff.post(f"{path}/change/", {"content": "x"}).status_code == 403
        assert staff.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
        body = {"action": "delete_selected", "_selected_action": [str(said[0].id)], "post": "yes"}
        staff.post(LIST, body)
        assert Message.objects.get(id=said[0].id).content == said[0].content

    def test_only_staff_come_in(self, client, alice, said):
        client.force_login(alice)
        assert client.get(LIST).status_code == 302

    def test_the_number_of_queries_does_not_grow_and_none_counts_all(self, staff, alice, said, say):
        counts = []
        for size in (1, 20):
            for _ in range(size):
                say(alice)
            with CaptureQueriesContext(connection) as queries:
                assert staff.get(LIST).status_code == 200
            counts.append(len(queries))
            counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
            assert counting
            assert all("LIMIT 10000" in sql for sql in counting)
        assert counts[0] == counts[1]

    def test_files_are_found_by_who_uploaded_them(self, staff, alice):
        file = upload_file(alice, file=upload(b"Hi", "<b>.txt"))
        page = staff.get("/admin/messaging/file/", {"q": "ALI"})
        assert list(page.context["cl"].result_list) == [file]
        assert "&lt;b&gt;.txt" in page.content.decode()
        assert not staff.get("/admin/messaging/file/", {"q": "bob"}).context["cl"].result_list
        assert staff.get(f"/admin/messaging/file/{file.id}/change/").status_code == 200
        for act in ("change", "delete"):
            assert staff.post(f"/admin/messaging/file/{file.id}/{act}/", {"post": "yes"}).status_code == 403
