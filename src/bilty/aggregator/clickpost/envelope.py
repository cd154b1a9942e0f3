"""ClickPost's envelope and the loose values in it, read without ever raising. Pure.

What comes from outside has any shape it likes: each function here takes `object` and gives back a plain value or
says that there is none. `answer` decides what the values mean.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from bilty.outgoing.outcome import Received
from bilty.outgoing.redaction import HIDDEN, hide_queries
from bilty.reply import AWB_CHARS_MAX, Child

MESSAGE_CHARS_MAX = 500
INT_BITS_MAX = 63
TEXT_CHARS_MAX = 256
LINK_CHARS_MAX = 4_096
CHILDREN_MAX = 2_000

AWB_NAMES = ("waybill", "awb", "awb_number")
LABEL_NAMES = ("label", "shipping_label", "label_url")
NO_AWB = frozenset({"", "0", "none", "null", "nan", "na", "n/a", "-"})
"""How hosts write "there is none" where a waybill belongs."""

_BOM = b"\xef\xbb\xbf"
_INT = re.compile(r"-?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Envelope:
    """`code` is `meta.status`, or HTTP's where the envelope has none."""

    code: int
    message: str
    result: object


@dataclass(frozen=True, slots=True)
class NoEnvelope:
    """`html`, or `foreign` JSON: somebody else than the API answered. Neither: what came is broken."""

    message: str
    html: bool = False
    foreign: bool = False


def open_envelope(received: Received) -> Envelope | NoEnvelope:
    try:
        content: object = msgspec.json.decode(received.body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        html = "html" in received.content_type.lower() or received.body.lstrip(_BOM + b" \t\r\n")[:1] == b"<"
        what = "an HTML page" if html else "no readable JSON"
        return NoEnvelope(f"HTTP {received.status} with {what}", html=html)
    if not isinstance(content, dict) or not isinstance(content.get("meta"), dict):
        return NoEnvelope(f"HTTP {received.status} with JSON that is not ClickPost's envelope", foreign=True)
    meta = content["meta"]
    code = integer(meta.get("status"))
    return Envelope(
        code=received.status if code is None else code,
        message=message(meta.get("message")),
        result=content.get("result"),
    )


def integer(value: object) -> int | None:
    """A whole number, also one written as text. True is not 1 here."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value.bit_length() <= INT_BITS_MAX else None
    if isinstance(value, str) and _INT.fullmatch(value.strip()):
        return int(value.strip())
    return None


def text(value: object) -> str:
    """Short text without anything that does not print; blank for what is no text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if value.bit_length() <= INT_BITS_MAX else ""
    if not isinstance(value, str):
        return ""
    return _printable(value[: 2 * TEXT_CHARS_MAX]).strip()[:TEXT_CHARS_MAX]


def message(value: object) -> str:
    """The other side's words, fit to be shown: one line, no control characters, no signed links, not too long."""
    if isinstance(value, dict | list):
        value = _json(value)
    if not isinstance(value, str):
        return ""
    words = hide_queries(value[: 8 * MESSAGE_CHARS_MAX]).split()
    return " ".join(filter(None, map(_printable, words)))[:MESSAGE_CHARS_MAX].rstrip()


def _json(value: object) -> str:
    """Faults are told as an object or a list now and then: better shown raw than not at all."""
    try:
        return msgspec.json.encode(value).decode(errors="replace")
    except (RecursionError, UnicodeError):
        return ""


def _printable(told: str) -> str:
    return told if told.isprintable() else "".join(letter for letter in told if letter.isprintable())


def fields(value: object) -> Mapping[str, object]:
    """An object's fields; also of a list of one, as some calls wrap it."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


def awb(value: object) -> str | None:
    """A waybill, "" where there is none yet, None where something stands there that cannot be one."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= 3 * AWB_CHARS_MAX:
        value = str(value)
    if not isinstance(value, str):
        return None
    told = value.strip()
    if told.lower() in NO_AWB:
        return ""
    readable = len(told) <= AWB_CHARS_MAX and told.isprintable() and not any(letter.isspace() for letter in told)
    return told if readable and HIDDEN not in told else None


def parent_awb(result: Mapping[str, object]) -> str | None:
    return awb(next((result[name] for name in AWB_NAMES if result.get(name) is not None), None))


def label_link(result: Mapping[str, object]) -> str:
    """The label's address, blank where there is none that can be fetched: one with our key in it is not."""
    return next((found for name in LABEL_NAMES if (found := link(result.get(name)))), "")


def link(value: object) -> str:
    """An address that can be fetched, blank for anything else."""
    if isinstance(value, str) and value.strip().lower().startswith(("https://", "http://")):
        told = value.strip()
        if len(told) <= LINK_CHARS_MAX and told.isprintable() and " " not in told and HIDDEN not in told:
            return told
    return ""


def children(result: Mapping[str, object]) -> tuple[Child, ...]:
    """The boxes' waybills. What a child says of its box stands beside the waybill or within `item`."""
    listed = result.get("children")
    if not isinstance(listed, list):
        return ()
    return tuple(_child(fields(entry), number) for entry in listed[:CHILDREN_MAX] for number in _readable(entry))


def _readable(entry: object) -> Iterator[str]:
    # `item.waybill` is left alone: two children have been seen with the same one in it.
    number = parent_awb(fields(entry))
    if number:
        yield number


def _child(entry: Mapping[str, object], number: str) -> Child:
    item = fields(entry.get("item"))
    return Child(
        awb=number,
        reference=text(entry.get("reference_number")),
        description=text(entry.get("description")) or text(item.get("description")),
        sku=text(entry.get("sku")) or text(item.get("sku")),
    )
