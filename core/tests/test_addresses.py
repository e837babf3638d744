"""The client's address, whatever stands between it and the server, and whatever it says of itself."""

import pytest
from django.test import RequestFactory

from core.addresses import client_address, network_of

ALICE, PROXY, EDGE = "192.0.2.7", "10.0.0.2", "10.0.0.1"
MADE_UP = "198.51.100.1"


@pytest.fixture
def seen(settings):
    """The address that is taken for the client's, behind so many trusted proxies."""

    def ask(proxies: int, *forwarded: str, remote: str = PROXY) -> str | None:
        settings.TRUSTED_PROXIES = proxies
        headers = {"HTTP_X_FORWARDED_FOR": ", ".join(forwarded)} if forwarded else {}
        return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))

    return ask


def test_without_proxies_it_is_who_connected_whatever_the_header_says(seen):
    assert seen(0, remote=ALICE) == ALICE
    assert seen(0, MADE_UP, remote=ALICE) == ALICE


def test_behind_proxies_it_is_what_the_outermost_one_saw(seen):
    assert seen(1, ALICE) == ALICE
    assert seen(2, ALICE, EDGE) == ALICE


def test_what_the_client_puts_before_is_not_believed(seen):
    assert seen(1, MADE_UP, ALICE) == ALICE
    assert seen(2, MADE_UP, ALICE, EDGE) == ALICE
    assert seen(1, *[MADE_UP] * 1000, ALICE) == ALICE


def test_a_way_that_passes_by_a_proxy_gives_the_furthest_that_is_known(seen):
    assert seen(2, ALICE) == ALICE
    assert seen(2, remote=ALICE) == ALICE


@pytest.mark.parametrize("hop", ["unknown", "_hidden", "a b", "300.1.1.1", "1.2.3.4:x", "é", "'; DROP"])
def test_what_is_no_address_is_none(seen, hop):
    assert seen(1, hop) is None


def test_a_client_can_not_hide_behind_an_odd_word_of_its_own(seen):
    assert seen(1, "unknown", ALICE) == ALICE


@pytest.mark.parametrize("remote", ["", "unix:", "/run/chat.sock"])
def test_a_unix_socket_has_none(seen, remote):
    assert seen(0, remote=remote) is None


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0::1%eth0", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
    ],
)
def test_ports_brackets_and_zones_are_no_part_of_it(seen, written, address):
    assert seen(1, written) == address
    assert seen(0, remote=written) == address


def test_who_has_one_address_of_an_ipv6_network_has_them_all():
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::9") != network_of("2001:db8:1:2::9")
