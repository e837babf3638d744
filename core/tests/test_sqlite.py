"""The backend for SQLite, on a database of its own."""

import gc
import threading

import pytest
from django.db import OperationalError, transaction
from django.db.utils import ConnectionHandler

pytestmark = pytest.mark.django_db

SECONDS = 2


@pytest.fixture
def database(tmp_path, monkeypatch):
    """Connections, one for each thread, to one file; they wait SECONDS for its lock."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": SECONDS}
    handler = ConnectionHandler(
        {"default": {"ENGINE": "core.sqlite", "NAME": str(tmp_path / "db.sqlite3"), "OPTIONS": options}}
    )
    monkeypatch.setattr(transaction, "get_connection", lambda _: handler["default"])
    yield handler
    handler.close_all()


def test_who_throws_an_error_away_does_not_wait_for_the_connection_that_raised_it(database):
    errors, waits_again, ended = [], threading.Event(), []

    def be_refused_and_try_again():
        try:
            with transaction.atomic():
                pass
        except OperationalError as error:
            errors.append(error)
        waits_again.set()
        with transaction.atomic():
            ended.append("saved")
        database.close_all()

    thread = threading.Thread(target=be_refused_and_try_again)
    with transaction.atomic():
        thread.start()
        waits_again.wait()
        assert "locked" in str(errors[0])
        errors.clear()
        gc.collect()  # would take as long as the thread waits, and that waits for us
    thread.join()
    assert ended == ["saved"]
