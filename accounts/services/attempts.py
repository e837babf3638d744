"""How often may be tried what only the owner of an account should be able to do, and by whom.

A try is counted for the account and the address that it comes from, so that nobody shuts an owner out who
is elsewhere; for the address, which may try at many accounts; and for the account, far higher, which may be
tried from many addresses. That last one is none for addresses where the account has been logged in.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import salted_hmac

from accounts import selectors
from accounts.models import OneTimeCode
from core import limits
from core.addresses import network_of
from core.errors import InvalidCredentials, RateLimited, ValidationFailed
from core.ids import new_id
from core.limits import Limit
from core.text import comparison_key

ACCOUNTS_PER_ADDRESS = 10
"""Behind one address there may be a whole office: it has the tries of so many accounts."""

ADDRESSES_PER_ACCOUNT = 20
"""An account has the tries of so many addresses."""

LOGIN_SECONDS = 300
CODE_SECONDS = 3600


def at_login() -> Limit:
    """Of passwords."""
    return Limit("login-attempts", settings.LOGIN_ATTEMPTS, LOGIN_SECONDS)


def at_code(purpose: OneTimeCode.Purpose) -> Limit:
    """Of codes."""
    return Limit(f"code-attempts-{purpose}", settings.CODE_ATTEMPTS, CODE_SECONDS)


def at_mail(purpose: OneTimeCode.Purpose) -> Limit:
    """Of asking for a code."""
    return Limit(f"code-requests-{purpose}", settings.CODE_REQUESTS, CODE_SECONDS)


class Attempt:
    """A try at the account with this user name or e-mail address, whether or not there is one.

    As a context it is counted no more if what is done in it succeeds, or fails for another reason than that the
    try was wrong: it was the owner's then, or told nothing. Tries before it stay counted.

    Raises:
        RateLimited: there is no room for it.
    """

    def __init__(self, limit: Limit, *, login: str, address: str | None) -> None:
        self._limit = limit
        self._counted: list[tuple[Limit, str]] = []
        user_id = selectors.user_id_of(login)
        # What is typed here may be a password, by mistake: no store gets to see it.
        account = str(user_id or salted_hmac(__name__, comparison_key(login)).hexdigest())
        network = address and network_of(address)
        self._demand(self._count("", 1, f"{account} {network}"))
        if network:
            self._demand(self._count("-of-address", ACCOUNTS_PER_ADDRESS, network))
        if not self._count("-of-account", ADDRESSES_PER_ACCOUNT, account):
            # An account that is not there is asked about, too: the answer takes as long.
            self._demand(network in selectors.networks_of(user_id or new_id()))

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not isinstance(error, InvalidCredentials | ValidationFailed | ValidationError):
            self._forgive()

    def _forgive(self) -> None:
        for limit, key in self._counted:
            limits.give_back(limit, key)

    def _count(self, of: str, times: int, key: str) -> bool:
        limit = self._limit._replace(scope=self._limit.scope + of, most=self._limit.most * times)
        if limits.take(limit, key):
            self._counted.append((limit, key))
            return True
        return False

    def _demand(self, there_is_room: bool) -> None:  # noqa: FBT001
        if not there_is_room:
            self._forgive()
            raise RateLimited(retry_after=self._limit.seconds)
