"""Intake: what comes from outside is parsed here, once, into frozen values, and every fault is told at once.

Nothing here raises on a document, whatever it holds, and nothing reads a clock: `today` is given.
"""

from bilty.intake.consignees import NOBODY, code_named, parse_consignee
from bilty.intake.parties import facility_warnings, parse_facility, parse_pincode
from bilty.intake.providers import parse_buffers, parse_connector, parse_provider
from bilty.intake.reader import Fault, Rejected
from bilty.intake.shipments import Accepted, IntakeRules, parse_shipment

__all__ = [
    "NOBODY",
    "Accepted",
    "Fault",
    "IntakeRules",
    "Rejected",
    "code_named",
    "facility_warnings",
    "parse_buffers",
    "parse_connector",
    "parse_consignee",
    "parse_facility",
    "parse_pincode",
    "parse_provider",
    "parse_shipment",
]
