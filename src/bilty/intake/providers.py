"""Reading a shipping provider and its connector, as Settings and the API give them."""

from typing import TypedDict

from bilty.intake import limits
from bilty.intake.parties import CODE
from bilty.intake.reader import Findings, Reader, Rejected, Rule, Wrong, is_blank
from bilty.intake.values import BOOLEAN, choice, text, whole
from bilty.shipping_provider import (
    APPOINTMENT_AFTER_DAYS_MAX,
    CALLS_AT_ONCE_MAX,
    CALLS_PER_SECOND_MAX,
    PICKUP_AFTER_MINUTES_MAX,
    Connector,
    Kind,
    ShippingProvider,
)

PROVIDER = frozenset({"kind", "name", "enabled"})
BUFFERS = frozenset({"pickup_after_minutes", "appointment_after_days"})
LIMITS = frozenset({"calls_at_once", "calls_per_second"})
CONNECTOR = BUFFERS | LIMITS | {"username", "key", "packslip_required"}
PICKUP_AFTER_MINUTES_DEFAULT = 30

NAME = text(limits.NAME_CHARS_MAX)
KIND = choice({kind.value: kind for kind in Kind}, Kind.CLICKPOST_B2B)
USERNAME = text(limits.USERNAME_CHARS_MAX)
PICKUP_AFTER = whole("whole minutes", 0, PICKUP_AFTER_MINUTES_MAX, "7 days")
APPOINTMENT_AFTER = whole("whole days", 0, APPOINTMENT_AFTER_DAYS_MAX, "blank for no appointment")
CALLS_AT_ONCE = whole("whole calls", 1, CALLS_AT_ONCE_MAX, "blank for as many as BILTY_CALLS_MAX says")
CALLS_PER_SECOND = whole("whole calls", 1, CALLS_PER_SECOND_MAX, "blank for no limit")


def _key(given: object) -> str:
    """Trimmed, because a copied key brings a line's end along."""
    value = given.strip() if isinstance(given, str) else ""
    if not 1 <= len(value) <= limits.KEY_CHARS_MAX or not value.isprintable():
        raise Wrong
    return value


KEY = Rule(
    _key, "", f"the API key of 1 to {limits.KEY_CHARS_MAX} printable characters that ClickPost gave", secret=True
)


def parse_provider(code: str, document: object) -> ShippingProvider | Rejected:
    """What `PUT /shipping-providers/{code}` is given."""
    findings = Findings()
    Reader({"code": code}, frozenset({"code"}), findings).need("code", CODE)
    reader = Reader(document, PROVIDER, findings, noun="The shipping provider")
    provider = ShippingProvider(
        code=code.strip(),
        kind=reader.need("kind", KIND),
        name=reader.need("name", NAME),
        enabled=reader.take("enabled", BOOLEAN, default=True),
    )
    return Rejected(tuple(findings.faults)) if findings.faults else provider


def parse_connector(document: object, stored_key: str | None) -> Connector | Rejected:
    """What Update Connector is given. A key left out or blank keeps `stored_key`; no fault ever shows a key.

    Values of unknown fields are hidden too: the likeliest one is a key under another name.
    """
    findings = Findings()
    reader = Reader(document, CONNECTOR, findings, noun="The connector", hide_unknown=True)
    keeps = stored_key is not None and is_blank(reader.raw("key"))
    connector = Connector(
        username=reader.need("username", USERNAME),
        key=stored_key if keeps and stored_key is not None else reader.need("key", KEY),
        packslip_required=reader.take("packslip_required", BOOLEAN, default=False),
        calls_at_once=reader.maybe("calls_at_once", CALLS_AT_ONCE),
        calls_per_second=reader.maybe("calls_per_second", CALLS_PER_SECOND),
        **_buffers(reader),
    )
    return Rejected(tuple(findings.faults)) if findings.faults else connector


def parse_buffers(document: object) -> Connector | Rejected:
    """A connector of nobody, with the two numbers alone: what may be looked at before Update Connector."""
    findings = Findings()
    connector = Connector(username="", **_buffers(Reader(document, BUFFERS, findings, noun="The connector")))
    return Rejected(tuple(findings.faults)) if findings.faults else connector


class _Buffers(TypedDict):
    pickup_after_minutes: int
    appointment_after_days: int | None


def _buffers(reader: Reader) -> _Buffers:
    return _Buffers(
        pickup_after_minutes=reader.take("pickup_after_minutes", PICKUP_AFTER, PICKUP_AFTER_MINUTES_DEFAULT),
        appointment_after_days=reader.maybe("appointment_after_days", APPOINTMENT_AFTER),
    )
