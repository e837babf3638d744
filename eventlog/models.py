"""Streams and their events. Rows are only ever added; erasure rewrites a frame in place."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.fields import ExactCharField


class Stream(models.Model):
    """A numbered sequence of events with one audience: `room:<uuid>` or `user:<uuid>`.

    `head` is the `pos` of the newest event. The row's lock is what makes numbers gapless: whoever
    holds it is the only one to append, until commit.
    """

    id = models.BigAutoField(primary_key=True)
    name = ExactCharField(max_length=64, unique=True)
    head = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """A fact of a stream, with the very frame that its subscribers get.

    The key (stream, pos) clusters a stream's events on InnoDB, so that a replay is one
    sequential read.

    `ends_for` and `opens` steer subscriptions from inside the log, so that live delivery and replay
    agree to the position about who gets what:

    - `ends_for`: this is the stream's last event for that user id, or for all (`"*"`).
    - `opens`: on a user's stream: that user's connections follow this stream from now on, from
      `opens_after` on.

    `object_id` is what the event is about, and `shows_id` something else whose content is in the frame, too:
    whoever erases either finds the frame by it.
    """

    pk = models.CompositePrimaryKey("stream_id", "pos")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="events")
    pos = models.BigIntegerField()
    type = models.CharField(max_length=32)
    actor_id = models.UUIDField(null=True)
    object_id = models.UUIDField(null=True)
    shows_id = models.UUIDField(null=True)
    ends_for = ExactCharField(max_length=36, default="")
    opens = ExactCharField(max_length=64, default="")
    opens_after = models.BigIntegerField(null=True)
    frame = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # The frames that hold something which is erased.
            models.Index(fields=["object_id"], name="event_object"),
            models.Index(fields=["shows_id"], name="event_shows"),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id}/{self.pos} {self.type}"
