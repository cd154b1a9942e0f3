"""The API's description, for programs and for people. Both are open: they say nothing about this house."""

from functools import cache

import msgspec
from litestar import Response, get
from litestar.response import Template

from bilty.web.describe import OPERATIONS, description
from bilty.web.describe.events import EVENTS
from bilty.web.describe.page import Reference, reference


@get("/api/v1/openapi.json")
async def openapi() -> Response[bytes]:
    return Response(_document(), media_type="application/json")


@get("/api/v1/reference")
async def page() -> Template:
    return Template("reference.html", context={"reference": _shown(), "user": None})


@cache
def _document() -> bytes:
    return msgspec.json.encode(description())


@cache
def _shown() -> Reference:
    return reference(OPERATIONS, EVENTS, description()["components"]["schemas"])


ROUTES = (openapi, page)
