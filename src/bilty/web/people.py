"""What pages about people have in common: an address, a password, too many tries, the name of a browser."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from bilty.intake import Fault
from bilty.intake.reader import show
from bilty.settings import Network
from bilty.store.tries import TooMany, Whose, address_of
from bilty.store.users import is_email
from bilty.telling import clock
from bilty.web import passwords
from bilty.web.forms import Form
from bilty.web.tools import AnyRequest, tools_of
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
_WHOSE = {
    Whose.EMAIL_HERE: "for {email} from your network",
    Whose.NETWORK: "from your network",
    Whose.EMAIL: "for {email}",
}


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
    """Who calls: the other end of the socket, unless that is a proxy of ours, which says for whom it calls."""
    socket, said = request.client.host if request.client else "", request.headers.getall("x-forwarded-for", [])
    return caller(socket, ",".join(said).split(","), tools_of(request).settings.proxies)


def caller(socket: str, said: Sequence[str], proxies: Collection[Network]) -> str:
    """The last of all hops that is no proxy of ours. What stands before it, anybody may have written."""
    found = socket
    for hop in (socket, *reversed(said)):
        address = address_of(hop.strip())
        if address is None:
            break
        found = str(address)
        if not any(address in network for network in proxies):
            break
    return found


def too_many(tried: TooMany, email: str, now: datetime) -> str:
    """The next full minute is named, so that nobody comes a few seconds early."""
    minute = (tried.until + timedelta(seconds=59)).replace(second=0, microsecond=0)
    at = clock(minute, min(now, minute - timedelta(minutes=1)), INDIA)
    whose = _WHOSE[tried.whose].format(email=email)
    return f"Too many tries {whose}: try again at {at}. A sign-in link works meanwhile."
