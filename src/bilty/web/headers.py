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


async def tell_methods(message: Message, scope: Scope) -> None:
    """What an address takes. Litestar 2 answers OPTIONS with those of one handler alone (litestar#4169)."""
    if message["type"] != "http.response.start" or scope.get("method") != "OPTIONS":
        return
    headers, asked = MutableScopeHeaders.from_message(message), scope.get("path_template")
    if "allow" in headers:
        here = [route for route in scope["litestar_app"].routes if asked in (route.path, route.path_format)]
        headers["Allow"] = ", ".join(sorted({method for route in here for method in getattr(route, "methods", ())}))
