from django.apps import AppConfig


class FriendshipsConfig(AppConfig):
    name = "friendships"

    def ready(self) -> None:
        from friendships import receivers  # noqa: F401 - connects them
