"""The audit trail's before and after, as a person reads it."""

from collections.abc import Iterator, Mapping

from bilty.telling.acts import ACT_WORDS
from bilty.telling.phrases import STATUS_WORDS
from bilty.words import listed

ABSENT = "none"
_NAMES = {"gstin": "GSTIN", "pincode": "PIN code", "awb": "AWB", "ewaybill": "e-way bill", "email": "e-mail"}
_STATUSES = {str(status): words for status, words in STATUS_WORDS.items()}


_ACTS = {kind.replace("-", " "): words for kind, words in ACT_WORDS.items()}


def told_action(action: str) -> str:
    """What was done, by the words of its button where it has one."""
    return _ACTS.get(action) or action[:1].upper() + action[1:]


def told_changes(before: object, after: object) -> tuple[str, ...]:
    """What is different, a line each: "role: dispatcher → viewer". What has no other side is told as it is."""
    old, new = dict(_facts(before)), dict(_facts(after))
    return tuple(
        _told(name, old.get(name), new.get(name))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )


def _told(name: str, was: str | None, became: str | None) -> str:
    words = " → ".join(side for side in (was, became) if side is not None)
    return f"{name}: {words}" if name else words


def _facts(document: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Each value by its name in words; what is inside is named after what it is in."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from _facts(value, f"{name} {_name(str(key))}".strip())
    elif name or document is not None:
        yield name, _STATUSES.get(str(document), _value(document)) if name == "status" else _value(document)


def _name(key: str) -> str:
    return " ".join(_NAMES.get(word, word) for word in key.split("_"))


def _value(value: object) -> str:
    match value:
        case None | "" | []:
            return ABSENT
        case bool():
            return "yes" if value else "no"
        case list():
            return listed([_value(each) for each in value])
        case Mapping():
            return ", ".join(f"{name} {told}" for name, told in _facts(value))
        case _:
            return str(value)
