"""Where a form or a link leads back to: a page of ours and nothing else, whatever the address says."""

import re

PLACES = ("/shipments", "/attention", "/today", "/jobs", "/imports", "/settings", "/account")
"""What is asked for by looking, and changes nothing."""
ADDRESS_CHARS_MAX = 500
_PLAIN = re.compile(r"[!-~]+")
"""Browsers drop tabs and ends of line before they read an address, so what holds one is not what it seems."""


def back_of(given: str, otherwise: str) -> str:
    """`given` if it is the address of one of our pages, path and query, or else `otherwise`."""
    place = "/" + given.removeprefix("/").partition("/")[0].partition("?")[0].partition("#")[0]
    plain = len(given) <= ADDRESS_CHARS_MAX and _PLAIN.fullmatch(given) and "\\" not in given and "//" not in given
    return given if plain and given.startswith("/") and place in PLACES else otherwise
