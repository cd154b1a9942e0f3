"""What goes out to ClickPost, as a value. Its credentials are added as it leaves, by `bilty.outgoing.http`."""

from dataclasses import dataclass

from bilty.outgoing.outcome import Method


@dataclass(frozen=True, slots=True)
class Request:
    """`path` begins behind `/api`; `tracking` says at which of ClickPost's two hosts. `body` is JSON, or nothing."""

    method: Method
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    tracking: bool = False
