"""Many shipments in one request: rows in, a line for each out, and a last line for them all."""

import msgspec

from bilty.store.access import Scope
from bilty.web.api.bulk import CSV, NDJSON, NOT_ROWS
from bilty.web.bulk.reading import EMPTY
from bilty.web.bulk.results import AllDone, BrokenOff, RowRefused, RowTaken
from bilty.web.bulk.stream import (
    ENCODED,
    NO_ROOM,
    NOT_READ,
    SENDER_PAUSES_S_MAX,
    STALLED,
    STOPPING,
    TOO_MANY,
    UTF_16,
)
from bilty.web.describe.examples import NEW_SHIPMENT
from bilty.web.describe.shapes import Answer, Body, Operation, Parameter, Problem
from bilty.workflow import Status

ABOUT = (
    "One document a line, each as POST /shipments takes it (`application/x-ndjson`, or `application/jsonl`), or an "
    "order file (`text/csv`, docs/order-file.md). The answer has a line for each shipment, in the order in which they "
    "came, and begins while rows are still coming: `result` is `new`, `same` or `refused`. Its last line has `done`: "
    "true, or false with the line to go on from. An answer without it was torn off.\n\n"
    "Whatever happened, all may be sent again: what is there already is told as `same`, and is not booked twice. "
    "Idempotency-Key is passed over. There is no limit to the body; a document has at most 2 MB, and between two "
    f"pieces of the body at most {SENDER_PAUSES_S_MAX:g} s may go by. Where an answer has begun, a problem of the "
    "list below is its last line."
)
FILE = """number,facility,shipping_provider,consignee_name,consignee_organisation,consignee_phone,consignee_address,\
consignee_city,consignee_state,consignee_pincode,payment_mode,invoice_number,invoice_date,invoice_value,\
boxes,length_cm,breadth_cm,height_cm,weight_g
SO-2001,BLR-1,clickpost-b2b,Receiving desk,Sahyadri Distributors,9876543210,Plot 14,\
Pune,Maharashtra,411018,prepaid,INV-1,2026-11-20,23600.00,2,40,30,25,12500
SO-2001,,,,,,,,,,,,,,1,60,30,25,8000
"""
TOLD = "".join(
    msgspec.json.encode(line).decode() + "\n"
    for line in (
        RowTaken(
            row=1,
            rows=(1, 1),
            result="new",
            id=1041,
            number="SO-1001",
            facility="BLR-1",
            status=Status.CREATED,
            awb=None,
            label_url=None,
            problem=None,
            warnings=(),
        ),
        AllDone(rows=1, new=1, same=0, refused=0),
    )
)

OPERATIONS = (
    Operation(
        id="createShipments",
        topic="Shipments",
        method="POST",
        path="/shipments/bulk",
        summary="Take many shipments in, a result for each",
        about=ABOUT,
        scope=Scope.DISPATCH,
        keyed=False,
        parameters=(
            Parameter(
                name="schedule",
                place="query",
                about="Whether the shipments of an order file are booked at once. A document says it itself.",
                schema={"type": "string", "enum": ["true", "false"]},
                example="true",
            ),
        ),
        body=Body(
            schema={"type": "string", "minLength": 1},
            examples={"a document a line": msgspec.json.encode(NEW_SHIPMENT).decode() + "\n"},
            media=NDJSON,
        ),
        also=(Body(schema={"type": "string", "minLength": 1}, examples={"an order file": FILE}, media=CSV),),
        answers=(
            Answer(
                status=200,
                about="A line for each shipment, and the last.",
                shape={"type": "string"},
                example=TOLD,
                media=NDJSON,
                lines=(RowTaken, RowRefused, AllDone, BrokenOff),
            ),
        ),
        problems=(
            Problem(status=400, code="empty", detail=EMPTY),
            Problem(status=408, code="stalled", detail=STALLED.format(SENDER_PAUSES_S_MAX)),
            Problem(status=408, code="not_read", detail=NOT_READ),
            Problem(status=415, code="not_rows", detail=NOT_ROWS),
            Problem(status=415, code="not_utf_8", detail=UTF_16),
            Problem(status=415, code="encoded", detail=ENCODED),
            Problem(
                status=422, code="invalid", detail="The file has a header and no orders: give each box group a row."
            ),
            Problem(status=429, code="too_many_streams", detail=TOO_MANY, headers=("Retry-After",)),
            Problem(status=503, code="stopping", detail=STOPPING, headers=("Retry-After",)),
            Problem(status=503, code="no_room", detail=NO_ROOM),
        ),
    ),
)
