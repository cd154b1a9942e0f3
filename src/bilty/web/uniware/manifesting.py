"""`POST /uniware/manifest`: what is handed over together, and the paper for it behind a link that expires."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from litestar import Response, post, route
from litestar.params import FromPath

from bilty.documents import manifest as paper
from bilty.intake.reader import show
from bilty.oms import manifest_link
from bilty.store import manifests, showing
from bilty.store.manifests import Refused
from bilty.web.asking import document_of
from bilty.web.keys import actor_of, caller
from bilty.web.label_links import HEADERS
from bilty.web.problems import ProblemError, plain
from bilty.web.tools import AnyRequest, base_url, tools_of
from bilty.web.uniware.answers import FAILED, SUCCESS, Body, is_awb
from bilty.web.uniware.coming_in import with_token
from bilty.words import INDIA

AWBS_MAX = 500
EXPIRED = "This link has expired. The manifest itself is kept: ask whoever runs Bilty."


@post("/manifest", guards=[with_token], include_in_schema=False, status_code=201)
async def make(request: AnyRequest) -> Response[Body]:
    """All of them are put on it, or nothing is made: 400 says which are in the way."""
    document, tools = await document_of(request), tools_of(request)
    awbs = _awbs(document)
    if isinstance(awbs, str):
        return _refused(awbs, Refused())
    async with tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        made = await manifests.make(
            connection, awbs, caller(request).facilities, actor_of(request), now, tools.settings.rules
        )
    if isinstance(made, Refused):
        return _refused(_why(made), made)
    manifest_id, until = int(made.number.removeprefix(paper.BEGINS)), now + timedelta(tools.settings.uniware_link_days)
    address = manifest_link.link(tools.vault, base_url(request), manifest_id, until)
    body: Body = {"status": SUCCESS, "manifestNumber": made.number, "manifestDownloadUrl": address}
    return Response(body, status_code=201)


def _awbs(document: object) -> list[str] | str:
    given = document.get("awbNumbers") if isinstance(document, dict) else None
    wants = f"give a list of 1 to {AWBS_MAX} AWBs"
    if not isinstance(given, list) or not 1 <= len(given) <= AWBS_MAX:
        return f"awbNumbers is {show(given)}: {wants}."
    for awb in given:
        if not isinstance(awb, str) or not is_awb(awb.strip()):
            return f"awbNumbers has {show(awb)}: {wants}."
    return list(dict.fromkeys(awb.strip() for awb in given))


def _why(refused: Refused) -> str:
    told = [
        ("on a manifest already", refused.manifested),
        ("not known in Bilty, or not of a facility of this key's", refused.unknown),
        ("without a label, or cancelled", refused.not_ready),
        ("of more than one shipment", refused.ambiguous),
    ]
    said = [f"{', '.join(awbs[:10])}{' and more' if len(awbs) > 10 else ''}: {what}." for what, awbs in told if awbs]
    return " ".join(["No manifest was made.", *said])


def _refused(why: str, refused: Refused) -> Response[Body]:
    lists: dict[str, Sequence[str]] = {
        "alreadyManifestedAWBs": refused.manifested,
        "unknownAWBs": refused.unknown,
        "notReadyAWBs": refused.not_ready + refused.ambiguous,
    }
    return Response({"status": FAILED, "message": why, **lists}, status_code=400)


@route(f"{manifest_link.PATH}/{{token:str}}", http_method=["GET", "HEAD"], include_in_schema=False)
async def download(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """For whoever has the link, until it expires. The paper is always made of what was handed over then."""
    tools = tools_of(request)
    link = manifest_link.read(tools.vault, token)
    if link is None:
        raise plain(404, HEADERS)
    async with tools.pool.acquire() as connection:
        now = await showing.clock(connection)
        found = await manifests.one(connection, link.manifest_id)
    if now >= link.expires_at:
        raise ProblemError(410, "link_expired", EXPIRED, headers=HEADERS)
    if found is None:
        raise plain(404, HEADERS)
    pdf = await asyncio.to_thread(paper.draw, found, INDIA)
    headers = {"Content-Disposition": f'inline; filename="{found.number}.pdf"', **HEADERS}
    return Response(pdf, media_type="application/pdf", headers=headers)
