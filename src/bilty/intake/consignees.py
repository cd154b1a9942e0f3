"""Whom the boxes go to: told in full, or by the code under which the consignee is saved.

A saved consignee is copied into the shipment, so that changing it later moves no shipment that is there. Beside a
code a document may say whom to ask for this time, by name, phone and e-mail. The firm and its place it may only
repeat: where the two differ nobody knows which of them is meant, and a guess would send the boxes to a wrong door.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from bilty.intake.parties import CODE, COUNTRY, NAME, PARTY, consignee_party, party_warnings, phone_of
from bilty.intake.reader import Fault, Findings, Reader, Rejected, show
from bilty.intake.values import EMAIL
from bilty.shipment import Consignee, Party

WHOM = PARTY | {"code"}
NOBODY: Mapping[str, Party] = MappingProxyType({})
_REPEATED = ("organisation", "address", "city", "state", "pincode", "gstin")
_BLANK = Party(name="", organisation="", phone="", address="", city="", state="", pincode="")


def consignee(reader: Reader, saved: Mapping[str, Party]) -> Party:
    if not reader.has("code"):
        return consignee_party(reader)
    code = reader.need("code", CODE)
    party = saved.get(code)
    if party is not None:
        return _named(reader, code, party)
    if not reader.is_faulty("code"):
        reader.refuse(
            "code",
            "no consignee is saved under it. Save it in Settings, Consignees (or by PUT /api/v1/consignees/CODE), "
            "or leave the code out and give name, organisation, phone and address",
        )
    return _BLANK


def _named(reader: Reader, code: str, party: Party) -> Party:
    for name in _REPEATED:
        is_saved = getattr(party, name)
        if reader.has(name) and _alike(str(reader.raw(name))) != _alike(is_saved):
            has = show(is_saved) if is_saved else "none"
            reader.refuse(
                name,
                f"consignee {code} is saved with {has}. Leave this out, change what is saved, or leave the code out",
            )
    reader.take("country", COUNTRY, "IN")
    return msgspec.structs.replace(
        party,
        name=reader.take("name", NAME, party.name),
        phone=phone_of(reader) if reader.has("phone") else party.phone,
        email=reader.take("email", EMAIL, party.email),
    )


def _alike(value: str) -> str:
    """Letters, case and spaces aside: files shout, and break lines where they like."""
    return "".join(value.split()).casefold()


def code_named(document: object) -> str:
    """The code by which a document names its consignee, blank where it names none that could be one."""
    whom = document.get("consignee") if isinstance(document, dict) else None
    code = whom.get("code") if isinstance(whom, dict) else None
    return str(code).strip() if isinstance(code, str | int) else ""


def parse_consignee(code: str, document: object) -> Consignee | Rejected:
    """What `PUT /consignees/{code}` is given. Warnings about it: `consignee_warnings`."""
    findings = Findings()
    Reader({"code": code}, frozenset({"code"}), findings).need("code", CODE)
    party = consignee_party(Reader(document, PARTY, findings, noun="The consignee"))
    return Rejected(tuple(findings.faults)) if findings.faults else Consignee(code.strip(), party)


def consignee_warnings(consignee: Consignee) -> tuple[Fault, ...]:
    return tuple(party_warnings(consignee.party))
