"""Operations on what is set up once: the key itself, shipping providers with their connectors, facilities."""

from bilty.intake import limits
from bilty.store.access import Scope
from bilty.web.api.facilities import not_its
from bilty.web.describe.common import LIMIT, code_of, raised
from bilty.web.describe.shapes import Answer, Body, Link, Operation, Parameter, Problem, Schema
from bilty.web.documents import (
    ConnectorAnswer,
    FacilitiesAnswer,
    FacilityAnswer,
    KeyAnswer,
    ProviderAnswer,
    ProvidersAnswer,
)

_PROVIDER = {"kind": "clickpost_b2b", "name": "ClickPost B2B", "enabled": True}
_CONNECTOR = {
    "username": "malnad",
    "packslip_required": False,
    "pickup_after_minutes": 30,
    "appointment_after_days": 2,
    "calls_at_once": 50,
    "calls_per_second": 20,
}
_FACILITY = {
    "name": "Store manager",
    "organisation": "Malnad Traders",
    "phone": "9876543211",
    "email": "stores@example.com",
    "address": "No. 7, Peenya 2nd Stage",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560058",
    "country": "IN",
    "gstin": "29AAGCB7383J1Z4",
    "location_code": "",
    "time_zone": "Asia/Kolkata",
    "opens_at": "09:00",
    "closes_at": "18:30",
    "days_off": ["sunday"],
    "holidays": ["2027-01-26"],
}
_PROVIDER_ANSWER = {
    "code": "clickpost-b2b",
    **_PROVIDER,
    "connector_set": True,
    "paused_at": None,
    "alarmed_at": None,
    "silent_since": None,
    "quiet_until": None,
    "problems": [],
}
_CONNECTOR_ANSWER = {**_CONNECTOR, "key_ends_with": "6789"}
_FACILITY_ANSWER = {**_FACILITY, "code": "BLR-1", "warnings": []}
_PROVIDER_CODE = code_of("shipping provider", "clickpost-b2b")
_FACILITY_CODE = code_of("facility", "BLR-1")
_SAME_CODE = {"code": "$request.path.code"}


def _provider(status: int, about: str, *more: str) -> Answer:
    links = (
        Link(name="provider", to="readProvider", parameters=_SAME_CODE),
        Link(name="connector", to="readConnector", parameters=_SAME_CODE),
        Link(name="update connector", to="putConnector", parameters=_SAME_CODE),
    )
    return Answer(status=status, about=about, shape=ProviderAnswer, example=_PROVIDER_ANSWER, headers=more, links=links)


def _facility(status: int, about: str, *more: str) -> Answer:
    links = (Link(name="facility", to="readFacility", parameters=_SAME_CODE),)
    return Answer(status=status, about=about, shape=FacilityAnswer, example=_FACILITY_ANSWER, headers=more, links=links)


def _connector(about: str) -> Answer:
    return Answer(status=200, about=about, shape=ConnectorAnswer, example=_CONNECTOR_ANSWER)


def _invalid(field: str, value: str, message: str) -> Problem:
    return Problem(status=422, code="invalid", detail=message, field=field, value=value)


def _sent(schema: str, example: Schema) -> Body:
    return Body(schema=schema, examples={"all fields": {name: value for name, value in example.items() if value != ""}})


OPERATIONS = (
    Operation(
        id="readKey",
        topic="The key",
        method="GET",
        path="/key",
        summary="Who this key is",
        about="An order system's first question: does the key work, and what may it do?",
        scope=Scope.READ,
        answers=(
            Answer(
                status=200,
                about="The key, and what it opens.",
                shape=KeyAnswer,
                example={"name": "Order system", "scope": "dispatch", "facilities": None, "expires_at": None},
            ),
        ),
    ),
    Operation(
        id="listProviders",
        topic="Shipping providers",
        method="GET",
        path="/shipping-providers",
        summary="The shipping providers, and how they are",
        about="All of them, on one page.",
        scope=Scope.READ,
        answers=(
            Answer(
                status=200,
                about="The shipping providers, each with what is the matter with it.",
                shape=ProvidersAnswer,
                example={"items": [_PROVIDER_ANSWER], "next": None},
            ),
        ),
    ),
    Operation(
        id="readProvider",
        topic="Shipping providers",
        method="GET",
        path="/shipping-providers/{code}",
        summary="One shipping provider",
        about="With whether it can be used now, and why not.",
        scope=Scope.READ,
        parameters=(_PROVIDER_CODE,),
        answers=(_provider(200, "The shipping provider, and what is the matter with it."),),
    ),
    Operation(
        id="putProvider",
        topic="Shipping providers",
        method="PUT",
        path="/shipping-providers/{code}",
        summary="Add or change a shipping provider",
        about="The whole of it is sent each time. Its username and key go to its connector.",
        scope=Scope.ADMIN,
        parameters=(_PROVIDER_CODE,),
        body=_sent("NewProvider", _PROVIDER),
        all_facilities=True,
        answers=(_provider(200, "It was there, and is now so."), _provider(201, "It is new.")),
        problems=(_invalid("kind", '"courier"', 'kind is "courier": give "clickpost_b2b".'),),
    ),
    Operation(
        id="readConnector",
        topic="Shipping providers",
        method="GET",
        path="/shipping-providers/{code}/connector",
        summary="Its connector, without the key",
        about="A key goes in and never comes out; its last characters let a person recognise it.",
        scope=Scope.READ,
        parameters=(_PROVIDER_CODE,),
        answers=(_connector("The connector, with the last characters of its key."),),
        problems=(
            Problem(
                status=404,
                code="no_connector",
                detail="ClickPost B2B has no connector yet: PUT its username and key here.",
            ),
        ),
    ),
    Operation(
        id="putConnector",
        topic="Shipping providers",
        method="PUT",
        path="/shipping-providers/{code}/connector",
        summary="Update Connector",
        about="A key that is left out stays as it is. What a refused key had paused goes on by itself.",
        scope=Scope.ADMIN,
        parameters=(_PROVIDER_CODE,),
        body=_sent("NewConnector", {**_CONNECTOR, "key": "copied-from-clickpost"}),
        all_facilities=True,
        answers=(_connector("The connector as it is now."),),
        problems=(_invalid("username", "null", "username is missing: give 1 to 100 characters."),),
    ),
    Operation(
        id="listFacilities",
        topic="Facilities",
        method="GET",
        path="/facilities",
        summary="The facilities that the key opens, by the page",
        about="In the order of their codes. The next page is where `next` says.",
        scope=Scope.READ,
        parameters=(
            LIMIT,
            Parameter(
                name="after",
                place="query",
                about="Only those whose codes follow this one. `next` fills it in.",
                schema={"type": "string", "pattern": f"^[ -~]{{0,{limits.CODE_CHARS_MAX}}}$"},
                example="BLR-1",
            ),
        ),
        answers=(
            Answer(
                status=200,
                about="A page of facilities.",
                shape=FacilitiesAnswer,
                example={"items": [_FACILITY_ANSWER], "next": None},
            ),
        ),
    ),
    Operation(
        id="readFacility",
        topic="Facilities",
        method="GET",
        path="/facilities/{code}",
        summary="One facility",
        about="A facility is where boxes are fetched from.",
        scope=Scope.READ,
        parameters=(_FACILITY_CODE,),
        answers=(_facility(200, "The facility."),),
    ),
    Operation(
        id="putFacility",
        topic="Facilities",
        method="PUT",
        path="/facilities/{code}",
        summary="Add or change a facility",
        about="The whole of it is sent each time.",
        scope=Scope.ADMIN,
        parameters=(_FACILITY_CODE,),
        body=_sent("NewFacility", _FACILITY),
        answers=(_facility(200, "It was there, and is now so."), _facility(201, "It is new.")),
        problems=(
            raised(not_its("Pune", ["PNQ-1"])),
            _invalid("pincode", '"12"', 'pincode is "12": give a PIN code of 6 digits, as in 560001.'),
        ),
    ),
)
