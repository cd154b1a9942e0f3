"""Keeps secrets out of whatever is stored, shown or logged: our key, and the signatures in links to labels. Pure.

ClickPost's key travels in the URL, so anything that quotes a URL may quote the key: HTTP libraries do it in their
errors, hosts in their error pages.
"""

import html
import json
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

SECRET_CHARS_MIN = 4
"""A shorter key would take ordinary letters out of every text; `Connector` has no such key in earnest."""
SECRETS_KEPT = 256

HIDDEN = "[hidden]"

_URL_QUERY = re.compile(r"""(https?:[^\s"'<>?]+)\?[^\s"'<>]+""")
_PERCENT = re.compile("%[0-9A-F]{2}")


def hide(text: str, secret: str) -> str:
    for spelling in _spellings(secret):
        text = text.replace(spelling, HIDDEN)
    return text


def hide_in_bytes(content: bytes, secret: str) -> bytes:
    for spelling in _spellings(secret):
        content = content.replace(spelling.encode(), HIDDEN.encode())
    return content


def hide_queries(text: str) -> str:
    """Links in `text` without their queries: a pre-signed link opens the label to whoever reads it."""
    return _URL_QUERY.sub(rf"\1?{HIDDEN}", text)


@lru_cache(maxsize=SECRETS_KEPT)
def _spellings(secret: str) -> tuple[str, ...]:
    """`secret` as it stands in plain text, in a URL, in JSON and in HTML; a longer spelling goes first."""
    if len(secret) < SECRET_CHARS_MIN:
        return ()
    spellings = {secret, html.escape(secret), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    spellings |= {spelling.replace("/", "\\/") for spelling in spellings}
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    spellings |= quoted | {_PERCENT.sub(lambda code: code[0].lower(), spelling) for spelling in quoted}
    return tuple(sorted(spellings, key=len, reverse=True))
