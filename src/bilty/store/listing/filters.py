"""What a list of shipments is narrowed to and sorted by: frozen, and the same as a query string in an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from bilty.intake import Fault
from bilty.workflow import Status

TEXT_CHARS_MAX = 200
ID_DIGITS_MAX = 18
T = TypeVar("T")


class Tab(StrEnum):
    ALL = "all"
    TO_SCHEDULE = "to_schedule"
    ON_HOLD = "on_hold"
    SCHEDULING = "scheduling"
    LABEL_REQUESTED = "label_requested"
    READY_NOT_PRINTED = "ready_not_printed"
    LABEL_READY = "label_ready"
    NEEDS_ATTENTION = "needs_attention"
    NOT_SERVICEABLE = "not_serviceable"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DISPATCHED = "dispatched"


STANDINGS: Mapping[Tab, tuple[str, ...]] = {
    **{tab: (tab.value,) for tab in Tab if tab is not Tab.ALL},
    Tab.TO_SCHEDULE: (Status.CREATED,),
    Tab.LABEL_READY: (Tab.READY_NOT_PRINTED, Status.LABEL_READY),
}
"""The values of `shipments.standing` under each tab; under ALL there is everything."""


class Sort(StrEnum):
    """A dash before it: the other way round. Whatever is equal stands in the order of its ids."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NUMBER = "number"
    NUMBER_DOWN = "-number"
    CONSIGNEE = "consignee"
    CONSIGNEE_DOWN = "-consignee"
    BOXES = "boxes"
    BOXES_DOWN = "-boxes"
    WEIGHT = "weight"
    WEIGHT_DOWN = "-weight"
    VALUE = "value"
    VALUE_DOWN = "-value"

    @property
    def down(self) -> bool:
        return self is Sort.NEWEST or self.startswith("-")

    @property
    def turned(self) -> "Sort":
        other = {Sort.NEWEST: "oldest", Sort.OLDEST: "newest"}.get(self)
        return Sort(other or (self.removeprefix("-") if self.down else f"-{self}"))


@dataclass(frozen=True, slots=True)
class Filter:
    """Blank fields narrow nothing. `facility_ids` are those that the reader may see, None for all; never in addresses.

    `facility` and `provider` are codes, `courier` is a name. `created_from` and `created_to` are days, both inclusive.
    `words` is what is looked for, `import_id` the file that a shipment came in with.
    """

    tab: Tab = Tab.ALL
    facility_ids: frozenset[int] | None = None
    facility: str = ""
    provider: str = ""
    courier: str = ""
    created_from: date | None = None
    created_to: date | None = None
    words: str = ""
    import_id: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str] | str, facility_ids: frozenset[int] | None = None) -> "Filter":
        """Of a query string or its fields; what belongs to no filter is passed over. Raises FilterError."""
        reader = _Reader(dict(parse_qsl(query.removeprefix("?"))) if isinstance(query, str) else query)
        text = f"give at most {TEXT_CHARS_MAX} ordinary characters."
        day = "give a day of the calendar, for example 2026-11-26."
        found = cls(
            tab=reader.take("tab", Tab, Tab.ALL, f"give one of {', '.join(Tab)}."),
            facility_ids=facility_ids,
            facility=reader.take("facility", _text, "", text),
            provider=reader.take("provider", _text, "", text),
            courier=reader.take("courier", _text, "", text),
            created_from=reader.take("from", _day, None, day),
            created_to=reader.take("to", _day, None, day),
            words=reader.take("find", _text, "", text),
            import_id=reader.take("import", _id, None, "give the number of an import, for example 12."),
        )
        if found.created_from and found.created_to and found.created_from > found.created_to:
            message = f"To is {found.created_to}, which is before From, {found.created_from}: give a later day."
            reader.faults.append(Fault("to", str(found.created_to), message))
        if reader.faults:
            raise FilterError(reader.faults)
        return found

    def fields(self) -> dict[str, str]:
        """As in an address, without what is blank."""
        given = {
            "tab": "" if self.tab is Tab.ALL else str(self.tab),
            "find": self.words,
            "facility": self.facility,
            "courier": self.courier,
            "provider": self.provider,
            "from": str(self.created_from or ""),
            "to": str(self.created_to or ""),
            "import": str(self.import_id or ""),
        }
        return {name: value for name, value in given.items() if value}

    def query(self) -> str:
        return urlencode(self.fields())

    def without(self, *names: str) -> "Filter":
        """Without what an address calls so."""
        kept = {name: value for name, value in self.fields().items() if name not in names}
        return Filter.read(kept, self.facility_ids)


class FilterError(ValueError):
    """A filter that cannot be read; each fault is one sentence about one field."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(" ".join(fault.message for fault in faults))
        self.faults = faults


class _Reader:
    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.faults: list[Fault] = []

    def take(self, name: str, read: Callable[[str], T], blank: T, remedy: str) -> T:
        value = self._given.get(name, "").strip()
        try:
            return read(value) if value else blank
        except ValueError:
            shown = value[:40].replace("\0", "\N{REPLACEMENT CHARACTER}")
            self.faults.append(Fault(name, shown, f"{name.capitalize()} is {shown!r}: {remedy}"))
            return blank


def _text(value: str) -> str:
    if len(value) > TEXT_CHARS_MAX or "\0" in value:
        raise ValueError(value)
    return " ".join(value.split())


def _id(value: str) -> int | None:
    if not (value.isascii() and value.isdigit() and len(value) <= ID_DIGITS_MAX and int(value)):
        raise ValueError(value)
    return int(value)


def _day(value: str) -> date | None:
    day = date.fromisoformat(value)
    if not 2000 <= day.year < 3000:
        raise ValueError(value)
    return day
