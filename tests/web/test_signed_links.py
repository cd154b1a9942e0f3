"""What every signed link is held to, whatever it opens: it is good for its own thing and its time, and nothing else."""

from datetime import timedelta

import pytest

from bilty.documents.manifest import Manifest
from bilty.oms import label_link, manifest_link, signed_link
from bilty.store import manifests, showing
from bilty.store.audit import Actor, ActorKind
from bilty.store.secrets import Vault
from bilty.turn import Rules
from web.endpoints import labelled
from web.house import House
from web.page import check_page

DAY = timedelta(days=1)
KINDS = {"label": label_link.PATH, "papers": label_link.PAPERS, "manifest": manifest_link.PATH}
ROBOTS = "noindex, nofollow, noarchive"

each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
async def stocked(furnished: House) -> House:
    """With a label, and a manifest with it."""
    await labelled(furnished)
    async with furnished.tools.pool.acquire() as connection, connection.transaction():
        now = await showing.clock(connection)
        made = await manifests.make(connection, ["AWB77"], None, Actor(ActorKind.KEY, "somebody"), now, Rules())
    assert isinstance(made, Manifest)
    return furnished


async def link_to(house: House, kind: str, *, lives: timedelta = DAY, vault: Vault | None = None, more: int = 0) -> str:
    """`more`: of one that comes so many later, and so is not there."""
    signs, until = vault or house.tools.vault, await house.now() + lives
    async with house.tools.pool.acquire() as connection:
        (shipment_id,) = [row["id"] for row in await connection.fetch("SELECT id FROM shipments")]
        holder = (await showing.see(connection, [shipment_id]))[shipment_id].progress.holder
        manifest_id = await connection.fetchval("SELECT id FROM manifests")
    assert holder is not None
    if kind in ("label", "papers"):
        return label_link.link(signs, "", shipment_id + more, holder.label_sha256, until, path=KINDS[kind])
    return manifest_link.link(signs, "", manifest_id + more, until)


@each_kind
async def test_it_opens_without_a_key_and_head_tells_the_same(stocked: House, kind: str) -> None:
    link = await link_to(stocked, kind)
    whole, head = await stocked.api.get(link), await stocked.api.head(link)
    assert whole.content.startswith(b"%PDF-")
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    for answer in (whole, head):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"].startswith("inline; filename=")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == ROBOTS
    assert (await stocked.api.head(link + "x")).status_code == 404


@each_kind
async def test_each_character_of_it_matters(stocked: House, kind: str) -> None:
    """Also the last, of which base64 may read a part only."""
    head, _, token = (await link_to(stocked, kind)).rpartition("/")
    last = [(len(token) - 1, chr(ord(token[-1]) + step)) for step in (1, 2) if chr(ord(token[-1]) + step).isalnum()]
    first = [(position, "A" if token[position] != "A" else "B") for position in (0, 10, 43, 50, len(token) - 2)]
    for position, other in first + last:
        altered = f"{head}/{token[:position]}{other}{token[position + 1 :]}"
        answer = await stocked.api.get(altered)
        assert answer.status_code == 404, altered
        assert answer.json()["detail"] == "There is nothing at this address."


@pytest.mark.parametrize("token", ["x", "0" * 300, "0" * 5000, "%C3%A9", "a.b", "====", "AAAA", "%00"])
@each_kind
async def test_what_is_not_ours_is_nothing(house: House, kind: str, token: str) -> None:
    answer = await house.api.get(f"{KINDS[kind]}/{token}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is nothing at this address."
    assert answer.headers["x-robots-tag"] == ROBOTS


@each_kind
async def test_one_that_another_house_signed_is_nothing(stocked: House, kind: str) -> None:
    foreign = await link_to(stocked, kind, vault=Vault("another secret"))
    assert (await stocked.api.get(foreign)).status_code == 404


@each_kind
async def test_one_for_another_purpose_is_nothing(stocked: House, kind: str) -> None:
    for other in KINDS.keys() - {kind}:
        token = (await link_to(stocked, other)).rpartition("/")[2]
        assert (await stocked.api.get(f"{KINDS[kind]}/{token}")).status_code == 404


@each_kind
async def test_an_expired_one_says_so_and_no_more(stocked: House, kind: str) -> None:
    link = await link_to(stocked, kind, lives=-timedelta(seconds=1))
    answer = await stocked.api.get(link)
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:bilty:problem:link_expired"
    assert "has expired" in answer.json()["detail"]
    assert "SO-1001" not in answer.text
    assert answer.headers["x-robots-tag"] == ROBOTS


@pytest.mark.parametrize(("kind", "status"), [("label", 410), ("papers", 410), ("manifest", 404)])
async def test_what_is_gone_is_not_opened(stocked: House, kind: str, status: int) -> None:
    assert (await stocked.api.get(await link_to(stocked, kind, more=1))).status_code == status


@each_kind
async def test_in_a_browser_a_refusal_is_a_page(stocked: House, kind: str) -> None:
    late = await link_to(stocked, kind, lives=-timedelta(seconds=1))
    for link, status in ((late, 410), (f"{KINDS[kind]}/nonsense", 404)):
        answer = await stocked.browser.get(link)
        assert answer.status_code == status
        check_page(answer)


def test_the_same_bytes_have_one_spelling() -> None:
    """Of the last character base64 reads a part: others would say the same."""
    vault = Vault("a secret")
    for told in ("a", "ab", "abc"):
        token = signed_link.written(vault, "a purpose", told)
        assert signed_link.read(vault, "a purpose", token) == told
        others = [token[:-1] + chr(code) for code in range(0x2B, 0x7B) if chr(code) != token[-1]]
        assert [
            other for other in [*others, token + "=", token + "A"] if signed_link.read(vault, "a purpose", other)
        ] == []
