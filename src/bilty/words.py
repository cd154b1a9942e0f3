"""Numbers as an Indian reader writes them (₹1,25,000.00, 10,00,000, 12.5 kg, 26 Nov 2026), and India's time."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
INDIA = ZoneInfo("Asia/Kolkata")
PAISE = Decimal("0.01")


def grouped(number: int) -> str:
    """The last three digits, then pairs: lakhs and crores."""
    sign, digits = ("-", str(-number)) if number < 0 else ("", str(number))
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)]
    return sign + ",".join([*reversed(pairs), tail])


def rupees(amount: Decimal) -> str:
    """Always with paise: a column of amounts lines up, and ₹0.50 is not read as ₹50."""
    whole, paise = str(abs(amount).quantize(PAISE)).split(".")
    sign = "-" if amount < 0 else ""
    return f"{sign}₹{grouped(int(whole))}.{paise}"


def kilograms(grams: int) -> str:
    """Exact, without idle zeros: 12500 is "12.5 kg", 1 is "0.001 kg"."""
    sign = "-" if grams < 0 else ""
    whole, rest = divmod(abs(grams), 1000)
    fraction = f"{rest:03}".rstrip("0")
    return f"{sign}{grouped(whole)}{'.' + fraction if fraction else ''} kg"


def day(value: date) -> str:
    """Month names do not follow the machine's locale."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def listed(words: list[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def sentence(words: str) -> str:
    """The other side's words as the end of a sentence of ours."""
    return f"{' '.join(words.split()).rstrip('.') or 'it gave no reason'}."


FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet would compute, or worse, if a cell began with it; the last four are the first ones, full-width."""


def harmless(cell: str) -> str:
    """For a file that is opened in a spreadsheet. A quote is put before one that stands before a formula, too."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULAS) else cell


def without_guard(cell: str) -> str:
    """What `harmless` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULAS) else cell
