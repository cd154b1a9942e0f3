"""The label store: PDFs (and exports) by what is in them, in a folder by default, in a bucket by URL.

A label is written before anything refers to it, and its name is the hash of its bytes: writing twice changes nothing.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from bilty.store.database import Connection


class Shelf(StrEnum):
    """Labels are kept; what was made of them for a person can be made again."""

    LABELS = "labels"
    PRINTS = "prints"
    DOCUMENTS = "documents"
    EXPORTS = "exports"
    WORKBOOKS = "workbooks"
    IMPORTS = "imports"


_SUFFIXES = {Shelf.EXPORTS: "csv", Shelf.WORKBOOKS: "xlsx", Shelf.IMPORTS: "orders"}
CHUNK_BYTES = 256 * 1024
CHANGED = "The stored file {sha256}… was changed behind Bilty's back."


class LabelStore:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str) -> "LabelStore":
        """At a folder's path or an object store's URL (`s3://…`, `gs://…`, `az://…`)."""
        if "://" in url:
            return cls(from_url(url))
        return cls(LocalStore(url, mkdir=True))

    async def put(self, content: bytes, shelf: Shelf = Shelf.LABELS) -> str:
        """The sha256 under which it is kept. Raises OSError or obstore's errors when it cannot be."""
        sha256 = hashlib.sha256(content).hexdigest()
        await obstore.put_async(self._store, _path(sha256, shelf), content)
        return sha256

    async def put_file(self, path: Path, shelf: Shelf) -> str:
        """As `put`, of a file of any length, in little memory."""
        sha256 = await asyncio.to_thread(_hash_of, path)
        await obstore.put_async(self._store, _path(sha256, shelf), path, max_concurrency=2)
        return sha256

    async def check(self, sha256: str, shelf: Shelf) -> int:
        """How many bytes `stream` will give. Raises as `get` does: before the first of them is sent."""
        hashed, size = hashlib.sha256(), 0
        async for chunk in self.stream(sha256, shelf):
            hashed.update(chunk)
            size += len(chunk)
        if hashed.hexdigest() != sha256:
            raise ValueError(CHANGED.format(sha256=sha256[:12]))
        return size

    async def stream(self, sha256: str, shelf: Shelf) -> AsyncIterator[bytes]:
        """A file of any length, in little memory. Raises FileNotFoundError when it is not there."""
        result = await obstore.get_async(self._store, _path(sha256, shelf))
        async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    async def get(self, sha256: str, shelf: Shelf = Shelf.LABELS) -> bytes:
        """What was put. Raises FileNotFoundError when it is not there, ValueError when it is no longer what it was."""
        result = await obstore.get_async(self._store, _path(sha256, shelf))
        content = bytes(await result.bytes_async())
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(CHANGED.format(sha256=sha256[:12]))
        return content

    async def remove(self, sha256: str, shelf: Shelf) -> None:
        """What was made of labels, once nobody asks for it. Raises OSError or obstore's errors when it cannot be."""
        assert shelf is not Shelf.LABELS, "labels are kept"
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, _path(sha256, shelf))


async def whose(connection: Connection, sha256: str, reference: str) -> tuple[str, str]:
    """The AWB and the shipment of another turn that has this very label; blank where none has."""
    row = await connection.fetchrow(
        """SELECT t.awb, s.number FROM turns t JOIN shipments s ON s.id = t.shipment_id
            WHERE t.label_sha256 = $1 AND t.label_sha256 <> '' AND t.reference <> $2 ORDER BY t.id LIMIT 1""",
        sha256,
        reference,
    )
    return (row["awb"], row["number"]) if row else ("", "")


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _path(sha256: str, shelf: Shelf) -> str:
    return f"{shelf}/{sha256[:2]}/{sha256}.{_SUFFIXES.get(shelf, 'pdf')}"
