"""A link that opens one manifest to whoever has it, until a moment: Uniware shows it to whoever hands boxes over."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bilty.oms import signed_link
from bilty.store.secrets import Vault

PATH = "/manifests"
_PURPOSE = "manifest link"


@dataclass(frozen=True, slots=True)
class ManifestLink:
    manifest_id: int
    expires_at: datetime


def link(vault: Vault, base_url: str, manifest_id: int, expires_at: datetime) -> str:
    """Whole, with the address that it begins with. `expires_at` counts to the second."""
    told = f"{manifest_id}.{int(expires_at.timestamp())}"
    return f"{base_url}{PATH}/{signed_link.written(vault, _PURPOSE, told)}"


def read(vault: Vault, token: str) -> ManifestLink | None:
    """What a link that we made says; None for any other. Whether it has expired is the caller's to see."""
    told = signed_link.read(vault, _PURPOSE, token)
    if told is None:
        return None
    manifest_id, until = told.split(".")
    return ManifestLink(int(manifest_id), datetime.fromtimestamp(int(until), UTC))
