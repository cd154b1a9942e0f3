"""Reading a hand-off endpoint, where an order system wants to be told, as Settings and the API give it."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from bilty.intake.parties import CODE
from bilty.intake.reader import Fault, Findings, Reader, Rejected, Rule, Wrong, printable, show
from bilty.intake.values import BOOLEAN, MOMENT, as_text

ENDPOINT = frozenset({"url", "secret", "events", "facilities", "enabled"})
REPLAY = frozenset({"event", "from", "until"})
WHSEC = "whsec_"
SECRET_BYTES = range(24, 65)
URL_CHARS_MAX = 2000
FACILITIES_MAX = 1000
EVENT = "evt_"
"""With it the id of an event begins; behind it stands its UUID."""
_URL_CHARS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
"""RFC 3986. What it has no sign for is written with %."""
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?|[0-9A-Fa-f:.]+")
_EVENT_ID = re.compile(f"{EVENT}[0-9a-f]{{32}}")
_ADDRESS_EXAMPLE = "https://oms.example.com/bilty"


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """`kinds` are the events there are. `is_public` judges an IP address that a URL names outright."""

    kinds: Sequence[str]
    allow_private: bool
    is_public: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """`secret` None: the one that is kept, or a new one. `facilities` None: all of them."""

    code: str
    url: str
    events: tuple[str, ...]
    facilities: tuple[str, ...] | None
    enabled: bool
    secret: str | None = None


def parse_endpoint(code: str, document: object, rules: EndpointRules) -> NewEndpoint | Rejected:
    """What `PUT /hand-off-endpoints/{code}` is given. No fault shows a secret, whatever name it came under."""
    findings = Findings()
    Reader({"code": code}, frozenset({"code"}), findings).need("code", CODE)
    reader = Reader(document, ENDPOINT, findings, noun="The endpoint", hide_unknown=True)
    endpoint = NewEndpoint(
        code=code.strip(),
        url=reader.need("url", _url(rules)),
        events=reader.need("events", _events(rules.kinds)),
        facilities=reader.maybe("facilities", FACILITIES),
        enabled=reader.take("enabled", BOOLEAN, default=True),
        secret=reader.maybe("secret", SECRET),
    )
    return Rejected(tuple(findings.faults)) if findings.faults else endpoint


def parse_secret(document: object) -> str | Rejected | None:
    """What a rotation is given: nothing, or the secret that is to sign from now on."""
    findings = Findings()
    reader = Reader({} if document is None else document, frozenset({"secret"}), findings, hide_unknown=True)
    secret = reader.maybe("secret", SECRET)
    return Rejected(tuple(findings.faults)) if findings.faults else secret


def _url(rules: EndpointRules) -> Rule[str]:
    schemes = ("https", "http") if rules.allow_private else ("https",)
    wants = (
        f"an address of at most {URL_CHARS_MAX} characters that begins with {' or '.join(f'{s}://' for s in schemes)}"
    )

    def parse(given: object) -> str:
        value = as_text(given).strip()
        if not 1 <= len(value) <= URL_CHARS_MAX or not _URL_CHARS.fullmatch(value):
            raise Wrong
        try:
            parts = urlsplit(value)
            host, port_is_good = parts.hostname or "", parts.port != 0
        except ValueError:
            raise Wrong from None
        if parts.scheme == "http" and not rules.allow_private:
            raise Wrong("begin it with https://, because what is sent names shipments and opens their labels")
        if parts.scheme not in schemes or not port_is_good or not _HOST.fullmatch(host):
            raise Wrong
        _refuse_parts(parts)
        if not rules.allow_private:
            _refuse_private(host, rules.is_public)
        return value

    return Rule(parse, "", f"{wants}, as in {_ADDRESS_EXAMPLE}")


def _refuse_parts(parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise Wrong("take the user and password out; a receiver knows Bilty by the signature")
    if parts.fragment:
        raise Wrong("take out the part behind #, which is never sent")


def _refuse_private(host: str, is_public: Callable[[str], bool]) -> None:
    """At once where it is plain to see; what a name leads to is looked at each time that something is sent."""
    last = host.rstrip(".").rpartition(".")[2]
    numeric = ":" in host or last.isdigit() or last.startswith("0x")
    if last == "localhost" or (numeric and not is_public(host)):
        raise Wrong(
            "this address lies inside a network; give a public one, "
            "or let BILTY_ALLOW_PRIVATE_ADDRESSES be true where that is meant"
        )


def _events(kinds: Sequence[str]) -> Rule[tuple[str, ...]]:
    wants = f"a list of at least one of {', '.join(kinds)}"

    def parse(given: object) -> tuple[str, ...]:
        names = _names(given, len(kinds) * 10)
        for name in names:
            if name not in kinds:
                near = get_close_matches(printable(name).lower(), kinds, n=1, cutoff=0.5)
                remedy = f"did you mean {near[0]}?" if near else f"the events are {', '.join(kinds)}"
                raise Wrong(f"{show(name)} is no event; {remedy}")
        return tuple(kind for kind in kinds if kind in names)

    return Rule(parse, (), wants)


def _facilities(given: object) -> tuple[str, ...]:
    if given == []:
        raise Wrong("name at least one, or leave it out for all")
    return tuple(sorted({CODE.parse(name) for name in _names(given, FACILITIES_MAX)}))


FACILITIES: Rule[tuple[str, ...]] = Rule(
    _facilities, (), f"a list of 1 to {FACILITIES_MAX} codes of facilities, or leave it out for all"
)


def _names(given: object, at_most: int) -> list[str]:
    if not isinstance(given, list) or not 1 <= len(given) <= at_most:
        raise Wrong
    if not all(isinstance(name, str) for name in given):
        raise Wrong
    return [name.strip() for name in given]


def _secret(given: object) -> str:
    value = given.strip() if isinstance(given, str) else ""
    try:
        opened = base64.b64decode(value.removeprefix(WHSEC), validate=True)
    except (binascii.Error, ValueError):
        raise Wrong from None
    if not value.startswith(WHSEC) or len(opened) not in SECRET_BYTES:
        raise Wrong
    return value


SECRET = Rule(
    _secret,
    "",
    f"{WHSEC} and then {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} random bytes in base64, "
    "or leave it out to have one made",
    secret=True,
)


def _event(given: object) -> UUID:
    value = as_text(given).strip()
    if not _EVENT_ID.fullmatch(value):
        raise Wrong
    return UUID(hex=value.removeprefix(EVENT))


EVENT_ID = Rule(_event, UUID(int=0), f"an event's id, as in {EVENT} and 32 digits or letters a to f")


@dataclass(frozen=True, slots=True)
class OneAgain:
    """Tell this event once more."""

    event: UUID


@dataclass(frozen=True, slots=True)
class RangeAgain:
    """Tell once more what happened from `since` on, before `until`."""

    since: datetime
    until: datetime


def parse_replay(document: object) -> OneAgain | RangeAgain | Rejected:
    """What `POST …/replays` is given: an event, or a range of time."""
    findings = Findings()
    reader = Reader(document, REPLAY, findings, noun="The replay")
    if reader.has("event"):
        event = reader.need("event", EVENT_ID)
        for name in sorted(reader.among(frozenset({"from", "until"}))):
            reader.refuse(name, "one event has no range; leave it out, or leave event out")
        return Rejected(tuple(findings.faults)) if findings.faults else OneAgain(event)
    if not reader.has("from") and not reader.has("until") and not findings.faults:
        return Rejected((Fault("event", "", "event is missing: give an event's id, or a range by from and until."),))
    since, until = reader.need("from", MOMENT), reader.need("until", MOMENT)
    if not findings.faults and until <= since:
        reader.refuse("until", f"give a time after from, {show(reader.raw('from'))}")
    return Rejected(tuple(findings.faults)) if findings.faults else RangeAgain(since, until)
