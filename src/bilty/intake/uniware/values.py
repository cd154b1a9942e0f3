"""How Uniware writes numbers and days: as strings, weights in grams ("53.4000"), sizes in millimetres ("300")."""

import re
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from bilty.intake.reader import Reader, Rule, Wrong
from bilty.intake.values import whole
from bilty.shipment import BOX_SIDE_CM_MAX, BOX_WEIGHT_G_MAX, BOXES_MAX
from bilty.words import MONTHS, PAISE, grouped

MM_PER_CM = 10
NUMBER_MAX = 10**12
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_DAY = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})(?:\s.*)?", re.DOTALL)
_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\s[0-9:.]*")


def number(given: object) -> Decimal:
    """A plain number that is not negative, as a string or as JSON's own. Raises Wrong."""
    if not isinstance(given, (str, int, float)):
        raise Wrong
    if not isinstance(given, str) and not 0 <= given < NUMBER_MAX:
        raise Wrong
    text = given.strip() if isinstance(given, str) else repr(given)
    if not _NUMBER.fullmatch(text):
        raise Wrong
    return Decimal(text)


def _centimetres(given: object) -> int:
    """Rounded up: a box must not be told smaller than it is."""
    side = (number(given) / MM_PER_CM).to_integral_value(ROUND_CEILING)
    if not 1 <= side <= BOX_SIDE_CM_MAX:
        raise Wrong
    return int(side)


def _grams(given: object) -> int:
    grams = number(given).to_integral_value(ROUND_CEILING)
    if not 1 <= grams <= BOX_WEIGHT_G_MAX * BOXES_MAX:
        raise Wrong
    return int(grams)


SIDE = Rule(_centimetres, 1, f'millimetres above 0 and up to {grouped(BOX_SIDE_CM_MAX * MM_PER_CM)}, as in "300"')
GRAMS = Rule(_grams, 1, 'grams above 0 of all boxes together, as in "53.4000"')
BOX_COUNT = whole("a whole number of boxes", 1, BOXES_MAX)


def is_zero(given: object) -> bool:
    """What Uniware writes where nothing was entered."""
    try:
        return number(given) == 0
    except Wrong:
        return False


def rupees_text(given: object) -> object:
    """A number to the paisa, as Bilty takes it: Uniware writes four decimals. Anything else stays, to be refused."""
    try:
        return str(number(given).quantize(PAISE, ROUND_HALF_UP))
    except Wrong:
        return given


def day_text(given: object) -> object:
    """`16-Sep-2021 00:00:00` and `2021-09-16 00:00:00` as 2021-09-16. Anything else stays, to be refused."""
    if not isinstance(given, str):
        return given
    if iso := _ISO_DAY.fullmatch(given.strip()):
        return iso[1]
    found = _DAY.fullmatch(given.strip())
    if not found or found[2].title() not in MONTHS:
        return given
    try:
        return date(int(found[3]), MONTHS.index(found[2].title()) + 1, int(found[1])).isoformat()
    except ValueError:
        return given


def first_given(reader: Reader, *names: str) -> object:
    """The first of these fields that is not blank; None where all are."""
    return next((reader.raw(name) for name in names if reader.has(name)), None)


def keys_of(given: object) -> frozenset[str]:
    """All of an object's fields are known to `Reader`: Uniware adds some without notice, and that is no fault."""
    return frozenset(given) if isinstance(given, dict) else frozenset()
