"""Where files go, and what the start says when they can't."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from core.errors import StorageUnavailable, UnsupportedMediaType
from core.storage import guard, start
from tests.live import ROOT
from tests.loopback_cloudinary import SECRET


class TestStart:
    def test_a_directory_that_can_be_written_to_is_left_as_it_was(self, settings, tmp_path):
        settings.MEDIA_ROOT = str(tmp_path)
        start.check()
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_one_that_cant_is_named_with_the_cure(self, settings, tmp_path):
        settings.MEDIA_ROOT = str(tmp_path / "a file")
        (tmp_path / "a file").touch()
        with pytest.raises(ImproperlyConfigured, match=r"MEDIA_ROOT.*may write to"):
            start.check()

    def test_a_cloudinary_that_lets_us_in_is_left_as_it_was(self, cloudinary):
        start.check()
        assert cloudinary.kept == {}
        uploads = [request for request in cloudinary.requests if request.endswith("/upload")]
        assert len(uploads) == 2

    @pytest.mark.parametrize("status", [401, 403, 404, 400])
    def test_one_that_doesnt_is_named_with_the_cure(self, cloudinary, status):
        cloudinary.failing = status
        with pytest.raises(ImproperlyConfigured, match=r"CLOUDINARY_URL.*console"):
            start.check()

    def test_another_secret_does_not_let_us_in(self, cloudinary, settings):
        settings.CLOUDINARY = settings.CLOUDINARY | {"api_secret": "another"}
        settings.STORAGES = {**settings.STORAGES}
        with pytest.raises(ImproperlyConfigured, match="CLOUDINARY_URL"):
            start.check()

    def test_one_that_fails_or_hangs_holds_nothing_up(self, cloudinary):
        cloudinary.failing = 500
        start.check()
        cloudinary.failing = None
        cloudinary.hang()
        start.check()
        assert len(cloudinary.requests) == 4

    @pytest.mark.parametrize(
        ("variable", "value", "cure"),
        [
            (
                "CLOUDINARY_URL",
                "https://cloudinary.com/me",
                "cloudinary://<API key>:<API secret>@<cloud name>",
            ),
            (
                "CLOUDINARY_URL",
                f"cloudinary://1:{SECRET}@",
                "cloudinary://<API key>:<API secret>@<cloud name>",
            ),
            ("MEDIA_ROOT", __file__, "a directory that the server may write to"),
            ("MAX_UPLOAD_BYTES", "25 MB", "a whole number"),
        ],
    )
    def test_the_server_does_not_start_and_says_why(self, variable, value, cure):
        environment = {**os.environ, "ENV_FILE": "", "DEBUG": "true", variable: value}
        served = subprocess.run(
            [sys.executable, "-m", "chatproject.serve"],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment,
            timeout=60,
        )
        assert served.returncode != 0
        last = served.stderr.strip().splitlines()[-1]
        assert variable in last
        assert cure in last
        assert SECRET not in served.stderr


class TestGuard:
    @pytest.fixture(autouse=True)
    def _patient(self, monkeypatch):
        monkeypatch.setattr(guard, "_again", 0.0)

    def test_whatever_fails_is_one_error(self):
        for error in (OSError("/secret/path"), ValueError("secret"), KeyError("secret")):
            with pytest.raises(StorageUnavailable) as raised, guard.guarded():
                raise error
            assert "secret" not in raised.value.detail

    def test_a_refusal_is_passed_on(self):
        with pytest.raises(UnsupportedMediaType), guard.guarded():
            raise UnsupportedMediaType

    def test_a_quick_failure_is_no_reason_to_leave_it_alone(self):
        for _ in range(3):
            with pytest.raises(StorageUnavailable) as raised, guard.guarded():
                raise OSError
            assert raised.value.retry_after is None

    def test_what_has_hung_is_left_alone(self, settings):
        settings.STORAGE_SECONDS = 0
        with pytest.raises(StorageUnavailable), guard.guarded():
            raise TimeoutError
        with pytest.raises(StorageUnavailable) as raised, guard.guarded():
            pytest.fail("It was asked.")
        assert 0 < raised.value.retry_after <= guard.SECONDS_ALONE
