"""Who may call the API."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bilty.cli.ground import stop, with_state
from bilty.words import INDIA, counted

if TYPE_CHECKING:
    from bilty.intake import Fault
    from bilty.running import Opened


def add(
    name: str,
    scope: Annotated[str, typer.Option(help="read, dispatch or admin")] = "dispatch",
    facility: Annotated[
        list[str] | None, typer.Option(help="The code of one that it opens; several may be given. Without: all.")
    ] = None,
    expires: Annotated[str, typer.Option(help="The last day on which it is good, like 2027-01-31.")] = "",
) -> None:
    """Print a new API key. It is shown this once."""
    from bilty.store import access, api_keys, audit

    if scope not in list(access.Scope):
        stop(f"--scope {scope} is not known: give read, dispatch or admin.")
    wish = api_keys.Wish(name, scope, facility or None, expires)

    async def add(state: "Opened") -> "str | list[Fault]":
        async with state.pool.acquire() as db, db.transaction():
            return await api_keys.add(db, audit.COMMAND, wish, datetime.now(INDIA).date())

    key = with_state(add)
    if not isinstance(key, str):
        stop("\n".join(fault.message for fault in key))
    opens = f", for {', '.join(facility)}" if facility else ""
    until = f", good until {expires}" if expires else ""
    print(f"A key for {name}, scope {scope}{opens}{until}. It is shown this once:")
    print(key)


def revoke(name: str) -> None:
    """Revoke the API key of this name: whoever holds it is refused from then on."""
    from bilty.store import api_keys, audit

    async def revoke(state: "Opened") -> int:
        async with state.pool.acquire() as db, db.transaction():
            ids = [each.id for each in await api_keys.keys(db) if each.name == name]
            return len([found for each in ids if (found := await api_keys.revoke(db, audit.COMMAND, each))])

    revoked = with_state(revoke)
    if not revoked:
        stop(f"There is no API key {name}: Settings, API keys, in the panel lists those there are.")
    print(f"{counted(revoked, 'key')} of {name} revoked.")
