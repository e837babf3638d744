from django.apps import AppConfig
from django.conf import settings


class ChatprojectConfig(AppConfig):
    name = "chatproject"

    def ready(self) -> None:
        if settings.ECHO_BOT:
            from chatproject import echo_bot
            from eventlog.signals import events_committed

            events_committed.connect(echo_bot.hear, dispatch_uid="echo_bot")
