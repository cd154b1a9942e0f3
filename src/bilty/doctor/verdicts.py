"""What each step of the walk means, in a sentence and a remedy. Pure."""

from dataclasses import replace
from typing import assert_never

from bilty.aggregator import Pdf
from bilty.aggregator.probe import (
    NOT_REACHED,
    SET_PRIORITIES,
    UPDATE_CONNECTOR,
    Told,
    heard,
    is_silent,
    named,
    told_accounts,
    told_ranking,
)
from bilty.doctor.evidence import STATUS_PATHS, STATUS_SETTING, Evidence, Inquired, Trial, is_our_account
from bilty.doctor.findings import Finding, note, ok, wrong
from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Label,
    PickedUp,
    Refusal,
    Refused,
    Unclear,
    Unknown,
)
from bilty.words import counted

ASK_FOR_STATUS = (
    "Nothing must be booked with this. Ask ClickPost: by which GET call is an order asked about by its "
    "reference_number, and which meta.status says that no such order exists?"
)


def on_accounts(seen: Evidence, name: str) -> Finding:
    return _finding(told_accounts(seen.accounts, name))


def on_ranking(reply: object, origin: str, destination: str) -> Finding:
    told = told_ranking(reply, origin, destination)
    return _finding(replace(told, remedy=f"{told.remedy} Or try --pincode.") if told.remedy == SET_PRIORITIES else told)


def _finding(told: Told) -> Finding:
    return ok(told.says) if told.well else wrong(told.says, told.remedy)


def on_status(seen: Evidence) -> Finding:
    """The answer about a reference that nobody ever used. Only Unknown is well."""
    reply, style, other = seen.status, seen.endpoints.inquire_style, seen.other_style
    if isinstance(reply, Unknown):
        return ok(f"The status call ({style}) does not know an unused reference, as it should: {heard(reply)}")
    if is_our_account(reply):
        return wrong(f"The status call refuses this account: {heard(reply)}", UPDATE_CONNECTOR)
    if is_silent(reply):
        return wrong(f"The status call was not answered: {heard(reply)}", NOT_REACHED)
    told = f"The status call {STATUS_PATHS[style]} ({style}) {_oddity(reply)}"
    if isinstance(seen.other_status, Unknown):
        return wrong(f"{told} {STATUS_PATHS[other]} ({other}) answers as documented.", f"Set {STATUS_SETTING}={other}.")
    said = f"{STATUS_PATHS[other]} ({other}) neither: {heard(seen.other_status)}"
    return wrong(f"{told} {said}", ASK_FOR_STATUS)


def _oddity(reply: Inquired | None) -> str:
    if isinstance(reply, Unclear) and reply.undocumented:
        return f"is not there as documented: {heard(reply)}"
    return f"does not say of an unused reference that it is unknown, but: {heard(reply)}"


def on_asking(trial: Trial) -> Finding:
    reply = trial.asked.reply if trial.asked else None
    match reply:
        case Label():
            return ok(f"Booked at once: AWB {reply.awb}.")
        case Accepted():
            return ok(f"Accepted: {heard(reply)}")
        case Refused():
            return wrong(f"{trial.courier.name} was not booked: {heard(reply)}", _mend(reply))
        case Busy():
            return wrong(f"Nothing was booked, because nothing arrived: {heard(reply)}", NOT_REACHED)
        case Unclear():
            return note(f"No usable answer, so it may be booked, and is asked about: {heard(reply)}")
        case None:
            return note("Nothing was asked.")
        case _:
            assert_never(reply)


def _mend(reply: Refused) -> str:
    match reply.refusal:
        case Refusal.ACCOUNT:
            return UPDATE_CONNECTOR
        case Refusal.COURIER_ACCOUNT:
            return "Mend that courier's account in the ClickPost B2B dashboard."
        case Refusal.DATA:
            return "Correct the facility's data, or see whether BILTY_CLICKPOST_CREATE_STYLE should be the other one."
        case Refusal.COURIER:
            return "Another lane may do; ask the courier what its words mean."
        case _:
            assert_never(reply.refusal)


def on_awb(trial: Trial) -> Finding:
    if trial.label is not None:
        children = counted(len(trial.label.children), "child waybill")
        after = f", after {trial.waited_s:.0f} s and {counted(trial.inquiries, 'inquiry', 'inquiries')}"
        return ok(f"AWB {trial.label.awb} with {children}{after if trial.inquiries else ''}.")
    reply = trial.inquired
    if is_definite_no(trial) and isinstance(reply, Refused):
        return wrong(f"{trial.courier.name} refused it afterwards: {heard(reply)}", _mend(reply))
    if is_definite_no(trial):
        told = f"ClickPost still does not know {trial.reference}, which counts as not booked: {heard(reply)}"
        return wrong(told, "To be sure, look it up in the ClickPost B2B dashboard in a few minutes.")
    if reply is None:
        return wrong("It was broken off before an AWB came.", look_up(trial))
    return wrong(f"No AWB within {trial.waited_s:.0f} s; ClickPost's last words: {heard(reply)}", look_up(trial))


def is_definite_no(trial: Trial) -> bool:
    """Of an order that was accepted, "unknown" is none; and what is said of our account is not said of the order."""
    if isinstance(trial.inquired, Refused):
        return not is_our_account(trial.inquired)
    return isinstance(trial.inquired, Unknown) and trial.asked is not None and isinstance(trial.asked.reply, Unclear)


def look_up(trial: Trial) -> str:
    return (
        f"IT MAY STILL BE BOOKED. Look up the reference {trial.reference} in the ClickPost B2B dashboard in a few "
        "minutes, and cancel it there."
    )


def on_label(trial: Trial) -> Finding:
    reply = trial.fetched.reply if trial.fetched else None
    if isinstance(reply, Pdf):
        return ok(f"The label is a PDF of {counted(trial.pages, 'page')}, {len(reply.content)} bytes.")
    remedy = "See what the label's host says; a private address needs BILTY_ALLOW_PRIVATE_ADDRESSES."
    return wrong(f"There is an AWB, and no label came: {heard(reply)}", remedy)


def on_cancel(trial: Trial) -> Finding:
    """Whether the AWB is void. Anything but a confirmation is said loudly: the boxes may be sent for."""
    assert trial.label is not None, "only an AWB is cancelled"
    if isinstance(trial.tracked, PickedUp):
        told = f"AWB {trial.label.awb} IS SAID TO BE PICKED UP, so it was not cancelled: {heard(trial.tracked)}"
        return wrong(told, "Ask the courier what is travelling under this AWB.")
    reply = trial.cancelled.reply if trial.cancelled else None
    if isinstance(reply, Cancelled):
        return ok(f"AWB {trial.label.awb} is cancelled: {heard(reply)}")
    told = f"AWB {trial.label.awb} IS NOT CANCELLED: {heard(reply)}"
    where = f"courier {named(trial.courier)}, reference {trial.reference}"
    return wrong(told, f"CANCEL IT BY HAND in the ClickPost B2B dashboard, or with the courier: {where}.")
