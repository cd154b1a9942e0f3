"""What an act's form sent, read into the act."""

import hashlib

from obstore.exceptions import BaseError

from bilty.deciding import Act, ActKind, Cancel, Dispatch, EnterAwb, Offer, Schedule, UsePaper, plain_act
from bilty.documents.counting import pages_of
from bilty.intake import Fault
from bilty.reply import Courier
from bilty.store import labels
from bilty.web.forms import Form
from bilty.web.tools import WebTools

PDF_BYTES_MAX = 20 * 1024 * 1024
PDF_BEGINS, BEGINS_WITHIN = b"%PDF-", 1024
"""Some programs write a line before it, and readers allow it."""


async def read_act(form: Form, offer: Offer, tools: WebTools, *, held: bool) -> Act | Fault:
    """The act, or what is wrong with what was given for it. A PDF is in the label store before the act names it."""
    match offer.kind:
        case ActKind.SCHEDULE:
            return _schedule(form, offer, held=held)
        case ActKind.CANCEL:
            return Cancel()
        case ActKind.DISPATCH:
            return Dispatch()
        case ActKind.ENTER_AWB:
            return EnterAwb(offer.reference, "".join(form.get("awb", "").split()))
        case ActKind.USE_PAPER:
            return await _paper(form, offer.reference, tools)
        case _:
            return plain_act(offer.kind, offer.reference)


def courier_value(courier: Courier) -> str:
    """How a form names a courier."""
    return f"{courier.cp_id}/{courier.account_code}"


def _schedule(form: Form, offer: Offer, *, held: bool) -> Schedule | Fault:
    """`held`: the person was told why, and schedules it without."""
    given = form.get("courier", "")
    named = {courier_value(courier): courier for courier in offer.couriers}
    if given and given not in named:
        return Fault("courier", given[:40], "Choose a courier that ClickPost has ranked for this shipment.")
    return Schedule(courier=named.get(given), without_ewaybill=held)


async def _paper(form: Form, reference: str, tools: WebTools) -> UsePaper | Fault:
    file = form.files.get("file")
    content = await file.read() if file else b""
    if not content:
        return Fault("file", "", "Choose the PDF of the label first.")
    return await paper_of(content, (file.filename if file else "")[:80], reference, tools)


async def paper_of(content: bytes, name: str, reference: str, tools: WebTools) -> UsePaper | Fault:
    """A label's PDF as somebody gave it: looked at in a process of its own, and kept.

    One that is another AWB's label is none of this one's: it may be void, or on another shipment's boxes.
    """
    if len(content) > PDF_BYTES_MAX:
        return too_large()
    pages = await pages_of(content) if PDF_BEGINS in content[:BEGINS_WITHIN] else 0
    if pages == 0:
        return Fault(
            "file", name, f"{name or 'The file'} cannot be read as a PDF. Ask the courier for the label again."
        )
    async with tools.pool.acquire() as connection:
        awb, number = await labels.whose(connection, hashlib.sha256(content).hexdigest(), reference)
    if number:
        whose = f"the label of {f'AWB {awb}' if awb else 'another booking'} of shipment {number}"
        return Fault("file", name, f"{name or 'The file'} is {whose}: ask the courier for this AWB's own label.")
    try:
        sha256 = await tools.labels.put(content)
    except (OSError, BaseError):
        return Fault("file", name, "Bilty's label store cannot be written now. Send the file again in a minute.")
    return UsePaper(reference, sha256, pages)


def too_large() -> Fault:
    most = PDF_BYTES_MAX // 1024**2
    return Fault("file", "", f"The file is larger than {most} MB, which no label is. Send the label's PDF alone.")
