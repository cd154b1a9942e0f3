"""What is sealed, sealed anew with the present secret, so that the one before it can be put away.

Answers that are kept for a repeated request (`idempotency_keys`) are not: they are gone within a week, and until then
the old secret opens them, as it checks the links that were made with it.
"""

from dataclasses import dataclass

from bilty.store import audit
from bilty.store.audit import Actor
from bilty.store.database import Connection
from bilty.store.secrets import Vault

ROTATED = "secret key rotated"
SEALED = {
    ("shipping_providers", "sealed_key"): "the key of the shipping provider",
    ("endpoints", "sealed_secret"): "the secret of the hand-off endpoint",
    ("endpoints", "sealed_old_secret"): "the former secret of the hand-off endpoint",
}
"""Each column that lasts, by table and name, with what a person calls what is in it."""
_WANTED = {
    "sealed_key": "sealed_key IS NOT NULL",
    "sealed_secret": "removed_at IS NULL",
    "sealed_old_secret": "removed_at IS NULL AND old_secret_until > clock_timestamp()",
}
"""What nothing reads any more need not open."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many were sealed anew and how many were already; and those that neither secret opens, each in words."""

    anew: int
    already: int
    unopened: tuple[str, ...]


async def reseal(connection: Connection, vault: Vault, actor: Actor) -> Resealed:
    """In a transaction. Rows are held, so that one that is changed meanwhile is not put back."""
    anew, already, unopened = 0, 0, []
    for (table, column), called in SEALED.items():
        rows = await connection.fetch(
            f"SELECT id, code, {column} AS sealed FROM {table} "  # noqa: S608 - names of ours
            f"WHERE {_WANTED[column]} ORDER BY id FOR NO KEY UPDATE"
        )
        for row in rows:
            try:
                if not vault.sealed_before(row["sealed"]):
                    already += 1
                    continue
            except ValueError:
                unopened.append(f"{called} {row['code']}")
                continue
            anew += 1
            sealed = vault.seal(vault.open(row["sealed"]))
            await connection.execute(f"UPDATE {table} SET {column} = $2 WHERE id = $1", row["id"], sealed)  # noqa: S608
    if anew:
        await audit.note(connection, actor, ROTATED, "", after={"sealed_anew": anew})
    return Resealed(anew, already, tuple(unopened))
