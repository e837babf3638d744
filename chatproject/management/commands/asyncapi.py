"""`manage.py asyncapi`: writes the AsyncAPI document of the socket down."""

from __future__ import annotations

from argparse import ArgumentParser, FileType
from typing import IO, Any

from django.core.management.base import BaseCommand
from drf_spectacular.renderers import OpenApiYamlRenderer

from chatproject.socket_document import document


class Command(BaseCommand):
    help = "Writes the AsyncAPI document of the socket, in YAML."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=FileType("wb"), default="-", help="where to; standard output")

    def handle(self, *, file: IO[bytes], **options: Any) -> None:
        render: Any = OpenApiYamlRenderer().render
        with file:
            file.write(render(document(), renderer_context={}))
