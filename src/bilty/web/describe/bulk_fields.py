"""What the fields of a bulk upload's faults and of its last line mean."""

_TALLY = {
    "rows": "How many rows were told above.",
    "new": "How many of them were new.",
    "same": "How many were known, and are as they were.",
    "refused": "How many were refused.",
}
ABOUT: dict[str, dict[str, str]] = {
    "RowError": {
        "line": "On which line it stands.",
        "field": "Its path, as in boxes[2].weight_g; in an order file its column.",
        "value": "What was given, cut short.",
        "message": "What is wrong, and what to give.",
    },
    "AllDone": {"done": "true: this is the last line.", **_TALLY},
    "BrokenOff": {
        "done": "false: not all was read.",
        **_TALLY,
        "type": "As a problem's.",
        "detail": "Why nothing more was taken, and what to do.",
        "resume": "The line to go on from.",
    },
}
