"""The label store: PDFs by what is in them, in a folder by default, in a bucket by URL.

A label is written before anything refers to it, and its name is the hash of its bytes: writing twice changes nothing.
"""

import hashlib
import io

import obstore
import pypdf
import pypdf.errors
from obstore.store import LocalStore, ObjectStore, from_url


class LabelStore:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str) -> "LabelStore":
        """At a folder's path or an object store's URL (`s3://…`, `gs://…`, `az://…`)."""
        if "://" in url:
            return cls(from_url(url))
        return cls(LocalStore(url, mkdir=True))

    async def put(self, pdf: bytes) -> str:
        """The sha256 under which it is kept. Raises OSError or obstore's errors when it cannot be."""
        sha256 = hashlib.sha256(pdf).hexdigest()
        await obstore.put_async(self._store, _path(sha256), pdf)
        return sha256

    async def get(self, sha256: str) -> bytes:
        """The PDF. Raises FileNotFoundError when it is not there, ValueError when it is no longer what it was."""
        result = await obstore.get_async(self._store, _path(sha256))
        pdf = bytes(await result.bytes_async())
        if hashlib.sha256(pdf).hexdigest() != sha256:
            raise ValueError(f"The stored label {sha256[:12]}… was changed behind Bilty's back.")
        return pdf


def _path(sha256: str) -> str:
    return f"labels/{sha256[:2]}/{sha256}.pdf"


def pages_of(pdf: bytes) -> int:
    """How many pages, 0 where that cannot be read: such a label is kept, and a person is told."""
    try:
        return len(pypdf.PdfReader(io.BytesIO(pdf)).pages)
    except (pypdf.errors.PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 0  # pypdf raises whatever a damaged file makes it stumble over
