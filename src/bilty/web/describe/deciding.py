"""A decision as it is sent, and what the fields of the list of decisions mean."""

from bilty.deciding import ActKind
from bilty.intake import limits
from bilty.reply import AWB_CHARS_MAX
from bilty.web.describe.schemas import closed, one_of, text, whole, yes_or_no

NEW_DECISION = closed(
    "What is decided. Fields that the act passes over are refused.",
    {"act": one_of([kind for kind in ActKind if kind is not ActKind.USE_PAPER], "", ActKind.USE_LATE)},
    {
        "reference": text(20, "Of the turn that it is about.", "SO-1001-K7QXA2M4TWB"),
        "awb": text(2 * AWB_CHARS_MAX, "For enter-awb.", "59812345675"),
        "courier": closed(
            "For schedule: the one courier that is to be asked, of those that ClickPost has ranked.",
            {"cp_id": whole(1, 2**31 - 1, "", 5), "account_code": text(limits.CODE_CHARS_MAX, "", "main")},
        ),
        "without_ewaybill": yes_or_no("For schedule: though an e-way bill is missing.", example=True),
    },
)

ABOUT: dict[str, dict[str, str]] = {
    "CourierNamed": {
        "cp_id": "ClickPost's number of the courier.",
        "account_code": "Which account with it.",
        "name": "As ClickPost names it.",
    },
    "DecisionsAnswer": {"items": "Those of the turns first.", "next": "null: there is one page."},
    "DecisionAnswer": {
        "act": "What to send as `act`.",
        "reference": 'Which turn it is about; "" for the whole shipment.',
        "courier": "Whose turn that is.",
        "awb": 'The AWB that this turn has; "" where it has none.',
        "words": "What the panel's button says.",
        "risk": 'What may come of it, to be read first; "" where nothing can go wrong.',
        "wait": 'Why not this very moment; "" where it may be done at once.',
        "needs": "Fields that must be given with it.",
        "couriers": "Those that schedule may name.",
        "scope": "Which scope of key it takes.",
        "method": "PUT for a PDF, else POST.",
        "url": "Where it is sent.",
    },
}
