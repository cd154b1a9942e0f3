"""Passwords: which are taken, and how they are kept: by argon2 with the library's parameters, off the event loop."""

import asyncio
import functools
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

CHARS_MIN, CHARS_MAX = 12, 200
DIFFERENT_CHARS_MIN = 5
HASHED_AT_ONCE_MAX = 2
"""Each takes 64 MB and a tenth of a second: many who sign in at once wait for each other, not for memory."""

_TRIED_FIRST = """
password1234 password12345 password123456 passwordpassword mypassword123 newpassword123 adminpassword administrator
administrator1 changeme1234 changemenow123 letmein12345 welcome12345 welcome123456 iloveyou1234 qwerty123456
qwertyuiop12 qwertyuiop123 qwertyuiopasdf 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv q1w2e3r4t5y6
zaq12wsxcde3 123456789012 1234567890123 012345678901 123456789abc abc123456789 123456789qwerty 987654321098
abcdefghijkl a1b2c3d4e5f6 india1234567 bharat123456 warehouse123 warehouse1234 logistics123 clickpost123 dispatch1234
"""
"""What is tried first, of those that are long enough; the rest of the usual lists is too short already."""
_COMMON = frozenset(_TRIED_FIRST.split())

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(HASHED_AT_ONCE_MAX, thread_name_prefix="passwords")
T = TypeVar("T")


def refusal(password: str, email: str) -> str | None:
    """Why this cannot be this person's password, in a sentence that says what to give; None when it can."""
    count = len(password)
    plain, own = password.casefold(), email.casefold()
    if count < CHARS_MIN:
        return f"The password has {count} characters: give at least {CHARS_MIN}. A few words in a row do well."
    if count > CHARS_MAX:
        return f"The password has {count} characters: give at most {CHARS_MAX}."
    if plain in {own, own.partition("@")[0]}:
        return "The password is the e-mail address: give one that nobody can guess from it."
    if plain in _COMMON or len(set(plain)) < DIFFERENT_CHARS_MIN:
        return "The password is among those that are tried first: give another, such as a few words in a row."
    return None


@dataclass(frozen=True, slots=True)
class Checked:
    """`anew`: the password's hash as it would be made today, where the kept one was made with older parameters."""

    right: bool
    anew: str = ""


async def hashed(password: str) -> str:
    return await _beside(lambda: _hasher.hash(_normal(password)))


async def check(kept: str, password: str) -> Checked:
    """Takes as long when there is nothing to compare with (`kept` blank): nobody learns who is known here."""
    return await _beside(lambda: _check(kept, password))


def _check(kept: str, password: str) -> Checked:
    nobody = _nobody()  # also where it is not needed, so that its first making does not tell
    try:
        _hasher.verify(kept or nobody, _normal(password[: CHARS_MAX + 1]))
    except (VerificationError, InvalidHashError):
        return Checked(right=False)
    if not kept:
        return Checked(right=False)
    return Checked(right=True, anew=_hasher.hash(_normal(password)) if _hasher.check_needs_rehash(kept) else "")


@functools.cache
def _nobody() -> str:
    return _hasher.hash("nobody's password")


def _normal(password: str) -> str:
    """Keyboards differ in how they send the same accented letter."""
    return unicodedata.normalize("NFKC", password)


async def _beside(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
