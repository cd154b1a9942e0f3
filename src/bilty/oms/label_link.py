"""A link that opens one label to whoever has it, until a moment: for order systems, which fetch labels without a key.

Another opens the papers that Bilty makes for the same label: box stickers and packing slips.

The link names the shipment, the PDF's hash and the moment, all of them signed (see `signed_link`). It opens nothing at
all once the shipment has another label.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from bilty.oms import signed_link
from bilty.store.secrets import Vault

PATH, PAPERS = "/labels", "/papers"
_PURPOSES = {PATH: "label link", PAPERS: "papers link"}


@dataclass(frozen=True, slots=True)
class LabelLink:
    shipment_id: int
    sha256: str
    expires_at: datetime


def link(vault: Vault, base_url: str, shipment_id: int, sha256: str, expires_at: datetime, *, path: str = PATH) -> str:
    """Whole, with the address that it begins with. `expires_at` counts to the second; `path` is PATH or PAPERS."""
    told = f"{shipment_id}.{sha256}.{int(expires_at.timestamp())}"
    return f"{base_url}{path}/{signed_link.written(vault, _PURPOSES[path], told)}"


def read(vault: Vault, token: str, *, path: str = PATH) -> LabelLink | None:
    """What a link that we made says; None for any other. Whether it has expired is the caller's to see."""
    told = signed_link.read(vault, _PURPOSES[path], token)
    if told is None:
        return None
    shipment_id, sha256, until = told.split(".")
    return LabelLink(int(shipment_id), sha256, datetime.fromtimestamp(int(until), UTC))
