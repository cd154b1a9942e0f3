"""Uniware's contract for a custom courier, read into Bilty's own shipment. Pure, and tolerant of any JSON.

Uniware writes everything as a string, sizes in millimetres, and one size for all boxes; it has no place for much of
what a consignment between businesses needs. That comes from custom fields of fixed names (`customs`), or from what the
facility has set down once (`Defaults`). Every fault is told under Uniware's own names. docs/uniware.md tells it whole.
"""

from bilty.intake.uniware.amendment import parse_update
from bilty.intake.uniware.customs import NAMES as CUSTOM_FIELDS
from bilty.intake.uniware.defaults import Defaults, Need, parse_defaults
from bilty.intake.uniware.facility import Naming
from bilty.intake.uniware.needs import still_held
from bilty.intake.uniware.waybill import About, asked, code_of, facility_named, parse_waybill, waybill_of

__all__ = [
    "CUSTOM_FIELDS",
    "About",
    "Defaults",
    "Naming",
    "Need",
    "asked",
    "code_of",
    "facility_named",
    "parse_defaults",
    "parse_update",
    "parse_waybill",
    "still_held",
    "waybill_of",
]
