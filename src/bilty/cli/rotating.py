"""Exchanging the secret that seals ClickPost's keys and signs links."""

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bilty.cli.ground import settings_or_stop, stop, with_state
from bilty.settings import Settings
from bilty.words import INDIA, counted, day

if TYPE_CHECKING:
    from bilty.running import Opened
    from bilty.store.rotating import Resealed


def rotate_key(
    *, new: Annotated[bool, typer.Option(help="First make another secret in the data folder.")] = False
) -> None:
    """Seal everything with the present BILTY_SECRET_KEY that the one before it sealed. docs/security.md says how."""
    if new:
        _make(settings_or_stop())
        return

    async def reseal(state: "Opened") -> "Resealed":
        from bilty.store import audit, rotating

        async with state.pool.acquire() as connection, connection.transaction():
            return await rotating.reseal(connection, state.vault, audit.COMMAND)

    done = with_state(reseal)
    print(f"Sealed anew: {counted(done.anew, 'secret')}. Sealed with the present one already: {done.already}.")
    if done.unopened:
        stop(
            "\n".join(f"Neither secret opens {each}." for each in done.unopened)
            + "\nGive the one that sealed it as BILTY_SECRET_KEY_OLD and run this again, or enter it anew in Settings."
        )
    if done.anew:
        print(
            "Links made with the old secret, and answers kept for repeated requests, are good until "
            f"{day(_needed_until(settings_or_stop()))}: keep it until then. Then take away BILTY_SECRET_KEY_OLD, or "
            "secret-old.key in the data folder, and restart."
        )


def _make(settings: Settings) -> None:
    from bilty.store.secrets import OLD_FILE, exchange_kept_secret

    if settings.secret_key is not None:
        stop(
            "BILTY_SECRET_KEY is given, so the secret is not the data folder's to make: give another as "
            "BILTY_SECRET_KEY and this one as BILTY_SECRET_KEY_OLD, restart, then run `bilty rotate-key`."
        )
    if not exchange_kept_secret(settings.data_dir):
        stop(
            f"{settings.data_dir / OLD_FILE} is still there from the last time: run `bilty rotate-key`, and take the "
            "file away once the day it names has come. Then make another."
        )
    print(
        "Another secret is made, and the one before it is kept beside it. Restart every bilty that runs, then run "
        "`bilty rotate-key`, which seals with the new one what the old one sealed."
    )


def _needed_until(settings: Settings) -> datetime:
    """Whatever was signed or sealed with the old secret a moment ago is over by the end of that day."""
    from bilty.store.idempotency import KEPT

    links = timedelta(hours=settings.label_link_hours), timedelta(days=settings.uniware_link_days)
    return datetime.now(INDIA) + timedelta(days=math.ceil(max(*links, KEPT) / timedelta(days=1)))
