"""The design that Channels' own tutorial teaches, for Daphne: a consumer and a group membership per socket.

`/save/<room>` saves each message by the ORM before it is announced, one at a time; `/ws/<room>` does not.
Neither knows users, numbers or repeats.
"""

from __future__ import annotations

import json
import os
from typing import Any

import django
import environ
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    INSTALLED_APPS=["daphne", "channels"],
    DATABASES={"default": environ.Env().db_url_config(os.environ["DATABASE_URL"])},
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {
                # redis-py 8 would tear a consumer down that hears nothing for 5 s.
                "hosts": [{"address": os.environ["REDIS_URL"], "socket_timeout": None}],
                # With the usual 100 it loses messages at this load, and who waits for them waits for ever.
                "capacity": 100_000,
            },
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.db import connection, models
from django.db.utils import OperationalError
from django.urls import re_path


class Message(models.Model):
    room = models.CharField(max_length=64, db_index=True)
    content = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "tutorial"


try:
    with connection.schema_editor() as editor:
        editor.create_model(Message)
except OperationalError:
    pass  # it is there
connection.close()


class ChatConsumer(AsyncWebsocketConsumer):
    saves = False

    async def connect(self) -> None:
        self.room = self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        message = json.loads(text_data)["message"]
        if self.saves:
            await Message(room=self.room, content=message).asave()
        await self.channel_layer.group_send(self.room, {"type": "chat.message", "message": message})

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps({"message": event["message"]}))


class SavingConsumer(ChatConsumer):
    saves = True


application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter(
            [
                re_path(r"^ws/(?P<room>[^/]+)$", ChatConsumer.as_asgi()),
                re_path(r"^save/(?P<room>[^/]+)$", SavingConsumer.as_asgi()),
            ]
        ),
    }
)
