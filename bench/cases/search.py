"""Search in a million messages: how late the answer is, for words of every kind, and members of few rooms and of many."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection

from bench.people import Account, people, rooms
from bench.report import Outcome, Row, percentile
from bench.scale import Scale
from bench.stage import Process, Stage
from messaging.models.words import words_of

ROOMS = 1000
FEW = 10
SENTENCES = 100_000
BUFFER_POOL = 1 << 30
LIKES = 3
START = datetime(2026, 1, 1, tzinfo=UTC)
"""When the first message was sent; one every second follows."""
_BATCH = 2000
_SYLLABLES = [a + b for a in "bcdfghklmnprstvw" for b in "aeiou"]


class Language:
    """Words and characters as often as they are in real ones (Zipf's law), from the same dice in every run."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        words = dict.fromkeys(
            "".join(dice.choices(_SYLLABLES, k=1 if rank % 50 == 0 else dice.randint(2, 4)))
            for rank in range(30_000)
        )
        self.words = list(words)
        self.characters = [chr(0x4E00 + number) for number in dice.sample(range(20_000), 3000)]
        self._word_weights = list(accumulate(1 / rank for rank in range(1, len(self.words) + 1)))
        self._character_weights = list(accumulate(1 / rank for rank in range(1, len(self.characters) + 1)))

    def sentence(self) -> str:
        if self._dice.random() < 0.1:
            weights, length = self._character_weights, self._dice.randint(5, 40)
            return "".join(self._dice.choices(self.characters, cum_weights=weights, k=length))
        length = self._dice.randint(3, 20)
        return " ".join(self._dice.choices(self.words, cum_weights=self._word_weights, k=length))


class Question(NamedTuple):
    text: str
    before: datetime | None = None


class Searcher(NamedTuple):
    name: str
    account: Account


async def run(stage: Stage, scale: Scale) -> Outcome:
    dice = random.Random(1)
    language = Language(dice)
    with stage.another_database("search"):
        _give_memory()
        few, many, sender = people(3)
        members = [[sender, many, *([few] if number < FEW else [])] for number in range(ROOMS)]
        sentences = [language.sentence() for _ in range(min(SENTENCES, scale.searched))]
        _fill(rooms(members), sender, sentences, scale.searched)
        searchers = [Searcher(f"{FEW} rooms", few), Searcher(f"{ROOMS:,} rooms", many)]
        with stage.ours("search") as process:
            rows = [
                _row(process, searchers, name, questions, scale)
                for name, questions in _kinds(language, sentences, dice, scale)
            ]
    return Outcome(rows, notes=[_NOTE])


_NOTE = (
    "Search: first pages, one after the other, each of another word; MariaDB with 1 GiB for its buffers, as a server "
    "with so many messages would have. Beside it, `content LIKE '%word%'` in the same rooms, newest first."
)


def _give_memory() -> None:
    """To MariaDB, which otherwise has 64 MiB here; a million messages need more than that."""
    with connection.cursor() as cursor:
        cursor.execute("SET GLOBAL innodb_buffer_pool_size = %s", [BUFFER_POOL])


def _fill(room_ids: Sequence[UUID], sender: Account, sentences: Sequence[str], count: int) -> None:
    """So many messages, in turn in all of the rooms, each one of the sentences; made by the database itself."""
    with connection.cursor() as cursor:
        # An index that is made at once takes a third of the time. InnoDB's own column for it has to go as well.
        cursor.execute("DROP INDEX message_words ON messaging_message")
        cursor.execute("ALTER TABLE messaging_message ENGINE=InnoDB")
        cursor.execute(
            "CREATE TEMPORARY TABLE sentence (number INT PRIMARY KEY, content TEXT, words TEXT COLLATE ascii_bin)"
        )
        for start in range(0, len(sentences), _BATCH):
            part = enumerate(sentences[start : start + _BATCH], start)
            cursor.executemany(
                "INSERT INTO sentence VALUES (%s, %s, %s)", [(n, text, words_of(text)) for n, text in part]
            )
        cursor.execute("CREATE TEMPORARY TABLE place (number INT PRIMARY KEY, room_id UUID)")
        cursor.executemany(
            "INSERT INTO place VALUES (%s, %s)", [(n, str(room_id)) for n, room_id in enumerate(room_ids)]
        )
        # Ids are those that the messages would have: their time first (UUIDv7).
        cursor.execute(
            "INSERT INTO messaging_message "
            "(id, room_id, seq, pos, sender_id, type, content, words, body_hash, reply_count, created_at) "
            f"SELECT CONCAT(LPAD(HEX({int(START.timestamp())}000 + s.seq * 1000), 12, '0'), '70008000', "
            "LPAD(HEX(s.seq), 12, '0')), p.room_id, "
            f"s.seq DIV {len(room_ids)} + 1, s.seq DIV {len(room_ids)} + 1, %s, 'text', t.content, t.words, '', 0, "
            f"'{START:%Y-%m-%d}' + INTERVAL s.seq SECOND FROM seq_0_to_{count - 1} s "
            f"JOIN place p ON p.number = s.seq %% {len(room_ids)} "
            f"JOIN sentence t ON t.number = CRC32(s.seq) %% {len(sentences)}",
            [str(sender.id)],
        )
        cursor.execute("UPDATE rooms_room SET last_seq = %s", [count // len(room_ids)])
        cursor.execute("CREATE FULLTEXT INDEX message_words ON messaging_message (words)")
        cursor.execute("ANALYZE TABLE messaging_message")
        cursor.fetchall()


def _kinds(
    language: Language, sentences: Sequence[str], dice: random.Random, scale: Scale
) -> Iterator[tuple[str, list[Question]]]:
    """What is asked for, of each kind."""
    words = language.words
    short = [word for word in words if len(word) == 2]
    dense = [text for text in sentences if not text.isascii() and len(text) > 4]
    spaced = [text.split() for text in sentences if text.isascii()]

    def some(make: Callable[[], str]) -> list[Question]:
        return [Question(make()) for _ in range(scale.questions)]

    def part() -> str:
        text = dice.choice(dense)
        length, place = dice.randint(1, 4), dice.randrange(len(text) - 4)
        return text[place : place + length]

    def earlier(question: Question) -> Question:
        return question._replace(before=START + timedelta(seconds=dice.randrange(scale.searched)))

    middling = [Question(word) for word in dice.sample(words[500:3000], scale.questions)]
    yield "rare words", [Question(word) for word in dice.sample(words[-5000:], scale.questions)]
    yield "words neither rare nor frequent", middling
    yield "such words before some moment", [earlier(question) for question in middling]
    yield "frequent words", [Question(word) for word in words[: scale.questions]]
    yield "two letters", some(lambda: dice.choice(short))
    yield "parts of Chinese", some(part)
    yield "several words", some(lambda: " ".join(dice.choice(spaced)[:3]))
    yield "phrases", some(lambda: f'"{" ".join(dice.choice(spaced)[:2])}"')


def _row(
    process: Process, searchers: Sequence[Searcher], name: str, questions: Sequence[Question], scale: Scale
) -> Row:
    times = {one.name: _asked(process, one.account, questions) for one in searchers}
    likes = {
        one.name: [_by_like(one.account, question) for question in questions[:LIKES]] for one in searchers
    }
    worst = max(percentile(taken, 0.95) for taken in times.values())
    return Row(
        f"search in {scale.searched:,} messages: {name}",
        "p95 ≤ 200 ms",
        ", ".join(f"{percentile(taken, 0.95) * 1000:.0f} ms in {who}" for who, taken in times.items()),
        ", ".join(f"LIKE {max(taken) * 1000:,.0f} ms in {who}" for who, taken in likes.items()),
        "-",
        worst <= 0.2,
    )


def _asked(process: Process, account: Account, questions: Sequence[Question]) -> list[float]:
    """Seconds that each answer took."""
    client = HTTPConnection("127.0.0.1", process.port)
    taken = []
    for text, before in questions:
        path = f"/api/v1/messages/search?{urlencode({'q': text})}"
        if before is not None:
            path += f"&before={before:%Y-%m-%dT%H:%M:%SZ}"
        began = time.perf_counter()
        client.request("GET", path, headers={"Authorization": f"Bearer {account.token}"})
        answer = client.getresponse()
        body = answer.read()
        taken.append(time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"{process.name} answered: {body.decode(errors='replace')[:500]}")
    client.close()
    return taken


def _by_like(account: Account, question: Question) -> float:
    """Seconds that it takes without words and their index."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, content FROM messaging_message WHERE room_id IN "
            "(SELECT room_id FROM rooms_membership WHERE user_id = %s AND left_pos IS NULL) "
            "AND content LIKE %s AND created_at < %s ORDER BY id DESC LIMIT 51",
            [str(account.id), f"%{question.text.strip(chr(34))}%", question.before or datetime.now(UTC)],
        )
        cursor.fetchall()
    return time.perf_counter() - began
