"""No body makes reading raise, and whatever it says, the reply is one that the call may give."""

import typing
from collections.abc import Callable
from datetime import datetime

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator.samples import NOW
from bilty.aggregator import Aggregator, AtRest, EwaybillTold, Listed, PickupBooked, Trouble
from bilty.aggregator.clickpost import answer
from bilty.aggregator.clickpost.envelope import MESSAGE_CHARS_MAX
from bilty.outgoing.outcome import Received
from bilty.reply import AWB_CHARS_MAX, Accepted, Cancelled, Label, NotYet, PickedUp, Ranking, Unclear, Unknown

TROUBLE = typing.get_args(Trouble)
MAY_SAY: dict[str, tuple[Callable[[Received, datetime], object], tuple[type, ...]]] = {
    "rank": (answer.rank, (Ranking, *TROUBLE)),
    "ask": (answer.ask, (Label, Accepted, *TROUBLE)),
    "inquire": (answer.inquire, (Label, NotYet, Unknown, *TROUBLE)),
    "link": (answer.link, (Label, NotYet, *TROUBLE)),
    "track": (lambda heard, now: answer.track(heard, now, "W1"), (PickedUp, AtRest, Unknown, *TROUBLE)),
    "cancel": (answer.cancel, (Cancelled, NotYet, Unknown, *TROUBLE)),
    "accounts": (answer.accounts, (Listed, *TROUBLE)),
    "tell_ewaybill": (answer.tell_ewaybill, (EwaybillTold, *TROUBLE)),
    "ask_pickup": (answer.ask_pickup, (PickupBooked, *TROUBLE)),
}
EXAMPLES = 150

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
codes = (
    st.sampled_from([102, 200, 202, 301, 319, 320, 321, 322, 323, 330, 350, 354, 420, 422, 429, 500, 600]) | anything
)
waybills = st.sampled_from(["W1", " W1 ", 123, None, "", "W" * 65]) | anything
child = st.fixed_dictionaries(
    {"waybill": waybills}, optional={"reference_number": anything, "sku": anything, "item": anything}
)
preference = st.fixed_dictionaries({"priority": anything | st.integers(1, 5), "cp_id": anything | st.integers(1, 5)})
scan = st.fixed_dictionaries({"clickpost_status_code": anything | st.integers(0, 40), "remark": anything})
results = (
    anything
    | st.fixed_dictionaries(
        {"waybill": waybills}, optional={"label": anything, "children": st.lists(child, max_size=4) | anything}
    )
    | st.lists(st.fixed_dictionaries({"preference_array": st.lists(preference, max_size=4) | anything}), max_size=2)
    | st.fixed_dictionaries({"W1": st.fixed_dictionaries({"latest_status": scan, "scans": st.lists(scan, max_size=3)})})
    | st.fixed_dictionaries({"accounts": st.lists(anything, max_size=3) | anything, "shipping_label": anything})
)
envelopes = st.fixed_dictionaries(
    {"meta": anything | st.fixed_dictionaries({"status": codes}, optional={"message": anything, "success": anything})},
    optional={"result": results},
).map(msgspec.json.encode)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    body = bytearray(draw(envelopes))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(body)


bodies = st.binary(max_size=64) | anything.map(msgspec.json.encode) | envelopes | mutated()
statuses = st.sampled_from([200, 200, 200, 201, 202, 204, 301, 302, 400, 401, 404, 405, 420, 429, 500, 503])
headers = st.sampled_from(["application/json", "text/html", ""]) | st.text(max_size=20)


@pytest.mark.parametrize("call", MAY_SAY)
@settings(max_examples=EXAMPLES)
@given(body=bodies, status=statuses, content_type=headers, retry_after=headers)
@example(body=b"[" * 100_000, status=200, content_type="", retry_after="")
@example(body=b'{"meta":' * 5_000, status=200, content_type="", retry_after="")
@example(
    body=b'{"meta":{"status":200,"message":' + b"[" * 400 + b"]" * 400 + b"}}",
    status=200,
    content_type="",
    retry_after="",
)
@example(body=b'{"meta":{"status":' + b"9" * 6000 + b"}}", status=200, content_type="", retry_after="")
@example(
    body=b'{"meta":{"status":200},"result":{"waybill":' + b"9" * 6000 + b"}}",
    status=200,
    content_type="",
    retry_after="",
)
@example(body=b'{"meta":{"status":1e400}}', status=429, content_type="", retry_after="Mon, 99 Foo 99999 99:99:99 +9999")
@example(body=b'{"meta":{"status":"\\ud800"}}', status=200, content_type="", retry_after="")
@example(
    body=b'{"meta":{"status":200},"result":{"waybill":"\\ud83d\\ude00"}}', status=200, content_type="", retry_after=""
)
def test_reading_never_raises(call: str, body: bytes, status: int, content_type: str, retry_after: str) -> None:
    read, may_say = MAY_SAY[call]
    heard = read(Received(status, content_type, body, retry_after), NOW)
    assert isinstance(heard, may_say)
    message = getattr(heard, "message", "")
    assert len(message) <= MESSAGE_CHARS_MAX + 60
    assert message.isprintable()
    if isinstance(heard, Label) and call != "link":
        assert 0 < len(heard.awb) <= AWB_CHARS_MAX
        assert all(0 < len(child.awb) <= AWB_CHARS_MAX for child in heard.children)
    if isinstance(heard, Unclear) and heard.undocumented:
        assert call == "inquire"


def test_the_table_above_is_the_seams() -> None:
    for call, (_, may_say) in MAY_SAY.items():
        if call == "link":
            continue  # a part of fetch_label
        returns = typing.get_type_hints(getattr(Aggregator, call))["return"]
        (said,) = typing.get_args(returns)
        assert frozenset(typing.get_args(said)) == frozenset(may_say)
