"""Where a request comes from."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::\d+)?|(?P<four>[\d.]+):\d+")


def client_address(request: HttpRequest) -> str | None:
    """The address of the client; None where there is none, as behind a Unix socket.

    Each of the TRUSTED_PROXIES in front adds to `X-Forwarded-For` who has connected to it. So that is read
    from the right, and not beyond what the outermost proxy wrote: the rest is what the client says of itself.
    """
    proxies = settings.TRUSTED_PROXIES
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if proxies else []
    hops = [*forwarded[-proxies:], request.META.get("REMOTE_ADDR", "")]
    # Fewer than there are proxies: the request came by a way that passes by some of them.
    return _address(next((hop for hop in hops if hop.strip()), ""))


def network_of(address: str) -> str:
    """What to count an address by: of IPv6 the network, since who has one address of it has 2**64 (RFC 6177)."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))


def _address(text: str) -> str | None:
    """An address without port, brackets and zone; of an IPv4 client on an IPv6 socket the IPv4 address."""
    text = text.strip()
    if found := _WITH_PORT.fullmatch(text):
        text = found["six"] or found["four"] or ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
