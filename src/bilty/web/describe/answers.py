"""What is answered: schemas taken from the structs that are answered, with what their fields mean."""

from collections.abc import Iterable
from typing import Any

import msgspec

from bilty.web.describe.shapes import Schema

REF = "#/components/schemas/{name}"
MOMENTS = {"at", "since", "until"}
"""How names of fields end that hold a moment: msgspec says of them only that they are text."""
MONEY = "^[0-9]+\\.[0-9]{2}$"

ABOUT: dict[str, dict[str, str]] = {
    "ShipmentAnswer": {
        "id": "Bilty's own number of it.",
        "courier": "Who has the shipment, or is being asked for it.",
        "awb": "The courier's waybill number, once there is one.",
        "label_url": "Where its label is, with the same key; null while there is none.",
        "run": "How often it was booked: 0 before the first time.",
        "polls_done": "How often the courier now waited for was asked for the label.",
        "next_poll_at": "When it is asked next.",
        "window_ends_at": "When the next courier is asked instead.",
        "problem": "Why it waits for a person; null while it does not.",
        "warnings": "What a person should look at before a courier does.",
        "order_number": "As sent; the shipment's number where none was.",
    },
    "Problem": {
        "code": "For programs.",
        "message": "What happened.",
        "remedy": "What the reader can do.",
    },
    "CourierTaken": {
        "cp_id": "ClickPost's number of the courier.",
        "account_code": "Which account with it.",
        "priority": "1 is asked first.",
    },
    "ShipmentPage": {"next": "Where the next page is; null on the last."},
    "BoxAnswer": {
        "number": "From 1, in the order in which boxes were sent.",
        "reference": "What the courier was told.",
        "awb": "The box's own waybill number, once there is one.",
    },
    "MomentAnswer": {
        "run": "Which booking it belongs to, if any.",
        "priority": "The courier's place in that booking.",
        "reference": "What the courier was told as the shipment's reference.",
        "state": "What state the turn came to.",
        "message": "What the courier said.",
        "told": "The same as a sentence, as the panel shows it.",
    },
    "ProviderAnswer": {
        "connector_set": "Whether it has a username and key.",
        "paused_at": "Since when nothing is sent to it, because it rejects the key.",
        "alarmed_at": "Since when it answers badly.",
        "silent_since": "Since when it does not answer.",
        "problems": "What is the matter, as sentences.",
    },
    "ConnectorAnswer": {"key_ends_with": "The last characters of the key, to recognise it by."},
    "FacilityAnswer": {"warnings": "What a person should look at before a courier does."},
    "EndpointAnswer": {
        "state": "disabled is Bilty's doing after long failure, off a person's.",
        "failing_since": "Since when nothing was received there.",
        "owed": "How many events are still to be told, counted to 10,001.",
        "owed_since": "When the oldest of those happened.",
        "old_secret_until": "Until when the secret before signs, too.",
        "secret": "Where one was just made; else null.",
    },
    "DeliveryAnswer": {
        "event": "The event's id, as `webhook-id` names it.",
        "at": "When it happened.",
        "status": "What the receiver answered last.",
        "why": "What was wrong with the last try.",
        "next_try_at": "null while it waits behind another of its shipment.",
    },
    "SecretAnswer": {"old_secret_until": "Until when those before sign, too."},
    "ReplayAnswer": {"deliveries": "How many are new."},
    "KeyAnswer": {
        "facilities": "Codes of those it opens; null for all, also those added later.",
        "scope": "read, dispatch or admin.",
    },
    "RowTaken": {
        "row": "The line on which it begins, counted from 1.",
        "rows": "Its first line and its last.",
        "id": "Bilty's own number of it.",
        "awb": "The courier's waybill number, once there is one.",
        "problem": "Why it waits for a person; null while it does not.",
    },
    "RowRefused": {
        "row": "The line on which it begins, counted from 1.",
        "rows": "Its first line and its last.",
        "id": "Of the shipment that has this number with other content; else null.",
        "number": "As far as it could be read.",
        "type": "As a problem's.",
        "detail": "What is wrong, and what to do.",
        "errors": "Each faulty field.",
    },
    "RowError": {
        "line": "On which line it stands.",
        "field": "Its path, as in boxes[2].weight_g; in an order file its column.",
    },
    "BrokenOff": {
        "type": "As a problem's.",
        "detail": "Why nothing more was taken, and what to do.",
        "resume": "The line to go on from.",
    },
    "ProblemDetails": {
        "type": "Names the problem for programs, and never changes.",
        "title": "The status in words.",
        "detail": "What happened and what to do.",
        "instance": "The address that was asked.",
        "errors": "Each faulty field.",
    },
    "FieldError": {
        "field": "Its path, as in boxes[2].weight_g.",
        "value": "What was given, cut short.",
        "message": "What is wrong, and what to give.",
    },
}


def components(structs: Iterable[type[msgspec.Struct]]) -> dict[str, Schema]:
    """A schema for each of them and for what they hold."""
    _, found = msgspec.json.schema_components(structs, ref_template=REF)
    return {name: _answered(name, schema) for name, schema in found.items()}


def _answered(name: str, schema: Schema) -> Schema:
    """Every field is written, whatever its default. What `omit_defaults` leaves out is `ProblemDetails`' alone."""
    if schema.get("type") != "object":
        return schema
    fields = {field: _plain(inner) for field, inner in schema["properties"].items()}
    fields |= {field: _moment(inner) for field, inner in fields.items() if field.split("_")[-1] in MOMENTS}
    for field, about in ABOUT.get(name, {}).items():
        fields[field] = {**fields[field], "description": about}
    needed = schema["required"] if name == "ProblemDetails" else list(fields)
    return {**schema, "properties": fields, "required": needed}


def _moment(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [_moment(each) for each in schema["anyOf"]]}
    return {**schema, "format": "date-time"} if schema.get("type") == "string" else schema


def _plain(schema: Any) -> Any:
    """Without defaults, which say nothing about an answer, and with what a decimal string looks like."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        return {"type": "string", "pattern": MONEY}
    return {name: _plain(inner) for name, inner in schema.items() if name != "default"}
