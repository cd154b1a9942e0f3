"""What pages about people have in common: an address, a password, too many tries, the name of a browser."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bilty.intake import Fault
from bilty.intake.reader import show
from bilty.store.tries import TooMany
from bilty.store.users import is_email
from bilty.telling import clock
from bilty.web import passwords
from bilty.web.forms import Form
from bilty.web.tools import AnyRequest
from bilty.words import INDIA, listed

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""In this order: each claims to be those that come after it."""


def read_email(form: Form) -> tuple[str, list[Fault]]:
    """The address in small letters, and what is wrong with it."""
    email = form.get("email", "").lower()
    if is_email(email):
        return email, []
    given = f"is {show(email)}" if email else "is missing"
    return email, [Fault("email", email, f"E-mail {given}: give one address, like asha@example.com.")]


def new_password_faults(form: Form, email: str) -> list[Fault]:
    """Of `password` and `again`. No fault shows what was typed."""
    password = form.get("password", "")
    if not password:
        return [Fault("password", "", f"Password is missing: give at least {passwords.CHARS_MIN} characters.")]
    if why := passwords.refusal(password, email):
        return [Fault("password", "", why)]
    if form.get("again", "") != password:
        return [Fault("again", "", "The two passwords differ: type the same one twice.")]
    return []


def browser(agent: str) -> str:
    """What a browser calls itself, in a few words: "Firefox on Windows"."""
    name = next((told for mark, told in _BROWSERS if mark in agent), "")
    system = next((told for mark, told in _SYSTEMS if mark in agent), "")
    return " on ".join(part for part in (name or "A browser", system) if part) if name or system else "Unknown browser"


def facilities_in_words(facilities: frozenset[int] | None, codes: Mapping[int, str]) -> str:
    """`codes`: of every facility, by its id."""
    if facilities is None:
        return "all facilities"
    return listed(sorted(codes[each] for each in facilities if each in codes)) or "no facility"


def peer_of(request: AnyRequest) -> str:
    """The other end of the socket. What a header says of it, anybody may write."""
    return request.client.host if request.client else ""


def too_many(tried: TooMany, email: str, now: datetime) -> str:
    """The next full minute is named, so that nobody comes a few seconds early."""
    whose = f"for {email}" if tried.of_email else "from your network"
    minute = (tried.until + timedelta(seconds=59)).replace(second=0, microsecond=0)
    at = clock(minute, min(now, minute - timedelta(minutes=1)), INDIA)
    return f"Too many tries {whose}: try again at {at}. A sign-in link works meanwhile."
