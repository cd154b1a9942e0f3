"""Cells as spreadsheets leave them, read as they were meant, or told with the remedy where that cannot be known.

A spreadsheet makes numbers of whatever looks like one: 560001 becomes 560001.0, a phone 9.87654E+11, a day a count of
days since 1900. What can be undone without a guess is undone here. What has lost digits is a fault: they are gone.
Days are read as ISO or with the day first, as India writes them, and never with the month first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from bilty.intake.reader import show
from bilty.words import MONTHS, day, without_guard

AS_TEXT = "Format the column as text and give it anew."
ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#####"})
DIGITS = frozenset(
    [
        "consignee_phone",
        "consignee_pincode",
        "ewaybill_number",
        "hsn",
        "boxes",
        "length_cm",
        "breadth_cm",
        "height_cm",
        "weight_g",
        "quantity",
    ]
)
"""Of digits alone, whatever a spreadsheet made of them."""
NAMES = frozenset(
    [
        "number",
        "order_number",
        "invoice_number",
        "po_number",
        "sku",
        "appointment_id",
        "consignee_code",
        "consignee_gstin",
    ]
)
"""Perhaps of digits alone."""
DAYS = frozenset({"invoice_date", "ewaybill_expires_on", "po_expires_on"})
MOMENTS = frozenset({"appointment_starts_at", "appointment_ends_at", "pickup_at"})
MONEY = frozenset(["cod_amount", "invoice_value", "taxable_value", "cgst", "sgst", "igst", "unit_price"])

EPOCH = date(1899, 12, 30)
"""Day 0 of spreadsheets, as they believe in a 29th of February 1900."""
SERIAL_MIN, SERIAL_MAX = 36_526, 73_050
"""From 2000 to 2099."""
YEAR_OF_TWO_DIGITS = 2000

_FLOAT = re.compile(r"-?[0-9]+\.0+")
_SCIENTIFIC = re.compile(r"([0-9])(?:\.([0-9]+))?[eE]\+?([0-9]{1,3})")
_QUOTED_FORMULA = re.compile(r'="([^"]*)"')
_FORMULA = re.compile(r"=[A-Za-z0-9(+-]")
_WRITTEN_DAY = re.compile(r"([0-9]{1,2})[-/. ]([0-9]{1,2}|[A-Za-z]{3,9})[-/. ,]+([0-9]{4}|[0-9]{2})")
_SLASHED_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?$")
_CLOCK = re.compile(r"(.+?)[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?\s*([aApP]\.?[mM]\.?)?")
_ZONED = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
INDIAN_TIME = "+05:30"


@dataclass(frozen=True, slots=True)
class Read:
    """What a cell says, or a `fault` that begins with a verb. `other`: the day it would be with the month first."""

    text: str
    fault: str = ""
    other: str = ""
    month_first: bool = False


_Reader: TypeAlias = Callable[[str], Read]


def read_cell(column: str, cell: str) -> Read:
    """`cell` is not blank, and trimmed except in an address."""
    text = without_guard(cell)
    if text.strip().upper() in ERRORS:
        return Read(cell, f"is {text.strip()}, an error of the spreadsheet: put its formula right, or type the value.")
    if quoted := _QUOTED_FORMULA.fullmatch(cell):
        text = quoted[1]
    elif _FORMULA.match(cell):
        return Read(cell, f"is a formula, {show(text)}: save the file with values in place of formulas.")
    reader = _READERS.get(column)
    return reader(text) if reader else Read(text)


def _digits(text: str) -> Read:
    text = text.removeprefix("'")
    if _FLOAT.fullmatch(text):
        return Read(text.partition(".")[0])
    return _whole(text, always=True)


def _name(text: str) -> Read:
    """12E3 may be the code of an article; with a point and a plus it is a number that was."""
    return _whole(text, always=False)


def _whole(text: str, *, always: bool) -> Read:
    found = _SCIENTIFIC.fullmatch(text)
    if found is None or not (always or ("." in text and "+" in text)):
        return Read(text)
    first, rest, exponent = found[1], found[2] or "", int(found[3])
    lost = exponent - len(rest)
    if lost > 0:
        return Read(text, f"is {text}: a spreadsheet has cut off its last {lost} digits. {AS_TEXT}")
    if rest[exponent:].strip("0"):
        return Read(text)
    return Read(first + rest[:exponent])


def _money(text: str) -> Read:
    """Of the noise behind the paise that sums leave, 125000.00000000001, nothing was meant."""
    whole, _, fraction = text.partition(".")
    if len(fraction) > 8 and whole.isdigit() and fraction.isdigit():
        paise = round(float(text), 2)
        if abs(float(text) - paise) < 1e-6:
            return Read(f"{paise:.2f}")
    return Read(whole) if fraction != "00" and _FLOAT.fullmatch(text) else Read(text)


def _day(text: str) -> Read:
    bare = _MIDNIGHT.sub("", text)
    if found := _SLASHED_ISO.fullmatch(bare):
        return Read(f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}")
    number = bare.removesuffix(".0")
    if len(number) == 5 and number.isdigit() and SERIAL_MIN <= int(number) <= SERIAL_MAX:
        return Read((EPOCH + timedelta(days=int(number))).isoformat())
    if found := _WRITTEN_DAY.fullmatch(bare):
        return _day_first(text, int(found[1]), found[2], found[3])
    return Read(text)


def _day_first(text: str, the_day: int, the_month: str, the_year: str) -> Read:
    year = int(the_year) + (YEAR_OF_TWO_DIGITS if len(the_year) == 2 else 0)
    if the_month.isdigit():
        month = int(the_month)
    else:
        month = {name.lower(): nth for nth, name in enumerate(MONTHS, 1)}.get(the_month[:3].lower(), 0)
    meant = _date(year, month, the_day)
    turned = _date(year, the_day, month) if the_month.isdigit() else None
    if meant is not None:
        is_doubtful = turned is not None and turned != meant
        return Read(meant.isoformat(), other=day(turned) if turned and is_doubtful else "")
    if turned is not None:
        return Read(
            text,
            f"is {text}, with the month first: give the day first, or write {turned.isoformat()}.",
            month_first=True,
        )
    return Read(text)


def _date(year: int, month: int, the_day: int) -> date | None:
    try:
        return date(year, month, the_day)
    except ValueError:
        return None


def _moment(text: str) -> Read:
    """Without a zone it is India's time: no spreadsheet has any."""
    if _ZONED.search(text) and "T" in text:
        return Read(text)
    found = _CLOCK.fullmatch(text)
    if found is None:
        return Read(text)
    the_day, hour, minute, half = _day(found[1].strip()), int(found[2]), found[3], (found[5] or "").lower()
    if the_day.fault:
        return the_day
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return Read(f"{the_day.text}T{hour:02}:{minute}:{found[4] or '00'}{INDIAN_TIME}", other=the_day.other)


_READERS: Mapping[str, _Reader] = (
    dict.fromkeys(DIGITS, _digits)
    | dict.fromkeys(NAMES, _name)
    | dict.fromkeys(DAYS, _day)
    | dict.fromkeys(MOMENTS, _moment)
    | dict.fromkeys(MONEY, _money)
)
