"""`POST /uniware/manifest`: what is handed over together, and the paper for it behind a link that expires."""

import asyncio
import base64
import binascii
import hmac
import time
from collections.abc import Sequence

from litestar import Response, get, post
from litestar.params import FromPath

from bilty.documents import manifest as paper
from bilty.intake.reader import show
from bilty.store import manifests, showing
from bilty.store.manifests import Refused
from bilty.store.secrets import Vault
from bilty.web.asking import document_of
from bilty.web.keys import actor_of, caller
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest, base_url, tools_of
from bilty.web.uniware.answers import FAILED, SUCCESS, Body, is_awb
from bilty.web.uniware.coming_in import with_token
from bilty.words import INDIA

AWBS_MAX = 500
TOKEN_CHARS_MAX = 200
PATH = "/manifests"
DAY_S = 24 * 60 * 60
_MAC_BYTES = 32
_PURPOSE = "manifest link"


@post("/manifest", guards=[with_token], include_in_schema=False, status_code=201)
async def make(request: AnyRequest) -> Response[Body]:
    """All of them are put on it, or nothing is made: 400 says which are in the way."""
    document, tools = await document_of(request), tools_of(request)
    awbs = _awbs(document)
    if isinstance(awbs, str):
        return _refused(awbs, Refused())
    async with tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        made = await manifests.make(connection, awbs, caller(request).facilities, actor_of(request), now)
    if isinstance(made, Refused):
        return _refused(_why(made), made)
    until = int(time.time() + tools.settings.uniware_link_days * DAY_S)
    address = link(tools.vault, base_url(request), int(made.number.removeprefix(paper.BEGINS)), until)
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


def link(vault: Vault, base: str, manifest_id: int, until: int) -> str:
    told = f"{manifest_id}.{until}".encode()
    signed = vault.signature(_PURPOSE, told) + told
    return f"{base}{PATH}/{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"


def _read(vault: Vault, token: str) -> tuple[int, int] | None:
    """The manifest's id and the second until which it opens, of a link that we made."""
    if len(token) > TOKEN_CHARS_MAX or not token.isascii():
        return None
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    mac, told = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, vault.signature(_PURPOSE, told)):
        return None
    manifest_id, until = told.decode().split(".")
    return int(manifest_id), int(until)


@get(f"{PATH}/{{token:str}}", include_in_schema=False, media_type="application/pdf")
async def download(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """For whoever has the link, until it expires. The paper is always made of what was handed over then."""
    tools = tools_of(request)
    told = _read(tools.vault, token)
    if told is None:
        raise ProblemError(404, "not_found", "There is no such manifest. Open the whole link, as it was given.")
    manifest_id, until = told
    if time.time() > until:
        raise ProblemError(
            410, "link_expired", "This link has expired. The manifest itself is kept: ask whoever runs Bilty."
        )
    async with tools.pool.acquire() as connection:
        found = await manifests.one(connection, manifest_id)
    if found is None:
        raise ProblemError(404, "not_found", "There is no such manifest any more.")
    pdf = await asyncio.to_thread(paper.draw, found, INDIA)
    headers = {"Content-Disposition": f'inline; filename="{found.number}.pdf"'}
    return Response(pdf, media_type="application/pdf", headers=headers)
