"""The image and the composition, as far as they can be checked without Docker."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.yml"
TEXT = COMPOSE.read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z0-9_]+)(?::([?-])([^}]*))?\}")
GATES = [
    (name, other, how["condition"])
    for name, service in SERVICES.items()
    for other, how in service.get("depends_on", {}).items()
]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, the rest of its line), continued lines joined, comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def values_of(instruction: str) -> list[str]:
    return [rest for word, rest in instructions() if word == instruction]


class TestCompose:
    def test_it_follows_the_schema_of_compose(self) -> None:
        program = Path(sys.executable).with_name("check-jsonschema")
        check = subprocess.run(
            [program, "--builtin-schema", "vendor.compose-spec", COMPOSE],
            check=False,
            capture_output=True,
            text=True,
        )
        assert check.returncode == 0, check.stdout + check.stderr

    @pytest.mark.parametrize(("name", "other", "condition"), GATES)
    def test_who_waits_for_another_can_see_that_it_is_ready(
        self, name: str, other: str, condition: str
    ) -> None:
        assert other in SERVICES
        if condition == "service_healthy":
            assert "healthcheck" in SERVICES[other] or (
                "build" in SERVICES[other] and values_of("HEALTHCHECK")
            )
        else:
            # A service that restarts whenever it ends never counts as completed.
            assert condition == "service_completed_successfully"
            assert SERVICES[other]["restart"] in ("no", "on-failure")

    def test_web_waits_for_its_servers_and_the_migrations(self) -> None:
        waits = {(other, condition) for name, other, condition in GATES if name == "web"}
        assert waits == {
            ("mysql", "service_healthy"),
            ("redis", "service_healthy"),
            ("migrate", "service_completed_successfully"),
        }

    def test_web_runs_what_the_image_runs(self) -> None:
        assert [SERVICES["web"]["command"]] == [json.loads(command) for command in values_of("CMD")]

    def test_only_nginx_has_a_port_on_the_host(self) -> None:
        assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
        assert SERVICES["nginx"]["ports"] == ["${HTTP_PORT:-8080}:8080"]

    def test_nginx_listens_and_forwards_where_the_others_do(self) -> None:
        configuration = (ROOT / "deploy" / "nginx.conf").read_text()
        assert "listen 8080;" in configuration
        assert f"set $web web:{values_of('EXPOSE')[0]};" in configuration

    def test_nginx_passes_the_upgrade_of_the_socket_on_and_logs_no_query_string(self) -> None:
        configuration = (ROOT / "deploy" / "nginx.conf").read_text()
        for line in (
            "proxy_http_version 1.1;",
            "proxy_set_header Upgrade $http_upgrade;",
            "proxy_set_header Connection $connection_upgrade;",
        ):
            assert line in configuration
        logged = re.findall(r"\$\w+", configuration.partition("log_format")[2].partition(";")[0])
        assert logged
        assert not {"$request", "$request_uri", "$args", "$query_string", "$http_referer"} & set(logged)

    def test_mounted_files_exist_and_volumes_are_declared(self) -> None:
        declared = set(yaml.safe_load(TEXT)["volumes"])
        for service in SERVICES.values():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                assert (ROOT / source).is_file() if source.startswith(".") else source in declared

    def test_secrets_have_no_default_and_their_absence_says_what_to_do(self) -> None:
        found = {name: (sign, message) for name, sign, message in VARIABLE.findall(TEXT)}
        for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "MYSQL_PASSWORD"):
            sign, message = found[name]
            assert sign == "?"
            assert f"put {name} into .env" in message

    def test_every_other_variable_has_a_default(self) -> None:
        assert [name for name, sign, _ in VARIABLE.findall(TEXT) if not sign] == []

    def test_web_is_given_only_variables_that_somebody_reads(self) -> None:
        example = set(re.findall(r"^(?:# )?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
        assert set(SERVICES["web"]["environment"]) - example == set()


class TestDockerfile:
    def test_what_it_copies_exists_and_is_not_kept_out(self) -> None:
        ignored = [
            line.removeprefix("**/")
            for line in (ROOT / ".dockerignore").read_text().splitlines()
            if line and not line.startswith("#")
        ]
        copied = [rest.split()[:-1] for rest in values_of("COPY") if not rest.startswith("--from")]
        assert copied
        for source in [source for sources in copied for source in sources]:
            assert (ROOT / source).exists()
            assert not any(fnmatch.fnmatch(source, pattern) for pattern in ignored if source != ".")

    def test_no_secret_or_data_of_the_developer_gets_in(self) -> None:
        assert {".env", ".env.*", ".git", ".venv", "db.sqlite3*", "media"} <= set(
            (ROOT / ".dockerignore").read_text().splitlines()
        )

    def test_the_requirements_are_the_locked_ones(self) -> None:
        (install,) = [rest for rest in values_of("RUN") if "pip install" in rest]
        words = shlex.split(install)
        assert "--require-hashes" in words
        requirements = ROOT / words[words.index("-r") + 1]
        pins = re.findall(r"^[\w.\[\]-]+==\S+(.*)$", requirements.read_text(), re.MULTILINE)
        assert pins
        # Each pin goes on in the next line, with its hashes.
        assert [rest for rest in pins if not rest.endswith("\\")] == []
        assert "mysqlclient==" in requirements.read_text()

    def test_all_locks_have_the_same_pins(self) -> None:
        pins: dict[str, set[str]] = {}
        locks = [ROOT / "requirements.txt", *(ROOT / "requirements").glob("*.txt")]
        assert len(locks) == 4
        for lock in locks:
            for name, rest in re.findall(
                r"^([\w.-]+)(?:\[[^]]*\])?(==[^\\\n]+)", lock.read_text(), re.MULTILINE
            ):
                pins.setdefault(f"{name} {rest.partition(';')[2].strip()}", set()).add(
                    rest.partition(";")[0].strip()
                )
        assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}

    def test_it_does_not_run_as_root(self) -> None:
        (user,) = values_of("USER")
        assert user not in ("root", "0")
        words = [word for word, _ in instructions()]
        assert words.index("USER") < words.index("CMD")

    def test_no_secret_stays_in_a_layer(self) -> None:
        kept = " ".join(values_of("ENV") + values_of("ARG"))
        assert "SECRET_KEY" not in kept
        assert "JWT_SIGNING_KEY" not in kept
