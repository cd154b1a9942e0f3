"""The secrets that sign what endpoints are told: sealed, told once when they are made, exchanged without a gap.

One that is replaced signs for a day more beside the new one, so that a receiver can be given that in its own time.
"""

import base64
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from bilty.intake.endpoints import SECRET_BYTES, WHSEC
from bilty.store.audit import Actor, note
from bilty.store.database import Connection
from bilty.store.hand_off import going_on
from bilty.store.secrets import Vault

OLD_SECRET_SIGNS = timedelta(hours=24)
OLD_SECRETS_MAX = 3
"""Whoever rotates again within a day, because the answer was lost, must not cut off a receiver of the day before."""
ROTATED = "hand-off secret rotated"
SEALED = "code, sealed_secret, sealed_old_secret, old_secret_until"


def secrets_of(vault: Vault, row: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """What signs now: the present secret, and those before it for their last day. `row` has what SEALED names.

    Raises ValueError, with a sentence, where they were sealed with another BILTY_SECRET_KEY.
    """
    until = row["old_secret_until"]
    old = row["sealed_old_secret"] if until is not None and until > now else None
    try:
        return (vault.open(row["sealed_secret"]), *(vault.open(old).split() if old else ()))
    except ValueError:
        raise ValueError(
            f"The secret of the hand-off endpoint {row['code']} was sealed with another BILTY_SECRET_KEY. "
            "Give that one again, or make a new secret in Settings, Hand-off endpoints."
        ) from None


def new_secret() -> str:
    """As Standard Webhooks writes one."""
    return WHSEC + base64.b64encode(secrets.token_bytes(SECRET_BYTES[0])).decode()


async def signed_with(
    connection: Connection, vault: Vault, code: str, now: datetime
) -> tuple[str, tuple[str, ...]] | None:
    """The address of an endpoint, and what signs for it. Raises ValueError where that cannot be read here."""
    sql = f"SELECT url, {SEALED} FROM endpoints WHERE code = $1 AND removed_at IS NULL"  # noqa: S608 - constants
    row = await connection.fetchrow(sql, code)
    return (row["url"], secrets_of(vault, dict(row), now)) if row else None


async def lock(connection: Connection, code: str) -> asyncpg.Record | None:
    """So that "before" is what a change found, whoever else is at it. Events may be written for it meanwhile."""
    sql = f"""SELECT id, failing_since, disabled_at, {SEALED} FROM endpoints
               WHERE code = $1 AND removed_at IS NULL FOR NO KEY UPDATE"""  # noqa: S608 - constants
    return await connection.fetchrow(sql, code)


async def rotate(
    connection: Connection, vault: Vault, code: str, actor: Actor, secret: str | None = None
) -> str | None:
    """The secret that signs from now on: `secret`, or one that is made. None where there is no such endpoint."""
    held = await lock(connection, code)
    if held is None:
        return None
    secret = secret or new_secret()
    await replace_secret(connection, vault, held, secret, actor)
    return secret


async def replace_secret(connection: Connection, vault: Vault, held: asyncpg.Record, secret: str, actor: Actor) -> None:
    """`held` is the endpoint, locked. The present secret again changes nothing; another may be what it failed for."""
    now = await connection.fetchval("SELECT clock_timestamp()")
    signing = _readable(vault, held, now)
    if signing[:1] == (secret,):
        return
    old = [each for each in signing if each != secret][:OLD_SECRETS_MAX]
    await connection.execute(
        "UPDATE endpoints SET sealed_secret = $2, sealed_old_secret = $3, old_secret_until = $4 WHERE id = $1",
        held["id"],
        vault.seal(secret),
        vault.seal(" ".join(old)) if old else None,
        now + OLD_SECRET_SIGNS if old else None,
    )
    await note(connection, actor, ROTATED, held["code"])
    if held["failing_since"] and not held["disabled_at"]:
        await going_on.begin_anew(connection, held["id"], now)


def _readable(vault: Vault, held: asyncpg.Record, now: datetime) -> tuple[str, ...]:
    """None of those that were sealed with another BILTY_SECRET_KEY: a rotation is the remedy for them."""
    try:
        return secrets_of(vault, dict(held), now)
    except ValueError:
        return ()
