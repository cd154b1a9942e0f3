"""The headers of answers, each once."""

from dataclasses import dataclass

from bilty.web.describe.shapes import Schema


@dataclass(frozen=True, slots=True)
class Header:
    about: str
    schema: Schema
    example: str


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


HEADERS = {
    "Content-Disposition": Header(
        "The name under which to keep it.", _text("^inline; filename="), 'inline; filename="SO-1001.pdf"'
    ),
    "ETag": Header("Another whenever what is answered is another.", _text('^(?:W/)?"[^"]+"$'), '"5f8a03c2"'),
    "Idempotency-Replayed": Header(
        "`true`: this is the answer that was given to the first request with this key.", _text("^true$"), "true"
    ),
    "Location": Header("Where what was made is found.", _text("^/api/v1/"), "/api/v1/shipments/1041"),
    "Preference-Applied": Header("How long was waited at most.", _text("^wait=[0-9]+$"), "wait=20"),
    "Retry-After": Header("Seconds after which to ask again.", _text("^[0-9]+$"), "2"),
    "WWW-Authenticate": Header("How to say who asks.", _text("^Bearer "), 'Bearer realm="bilty"'),
}
