"""The courier's own stickers and slips for a print job: from the store, or fetched now, once, from where they are.

One that cannot be had holds nothing back: Bilty's own is printed in its place, and the job's page says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from obstore.exceptions import BaseError

from bilty.aggregator import Pdf
from bilty.jobs.tools import NO_STORE, CannotFinish, Tools
from bilty.reply import PaperKind
from bilty.store import courier_papers, providers
from bilty.store.courier_papers import CourierPaper
from bilty.store.labels import Shelf

WORDS = {PaperKind.STICKER: "box stickers", PaperKind.SLIP: "packing slips"}
NOT_THEIRS = "The courier's own {what} could not be fetched ({why}): Bilty's are in their place."
SEALED = "this connector's key cannot be opened here"


@dataclass(frozen=True, slots=True)
class Brought:
    """By kind, the PDFs of one turn, all of them; and a sentence for each kind of which one is missing."""

    pdfs: Mapping[PaperKind, tuple[bytes, ...]]
    notes: tuple[str, ...] = ()


async def bring(tools: Tools, turn_id: int, kinds: Sequence[PaperKind]) -> Brought:
    if not kinds:
        return Brought({})
    async with tools.pool.acquire() as connection:
        papers = (await courier_papers.of_turns(connection, [turn_id])).get(turn_id, ())
    pdfs: dict[PaperKind, tuple[bytes, ...]] = {}
    notes: list[str] = []
    for kind in kinds:
        theirs = [each for each in papers if each.kind is kind]
        had = [await _one(tools, each) for each in theirs]
        why = next((each for each in had if isinstance(each, str)), "")
        if why:
            notes.append(NOT_THEIRS.format(what=WORDS[kind], why=why))
        elif theirs:
            pdfs[kind] = tuple(each for each in had if isinstance(each, bytes))
    return Brought(pdfs, tuple(notes))


async def _one(tools: Tools, paper: CourierPaper) -> bytes | str:
    """The PDF, or why it is not to be had."""
    if paper.sha256:
        try:
            return await tools.labels.get(paper.sha256, Shelf.DOCUMENTS)
        except (FileNotFoundError, ValueError):
            pass  # it is fetched again
        except (OSError, BaseError) as trouble:
            raise CannotFinish(NO_STORE.format(done="read", why=type(trouble).__name__)) from trouble
    try:
        async with tools.pool.acquire() as connection:
            connector = await providers.connector_of(connection, tools.vault, paper.provider)
    except ValueError:
        return SEALED
    if connector is None:
        return SEALED
    said = await tools.aggregator(connector).fetch_paper(paper.url)
    if not isinstance(said.reply, Pdf):
        return said.reply.message
    try:
        sha256 = await tools.labels.put(said.reply.content, Shelf.DOCUMENTS)
    except (OSError, BaseError) as trouble:
        raise CannotFinish(NO_STORE.format(done="written", why=type(trouble).__name__)) from trouble
    async with tools.pool.acquire() as connection:
        await courier_papers.fetched(connection, paper.id, sha256)
    return said.reply.content
