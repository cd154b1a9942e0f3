"""Forms of the panel, read into plain values: what a browser sends, with a limit on everything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from litestar.datastructures import UploadFile

from bilty.intake import Fault
from bilty.web.problems import ProblemError
from bilty.web.tools import AnyRequest

FIELDS_MAX = 20_000
STRANGERS_BYTES_MAX = 16_384
"""Of a form that anybody may send: an address, a password, and where to land."""
VALUE_CHARS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Form(Mapping[str, str]):
    """The fields by name, each trimmed; of several of one name the first. `files` are what was uploaded."""

    fields: Mapping[str, tuple[str, ...]]
    files: Mapping[str, UploadFile]

    def __getitem__(self, name: str) -> str:
        return self.fields[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def all(self, name: str) -> Sequence[str]:
        """Each value of a field that may be there several times."""
        return self.fields.get(name, ())

    def ticked(self, name: str) -> bool:
        """A checkbox that is not ticked is not sent."""
        return name in self.fields


async def form_of(request: AnyRequest, bytes_max: int | None = None) -> Form:
    """What the form sent. A body that is too large is refused before it is read (`BODY_BYTES_MAX`).

    To take a form apart costs much more than to read it, and nobody is served meanwhile: so what is too much is known
    by its size and its signs.
    """
    body = await request.body()
    if bytes_max is not None and len(body) > bytes_max:
        raise ProblemError(413, "too_large", f"The form has {len(body):,} bytes; {bytes_max:,} are the most here.")
    count = body.count(b"&") + 1
    if not _has_parts(request) and count > FIELDS_MAX:
        raise ProblemError(413, "too_many_fields", f"The form has {count} fields; {FIELDS_MAX} are the most.")
    sent = list((await request.form()).multi_items())
    fields: dict[str, list[str]] = {}
    files: dict[str, UploadFile] = {}
    for name, value in sent:
        if isinstance(value, UploadFile):
            files.setdefault(name, value)
        else:
            fields.setdefault(name, []).append(_text(name, value))
    return Form({name: tuple(values) for name, values in fields.items()}, files)


def _has_parts(request: AnyRequest) -> bool:
    """One with a file: the library takes at most 1,000 parts."""
    return request.headers.get("content-type", "").strip().lower().startswith("multipart/")


def _text(name: str, value: object) -> str:
    text = str(value).strip()
    if len(text) > VALUE_CHARS_MAX or "\0" in text:
        raise ProblemError(
            422, "field", f"{name[:40]} cannot be taken: give at most {VALUE_CHARS_MAX} ordinary characters."
        )
    return text


def by_field(faults: Sequence[Fault]) -> dict[str, str]:
    """What is wrong, by field: the first sentence of each."""
    told: dict[str, str] = {}
    for fault in faults:
        told.setdefault(fault.field, fault.message)
    return told
