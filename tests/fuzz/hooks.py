"""What schemathesis is told beside the description: values that a schema cannot ask for, and what is no failure.

It runs in a process of its own (`fuzz.driving`), and imports this by name.
"""

import itertools
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import EnsureResourceAvailability

from bilty.web.describe import description
from bilty.web.describe.examples import NEW_SHIPMENT
from fuzz.plain import said_plainly, valid

NOW = datetime.now(UTC)
FACILITIES, PROVIDERS = ("BLR-1", "PNQ-1"), ("clickpost-b2b",)
SLOT = {"starts_at": "2090-11-27T10:00:00+05:30", "ends_at": "2090-11-27T12:00:00+05:30"}
HOURS = {"opens_at": "09:00", "closes_at": "18:30"}
SAME = {**NEW_SHIPMENT, "facility": FACILITIES[-1], "number": "SAME-1", "schedule": False}
AS_IT_IS = ("application/x-ndjson", "text/csv", "application/pdf")
SHIPMENTS = 30
AnyCase: TypeAlias = "Case[Any]"
EXAMPLE_KEY = re.compile(r"[!#-~](?:[ -~]*[!-~])?")
WAIT = re.compile(r"wait\s*=\s*\"?[0-9]+\"?")
_numbers = itertools.count(1)
ONLY = os.environ.get("FUZZ_FACILITY", "")
SEEN = Path(os.environ["FUZZ_SEEN"]) if "FUZZ_SEEN" in os.environ else None

# Formats that are ours, and two whose values must lie in our days.
schemathesis.openapi.format("phone", st.sampled_from(["9876543210", "+919876543210", "08022221111", "022 2222 1111"]))
schemathesis.openapi.format("gstin", st.sampled_from(["29AAGCB7383J1Z4", "27AAPFU0939F1ZV"]))
schemathesis.openapi.format("time-zone", st.sampled_from(["Asia/Kolkata", "UTC", "Asia/Dubai"]))
schemathesis.openapi.format("date", st.sampled_from([NOW.date().isoformat()]))
schemathesis.openapi.format(
    "date-time",
    st.integers(1, 60 * 24 * 90).map(lambda minutes: (NOW + timedelta(minutes=minutes)).isoformat(timespec="seconds")),
)


@schemathesis.serializer(*AS_IT_IS)
def as_it_is(context: Any, value: Any) -> bytes:
    """What a row or a label holds is for the tests of streams and uploads."""
    del context
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_call(context: HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    """What is good by the schema is made to fit what there is, mostly: else nearly all would be refused."""
    del context, kwargs
    number = next(_numbers)
    _shorten_wait(case, number)
    if case.meta is None or not case.meta.generation.mode.is_positive or not number % 5:
        return
    operation = case.operation.definition.raw.get("operationId")
    if operation == "createShipment" and isinstance(case.body, dict):
        case.body = SAME if not number % 3 else {**_consistent(case.body), "number": f"F-{os.getpid()}-{number}"[:30]}
    if operation == "amendShipment" and isinstance(case.body, dict):
        case.body = {
            name: value for name, value in _consistent(case.body).items() if name not in {"number", "facility"}
        }
    if operation == "putFacility" and isinstance(case.body, dict):
        case.body = {**case.body, **HOURS}
    if case.meta.phase.name.value != "stateful":
        _lead_to_what_is_there(case, operation, number)


def _shorten_wait(case: AnyCase, number: int) -> None:
    """Few wait, and no longer than a second: there is much to ask. An Idempotency-Key that has been used before says
    nothing of the rest, so most are made new; and no schema knows the present ETag, so most say that any will do.
    """
    for name, value in dict(case.headers or {}).items():
        match name.lower(), value:
            case "prefer", str():
                case.headers[name] = WAIT.sub("handling=lenient" if number % 8 else "wait=1", value)
            case "idempotency-key", str() if number % 8 and EXAMPLE_KEY.fullmatch(value):
                case.headers[name] = f"{value[:200]}.{number}"
            case "if-none-match", str() if not number % 3:
                case.headers[name] = "*"
            case "if-match", str() if number % 4 and value:
                case.headers[name] = "*"


def _lead_to_what_is_there(case: AnyCase, operation: str, number: int) -> None:
    """Shipment 1 has its label, and keeps it."""
    parameters = case.path_parameters or {}
    if isinstance(parameters.get("shipment_id"), int):
        spared = operation in {"cancelShipment", "decideShipment", "amendShipment"} or number % 2
        case.path_parameters["shipment_id"] = 2 + number % SHIPMENTS if spared else 1
    if "hand-off-endpoints" in case.operation.path and isinstance(parameters.get("code"), str):
        case.path_parameters["code"] = "to-go" if case.method == "DELETE" else "oms"


def _consistent(body: dict[str, Any]) -> dict[str, Any]:
    body = dict(body)
    for name, known in (("facility", FACILITIES), ("shipping_provider", PROVIDERS)):
        if isinstance(body.get(name), str):
            body[name] = known[len(body[name]) % len(known)]
    numbers = {
        name: _numbered(body, of) for name, of in (("invoice", "invoices"), ("purchase_order", "purchase_orders"))
    }
    if isinstance(body.get("boxes"), list):
        body["boxes"] = [_box(box, numbers) for box in body["boxes"][:200]]
    if isinstance(body.get("invoices"), list):
        body["invoices"] = [_invoice(each) for each in body["invoices"]]
    if isinstance(body.get("payment"), dict) and body["payment"].get("mode") == "cod":
        body["payment"] = {"mode": "cod", "cod_amount": "23600.00"}
    slot = body.get("appointment")
    if isinstance(slot, dict) and all(isinstance(slot.get(each), str) for each in ("starts_at", "ends_at")):
        body["appointment"] = {**slot, **SLOT}
    return body


def _invoice(invoice: Any) -> Any:
    """Either taxes of one state or that across states; no last day without a number."""
    left_out = ("igst", "ewaybill_expires_on")
    return (
        {name: value for name, value in invoice.items() if name not in left_out}
        if isinstance(invoice, dict)
        else invoice
    )


def _box(box: Any, numbers: dict[str, list[str]]) -> Any:
    """It names what there is, and is one of few, with few items."""
    if not isinstance(box, dict):
        return box
    box = {name: value for name, value in box.items() if numbers.get(name, True)}
    box |= {name: known[0] for name, known in numbers.items() if name in box and known}
    if isinstance(box.get("items"), list):
        box["items"] = box["items"][:5]
    return {**box, "count": 1} if "count" in box else box


def _numbered(body: dict[str, Any], of: str) -> list[str]:
    """The numbers of the documents, each made different from the others."""
    documents = body.get(of)
    if not isinstance(documents, list):
        return []
    for index, each in enumerate(documents):
        if index and isinstance(each, dict) and isinstance(each.get("number"), str):
            documents[index] = {**each, "number": f"{each['number'].strip()[:40]}-{index}"}
    return [
        each["number"].strip() for each in documents if isinstance(each, dict) and isinstance(each.get("number"), str)
    ]


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: AnyCase, response: Response) -> bool:
    """Data that a schema does not allow and that was accepted is no failure where the description says it is read.
    And the label of a shipment that was just taken in comes when a courier gave it.
    """
    del context, response
    if isinstance(failure, EnsureResourceAvailability):
        return not case.operation.path.endswith("/label.pdf")
    return not (isinstance(failure, AcceptedNegativeData) and _is_promised(case))


def _is_promised(case: AnyCase) -> bool:
    raw = case.operation.definition.raw
    if any(_is_faulty(case, each) for each in raw.get("parameters", [])):
        return False
    body = raw.get("requestBody")
    if not body:
        return True
    if case.media_type not in body["content"]:
        return False
    if case.media_type in AS_IT_IS:
        return True  # text is text, whatever was to be written as such; what it holds is judged in the answer
    if isinstance(case.body, type(schemathesis.core.NOT_SET)):
        return not body["required"]
    schema = body["content"][case.media_type]["schema"]
    return valid(said_plainly(case.body, schema), schema)


def _is_faulty(case: AnyCase, parameter: dict[str, Any]) -> bool:
    """A blank one is as if it were left out."""
    places = {"path": case.path_parameters, "query": case.query, "header": case.headers}
    given = dict(places[parameter["in"]] or {}).get(parameter["name"])
    if given is None or (given == "" and not parameter["required"]):
        return False
    if parameter["name"] == "Idempotency-Key":
        given = str(given).strip()
    return not valid(said_plainly(given, parameter["schema"]), parameter["schema"])


@schemathesis.hook
def after_call(context: HookContext, case: AnyCase, response: Response) -> None:
    """Which of the answers that are described were seen at all."""
    del context
    if SEEN is not None:
        with SEEN.open("a") as file:
            operation = case.operation.definition.raw.get("operationId")
            mode = case.meta.generation.mode.value if case.meta else ""
            file.write(json.dumps([operation, case.method, mode, response.status_code]) + "\n")


@schemathesis.check
def only_its_facility(context: schemathesis.CheckContext, response: Response, case: AnyCase) -> None:
    """A key of one facility is told of nothing else."""
    del context, case
    if ONLY:
        found = set(re.findall(rb'"facility": ?"([^"]*)"', response.content)) - {ONLY.encode()}
        assert not found, f"a key of {ONLY} was told of {found}"


assert description()["openapi"].startswith("3.1")
