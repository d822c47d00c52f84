"""Who may what: keys with roles, checked before a byte of the body is read.

A key is looked up in the database at most every few seconds; its hash stands for it in between, so a revoked key
dies within :data:`REMEMBERED_S`. Wrong keys count against the address they come from. A right key that is
remembered is let in even from an address that is locked out: somebody who guesses behind the same router must not
lock the door for everybody.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from facegate.serving.limits import MOST_KNOWN, Lockout, refuse_for
from facegate.serving.problems import ProblemError
from facegate.serving.store.keys import Role

REMEMBERED_S = 5.0
SCHEME = HTTPBearer(auto_error=False, description="an API key, fg_…; roles: kiosk, operator, admin")


class Principal(NamedTuple):
    """Whose key a request came with.

    Attributes:
        id: identifier of the key.
        name: as its maker called it.
        role: what it may do.
    """

    id: str
    name: str
    role: Role


class KeyRing:
    """Checks keys.

    Args:
        look_up: whose a key is; None if it is nobody's. Compares hashes.
        lockout: counts wrong keys by address.
        clock: seconds that never run back.
    """

    def __init__(
        self,
        look_up: Callable[[str], Principal | None],
        lockout: Lockout,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up, self.lockout, self._clock = look_up, lockout, clock
        self._known: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()
        self._lock = threading.Lock()

    def remembered(self, key: str) -> Principal | None:
        """Whose a key is, if that was asked a moment ago; never blocks for long."""
        with self._lock:
            found = self._known.get(_hash(key))
        return found[0] if found and self._clock() - found[1] < REMEMBERED_S else None

    def check(self, key: str, address: str) -> Principal:
        """Whose a key is; may ask the database.

        Raises:
            ProblemError: 401 for a wrong key, 429 for an address that gave too many.
            StoreError: the database is out of reach.
        """
        known = self.remembered(key)
        if known is not None:
            return known
        wait = self.lockout.left(address)
        if wait:
            raise refuse_for(wait, "too many wrong keys came from this address")
        found = self._look_up(key)
        if found is None:
            self.lockout.failed(address)
            raise unauthorised("the key is not known, or was revoked")
        with self._lock:
            self._known[_hash(key)] = (found, self._clock())
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        """Ask the database anew about every key."""
        with self._lock:
            self._known.clear()


def unauthorised(detail: str) -> ProblemError:
    """A 401 that says how to sign in."""
    return ProblemError(
        401,
        detail,
        "send the header `Authorization: Bearer fg_…`; an admin makes keys",
        headers={"WWW-Authenticate": 'Bearer realm="facegate"'},
    )


def bearer(header: str | None) -> str:
    """The key of an ``Authorization`` header.

    Raises:
        ProblemError: 401, there is none.
    """
    scheme, _, key = (header or "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not 8 <= len(key) <= 200 or not key.isascii():
        raise unauthorised("no key was sent")
    return key


def require(role: Role) -> Callable[..., Principal]:
    """A dependency that lets a role in, and those above it."""

    def allowed(request: Request, _: object = Depends(SCHEME)) -> Principal:
        principal = getattr(request.state, "principal", None)
        if principal is None:
            raise unauthorised("no key was sent")
        if not principal.role.allows(role):
            raise ProblemError(
                403, f"a key of role {principal.role} may not do this", f"use a key of role {role}"
            )
        return principal

    return allowed


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
