"""What was heard on the walk, and what it says of each guess. Pure."""

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from bilty.aggregator import AtRest, Exchange, Listed, Pdf, Said, Trouble
from bilty.aggregator.clickpost import CreateStyle, Endpoints, StatusStyle
from bilty.aggregator.probe import is_silent
from bilty.children import match_children
from bilty.doctor.findings import Guess, Verdict, judged
from bilty.reply import (
    Accepted,
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
from bilty.shipment import Shipment
from bilty.words import counted, sentence

Inquired: TypeAlias = Label | NotYet | Unknown | Trouble
STATUS_PATHS = {StatusStyle.GET_B2B: "GET v1/create-b2b-order/", StatusStyle.GET_V3: "GET v3/create-order/"}
CREATE_PATHS = {CreateStyle.B2B_V1: "POST v1/create-b2b-order/", CreateStyle.MPS_V3: "POST v3/create-order/"}
STATUS_SETTING, CREATE_SETTING = "BILTY_CLICKPOST_STATUS_STYLE", "BILTY_CLICKPOST_CREATE_STYLE"


@dataclass(slots=True)
class Trial:
    """The one booking of `--book`, as far as it came. `label` is the last answer that told an AWB."""

    shipment: Shipment
    reference: str
    courier: Courier
    asked: Said[Label | Accepted | Trouble] | None = None
    inquired: Inquired | None = None
    inquiries: int = 0
    waited_s: float = 0.0
    label: Label | None = None
    fetched: Said[Pdf | NotYet | Trouble] | None = None
    pages: int = 0
    tracked: PickedUp | AtRest | Unknown | Trouble | None = None
    cancelled: Said[Cancelled | NotYet | Unknown | Trouble] | None = None


@dataclass(slots=True)
class Evidence:
    """What each step heard, None where the walk did not get so far. `other_status` is that of the other style."""

    endpoints: Endpoints
    accounts: Listed | Trouble | None = None
    ranking: Ranking | Trouble | None = None
    status: Inquired | None = None
    other_status: Inquired | None = None
    trial: Trial | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def other_style(self) -> StatusStyle:
        style = self.endpoints.inquire_style
        return StatusStyle.GET_V3 if style is StatusStyle.GET_B2B else StatusStyle.GET_B2B


class _Meta(msgspec.Struct):
    status: int | str | None = None


class _Envelope(msgspec.Struct):
    meta: _Meta


def code_told(exchange: Exchange) -> str:
    """Where the outcome stood: in `meta.status` or, where that has none, in HTTP's status."""
    try:
        meta = msgspec.json.decode(exchange.answer, type=_Envelope).meta
    except msgspec.DecodeError:
        return f"HTTP {exchange.status}"
    return f"HTTP {exchange.status}" if meta.status is None else f"meta {meta.status}"


def is_our_account(reply: object) -> bool:
    return isinstance(reply, Refused) and reply.refusal is Refusal.ACCOUNT


def guesses(seen: Evidence) -> list[Guess]:
    told = [_accounts(seen), _ranking(seen), _status(seen), *(_trial(seen.trial, seen.endpoints) if seen.trial else ())]
    return told if seen.trial else [*told, Guess(Verdict.UNSEEN, "All that only a booking shows: give --book.")]


def _accounts(seen: Evidence) -> Guess:
    reply = seen.accounts
    readable = None if reply is None or is_silent(reply) else isinstance(reply, Listed | Refused)
    right = "The accounts are listed by GET v1/fetch-accounts."
    return judged(readable, right, "GET v1/fetch-accounts is not there as documented.", "Check BILTY_CLICKPOST_URL.")


def _ranking(seen: Evidence) -> Guess:
    reply = seen.ranking
    readable = None if reply is None or is_silent(reply) else isinstance(reply, Ranking)
    right = "The priorities come from POST v1/recommendation_api/."
    otherwise = "POST v1/recommendation_api/ does not tell the priorities."
    return judged(readable, right, otherwise, "No setting mends it: ask ClickPost which call tells the Ordered List.")


def _status(seen: Evidence) -> Guess:
    style, other = seen.endpoints.inquire_style, seen.other_style
    right = f"The status call is {STATUS_PATHS[style]} ({style}), and says 321 or 330 of a reference it does not know."
    if seen.status is None or is_silent(seen.status) or is_our_account(seen.status):
        return Guess(Verdict.UNSEEN, right)
    otherwise = f"The status call is not {STATUS_PATHS[style]} ({style})."
    found = isinstance(seen.other_status, Unknown)
    mend = f"Set {STATUS_SETTING}={other}." if found else "No setting mends it: ask ClickPost for the status call."
    return judged(isinstance(seen.status, Unknown), right, otherwise, mend)


def _trial(trial: Trial, endpoints: Endpoints) -> list[Guess]:
    return [_create(trial, endpoints), _acknowledged(trial), _children(trial), _label(trial), *_afterwards(trial)]


def _create(trial: Trial, endpoints: Endpoints) -> Guess:
    style = endpoints.create_style
    other = CreateStyle.MPS_V3 if style is CreateStyle.B2B_V1 else CreateStyle.B2B_V1
    reply = trial.asked.reply if trial.asked else None
    faulty = isinstance(reply, Refused) and reply.refusal is Refusal.DATA
    unread = isinstance(reply, Unclear) and not reply.silent and trial.label is None
    taken = trial.label is not None or isinstance(reply, Accepted)
    right = f"Orders are created by {CREATE_PATHS[style]} ({style})."
    otherwise = f"{CREATE_PATHS[style]} ({style}) does not take our payload as we build it."
    return judged(
        True if taken else False if faulty or unread else None, right, otherwise, f"Try {CREATE_SETTING}={other}."
    )


def _acknowledged(trial: Trial) -> Guess:
    if trial.asked is None or not trial.asked.exchanges or not isinstance(trial.asked.reply, Label | Accepted):
        return Guess(Verdict.UNSEEN, "An order is acknowledged by 102 or 202, or answered with its AWB.")
    told = code_told(trial.asked.exchanges[-1])
    if isinstance(trial.asked.reply, Label):
        return Guess(Verdict.CONFIRMED, f"The AWB came at once, with {told}.")
    took = f"The AWB came after {trial.waited_s:.0f} s." if trial.label else "No AWB came while it was waited for."
    return Guess(Verdict.CONFIRMED, f"The acknowledgement came as {told}. {took}")


def _children(trial: Trial) -> Guess:
    right = "Children name the box that they are for."
    if trial.label is None or not trial.label.children:
        return Guess(Verdict.UNSEEN, f"{right} None came, which for one box is well.")
    told = counted(len(trial.label.children), "child", "children")
    echoes = [name for name in ("reference", "description", "sku") if _echoed(trial, name)]
    matched = match_children(trial.shipment, trial.label.children, trial.label.awb)
    otherwise = f"{told} came, and none names our box: {sentence(matched.warning or 'nothing of ours is echoed')}"
    mend = "No setting mends it: boxes of larger shipments will be left without a waybill, and a person told."
    return judged(bool(echoes), f"{right} {told} came, echoing our {' and '.join(echoes)}.", otherwise, mend)


def _echoed(trial: Trial, name: str) -> bool:
    """Whether a child carries this, and it alone is enough to find the box."""
    assert trial.label is not None
    ours = {"reference": trial.shipment.box_reference(1), "description": "box 1 of 1", "sku": "DOCTOR"}[name]
    return any(str(getattr(child, name)).lower().startswith(ours.lower()) for child in trial.label.children)


def _label(trial: Trial) -> Guess:
    if trial.label is None or trial.fetched is None:
        return Guess(Verdict.UNSEEN, "The label comes with the answer, or by GET v1/fetch/shippinglabel/.")
    by_call = any("fetch/shippinglabel" in exchange.request for exchange in trial.fetched.exchanges)
    how = "by GET v1/fetch/shippinglabel/" if by_call else "by the link that came with the AWB"
    otherwise = "The label came neither by a link nor by GET v1/fetch/shippinglabel/."
    mend = "Look at the label's host, and whether BILTY_ALLOW_PRIVATE_ADDRESSES is needed."
    return judged(isinstance(trial.fetched.reply, Pdf), f"The label came {how}.", otherwise, mend)


def _afterwards(trial: Trial) -> list[Guess]:
    tracked = None if trial.tracked is None or is_silent(trial.tracked) else not isinstance(trial.tracked, Trouble)
    unheard = trial.cancelled is None or is_silent(trial.cancelled.reply)
    cancelled = None if trial.cancelled is None or unheard else isinstance(trial.cancelled.reply, Cancelled)
    told = f", heard as {code_told(trial.cancelled.exchanges[-1])}" if trial.cancelled and cancelled else ""
    return [
        judged(
            tracked,
            "GET v2/track-order/ tells whether the boxes were picked up.",
            "GET v2/track-order/ does not answer as documented.",
            "Check BILTY_CLICKPOST_TRACKING_URL; an AWB too many is cancelled all the same.",
        ),
        judged(
            cancelled,
            f"GET v1/cancel-order/ cancels{told}.",
            "GET v1/cancel-order/ did not cancel.",
            "No setting mends it: ask ClickPost how an AWB of this courier is cancelled.",
        ),
    ]
