"""The two ends of a consignment, read and judged alike: whom the boxes go to, and the warehouse they leave from."""

from zoneinfo import ZoneInfo

from bilty.intake import limits
from bilty.intake.hours import HOURS, hours
from bilty.intake.india import GSTIN, PHONE, PINCODE, extension_note, gstin_warning, phone_warning, pincode_warning
from bilty.intake.reader import Fault, Findings, Reader, Rejected, Rule, Wrong
from bilty.intake.values import EMAIL, as_text, choice, lines, name_of, text
from bilty.shipment import Facility, Party

PARTY = frozenset({"name", "organisation", "phone", "email", "address", "city", "state", "pincode", "country", "gstin"})
FACILITY = PARTY | HOURS | {"location_code", "time_zone"}
INDIAN_TIME = "Asia/Kolkata"

_CODE = name_of(
    f"[A-Za-z0-9_-]{{1,{limits.CODE_CHARS_MAX}}}",
    f"1 to {limits.CODE_CHARS_MAX} letters, digits, hyphens or underscores",
)
PAGE_THAT_ADDS = "new"


def _code(given: object) -> str:
    code = _CODE.parse(given)
    if code == PAGE_THAT_ADDS:
        raise Wrong("the panel's page that adds one has this name; choose another")
    return code


CODE = Rule(_code, _CODE.blank, _CODE.wants)
NAME = text(limits.NAME_CHARS_MAX)
ORGANISATION = text(limits.ORGANISATION_CHARS_MAX)
ADDRESS = lines(limits.ADDRESS_CHARS_MAX)
CITY = text(limits.CITY_CHARS_MAX)
STATE = text(limits.STATE_CHARS_MAX)
COUNTRY = Rule(
    choice({"in": "IN", "ind": "IN", "india": "IN"}, "IN").parse,
    "IN",
    '"IN" or leave it out, because ClickPost B2B carries within India only',
)
LOCATION_CODE = text(limits.LOCATION_CODE_CHARS_MAX)


def _time_zone(given: object) -> str:
    name = as_text(given).strip()
    if len(name) > limits.TIME_ZONE_CHARS_MAX:
        raise Wrong
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):  # unknown, not a name at all, the name of a folder
        raise Wrong from None


TIME_ZONE = Rule(_time_zone, INDIAN_TIME, f'a time zone by its name, as in "{INDIAN_TIME}"')


def consignee_party(reader: Reader) -> Party:
    """A consignee that is not registered under GST has no GSTIN."""
    return _party(reader, gstin=reader.take("gstin", GSTIN, ""))


def parse_facility(code: str, document: object) -> Facility | Rejected:
    """What `PUT /facilities/{code}` is given. Warnings about it: `facility_warnings`."""
    findings = Findings()
    Reader({"code": code}, frozenset({"code"}), findings).need("code", CODE)
    reader = Reader(document, FACILITY, findings, noun="The facility")
    works = hours(reader)
    facility = Facility(
        code=code.strip(),
        pickup=_party(reader, gstin=reader.need("gstin", GSTIN)),
        location_code=reader.take("location_code", LOCATION_CODE, ""),
        time_zone=reader.take("time_zone", TIME_ZONE, INDIAN_TIME),
        opens_at=works.opens_at,
        closes_at=works.closes_at,
        days_off=works.days_off,
        holidays=works.holidays,
    )
    return Rejected(tuple(findings.faults)) if findings.faults else facility


def parse_pincode(given: object) -> str | Rejected:
    """The PIN code that a lane ends at, asked for alone."""
    findings = Findings()
    pincode = Reader({"pincode": given}, frozenset({"pincode"}), findings).need("pincode", PINCODE)
    return Rejected(tuple(findings.faults)) if findings.faults else pincode


def facility_warnings(facility: Facility) -> tuple[Fault, ...]:
    return tuple(party_warnings(facility.pickup))


def party_warnings(party: Party, path: str = "") -> list[Fault]:
    """What a person should look at before a courier does. Fields that were faulty are blank and are passed over."""
    found = []
    if party.pincode and party.state and (message := pincode_warning(party.pincode, party.state)):
        found.append(Fault(path + "pincode", party.pincode, message))
    if party.gstin and party.state and (message := gstin_warning(party.gstin, party.state)):
        found.append(Fault(path + "gstin", party.gstin, message))
    if party.phone and (message := phone_warning(party.phone)):
        found.append(Fault(path + "phone", party.phone, message))
    return found


def _party(reader: Reader, gstin: str) -> Party:
    """`country` is checked and not kept: it is always India, and left out it is written the same for everyone."""
    reader.take("country", COUNTRY, "IN")
    return Party(
        name=reader.need("name", NAME),
        organisation=reader.need("organisation", ORGANISATION),
        phone=phone_of(reader),
        address=reader.need("address", ADDRESS),
        city=reader.need("city", CITY),
        state=reader.need("state", STATE),
        pincode=reader.need("pincode", PINCODE),
        email=reader.take("email", EMAIL, ""),
        gstin=gstin,
    )


def phone_of(reader: Reader) -> str:
    national = reader.need("phone", PHONE)
    if national and (note := extension_note(as_text(reader.raw("phone")))):
        reader.warn("phone", note)
    return national
