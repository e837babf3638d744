"""The composition root: settings, URLs, the socket's frame table, the ASGI application."""
