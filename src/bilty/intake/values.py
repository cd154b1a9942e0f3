"""Rules for single values: text, whole numbers, money, days and moments.

Tolerant about the form that spreadsheets and other languages give a value (2, 2.0 and "2" are the same count), strict
about what it says: nothing is rounded, cut or guessed.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from bilty.intake.limits import DAY_MAX, DAY_MIN, EMAIL_CHARS_MAX, MONEY_MAX
from bilty.intake.reader import Rule, Wrong
from bilty.words import PAISE, day, grouped, rupees

T = TypeVar("T")

INTEGER_MAX = 10**30
ZERO = Decimal("0.00")
MOMENT_EXAMPLE = "2026-11-25T10:00:00+05:30"

# Bidirectional overrides are refused with the control characters: they make a label read other than it is.
# Joiners (U+200C, U+200D) stay: Indian scripts need them.
_HIDDEN_CHARS = "\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_CONTROL = re.compile(f"[\x00-\x1f{_HIDDEN_CHARS}]")
_CONTROL_IN_LINES = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f{_HIDDEN_CHARS}]")
_WHOLE = re.compile(r"-?[0-9]{1,30}")
_MONEY = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,2})?")
_MONEY_WITH_MARKS = re.compile(r"(?:₹|Rs\.?|INR)?\s*[0-9][0-9,]*(?:\.[0-9]{1,2})?(?:/-)?", re.IGNORECASE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?")
_OFFSET = re.compile(r"Z|[+-][0-9]{2}:?[0-9]{2}")
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")


def as_text(given: object) -> str:
    """A string as it is; a whole number as its digits, because PINs and phones are often sent as numbers."""
    if isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) < INTEGER_MAX:
        return str(given)
    raise Wrong


def text(at_most: int) -> Rule[str]:
    """One line, trimmed."""

    def parse(given: object) -> str:
        value = as_text(given).strip()
        refuse_control(value, _CONTROL)
        if not 1 <= len(value) <= at_most:
            raise Wrong
        return value

    return Rule(parse, "", f"1 to {at_most} characters")


def lines(at_most: int) -> Rule[str]:
    """Text that is kept byte for byte, blanks and line breaks with it: couriers know a warehouse by its exact text."""

    def parse(given: object) -> str:
        value = as_text(given)
        refuse_control(value, _CONTROL_IN_LINES)
        if not 1 <= len(value) <= at_most:
            raise Wrong
        return value

    return Rule(parse, "", f"1 to {at_most} characters")


def refuse_control(value: str, pattern: re.Pattern[str] = _CONTROL) -> None:
    if found := pattern.search(value):
        raise Wrong(f"take out the control character U+{ord(found.group()):04X} at position {found.start() + 1}")


def name_of(pattern: str, wants: str) -> Rule[str]:
    """Trimmed text that matches `pattern` as a whole."""
    compiled = re.compile(pattern)

    def parse(given: object) -> str:
        value = as_text(given).strip()
        if not compiled.fullmatch(value):
            raise Wrong
        return value

    return Rule(parse, "", wants)


def digits(count: int, what: str) -> Rule[str]:
    """Exactly `count` digits; blanks and hyphens that make them readable are taken out."""

    def parse(given: object) -> str:
        value = re.sub(r"[\s-]", "", as_text(given))
        if len(value) != count or not (value.isascii() and value.isdigit()):
            raise Wrong
        return value

    return Rule(parse, "", f"{what} of {count} digits")


def whole(unit: str, at_least: int, at_most: int, note: str = "") -> Rule[int]:
    def parse(given: object) -> int:
        value = _integer(given)
        if not at_least <= value <= at_most:
            raise Wrong
        return value

    bracket = f" ({note})" if note else ""
    return Rule(parse, at_least, f"{unit} from {grouped(at_least)} to {grouped(at_most)}{bracket}")


def _integer(given: object) -> int:
    if isinstance(given, bool):
        raise Wrong
    if isinstance(given, int):
        return given
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, str) and _WHOLE.fullmatch(given.strip()):
        return int(given)
    raise Wrong


def _money(given: object) -> Decimal:
    value = _decimal_text(given)
    if not _MONEY.fullmatch(value):
        if _MONEY_WITH_MARKS.fullmatch(value):
            raise Wrong('write the rupees without commas or ₹, as in "125000.00"')
        raise Wrong
    amount = Decimal(value).quantize(PAISE)
    if amount > MONEY_MAX:
        raise Wrong
    return amount


def _decimal_text(given: object) -> str:
    """A float by its shortest form: 0.1 was meant as 0.10, and 0.125 cannot be taken."""
    if isinstance(given, str):
        return given.strip()
    if isinstance(given, (float, Decimal)):
        value = Decimal(repr(given)) if isinstance(given, float) else given
        if not value.is_finite() or abs(value) > MONEY_MAX or value.quantize(PAISE) != value:
            raise Wrong
        return str(value.quantize(PAISE))
    return as_text(given)


MONEY = Rule(
    _money, ZERO, f'rupees from 0.00 to {rupees(MONEY_MAX)[1:]} with at most 2 decimals, as in "1250.00"', secret=False
)


def _day(given: object) -> date:
    if not isinstance(given, str) or not _DAY.fullmatch(given.strip()):
        raise Wrong
    try:
        value = date.fromisoformat(given.strip())
    except ValueError:
        raise Wrong("there is no such day in the calendar") from None
    if not DAY_MIN <= value <= DAY_MAX:
        raise Wrong(f"give a date from {day(DAY_MIN)} to {day(DAY_MAX)}")
    return value


DAY = Rule(_day, DAY_MIN, "a date as year-month-day, as in 2026-11-25")


def _moment(given: object) -> datetime:
    """In UTC, so that one moment is always written the same."""
    value = given.strip().upper() if isinstance(given, str) else ""
    clock = _MOMENT.match(value)
    if not clock:
        raise Wrong
    offset = value[clock.end() :]
    if not offset:
        raise Wrong(f"it does not say its offset from UTC; for Indian time write {value.replace(' ', 'T')}+05:30")
    if not _OFFSET.fullmatch(offset):
        raise Wrong
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Wrong("there is no such time in the calendar") from None
    if not DAY_MIN < moment.date() < DAY_MAX:
        raise Wrong(f"give a time from {day(DAY_MIN)} to {day(DAY_MAX)}")
    return moment.astimezone(UTC)


MOMENT = Rule(_moment, datetime(2000, 1, 1, tzinfo=UTC), f"a time with its offset, as in {MOMENT_EXAMPLE}")


def choice(values: Mapping[str, T], blank: T, reasons: Mapping[str, str] | None = None) -> Rule[T]:
    """One of a few words, in any case. `reasons` says of words that people do try why they cannot be taken."""

    def parse(given: object) -> T:
        word = given.strip().lower() if isinstance(given, str) else ""
        if reasons and word in reasons:
            raise Wrong(reasons[word])
        if word not in values:
            raise Wrong
        return values[word]

    return Rule(parse, blank, " or ".join(f'"{value}"' for value in values))


def _boolean(given: object) -> bool:
    if isinstance(given, bool):
        return given
    word = given.strip().lower() if isinstance(given, str) else ""
    if word not in {"true", "false"}:
        raise Wrong
    return word == "true"


BOOLEAN = Rule(_boolean, blank=False, wants="true or false")


def _email(given: object) -> str:
    value = as_text(given).strip()
    refuse_control(value)
    if len(value) > EMAIL_CHARS_MAX or not _EMAIL.fullmatch(value):
        raise Wrong
    return value


EMAIL = Rule(_email, "", f'one address of at most {EMAIL_CHARS_MAX} characters, as in "stores@example.com"')
