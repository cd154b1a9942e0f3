"""What ClickPost's answers mean, one function a call. Pure; none of them ever raises, whatever the body holds.

`meta.status` is the outcome. HTTP's status counts where there is no envelope, and `success` never: it has been seen
to be false beside a waybill and true beside none. When in doubt an answer is `Unclear`, because a booking taken for
none is bought twice, and one taken for unclear is only asked about.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from bilty.aggregator import AtRest, EwaybillTold, Listed, PickupBooked, Trouble
from bilty.aggregator.clickpost import codes
from bilty.aggregator.clickpost.envelope import (
    Envelope,
    NoEnvelope,
    awb,
    children,
    fields,
    integer,
    label_link,
    message,
    open_envelope,
    parent_awb,
    text,
)
from bilty.aggregator.clickpost.papers import own_papers
from bilty.outgoing.outcome import NothingSent, Received, Silence
from bilty.outgoing.retry_after import retry_after_s
from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
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

COURIERS_READ_MAX = 500
SCANS_READ_MAX = 1_000
CP_ID_MAX = 2**31 - 1
UNRANKED = 2**31
"""The priority of a courier that came without one: behind all that have one."""
TOO_MANY_WAIT_S_MIN = 1.0
"""After a 429, also one that does not say for how long."""

Unread: TypeAlias = Unclear | Busy


def unheard(outcome: NothingSent | Silence) -> Unread:
    if isinstance(outcome, NothingSent):
        return Busy(message=outcome.why)
    return Unclear(message=outcome.why, silent=True)


def rank(received: Received, now: datetime) -> Ranking | Trouble:
    """An empty list is an answer: the lane is not served. A list of which nothing can be read is none."""
    opened = _open(received, now)
    if not isinstance(opened, Envelope):
        return opened
    if opened.code != codes.OK:
        return _refused(opened)
    listed = _preferences(opened.result)
    if listed is None:
        return _unclear(opened, "the ranking cannot be read")
    ranked = [(priority, courier) for entry in listed for priority, courier in _ranked(entry)]
    if listed and not ranked:
        return _unclear(opened, "no courier of the ranking can be read")
    ranked.sort(key=lambda pair: pair[0])  # stable: ClickPost's own order where priorities are alike
    return Ranking(tuple(courier for _, courier in ranked), message=opened.message)


def _preferences(result: object) -> list[object] | None:
    """The first lane's list, [] where nobody serves it, None where something else stands there."""
    if not result:
        return []
    lane = result[0] if isinstance(result, list) else result
    if not isinstance(lane, dict):
        return None
    if lane and "preference_array" not in lane:
        return None
    listed = lane.get("preference_array") or []
    return listed[:COURIERS_READ_MAX] if isinstance(listed, list) else None


def _ranked(entry: object) -> list[tuple[int, Courier]]:
    """One pair or none: what has no id or no account cannot be booked with."""
    told = fields(entry)
    courier = _courier(told, "cp_id", ("courier_name", "cp_name"))
    if courier is None:
        return []
    priority = integer(told.get("priority"))
    return [(UNRANKED if priority is None else priority, courier)]


def _courier(told: Mapping[str, object], id_name: str, names: tuple[str, ...]) -> Courier | None:
    cp_id, account_code = integer(told.get(id_name)), text(told.get("account_code"))
    if cp_id is None or not 0 < cp_id <= CP_ID_MAX or not account_code:
        return None
    name = next((found for name in names if (found := text(told.get(name)))), account_code)
    return Courier(cp_id=cp_id, account_code=account_code, name=name)


def ask(received: Received, now: datetime) -> Label | Accepted | Trouble:
    opened = _open(received, now)
    if not isinstance(opened, Envelope):
        return opened
    if opened.code in codes.PENDING:
        return Accepted(message=opened.message)
    if opened.code in codes.DONE:
        label = _label(opened)
        return Accepted(message=opened.message) if label is None else label
    return _refused(opened)


def inquire(received: Received, now: datetime) -> Label | NotYet | Unknown | Trouble:
    opened = _open_status(received, now)
    if not isinstance(opened, Envelope):
        return opened
    if opened.code in codes.PENDING:
        return NotYet(message=opened.message)
    if opened.code in codes.DONE:
        label = _label(opened)
        return NotYet(message=opened.message) if label is None else label
    if opened.code in codes.NOT_FOUND:
        return Unknown(message=_words(opened))
    if opened.code in codes.ABOUT_THE_REQUEST:
        return _unclear(opened, "said of our question, not of the order")
    return _refused(opened)


def _label(opened: Envelope) -> Label | Unclear | None:
    """None where there is no waybill yet."""
    result = fields(opened.result)
    number = parent_awb(result)
    if number is None:
        return _unclear(opened, "the waybill cannot be read")
    if not number:
        return None
    url, papers = label_link(result), own_papers(result)
    return Label(awb=number, label_url=url, children=children(result), message=opened.message, papers=papers)


def link(received: Received, now: datetime) -> Label | NotYet | Trouble:
    """The answer to a request for the label. Of the `Label` only `label_url` tells: the AWB is known already."""
    opened = _open(received, now)
    if not isinstance(opened, Envelope):
        return opened
    if opened.code in codes.PENDING:
        return NotYet(message=opened.message)
    if opened.code in codes.DONE:
        url = label_link(fields(opened.result)) or label_link({"label": opened.result})
        return Label(awb="", label_url=url) if url else NotYet(message=_words(opened))
    if opened.code in codes.NOT_FOUND:
        return Refused(Refusal.COURIER, code=opened.code, message=_words(opened))
    return _refused(opened)


def cancel(received: Received, now: datetime) -> Cancelled | NotYet | Unknown | Trouble:
    opened = _open(received, now)
    if not isinstance(opened, Envelope):
        return opened
    if opened.code in (codes.OK, codes.ALREADY_CANCELLED):
        return Cancelled(message=opened.message)
    if opened.code in codes.PENDING:
        return NotYet(message=opened.message)
    if opened.code in codes.NOT_FOUND:
        return Unknown(message=_words(opened))
    if opened.code == codes.NOT_CANCELLED:
        return Refused(Refusal.COURIER, code=opened.code, message=_words(opened))
    return _refused(opened)


def track(received: Received, now: datetime, number: str) -> PickedUp | AtRest | Unknown | Trouble:
    """Picked up counts for good: any scan that says so outweighs the latest, which may be a cancellation."""
    opened = _open(received, now)
    if not isinstance(opened, Envelope):
        return opened
    if opened.code in codes.NOT_FOUND:
        return Unknown(message=_words(opened))
    if opened.code != codes.OK:
        return _refused(opened)
    told = _tracked(opened.result, number)
    if told.get("valid") is False:
        return Unknown(message=_words(opened))
    latest = fields(told.get("latest_status"))
    scans = told.get("scans")
    seen = [latest, *(fields(scan) for scan in (scans if isinstance(scans, list) else [])[-SCANS_READ_MAX:])]
    said = [integer(scan.get("clickpost_status_code")) for scan in seen]
    remark = message(latest.get("remark")) or message(latest.get("clickpost_status_description"))
    if any(code in codes.HAS_THE_BOXES for code in said):
        return PickedUp(message=remark)
    if said[0] in codes.AT_REST:
        return AtRest(message=remark, void=said[0] == codes.CANCELLED)
    return _unclear(opened, "the tracking status cannot be read")


def _tracked(result: object, number: str) -> Mapping[str, object]:
    """By AWB, as ClickPost spells it: with or without what surrounds it."""
    for spelling, told in fields(result).items():
        if awb(spelling) == number:
            return fields(told)
    return {}


def accounts(received: Received, now: datetime) -> Listed | Trouble:
    opened = _open(received, now)
    if not isinstance(opened, Envelope):
        return opened
    if opened.code != codes.OK:
        return _refused(opened)
    result = opened.result
    listed = result if isinstance(result, list) else fields(result).get("accounts")
    entries = listed[:COURIERS_READ_MAX] if isinstance(listed, list) else []
    couriers = [_courier(fields(entry), "courier_partner_id", ("courier_name",)) for entry in entries]
    return Listed(tuple(courier for courier in couriers if courier is not None))


def tell_ewaybill(received: Received, now: datetime) -> EwaybillTold | Trouble:
    opened = _taken_in(received, now)
    return EwaybillTold(message=opened.message) if isinstance(opened, Envelope) else opened


def ask_pickup(received: Received, now: datetime) -> PickupBooked | Trouble:
    opened = _taken_in(received, now)
    if not isinstance(opened, Envelope):
        return opened
    result = fields(opened.result)
    return PickupBooked(text(result.get("confirmation_number")), opened.message)


def _taken_in(received: Received, now: datetime) -> Envelope | Trouble:
    """Queued is as good as done: nothing is known by which it could be asked about later."""
    opened = _open(received, now)
    if not isinstance(opened, Envelope) or opened.code in codes.PENDING | codes.DONE:
        return opened
    if opened.code in codes.NOT_FOUND:
        return Refused(Refusal.COURIER, code=opened.code, message=_words(opened))
    return _refused(opened)


def _open(received: Received, now: datetime) -> Envelope | Unread:
    opened = _opened(received, now)
    return Unclear(message=opened.message) if isinstance(opened, NoEnvelope) else opened


def _open_status(received: Received, now: datetime) -> Envelope | Unread:
    """As `_open`, and whether the call is there at all: a wrong guess of ours must not pass for "not booked"."""
    opened = _opened(received, now)
    if isinstance(opened, NoEnvelope):
        missing = received.status in (404, 405) or opened.html or (opened.foreign and received.status < 400)
        return Unclear(message=opened.message, undocumented=missing)
    if isinstance(opened, Envelope) and opened.code in (404, 405):
        return Unclear(message=_words(opened), undocumented=True)
    return opened


def _opened(received: Received, now: datetime) -> Envelope | NoEnvelope | Unread:
    if received.status >= 500:
        return Unclear(message=f"HTTP {received.status}", silent=True)
    opened = open_envelope(received)
    code = opened.code if isinstance(opened, Envelope) else received.status
    if codes.TOO_MANY in (code, received.status):
        told = opened.message if isinstance(opened, Envelope) else "HTTP 429"
        wait_s = max(retry_after_s(received.retry_after, now), TOO_MANY_WAIT_S_MIN)
        return Busy(message=told, retry_after_s=wait_s)
    return opened


def _refused(opened: Envelope) -> Refused | Unclear:
    """A definite no where the code is known to be one, else unclear."""
    refusal = codes.REFUSALS.get(opened.code)
    if refusal is None:
        return _unclear(opened)
    if opened.code == codes.AT_COURIER and codes.may_be_booked(opened.message):
        return _unclear(opened, "the courier's words leave it open")
    return Refused(refusal, code=opened.code, message=_words(opened))


def _unclear(opened: Envelope, why: str = "") -> Unclear:
    return Unclear(message=f"{_words(opened)} ({why})" if why else _words(opened))


_REMARK = re.compile(r"""^\{.*["']remark["']\s*:\s*(?P<quote>["'])(?P<words>(?:(?!(?P=quote)).)+)""")


def _words(opened: Envelope) -> str:
    """To be shown, never to be judged by: where a courier's answer is passed on as it stands, the remark in it."""
    remark = _REMARK.search(opened.message)
    return (remark.group("words") if remark else opened.message) or f"code {opened.code}"
