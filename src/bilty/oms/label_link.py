"""A link that opens one label to whoever has it, until a moment: for order systems, which fetch labels without a key.

The link names the shipment, the PDF's hash and the moment, and carries a signature over the three. It is no key: it
opens nothing else, and nothing at all once the shipment has another label.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bilty.store.secrets import Vault

PATH = "/labels"
CHARS_MAX = 300
_MAC_BYTES = 32
_PURPOSE = "label link"


@dataclass(frozen=True, slots=True)
class LabelLink:
    shipment_id: int
    sha256: str
    expires_at: datetime


def link(vault: Vault, base_url: str, shipment_id: int, sha256: str, expires_at: datetime) -> str:
    """Whole, with the address that it begins with. `expires_at` counts to the second."""
    told = f"{shipment_id}.{sha256}.{int(expires_at.timestamp())}".encode()
    signed = vault.signature(_PURPOSE, told) + told
    return f"{base_url}{PATH}/{_written(signed)}"


def _written(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def read(vault: Vault, token: str) -> LabelLink | None:
    """What a link that we made says; None for any other. Whether it has expired is the caller's to see."""
    if len(token) > CHARS_MAX or not token.isascii():
        return None
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if _written(signed) != token:
        return None  # base64 has several spellings of the same bytes: ours alone is a link
    mac, told = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, vault.signature(_PURPOSE, told)):
        return None
    shipment_id, sha256, until = told.decode().split(".")
    return LabelLink(int(shipment_id), sha256, datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(until)))
