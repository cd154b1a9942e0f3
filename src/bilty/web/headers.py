"""What every answer carries, whatever made it: browsers are told to run nothing, frame nothing, keep nothing.

`Referrer-Policy: same-origin`, not `no-referrer`: under the latter browsers send `Origin: null` with our own forms,
and on a plain-HTTP network that origin is all there is to tell them from somebody else's. A sign-in token in an
address is sent to nobody but ourselves.
"""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
STATIC = "/static/"


async def add_headers(message: Message, scope: Scope) -> None:
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _HEADERS.items():
        headers[name] = value
    if not scope["path"].startswith(STATIC):
        headers["Cache-Control"] = "no-store"
