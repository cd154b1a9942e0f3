"""The key that a connector has: kept when another is not given, and told by its last characters at most."""

from bilty.store import providers
from bilty.store.database import Connection
from bilty.store.secrets import Vault

SHOWN_CHARS = 4
CHARS_MIN_SHOWN = 12
"""The end of a shorter key would tell too much of it."""


async def stored_key(connection: Connection, vault: Vault, code: str) -> str | None:
    """None also where it was sealed with another secret: then it has to be entered anew."""
    try:
        stored = await providers.connector_of(connection, vault, code)
    except ValueError:
        return None
    return stored.key if stored else None


def end_of(key: str | None) -> str:
    return key[-SHOWN_CHARS:] if key and len(key) >= CHARS_MIN_SHOWN else ""
