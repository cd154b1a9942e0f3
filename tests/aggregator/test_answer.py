"""What each answer means: the table of codes for each call, then the shapes that real hosts were seen to send."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import msgspec
import pytest

from aggregator.samples import NOW, envelope, received
from bilty.aggregator import AtRest, Listed
from bilty.aggregator.clickpost import answer, codes
from bilty.outgoing.outcome import NothingSent, Received, Silence
from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Child,
    Courier,
    Label,
    NotYet,
    PickedUp,
    Ranking,
    Refusal,
    Refused,
    Unclear,
    Unknown,
)

Read: TypeAlias = Callable[[Received, datetime], object]

DOCUMENTED = [
    *(102, 200, 202, *range(301, 317), *range(319, 331), *range(350, 356)),
    *(400, 420, 422, 429, 500, 600),
]
COURIER, COURIER_ACCOUNT = [311, 319, 420], [302, 316, 324, 351, 352, 353, 355]
ACCOUNT, DATA = [301, 320], [307, 308, 309, 310, 312, 313, 314, 315, 328, 400, 422]
MAY_BE_BOOKED = [322, 329, 354, 500]
BOOKED = {"waybill": "W1", "label": "https://labels.example/w1.pdf?sig=1"}
EMPTY = {"waybill": None, "label": None, "sort_code": None}


def track(heard: Received, now: datetime) -> object:
    return answer.track(heard, now, "W1")


CALLS: dict[str, Read] = {
    "rank": answer.rank,
    "ask": answer.ask,
    "inquire": answer.inquire,
    "link": answer.link,
    "track": track,
    "cancel": answer.cancel,
    "accounts": answer.accounts,
}


def refusal(code: int) -> Refusal:
    return next(
        refusal
        for refusal, listed in (
            (Refusal.COURIER, COURIER),
            (Refusal.COURIER_ACCOUNT, COURIER_ACCOUNT),
            (Refusal.ACCOUNT, ACCOUNT),
            (Refusal.DATA, DATA),
        )
        if code in listed
    )


@pytest.mark.parametrize("code", DOCUMENTED)
def test_ask(code: int) -> None:
    heard = answer.ask(received(envelope(code, EMPTY, success=False)), NOW)
    if code in (102, 202, 200, 323):
        assert heard == Accepted(message="said")
    elif code in COURIER + COURIER_ACCOUNT + ACCOUNT + DATA:
        assert heard == Refused(refusal(code), code=code, message="said")
    elif code == 429:
        assert heard == Busy(message="said", retry_after_s=1)
    else:
        assert heard == Unclear(message="said")


@pytest.mark.parametrize("code", DOCUMENTED)
def test_inquire(code: int) -> None:
    heard = answer.inquire(received(envelope(code, EMPTY)), NOW)
    if code in (102, 202, 200, 323):
        assert heard == NotYet(message="said")
    elif code in (321, 330):
        assert heard == Unknown(message="said")
    elif code in (319, 420, *COURIER_ACCOUNT, *ACCOUNT):
        assert heard == Refused(refusal(code), code=code, message="said")
    elif code == 429:
        assert heard == Busy(message="said", retry_after_s=1)
    else:  # among them 307 to 315, 328, 400 and 422: said of our GET
        assert isinstance(heard, Unclear)
        assert not heard.silent
        assert not heard.undocumented


@pytest.mark.parametrize("code", DOCUMENTED)
def test_cancel(code: int) -> None:
    heard = answer.cancel(received(envelope(code), 400), NOW)
    if code in (200, 600):
        assert heard == Cancelled(message="said")
    elif code in (102, 202):
        assert heard == NotYet(message="said")
    elif code in (321, 330):
        assert heard == Unknown(message="said")
    elif code == 350:
        assert heard == Refused(Refusal.COURIER, code=350, message="said")
    elif code in COURIER + COURIER_ACCOUNT + ACCOUNT + DATA:
        assert heard == Refused(refusal(code), code=code, message="said")
    else:
        assert isinstance(heard, Busy if code == 429 else Unclear)


@pytest.mark.parametrize("call", ["rank", "link", "track", "accounts"])
@pytest.mark.parametrize("code", [code for code in DOCUMENTED if code not in (102, 200, 202, 321, 323, 330)])
def test_the_other_calls_refuse_by_the_same_table(call: str, code: int) -> None:
    heard = CALLS[call](received(envelope(code)), NOW)
    if code in COURIER + COURIER_ACCOUNT + ACCOUNT + DATA:
        assert heard == Refused(refusal(code), code=code, message="said")
    else:
        assert isinstance(heard, Busy if code == 429 else Unclear)


def test_the_tables_do_not_overlap() -> None:
    sets = [codes.PENDING, codes.DONE, codes.NOT_FOUND, codes.MAY_BE_BOOKED, frozenset(codes.REFUSALS)]
    assert sum(map(len, sets)) == len(frozenset().union(*sets))
    assert not codes.HAS_THE_BOXES & codes.AT_REST


@pytest.mark.parametrize("code", [200, 323])
@pytest.mark.parametrize("success", [True, False])
@pytest.mark.parametrize("call", ["ask", "inquire"])
def test_an_awb_is_a_label_whatever_success_says(call: str, code: int, success: bool) -> None:
    heard = CALLS[call](received(envelope(code, BOOKED, success=success)), NOW)
    assert heard == Label("W1", BOOKED["label"], message="said")


@pytest.mark.parametrize(
    ("http", "meta", "expected"),
    [
        (420, {"message": "no"}, Refused(Refusal.COURIER, code=420, message="no")),
        (202, {}, Accepted()),
        (400, {"status": 202}, Accepted()),
        (200, {"status": "420", "message": "no"}, Refused(Refusal.COURIER, code=420, message="no")),
        (200, {"status": True}, Accepted()),
    ],
    ids=["HTTP where meta has none", "the same, queued", "meta first", "meta as text", "no number at all"],
)
def test_the_code_is_metas_else_https(http: int, meta: object, expected: object) -> None:
    assert answer.ask(received(msgspec.json.encode({"meta": meta}), http), NOW) == expected


@pytest.mark.parametrize(
    "words",
    [
        "AWB Already Exists for order",
        "Duplicate order id",
        "upstream timed out",
        "Read time-out",
        "gateway Timeout",
        "reference already placed",
    ],
)
@pytest.mark.parametrize("code", [319, 354])
@pytest.mark.parametrize("call", ["ask", "inquire"])
def test_a_refusal_that_reads_as_if_booked_is_unclear(call: str, code: int, words: str) -> None:
    assert isinstance(CALLS[call](received(envelope(code, message=words)), NOW), Unclear)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_failing_host_is_silent_whatever_it_says(call: str, status: int) -> None:
    assert CALLS[call](received(envelope(200, BOOKED), status), NOW) == Unclear(message=f"HTTP {status}", silent=True)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [
        ("7", 7),
        ("Mon, 02 Mar 2026 06:31:30 GMT", 90),
        ("Mon, 02 Mar 2026 06:00:00 GMT", 1),
        ("soon", 1),
        ("", 1),
        ("-5", 1),
        ("99999999", 3600),
    ],
)
def test_too_many_requests_are_to_be_repeated(call: str, retry_after: str, wait_s: float) -> None:
    heard = CALLS[call](received(b"slow down", 429, "text/plain", retry_after), NOW)
    assert heard == Busy(message="HTTP 429", retry_after_s=wait_s)


@pytest.mark.parametrize(
    "heard",
    [
        received(b"<html>not here</html>", 404, "text/html"),
        received(b"", 405, ""),
        received(b'{"detail":"Not found."}', 404),
        received(b"<!doctype html>welcome", 200, "text/html"),
        received(b"  <html>", 403, ""),
        received(b'{"hello":"world"}', 200),
        received(b"", 404),
        received(envelope(404)),
    ],
    ids=["404", "405", "JSON 404", "a page", "a firewall's page", "another API", "empty 404", "404 in the envelope"],
)
def test_a_status_call_that_is_not_there_is_undocumented(heard: Received) -> None:
    told = answer.inquire(heard, NOW)
    assert isinstance(told, Unclear)
    assert told.undocumented
    assert not told.silent


@pytest.mark.parametrize(
    "heard",
    [
        received(b'{"meta":{"status":200', 200),
        received(b"", 200),
        received(b'{"error":"no"}', 401),
        received(b"no", 400),
    ],
    ids=["half", "empty", "other JSON 401", "text 400"],
)
def test_a_broken_answer_is_only_unclear(heard: Received) -> None:
    for call in CALLS.values():
        told = call(heard, NOW)
        assert isinstance(told, Unclear)
        assert not told.undocumented
        assert not told.silent


def test_an_unknown_reference_is_well_formed_even_at_http_404() -> None:
    assert answer.inquire(received(envelope(321), 404), NOW) == Unknown(message="said")


def test_what_was_not_heard() -> None:
    assert answer.unheard(NothingSent("refused")) == Busy(message="refused")
    assert answer.unheard(Silence("reset")) == Unclear(message="reset", silent=True)


@pytest.mark.parametrize(
    ("waybill", "awb"),
    [("W1", "W1"), (" W1\n", "W1"), (123, "123"), (10**30, str(10**30)), ("7_1-Ä/2", "7_1-Ä/2")],
)
def test_awbs_are_normalised(waybill: object, awb: str) -> None:
    heard = answer.ask(received(envelope(200, {"waybill": waybill})), NOW)
    assert heard == Label(awb, message="said")


@pytest.mark.parametrize("waybill", [None, "", "  ", "None", "null", "N/A", 0])
def test_a_blank_awb_is_none(waybill: object) -> None:
    assert answer.ask(received(envelope(200, {"waybill": waybill})), NOW) == Accepted(message="said")
    assert answer.inquire(received(envelope(323, {"waybill": waybill})), NOW) == NotYet(message="said")


@pytest.mark.parametrize("waybill", ["W" * 65, 10**70, ["W1"], {"a": 1}, 1.5, True, "W 1", "W\x001", "W[hidden]"])
def test_an_awb_that_cannot_be_one_is_unclear(waybill: object) -> None:
    assert isinstance(answer.ask(received(envelope(200, {"waybill": waybill})), NOW), Unclear)
    assert isinstance(answer.inquire(received(envelope(323, {"waybill": waybill})), NOW), Unclear)


@pytest.mark.parametrize(
    "link", [None, "", "x.pdf", "ftp://h/x", "file:///etc/passwd", 5, ["https://h"], "https://h/[hidden]"]
)
def test_a_label_link_that_cannot_be_fetched_is_none(link: object) -> None:
    assert answer.ask(received(envelope(200, {"waybill": "W1", "label": link})), NOW) == Label("W1", message="said")


def test_children_are_read_in_each_shape_that_was_seen() -> None:
    listed = [
        {"reference_number": "S-1.001", "waybill": 12, "label": None, "item": {"sku": "A", "waybill": "WRONG"}},
        {"waybill": " W_2 ", "description": "Box 2 of 2", "sku": "B"},
        {"reference_number": None, "waybill": "W3", "item": {"sku": 7, "description": "Carton\n1"}},
        {"waybill": None},
        {"waybill": "W" * 65},
        "nonsense",
    ]
    heard = answer.inquire(received(envelope(200, {"waybill": "W", "children": listed})), NOW)
    assert heard == Label(
        "W",
        children=(
            Child("12", "S-1.001", sku="A"),
            Child("W_2", description="Box 2 of 2", sku="B"),
            Child("W3", description="Carton1", sku="7"),
        ),
        message="said",
    )


def ranking(*entries: object) -> bytes:
    return envelope(200, [{"reference_number": "R", "preference_array": list(entries)}])


def entry(priority: object, cp_id: object, account_code: object, **more: object) -> dict[str, object]:
    return {"priority": priority, "cp_id": cp_id, "account_code": account_code, "cp_name": "Big", **more}


def test_couriers_come_in_the_order_of_priority_and_of_the_list_where_that_is_alike() -> None:
    body = ranking(
        entry(2, 4, "B"),
        entry(1, 5, "Z"),
        entry(1, "6", "A", courier_name="Six"),
        entry(None, 7, "L"),
        entry(2, 3, "A"),
    )
    heard = answer.rank(received(body), NOW)
    assert heard == Ranking(
        (
            Courier(5, "Z", "Big"),
            Courier(6, "A", "Six"),
            Courier(4, "B", "Big"),
            Courier(3, "A", "Big"),
            Courier(7, "L", "Big"),
        ),
        message="said",
    )


@pytest.mark.parametrize("result", [None, [], {}, [{"preference_array": []}], [{"preference_array": None}], [{}]])
def test_an_empty_ranking_is_an_answer(result: object) -> None:
    assert answer.rank(received(envelope(200, result)), NOW) == Ranking((), message="said")


@pytest.mark.parametrize(
    "result",
    ["no", 5, ["x"], [{"preference_array": "x"}], [{"preference_array": [1, {"cp_id": "x", "account_code": "A"}]}]],
)
def test_a_ranking_of_which_nothing_can_be_read_is_unclear(result: object) -> None:
    assert isinstance(answer.rank(received(envelope(200, result)), NOW), Unclear)


def test_who_cannot_be_booked_with_is_left_out_of_the_ranking() -> None:
    body = ranking(entry(1, True, "A"), entry(1, -1, "A"), entry(1, 2**40, "A"), entry(1, 5, " "), entry(1, 5, "A"))
    assert answer.rank(received(body), NOW) == Ranking((Courier(5, "A", "Big"),), message="said")


@pytest.mark.parametrize("code", [102, 202, 323])
def test_a_ranking_is_never_in_the_works(code: int) -> None:
    assert isinstance(answer.rank(received(envelope(code)), NOW), Unclear)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"shipping_label": "https://h/x.pdf"}, Label("", "https://h/x.pdf")),
        ([{"shipping_label": "https://h/x.pdf"}], Label("", "https://h/x.pdf")),
        ("https://h/x.pdf", Label("", "https://h/x.pdf")),
        ({"shipping_label": None}, NotYet(message="said")),
        (None, NotYet(message="said")),
    ],
)
def test_the_link_to_a_label(result: object, expected: object) -> None:
    assert answer.link(received(envelope(200, result)), NOW) == expected


def tracking(latest: object, *scans: object, awb: object = "W1") -> bytes:
    told = {"valid": True, "latest_status": {"clickpost_status_code": latest, "remark": "so"}}
    return envelope(200, {awb: told | {"scans": [{"clickpost_status_code": code} for code in scans]}})


@pytest.mark.parametrize("code", [4, 5, 6, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 26, 27, 1004, "5"])
def test_the_courier_has_the_boxes(code: object) -> None:
    assert track(received(tracking(code)), NOW) == PickedUp(message="so")


@pytest.mark.parametrize("code", [1, 2, 3, 7, 10, 23, 25, 28])
def test_the_boxes_rest_at_home(code: int) -> None:
    assert track(received(tracking(code, 1, 2)), NOW) == AtRest(message="so", void=code == 10)


def test_once_picked_up_is_picked_up() -> None:
    assert track(received(tracking(10, 1, 4, 10)), NOW) == PickedUp(message="so")


@pytest.mark.parametrize("code", [0, 22, 24, 30, 101, 9999, None, "x", True])
def test_a_tracking_code_that_nobody_knows_is_unreadable(code: object) -> None:
    assert isinstance(track(received(tracking(code)), NOW), Unclear)


def test_tracking_of_what_does_not_exist() -> None:
    assert track(received(envelope(321)), NOW) == Unknown(message="said")
    assert track(received(envelope(200, {"W1": {"valid": False}})), NOW) == Unknown(message="said")
    assert isinstance(track(received(tracking(4, awb="W2")), NOW), Unclear)


@pytest.mark.parametrize("wrap", [True, False])
def test_accounts(wrap: bool) -> None:
    listed = [
        {"courier_partner_id": 5, "courier_name": "Blue", "account_code": "A", "account_active": True},
        {"courier_partner_id": None, "account_code": "B"},
    ]
    heard = answer.accounts(received(envelope(200, {"accounts": listed} if wrap else listed)), NOW)
    assert heard == Listed((Courier(5, "A", "Blue"),))


def test_messages_are_fit_to_be_shown() -> None:
    said = "bad\x00\x1b[31m PIN\r\n\u202e see https://labels.example/x.pdf?Signature=abc " + "x" * 900
    heard = answer.ask(received(envelope(422, message=said)), NOW)
    assert isinstance(heard, Refused)
    assert heard.message.startswith("bad[31m PIN see https://labels.example/x.pdf?[hidden] xxx")
    assert len(heard.message) == 500


def test_a_message_that_is_no_text_is_shown_raw() -> None:
    body = msgspec.json.encode({"meta": {"status": 422, "message": {"pincode": ["bad"]}}})
    assert answer.ask(received(body), NOW) == Refused(Refusal.DATA, code=422, message='{"pincode":["bad"]}')


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("{'job': 'failed', 'remark': 'pin embargoed'}", "pin embargoed"),
        ('{"remark": "consignee\'s pin embargoed", "job": "failed"}', "consignee's pin embargoed"),
        ("{'job': 'failed', 'remark': ''}", "{'job': 'failed', 'remark': ''}"),
        ("remark: pin embargoed", "remark: pin embargoed"),
    ],
)
def test_of_a_couriers_answer_passed_on_the_remark_is_shown(message: str, shown: str) -> None:
    heard = answer.ask(received(envelope(319, message=message)), NOW)
    assert heard == Refused(Refusal.COURIER, code=319, message=shown)


def test_what_stands_beside_the_remark_is_judged_by_all_the_same() -> None:
    message = "{'job': 'order already placed', 'remark': 'see dashboard'}"
    assert isinstance(answer.ask(received(envelope(319, message=message)), NOW), Unclear)
