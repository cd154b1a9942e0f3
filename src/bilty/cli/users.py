"""Who may sign in to the panel."""

from typing import TYPE_CHECKING, Annotated

import typer

from bilty.cli.ground import settings_or_stop, stop, with_state

if TYPE_CHECKING:
    from bilty.running import Opened


def add(
    email: str,
    role: Annotated[str, typer.Option(help="admin (who is new is one), dispatcher or viewer")] = "",
    facility: Annotated[
        list[str] | None, typer.Option(help="The code of one to work for; several may be given.")
    ] = None,
) -> None:
    """Print a sign-in link, good once and for 24 hours: for who is new, or is there already and cannot get in."""
    from bilty.store import access, audit, users
    from bilty.store.showing import clock

    if not users.is_email(email):
        stop(f"{email} is not an e-mail address: give one like asha@example.com.")
    if role and role not in list(access.Role):
        stop(f"--role {role} is not known: give admin, dispatcher or viewer.")
    wanted = access.Role(role) if role else None

    async def add(state: "Opened") -> str | users.Refused:
        async with state.pool.acquire() as db, db.transaction():
            return await users.invite(db, audit.COMMAND, email, wanted, facility or [], await clock(db))

    token = with_state(add)
    if isinstance(token, users.Refused):
        stop(token.why)
    print(f"{settings_or_stop().address}/sign-in/{token}")
