"""What a person decides where `bilty.workflow` does not go on of itself, or not soon enough. Pure.

Theory of operation
-------------------
An `Act` is a person's wish, about the shipment or about one of its turns. `PERSON` says in which states of a turn each
may be done, and what the turn is then; what follows is the workflow's: who steps aside, who is next, what is watched.
`decide` answers with the shipment as it is then, or with `No` and the reason, a sentence. `possible` says which acts
have a button; it is `decide` that has the last word, since another person may have been faster.

A person may be wrong, so no act throws away what may still come: a turn that is ended is watched, an AWB that is not
wanted is cancelled, and while one is live nobody else is asked. An answer that is under way is waited for: it may be
the very thing that the person decides about. *Ask again* is not for a turn that is merely unclear, because "unknown
reference" twice in a hurry would count as a no while the booking is still on its way into ClickPost's books.
"""

from bilty.deciding.acts import (
    PERSON,
    Act,
    ActKind,
    AskAgain,
    Cancel,
    CancelLate,
    EnterAwb,
    FallOver,
    FetchAgain,
    GiveUpAwb,
    GoOn,
    No,
    NotBooked,
    Offer,
    PollNow,
    Schedule,
    Settled,
    TurnAct,
    UseLate,
    UsePaper,
    plain_act,
)
from bilty.deciding.decisions import cancel, decide
from bilty.deciding.refusals import possible, why_not_now

__all__ = [
    "PERSON",
    "Act",
    "ActKind",
    "AskAgain",
    "Cancel",
    "CancelLate",
    "EnterAwb",
    "FallOver",
    "FetchAgain",
    "GiveUpAwb",
    "GoOn",
    "No",
    "NotBooked",
    "Offer",
    "PollNow",
    "Schedule",
    "Settled",
    "TurnAct",
    "UseLate",
    "UsePaper",
    "cancel",
    "decide",
    "plain_act",
    "possible",
    "why_not_now",
]
