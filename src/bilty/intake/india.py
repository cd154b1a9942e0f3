"""What is Indian about a consignment: PIN, state, GSTIN and telephone number, all checked offline.

Directories grow old, so what a directory does not know is at most a warning; only what cannot be (a wrong check
character, a number too short to dial) is refused.

Measured: `indian_pincode` reads its directory (0.2 MB) at the first PIN, in 10 ms and 3 MB; a PIN then costs 3 µs.
`phonenumbers` takes 18 µs a number and `stdnum` 12 µs a GSTIN; consignees repeat, so answers are kept.
"""

import re
from functools import lru_cache

import indian_pincode
import phonenumbers
from stdnum import luhn
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.in_ import gstin as stdnum_gstin

from bilty.intake.limits import PHONE_CHARS_MAX, PHONE_DIGITS, PINCODE_DIGITS
from bilty.intake.reader import Rule, Wrong
from bilty.intake.values import as_text, digits, refuse_control
from bilty.words import listed

KEPT = 8192
REGION, COUNTRY_CODE = "IN", 91
GSTIN_EXAMPLE = "27AAPFU0939F1ZV"
BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

STATES = {
    "01": "Jammu and Kashmir",
    "02": "Himachal Pradesh",
    "03": "Punjab",
    "04": "Chandigarh",
    "05": "Uttarakhand",
    "06": "Haryana",
    "07": "Delhi",
    "08": "Rajasthan",
    "09": "Uttar Pradesh",
    "10": "Bihar",
    "11": "Sikkim",
    "12": "Arunachal Pradesh",
    "13": "Nagaland",
    "14": "Manipur",
    "15": "Mizoram",
    "16": "Tripura",
    "17": "Meghalaya",
    "18": "Assam",
    "19": "West Bengal",
    "20": "Jharkhand",
    "21": "Odisha",
    "22": "Chhattisgarh",
    "23": "Madhya Pradesh",
    "24": "Gujarat",
    "25": "Dadra and Nagar Haveli and Daman and Diu",
    "26": "Dadra and Nagar Haveli and Daman and Diu",
    "27": "Maharashtra",
    "28": "Andhra Pradesh",
    "29": "Karnataka",
    "30": "Goa",
    "31": "Lakshadweep",
    "32": "Kerala",
    "33": "Tamil Nadu",
    "34": "Puducherry",
    "35": "Andaman and Nicobar Islands",
    "36": "Telangana",
    "37": "Andhra Pradesh",
    "38": "Ladakh",
    "97": "",  # "other territory": offshore, no state to compare with
}
"""The first two digits of a GSTIN. 25 was joined to 26 in 2020; 28 was Andhra Pradesh before it was divided."""

NOT_IN_STDNUM = frozenset({"38", "97"})

_STATE_ALIASES = {
    "Andaman and Nicobar Islands": ("Andaman and Nicobar", "AN"),
    "Andhra Pradesh": ("AP", "AD"),
    "Arunachal Pradesh": ("AR",),
    "Assam": ("AS",),
    "Bihar": ("BR",),
    "Chandigarh": ("CH",),
    "Chhattisgarh": ("Chattisgarh", "Chhatisgarh", "CG", "CT"),
    "Dadra and Nagar Haveli and Daman and Diu": ("Dadra and Nagar Haveli", "Daman and Diu", "DN", "DD", "DNHDD"),
    "Delhi": ("New Delhi", "NCT of Delhi", "Delhi NCT", "National Capital Territory of Delhi", "DL"),
    "Goa": ("GA",),
    "Gujarat": ("GJ",),
    "Haryana": ("HR",),
    "Himachal Pradesh": ("HP",),
    "Jammu and Kashmir": ("JK",),
    "Jharkhand": ("JH",),
    "Karnataka": ("KA",),
    "Kerala": ("KL",),
    "Ladakh": ("LA",),
    "Lakshadweep": ("Lakshadweep Islands", "LD"),
    "Madhya Pradesh": ("MP",),
    "Maharashtra": ("MH",),
    "Manipur": ("MN",),
    "Meghalaya": ("ML",),
    "Mizoram": ("MZ",),
    "Nagaland": ("NL",),
    "Odisha": ("Orissa", "OD", "OR"),
    "Puducherry": ("Pondicherry", "PY"),
    "Punjab": ("PB",),
    "Rajasthan": ("RJ",),
    "Sikkim": ("SK",),
    "Tamil Nadu": ("TN",),
    "Telangana": ("Telengana", "TG", "TS"),
    "Tripura": ("TR",),
    "Uttar Pradesh": ("UP",),
    "Uttarakhand": ("Uttaranchal", "UK", "UT"),
    "West Bengal": ("WB",),
}


def _key(state: str) -> str:
    """What is left of a state's name when case, spaces, "&" and a leading "the" make no difference."""
    return re.sub(r"[^a-z]", "", re.sub(r"^the\b", "", state.strip().lower().replace("&", "and")))


_STATE_OF_KEY = {_key(name): state for state, names in _STATE_ALIASES.items() for name in (state, *names)}


def state_named(name: str) -> str | None:
    """The state's official name, or None for a name that nobody uses."""
    return _STATE_OF_KEY.get(_key(name))


def _pincode(given: object) -> str:
    value = _six_digits(given)
    if value.startswith("0"):
        raise Wrong("no PIN code begins with 0; copy it again from the purchase order")
    return value


_six_digits = digits(PINCODE_DIGITS, "a PIN code").parse
PINCODE = Rule(_pincode, "", "a PIN code of 6 digits, as in 560001")


@lru_cache(maxsize=KEPT)
def states_of_pincode(pincode: str) -> tuple[str, ...] | None:
    """The states that a PIN lies in (some lie across a border), or None for one that is not in the directory."""
    details = indian_pincode.get_details(pincode)
    return None if details is None else tuple(state_named(state) or state for state in details["states"])


def pincode_warning(pincode: str, state: str) -> str | None:
    """Why PIN and state may not belong together. Never a reason to refuse: new PINs come, and borders move."""
    states = states_of_pincode(pincode)
    if states is None:
        return f"PIN {pincode} is not in the postal directory that comes with Bilty: check it before booking."
    if states and state_named(state) not in states:
        return f"PIN {pincode} lies in {listed(list(states), 'or')}, but the state is {state}: check both."
    return None


def gstin_warning(gstin: str, state: str) -> str | None:
    registered = STATES[gstin[:2]]
    if registered and state_named(state) != registered:
        return f"GSTIN {gstin} is registered in {registered}, but the state is {state}: check both."
    return None


def _gstin(given: object) -> str:
    return _checked_gstin(as_text(given).strip().upper())


@lru_cache(maxsize=KEPT)
def _checked_gstin(value: str) -> str:
    try:
        if value[:2] not in NOT_IN_STDNUM:
            return stdnum_gstin.validate(value)
        # Its form is judged as if it were of a state that stdnum knows; its check character is over its own digits.
        head = "29" + value[2:14]
        stdnum_gstin.validate(head + luhn.calc_check_digit(head, BASE_36))
        return luhn.validate(value, BASE_36)
    except InvalidChecksum:
        raise Wrong(
            "its last character does not fit the others; copy it again from the registration certificate"
        ) from None
    except ValidationError:
        raise Wrong from None


GSTIN = Rule(_gstin, "", f"the 15 characters of the registration certificate, as in {GSTIN_EXAMPLE}")


def _phone(given: object) -> str:
    value = as_text(given)
    refuse_control(value)
    if len(value) > PHONE_CHARS_MAX:
        raise Wrong
    return dialled(value)[0]


@lru_cache(maxsize=KEPT)
def dialled(value: str) -> tuple[str, str]:
    """The national number as a courier dials it, without +91 or a leading 0, and the extension or "". Raises Wrong."""
    try:
        number = phonenumbers.parse(value, REGION)
    except phonenumbers.NumberParseException:
        raise Wrong from None
    national = phonenumbers.national_significant_number(number)
    if number.country_code != COUNTRY_CODE:
        raise Wrong(f"couriers in India call only numbers of India, and this one begins with +{number.country_code}")
    if len(national) not in PHONE_DIGITS or not phonenumbers.is_possible_number(number):
        raise Wrong
    return national, number.extension or ""


def extension_note(given: str) -> str | None:
    national, extension = dialled(given)
    return f"Extension {extension} is left out: couriers are given {national}." if extension else None


@lru_cache(maxsize=KEPT)
def phone_warning(national: str) -> str | None:
    """No operator is known to use it. A warning only: new number ranges are opened faster than directories know."""
    if phonenumbers.is_valid_number(phonenumbers.parse(national, REGION)):
        return None
    return f"No operator in India is known to use {national}: check the number."


PHONE = Rule(_phone, "", "one Indian number of 10 to 12 digits, as in 9876543210 or 080 2222 1111")
