"""PDFs as others send them, opened or refused. Which exceptions that costs is known here and nowhere else."""

import io
import struct
import zlib

import pypdf
import pypdf.errors

PAGES_MAX = 5_000
"""Of one label. A shipment has 999 boxes at most, and a courier's paper a few pages a box."""

STUMBLES = (
    pypdf.errors.PyPdfError,
    pypdf.errors.DependencyError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    ArithmeticError,
    AssertionError,
    struct.error,
    zlib.error,
    OSError,
)
"""What pypdf raises of a damaged file: whatever it stumbles over."""


class UnreadablePdfError(ValueError):
    """It cannot be printed from here. The message is the end of a sentence."""


def readable(pdf: bytes) -> pypdf.PdfReader:
    """Raises UnreadablePdfError, or one of STUMBLES."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadablePdfError("its PDF asks for a password")
    if not len(reader.pages):
        raise UnreadablePdfError("its PDF has no page")
    if len(reader.pages) > PAGES_MAX:
        raise UnreadablePdfError(f"its PDF has more than {PAGES_MAX:,} pages")
    return reader
