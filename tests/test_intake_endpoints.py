"""Reading a hand-off endpoint and a replay: each fault is named with its remedy, and no secret is ever shown."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bilty.hand_off import EventKind
from bilty.intake import Rejected
from bilty.intake.endpoints import (
    EndpointRules,
    NewEndpoint,
    OneAgain,
    RangeAgain,
    parse_endpoint,
    parse_replay,
    parse_secret,
)
from bilty.outgoing.addresses import is_public

KINDS = tuple(str(kind) for kind in EventKind)
STRICT = EndpointRules(KINDS, allow_private=False, is_public=is_public)
INSIDE = EndpointRules(KINDS, allow_private=True, is_public=is_public)
GOOD = {"url": "https://oms.example.com/bilty?door=7", "events": ["shipment.label_ready"]}
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
EVENT = "evt_" + "0123456789abcdef" * 2


def told(parsed: object) -> str:
    assert isinstance(parsed, Rejected), parsed
    return " ".join(fault.message for fault in parsed.faults)


def test_what_is_left_out_has_its_meaning() -> None:
    assert parse_endpoint("oms", GOOD, STRICT) == NewEndpoint(
        "oms", "https://oms.example.com/bilty?door=7", ("shipment.label_ready",), None, enabled=True, secret=None
    )


def test_everything_may_be_given_and_is_put_in_order() -> None:
    given = {
        **GOOD,
        "events": ["shipment.failed", "shipment.label_ready", "shipment.failed"],
        "facilities": ["PNQ-1", "BLR-1", "BLR-1"],
        "enabled": False,
        "secret": SECRET,
    }
    read = parse_endpoint("oms", given, STRICT)
    assert isinstance(read, NewEndpoint)
    assert read.events == ("shipment.label_ready", "shipment.failed")
    assert read.facilities == ("BLR-1", "PNQ-1")
    assert (read.enabled, read.secret) == (False, SECRET)


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://oms.example.com/", "begin it with https://"),
        ("ftp://oms.example.com/", "begins with https://"),
        ("oms.example.com", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://oms.example.com:0/", "begins with https://"),
        ("https://oms.example.com:99999/", "begins with https://"),
        ("https://[::1/", "begins with https://"),
        ("https://oms.example.com/a b", "begins with https://"),
        ("https://oms.example.com/\u00e9", "begins with https://"),
        ("https://oms.example.com/\nx", "begins with https://"),
        ("https://^K<e", "begins with https://"),
        ("https://oms.example.com/<order>", "begins with https://"),
        ("https://oms.example.com/100%", "begins with https://"),
        ("https://" + "o" * 2000, "at most 2000 characters"),
        ("https://asha:door@oms.example.com/", "take the user and password out"),
        ("https://oms.example.com/#part", "take out the part behind #"),
        ("https://127.0.0.1/", "lies inside a network"),
        ("https://10.1.2.3:8443/", "lies inside a network"),
        ("https://169.254.169.254/latest", "lies inside a network"),
        ("https://[::1]/", "lies inside a network"),
        ("https://[::ffff:10.0.0.1]/", "lies inside a network"),
        ("https://2130706433/", "lies inside a network"),
        ("https://127.1/", "lies inside a network"),
        ("https://0x7f000001/", "lies inside a network"),
        ("https://0x7f.1/", "lies inside a network"),
        ("https://127.0.0.1./", "lies inside a network"),
        ("https://localhost/", "lies inside a network"),
        ("https://oms.localhost:8443/", "lies inside a network"),
        (7, "begins with https://"),
        (["https://oms.example.com/"], "begins with https://"),
    ],
)
def test_an_address_that_cannot_be_told_is_refused_with_the_remedy(url: object, remedy: str) -> None:
    assert remedy in told(parse_endpoint("oms", {**GOOD, "url": url}, STRICT))


@pytest.mark.parametrize(
    "url", ["https://8.8.8.8/", "https://[2606:4700::1111]/", "https://oms.example.com:8443/x?y=z"]
)
def test_a_public_address_is_taken(url: str) -> None:
    assert isinstance(parse_endpoint("oms", {**GOOD, "url": url}, STRICT), NewEndpoint)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/", "http://oms.lan/x", "https://10.0.0.1/", "http://localhost/"]
)
def test_a_private_one_is_taken_where_the_setting_says_so(url: str) -> None:
    assert isinstance(parse_endpoint("oms", {**GOOD, "url": url}, INSIDE), NewEndpoint)


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"events": []}, "events is a list of 0: give a list of at least one of shipment.label_requested"),
        ({"events": "shipment.failed"}, "give a list of at least one of"),
        ({"events": [7]}, "give a list of at least one of"),
        ({"events": ["shipment.label_redy"]}, '"shipment.label_redy" is no event'),
        ({"facilities": []}, "name at least one, or leave it out for all"),
        ({"facilities": ["a b"]}, "facilities is a list of 1"),
        ({"facilities": "BLR-1"}, "leave it out for all"),
        ({"enabled": "perhaps"}, "give true or false"),
        ({"kinds": []}, "kinds is not a field here"),
        ({"events": None}, "events is missing"),
        ({"url": ""}, "url is missing"),
    ],
)
def test_other_faults_are_named(changed: dict[str, object], remedy: str) -> None:
    assert remedy in told(parse_endpoint("oms", {**GOOD, **changed}, STRICT))


def test_a_question_ends_with_its_mark() -> None:
    said = told(parse_endpoint("oms", {**GOOD, "events": ["shipment.label_redy"]}, STRICT))
    assert said.endswith('"shipment.label_redy" is no event; did you mean shipment.label_ready?')
    assert told(parse_endpoint("oms", {**GOOD, "events": ["zzz"]}, STRICT)).endswith("shipment.cancelled.")


@pytest.mark.parametrize("code", ["", "a b", "new", "x" * 41, "ö"])
def test_a_code_is_what_addresses_can_hold(code: str) -> None:
    assert "code is" in told(parse_endpoint(code, GOOD, STRICT))


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2-hunter2-hunter2",
        SECRET.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        SECRET + "!",
        ["whsec_hidden"],
    ],
)
def test_a_secret_that_cannot_be_used_is_not_shown(secret: object) -> None:
    for parsed in (parse_endpoint("oms", {**GOOD, "secret": secret}, STRICT), parse_secret({"secret": secret})):
        assert "24 to 64 random bytes in base64" in told(parsed)
        assert "hunter2" not in repr(parsed)
        assert SECRET.removeprefix("whsec_") not in repr(parsed)
        assert "whsec_hidden" not in repr(parsed)


def test_a_secret_under_another_name_is_not_shown() -> None:
    for parsed in (parse_endpoint("oms", {**GOOD, "secrt": SECRET}, STRICT), parse_secret({"secrt": SECRET})):
        assert "did you mean secret?" in told(parsed)
        assert SECRET not in repr(parsed)


def test_a_rotation_may_be_given_nothing() -> None:
    assert parse_secret(None) is None
    assert parse_secret({}) is None
    assert parse_secret({"secret": SECRET}) == SECRET


def test_a_replay_is_of_one_event_or_of_a_time() -> None:
    assert parse_replay({"event": EVENT}) == OneAgain(UUID("0123456789abcdef" * 2))
    day = {"from": "2026-11-23T00:00:00+05:30", "until": "2026-11-24T00:00:00+05:30"}
    assert parse_replay(day) == RangeAgain(
        datetime(2026, 11, 22, 18, 30, tzinfo=UTC), datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("document", "remedy"),
    [
        ({}, "event is missing: give an event's id, or a range by from and until."),
        ({"event": "evt_1"}, "give an event's id"),
        ({"event": EVENT.upper()}, "give an event's id"),
        ({"event": EVENT.removeprefix("evt_")}, "give an event's id"),
        ({"event": f"evt_{UUID(int=7)}"}, "give an event's id"),
        ({"event": EVENT, "from": "2026-11-23T00:00:00Z"}, "one event has no range"),
        ({"from": "2026-11-23T00:00:00Z"}, "until is missing"),
        ({"from": "2026-11-23T00:00:00", "until": "2026-11-24T00:00:00Z"}, "does not say its offset"),
        ({"from": "2026-11-24T00:00:00Z", "until": "2026-11-24T00:00:00Z"}, "give a time after from"),
        ({"since": "2026-11-24T00:00:00Z"}, "since is not a field here"),
        ([], "give an object with event, from, until"),
        (None, "give an object with event, from, until"),
    ],
)
def test_what_cannot_be_replayed_is_said(document: object, remedy: str) -> None:
    assert remedy in told(parse_replay(document))
