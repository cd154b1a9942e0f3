"""`ETag`, and what a caller makes of it: `If-None-Match` for what it has, `If-Match` for what it means to change.

A tag is strong: of every byte that is shown.
"""

import hashlib
import re

import msgspec

from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest

_HEX_CHARS = 32
_TAG = re.compile(r'\s*(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def etag_of(answer: msgspec.Struct) -> str:
    return f'"{hashlib.sha256(msgspec.json.encode(answer)).hexdigest()[:_HEX_CHARS]}"'


def is_known(request: AnyRequest, etag: str) -> bool:
    """Whether the caller has this very version, so that 304 says it all."""
    given = ",".join(request.headers.getall("if-none-match", []))
    return given.strip() == "*" or any(tag == etag for _, tag in _TAG.findall(given))


def require_match(request: AnyRequest) -> str:
    """What `If-Match` says; 428 without it: a change to what nobody has looked at would undo another's."""
    given = ",".join(request.headers.getall("if-match", [])).strip()
    if not given:
        detail = "Say which version is meant: send `If-Match` with the `ETag` of the shipment as it was last read."
        raise ProblemError(428, "if_match_missing", detail)
    return given


def check_match(given: str, etag: str) -> None:
    """412 where another version is there than the one that is meant. A weak tag means none."""
    if given != "*" and not any(tag == etag for weak, tag in _TAG.findall(given) if not weak):
        detail = "The shipment is no longer what `If-Match` says: read it again, and see whether the change still fits."
        raise ProblemError(412, "changed_since", detail, headers={"ETag": etag})
