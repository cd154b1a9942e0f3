"""What a person decides where `bilty.workflow` does not go on of itself, or not soon enough. Pure.

Theory of operation
-------------------
An `Act` is a person's wish, about the shipment or about one of its turns. `PERSON` says in which states of a turn each
may be done, and what the turn is then; what follows is the workflow's: who steps aside, who is next, what is watched.
`decide` answers with the shipment as it is then, or with `No` and the reason, a sentence. `possible` says which acts
have a button; it is `decide` that has the last word, since another person may have been faster.

A person may be wrong, so no act throws away what may still come: a turn that is ended is watched, an AWB that is not
wanted is cancelled, and while one is live nobody else is asked. What the shipment is may be changed, too (`amend`):
before anybody was asked in place, later as a version of its own. An answer that is under way is waited for: it may be
the very thing that the person decides about. "Unknown reference", heard twice, is a no; what *Ask again* hears is not
counted so, because twice in a hurry the booking may still be on its way into ClickPost's books. An AWB that a person
typed may be a stranger's: of itself Bilty never cancels it, and until its label is here it can be taken back.
"""

from bilty.deciding.acts import (
    PERSON,
    Act,
    ActKind,
    AskAgain,
    Cancel,
    CancelLate,
    Dispatch,
    EnterAwb,
    FallOver,
    FetchAgain,
    GiveUpAwb,
    GoOn,
    No,
    NotBooked,
    Offer,
    OrderReturn,
    PollNow,
    Schedule,
    Settled,
    ShipmentAct,
    TurnAct,
    UseLate,
    UsePaper,
    WrongAwb,
    plain_act,
)
from bilty.deciding.decisions import amend, begins_of_itself, cancel, decide, held_back, hold_is
from bilty.deciding.refusals import possible, why_not_amend, why_not_now

__all__ = [
    "PERSON",
    "Act",
    "ActKind",
    "AskAgain",
    "Cancel",
    "CancelLate",
    "Dispatch",
    "EnterAwb",
    "FallOver",
    "FetchAgain",
    "GiveUpAwb",
    "GoOn",
    "No",
    "NotBooked",
    "Offer",
    "OrderReturn",
    "PollNow",
    "Schedule",
    "Settled",
    "ShipmentAct",
    "TurnAct",
    "UseLate",
    "UsePaper",
    "WrongAwb",
    "amend",
    "begins_of_itself",
    "cancel",
    "decide",
    "held_back",
    "hold_is",
    "plain_act",
    "possible",
    "why_not_amend",
    "why_not_now",
]
