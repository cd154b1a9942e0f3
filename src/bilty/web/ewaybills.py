"""E-way bills in the panel: which are wanted, a form for one shipment, and a CSV of numbers for many.

What a file says is done row by row and its page says what became of each; the same file again changes nothing.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from bilty.intake import Fault
from bilty.intake.ewaybill_file import COLUMNS, FILE_BYTES_MAX, ROWS_MAX, Row, Unread, lines_of, parse_file
from bilty.intake.ewaybills import ewaybill
from bilty.intake.reader import Findings, Reader
from bilty.shipment import Ewaybill, standing
from bilty.store import ewaybill_rows, ewaybills, shipments, showing, transporters
from bilty.store.access import Role
from bilty.store.database import Connection
from bilty.store.showing import Seen
from bilty.web.forms import Form, by_field, form_of
from bilty.web.page import page, shipment_of, told
from bilty.web.sessions import actor, dispatching, from_our_pages, signed_in, user
from bilty.web.tools import AnyRequest, tools_of
from bilty.web.where import back_of
from bilty.words import counted, grouped, harmless, rupees

PATH = "/ewaybills"
WANTED_MAX = 500
BATCH = 200
"""Shipments of a file that are locked at once."""
FIELDS = frozenset({"number", "expires_on"})


@dataclass(frozen=True, slots=True)
class Became:
    """A row of a file, and what came of it: `shipment_id` 0 where it is not known, `why` blank where it is done."""

    line: int
    number: str
    invoice: str
    bill: str
    shipment_id: int = 0
    why: str = ""


@get(PATH, guards=[signed_in], include_in_schema=False)
async def wanted(request: AnyRequest) -> Template:
    return await _page(request)


@get(f"{PATH}/wanted.csv", guards=[signed_in], include_in_schema=False, media_type="text/csv")
async def blank_file(request: AnyRequest) -> Response[bytes]:
    """A row for each that is wanted, to be filled in and loaded."""
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for each in await _wanted(request):
        for invoice in each.invoices:
            rows.writerow([harmless(cell) for cell in (each.number, each.facility, invoice.number, "", "")])
    headers = {"Content-Disposition": 'attachment; filename="ewaybills-wanted.csv"'}
    return Response(written.getvalue().encode("utf-8-sig"), media_type="text/csv", headers=headers)


@post(PATH, guards=[dispatching, from_our_pages], include_in_schema=False, status_code=200)
async def load(request: AnyRequest) -> Template:
    """Fields: file; schedule, which books what was never booked and waits for nothing else."""
    form = await form_of(request)
    file = form.files.get("file")
    content = await file.read() if file else b""
    if not content:
        return await _page(request, fault="Choose the file first.")
    parsed = parse_file(content)
    unread = [each for each in parsed if isinstance(each, Unread)]
    rows = [row for row in parsed if isinstance(row, Row)]
    became = await _done(request, rows, {each.number for each in unread}, schedule=form.ticked("schedule"))
    became += [Became(each.line, each.number, each.invoice, "", why=each.why) for each in unread]
    return await _page(request, became=sorted(became, key=lambda each: each.line))


async def _page(request: AnyRequest, *, fault: str = "", became: Collection[Became] = ()) -> Template:
    found = await _wanted(request)
    done = sum(not each.why for each in became)
    return await page(
        request,
        "ewaybills.html",
        nav="shipments",
        status_code=422 if fault else 200,
        wanted=[(each, [(i.number, rupees(i.value)) for i in each.invoices]) for each in found],
        wanted_max=WANTED_MAX,
        may_act=user(request).may(Role.DISPATCHER),
        columns=COLUMNS,
        rows_max=grouped(ROWS_MAX),
        size_max=f"{FILE_BYTES_MAX // 1024**2} MB",
        fault=fault,
        became=became,
        done=grouped(done),
        refused=grouped(len(became) - done),
    )


async def _wanted(request: AnyRequest) -> list[ewaybill_rows.Wanted]:
    threshold = tools_of(request).settings.intake_rules.ewaybill_threshold
    async with tools_of(request).pool.acquire() as connection:
        return await ewaybill_rows.wanted(connection, user(request).facilities, threshold, WANTED_MAX)


async def _done(request: AnyRequest, rows: list[Row], doubtful: set[str], *, schedule: bool) -> list[Became]:
    """In sets, each in a transaction of its own. The `doubtful` numbers have a row that was refused: not booked."""
    tools = tools_of(request)
    became: list[Became] = []
    doable: dict[int, list[Row]] = defaultdict(list)
    async with tools.pool.acquire() as connection:
        keys = {(row.facility, row.number) for row in rows}
        found = await ewaybill_rows.find(connection, keys, user(request).facilities)
        for row, repeated in lines_of(rows, {key: places[0][0] for key, places in found.items() if len(places) == 1}):
            places = found[row.facility, row.number]
            if why := repeated or _unclear(row, [facility for _, facility in places]):
                became.append(Became(row.line, row.number, row.invoice, row.bill.number, why=why))
                doubtful.add(row.number)
            else:
                doable[places[0][0]].append(row)
        ids = list(doable)
        for start in range(0, len(ids), BATCH):
            part = {shipment_id: doable[shipment_id] for shipment_id in ids[start : start + BATCH]}
            async with connection.transaction():
                batch = await _add(request, connection, part)
                if schedule:
                    await _book(request, connection, batch, doubtful)
            became += batch
    return became


def _unclear(row: Row, facilities: list[str]) -> str:
    if not facilities:
        at = f" at facility {row.facility}" if row.facility else ""
        return f"There is no shipment {row.number}{at}."
    if len(facilities) > 1:
        return f"Shipment {row.number} is one of {' and one of '.join(facilities)}: give its facility."
    return ""


async def _add(request: AnyRequest, connection: Connection, part: dict[int, list[Row]]) -> list[Became]:
    now, rules = await showing.clock(connection), tools_of(request).settings.intake_rules
    given = {shipment_id: {row.invoice: row.bill for row in rows} for shipment_id, rows in part.items()}
    added = await ewaybills.add(connection, given, rules, actor(request), now)
    return [
        Became(
            row.line,
            row.number,
            row.invoice,
            row.bill.number,
            shipment_id,
            added[shipment_id].refused.get(row.invoice, ""),
        )
        for shipment_id, rows in part.items()
        for row in rows
    ]


async def _book(request: AnyRequest, connection: Connection, became: list[Became], doubtful: set[str]) -> None:
    wrong = doubtful | {each.number for each in became if each.why}
    ids = {each.shipment_id for each in became if each.number not in wrong}
    now = await showing.clock(connection)
    await shipments.schedule_all(connection, sorted(ids), now, actor=actor(request), run=1)


@get("/shipments/{shipment_id:int}/ewaybills", guards=[dispatching], include_in_schema=False)
async def form_page(request: AnyRequest, shipment_id: FromPath[int]) -> Template:
    found = await shipment_of(request, shipment_id)
    typed: dict[str, str] = {}
    for at, each in enumerate(found.shipment.invoices):
        until = each.ewaybill_expires_on
        typed |= {f"{at}.number": each.ewaybill_number, f"{at}.expires_on": until.isoformat() if until else ""}
    return await _form(request, found, typed, ())


@post("/shipments/{shipment_id:int}/ewaybills", guards=[dispatching, from_our_pages], include_in_schema=False)
async def give(request: AnyRequest, shipment_id: FromPath[int]) -> Template | Redirect:
    """Fields, by the place of the invoice: 0.invoice, 0.number, 0.expires_on; schedule."""
    found, tools, form = await shipment_of(request, shipment_id), tools_of(request), await form_of(request)
    places, bills, faults = _read(form)
    if faults:
        return await _form(request, found, form, faults)
    async with tools.pool.acquire() as connection, connection.transaction():
        now, rules = await showing.clock(connection), tools.settings.intake_rules
        added = (await ewaybills.add(connection, {found.id: bills}, rules, actor(request), now, whole=True))[found.id]
        if form.ticked("schedule") and not added.refused:
            await shipments.schedule_all(connection, [found.id], now, actor=actor(request), run=1)
    if added.refused:
        wrong = [Fault(f"{places[invoice]}.number", "", why) for invoice, why in added.refused.items()]
        return await _form(request, found, form, wrong)
    count = len(added.changed)
    sentence = f"{counted(count, 'e-way bill')} changed." if count else "Nothing was changed."
    return told(request, f"/shipments/{found.id}", sentence)


def _read(form: Form) -> tuple[dict[str, int], dict[str, Ewaybill], list[Fault]]:
    """Where each invoice stands in the form, what it shall have, and what is wrong."""
    findings = Findings()
    places: dict[str, int] = {}
    bills: dict[str, Ewaybill] = {}
    for at in range(len(form)):
        invoice = form.get(f"{at}.invoice", "")
        if not invoice:
            break
        given = {name: form.get(f"{at}.{name}", "") for name in FIELDS}
        places[invoice], bills[invoice] = at, ewaybill(Reader(given, FIELDS, findings, path=str(at)))
    return places, bills, findings.faults


async def _form(request: AnyRequest, found: Seen, typed: object, faults: Collection[Fault]) -> Template:
    threshold = tools_of(request).settings.intake_rules.ewaybill_threshold
    return await page(
        request,
        "ewaybill_form.html",
        nav="shipments",
        status_code=422 if faults else 200,
        shipment=found,
        invoices=[(each.number, rupees(each.value), each.value > threshold) for each in found.shipment.invoices],
        threshold=rupees(threshold),
        typed=typed,
        faults=faults,
        fault=by_field(list(faults)),
        waits=found.progress.run == 0 and bool(standing(found.progress.hold)),
    )


@post("/shipments/{shipment_id:int}/transporter", guards=[dispatching, from_our_pages], include_in_schema=False)
async def changed(request: AnyRequest, shipment_id: FromPath[int]) -> Redirect:
    """A person's word that the transporter was changed at the portal. Field: back."""
    found, form = await shipment_of(request, shipment_id), await form_of(request)
    async with tools_of(request).pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        count = await transporters.changed_at_the_portal(connection, found.id, actor(request), now)
    where = back_of(form.get("back", ""), f"/shipments/{found.id}")
    if not count:
        return told(request, where, "Nothing was left to change.", well=False)
    return told(request, where, f"Shipment {found.shipment.number}: its transporter is changed.")


ROUTES = [wanted, blank_file, load, form_page, give, changed]
