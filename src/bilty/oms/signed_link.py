"""What stands at the end of a link that opens one thing to whoever has it: what it is about, and our signature of it.

It is no key: it opens what it names and nothing else. Each purpose has signatures of its own, so that what was written
for one is nothing to another. What it says can be read by anybody, so it holds no secret.
"""

import base64
import binascii

from bilty.store.secrets import Vault

CHARS_MAX = 300
_MAC_BYTES = 32


def written(vault: Vault, purpose: str, told: str) -> str:
    signed = vault.signature(purpose, told.encode()) + told.encode()
    return _spelt(signed)


def read(vault: Vault, purpose: str, token: str) -> str | None:
    """What was written, of a token that we made for this purpose; None of any other."""
    if len(token) > CHARS_MAX or not token.isascii():
        return None
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if _spelt(signed) != token:
        return None  # base64 has several spellings of the same bytes: ours alone is a link
    mac, told = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    return told.decode() if vault.signed(purpose, told, mac) else None


def _spelt(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")
