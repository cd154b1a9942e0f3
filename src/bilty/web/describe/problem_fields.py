"""What the fields of an answer mean that says why something was not done."""

ABOUT: dict[str, dict[str, str]] = {
    "ProblemDetails": {
        "type": "Names the problem for programs, and never changes.",
        "title": "The status in words.",
        "status": "The answer's own.",
        "detail": "What happened and what to do.",
        "instance": "The address that was asked.",
        "errors": "Each faulty field.",
    },
    "FieldError": {
        "field": "Its path, as in boxes[2].weight_g.",
        "value": "What was given, cut short.",
        "message": "What is wrong, and what to give.",
    },
}
