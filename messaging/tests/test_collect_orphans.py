"""manage.py collect_orphans: what no message shows goes, from the store and from the table."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from core import rows
from messaging import services
from messaging.models import File, Message
from tests.files import upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def uploaded(alice):
    """A file of alice's that she uploaded so many hours ago."""

    def do(hours=0, **columns):
        file = services.upload_file(alice, file=upload(b"Hi"))
        then = timezone.now() - timedelta(hours=hours)
        File.objects.filter(id=file.id).update(unsent_since=then, created_at=then, **columns)
        return file

    return do


@pytest.fixture
def is_kept(settings):
    """Whether a file is in the store, and whether it is in the table."""
    return lambda file: (
        Path(settings.MEDIA_ROOT, file.stored_as).exists(),
        File.objects.filter(id=file.id).exists(),
    )


def run(**options):
    out = StringIO()
    call_command("collect_orphans", stdout=out, **options)
    return out.getvalue()


class TestService:
    def test_what_was_not_sent_for_a_day_goes(self, uploaded, is_kept):
        old, pending, young = uploaded(25), uploaded(25, completed_at=None), uploaded(23)
        assert run() == "2 files deleted.\n"
        assert is_kept(old) == is_kept(pending) == (False, False)
        assert is_kept(young) == (True, True)

    def test_what_was_sent_stays_however_old(self, alice, room, say, uploaded, is_kept):
        file = uploaded()
        say(alice, file_id=str(file.id))
        File.objects.update(created_at=timezone.now() - timedelta(days=900))
        assert run() == "0 files deleted.\n"
        assert is_kept(file) == (True, True)

    def test_the_file_of_a_deleted_message_goes_at_once_and_the_message_stays(
        self, alice, room, say, uploaded, is_kept
    ):
        file = uploaded()
        message = say(alice, file_id=str(file.id))
        services.delete_message(alice.id, message_id=message.id)
        assert is_kept(file) == (True, True)
        run()
        assert is_kept(file) == (False, False)
        assert Message.objects.get().id == message.id

    def test_what_is_gone_from_the_store_already_goes_from_the_table(self, uploaded, is_kept, settings):
        file = uploaded(25)
        Path(settings.MEDIA_ROOT, file.stored_as).unlink()
        assert run() == "1 files deleted.\n"
        assert is_kept(file) == (False, False)

    def test_one_whose_store_does_not_answer_is_hidden_and_goes_the_next_time(
        self, alice, room, draft_of, cloudinary, uploaded
    ):
        file = uploaded(25)
        cloudinary.failing = 500
        assert "1 left" in run()
        assert File.objects.get().completed_at is None
        assert services.send_messages([draft_of(alice, file_id=str(file.id))])[0].code == "not_found"
        cloudinary.failing = None
        assert run() == "1 files deleted.\n"
        assert cloudinary.kept == {}
        assert not File.objects.exists()

    def test_a_dry_run_changes_nothing(self, uploaded, is_kept):
        file = uploaded(25)
        assert run(dry_run=True) == "1 files would be deleted.\n"
        assert is_kept(file) == (True, True)
        assert File.objects.get().completed_at is not None

    def test_pages_miss_none(self, uploaded, monkeypatch):
        monkeypatch.setattr(rows.pages, "__defaults__", (3,))
        for _ in range(10):
            uploaded(25)
        assert len(set(services.orphans())) == 10
        assert run() == "10 files deleted.\n"

    @pytest.mark.django_db(transaction=True)
    def test_one_that_is_sent_at_the_same_moment_is_sent_or_gone_and_never_both(
        self, alice, room, draft_of, uploaded, race, is_kept
    ):
        for _ in range(10):
            file = uploaded(25)
            collected, (outcome,) = race(
                lambda file=file: services.collect_file(file.id),
                lambda file=file: services.send_messages([draft_of(alice, file_id=str(file.id))]),
            )
            assert collected is not isinstance(outcome, services.Sent)
            assert is_kept(file) == (not collected, not collected)
