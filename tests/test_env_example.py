"""`.env.example` lists every variable that is read, with the default it really has, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READERS = {
    "text",
    "flag",
    "number",
    "choice",
    "words",
    "secret",
    "secrets",
    "database",
    "email",
    "cloudinary",
}
LINE = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def reads() -> Iterator[tuple[str, ast.Call]]:
    """Each `env.text("NAME", …)`, and each `os.environ.get("NAME")`, of the composition root."""
    for path in sorted((ROOT / "chatproject").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            name = node.args[0]
            called, on = node.func.attr, ast.unparse(node.func.value)
            by_env = on == "env" and called in READERS
            by_os = (on == "os.environ" and called == "get") or (on == "os" and called == "getenv")
            if (by_env or by_os) and isinstance(name, ast.Constant):
                yield name.value, node


def default_of(call: ast.Call) -> str | None:
    """The default as it would stand in the file, or None if it depends on something."""
    given = call.args[1:2] or [word.value for word in call.keywords if word.arg == "default"]
    if not given:
        return ""
    if any(isinstance(node, ast.Name | ast.JoinedStr) for node in ast.walk(given[0])):
        return None
    value = eval(ast.unparse(given[0]), {"__builtins__": {}})  # noqa: S307  # a literal of our own, `30 * 86_400`
    return str(value).lower() if isinstance(value, bool) else str(value)


def example() -> dict[str, str]:
    return dict(LINE.findall((ROOT / ".env.example").read_text()))


def compose_variables() -> set[str]:
    return set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))


def test_the_search_finds_the_calls() -> None:
    assert {"DEBUG", "SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ENV_FILE"} <= {name for name, _ in reads()}


def test_every_variable_that_is_read_is_listed() -> None:
    assert sorted(({name for name, _ in reads()} | compose_variables()) - set(example())) == []


def test_every_variable_that_is_listed_is_read() -> None:
    assert sorted(set(example()) - {name for name, _ in reads()} - compose_variables()) == []


def test_no_variable_is_listed_twice() -> None:
    names = [name for name, _ in LINE.findall((ROOT / ".env.example").read_text())]
    assert sorted(names) == sorted(set(names))


def test_the_defaults_shown_are_the_defaults() -> None:
    shown = example()
    wrong = {
        name: (shown[name], default)
        for name, call in reads()
        if (default := default_of(call)) is not None
        and name in shown
        and name != "DEBUG"
        and shown[name] != default
    }
    assert wrong == {}


def test_only_debug_is_switched_on() -> None:
    """The copy that `make setup` makes changes nothing but this."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == ["DEBUG=true"]
