"""What each step of the walk means, in a sentence and a remedy. Pure."""

from typing import assert_never

from bilty.aggregator import AtRest, Listed, Pdf
from bilty.doctor.evidence import STATUS_PATHS, STATUS_SETTING, Evidence, Inquired, Trial, is_our_account, is_silent
from bilty.doctor.findings import Finding, counted, note, ok, sentence, wrong
from bilty.hearing import first_three
from bilty.reply import (
    Accepted,
    Busy,
    Cancelled,
    Courier,
    Label,
    PickedUp,
    Ranking,
    Refusal,
    Refused,
    Unclear,
    Unknown,
)
from bilty.words import listed

ACCOUNTS_SHOWN_MAX = 8
UPDATE_CONNECTOR = "Copy username and key again from the ClickPost B2B dashboard and choose Update Connector."
NOT_REACHED = "Check the network from this machine and BILTY_CLICKPOST_URL, then run this again."
SET_PRIORITIES = "Set priorities in the ClickPost B2B dashboard (Allocation, Ordered List)."
ASK_FOR_STATUS = (
    "Nothing must be booked with this. Ask ClickPost: by which GET call is an order asked about by its "
    "reference_number, and which meta.status says that no such order exists?"
)


def heard(reply: object) -> str:
    """A reply as the end of a sentence."""
    match reply:
        case Refused():
            return f"{sentence(reply.message)[:-1]} (code {reply.code})."
        case Label():
            return f"an AWB, {reply.awb}."
        case Listed() | AtRest() | Pdf() | None:
            return "nothing that was expected."
        case _:
            return sentence(str(getattr(reply, "message", "")))


def on_accounts(seen: Evidence, name: str) -> Finding:
    reply = seen.accounts
    match reply:
        case Listed(couriers=()):
            remedy = "Have a courier account activated in the ClickPost B2B dashboard."
            return wrong(f"ClickPost accepts the key of {name}, and lists no active courier account.", remedy)
        case Listed():
            return ok(f"ClickPost accepts the key of {name}: {_accounts(reply.couriers)}.")
        case Refused():
            return wrong(f"ClickPost rejects the username and key of {name}: {heard(reply)}", UPDATE_CONNECTOR)
        case Unclear() | Busy() if is_silent(reply):
            return wrong(f"ClickPost cannot be reached: {heard(reply)}", NOT_REACHED)
        case _:
            remedy = "Check BILTY_CLICKPOST_URL; if it is right, ask ClickPost about GET v1/fetch-accounts."
            return wrong(f"ClickPost's list of accounts cannot be read: {heard(reply)}", remedy)


def _accounts(couriers: tuple[Courier, ...]) -> str:
    named = [f"{courier.name} {courier.account_code}" for courier in couriers[:ACCOUNTS_SHOWN_MAX]]
    more = len(couriers) - len(named)
    return f"{counted(len(couriers), 'courier account')}: {', '.join(named)}" + (f" and {more} more" if more else "")


def on_ranking(reply: object, origin: str, destination: str) -> Finding:
    lane = f"from {origin} to {destination}"
    match reply:
        case Ranking(couriers=()):
            return wrong(f"ClickPost names no courier {lane}: {heard(reply)}", f"{SET_PRIORITIES} Or try --pincode.")
        case Ranking():
            ranked = [f"P{number} {named(courier)}" for number, courier in enumerate(first_three(reply.couriers), 1)]
            return ok(f"Priorities {lane}: {listed(ranked)}.")
        case Refused(refusal=Refusal.ACCOUNT):
            return wrong(f"ClickPost would not rank couriers for this account: {heard(reply)}", UPDATE_CONNECTOR)
        case Unclear() | Busy() if is_silent(reply):
            return wrong(f"ClickPost did not answer when asked for priorities: {heard(reply)}", NOT_REACHED)
        case _:
            remedy = f"Ask ClickPost which call tells the Ordered List of a B2B account. {SET_PRIORITIES}"
            return wrong(f"ClickPost's priorities {lane} cannot be had: {heard(reply)}", remedy)


def named(courier: Courier) -> str:
    return f"{courier.name} ({courier.cp_id}, {courier.account_code})"


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
