"""Secrets at rest: the connector's key is sealed with a key that is not in the database."""

import base64
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

_FILE = "secret.key"


class Vault:
    """Seals and opens with one secret. `repr` and errors tell nothing of it."""

    def __init__(self, secret: str) -> None:
        # Any string will do as a secret: Fernet's 32 bytes are hashed from it.
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
        self._signs_with = hashlib.sha256(b"signatures\0" + secret.encode()).digest()

    def signature(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that only who has the secret can make: the same message for another purpose has another."""
        return hmac.digest(self._signs_with, purpose.encode() + b"\0" + message, "sha256")

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises ValueError when it was sealed with another secret."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise ValueError(
                "The stored ClickPost key was sealed with another BILTY_SECRET_KEY. "
                "Give that one again, or enter the key anew with Update Connector."
            ) from None


def kept_secret(data_dir: Path) -> str:
    """The secret of this data folder, made at the first call. The file appears whole or not at all."""
    file = data_dir / _FILE
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        made = file.with_name(f".{_FILE}.{os.getpid()}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(base64.urlsafe_b64encode(os.urandom(32)).decode())
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(made, file)  # two programs may start at once: the first one's secret stays
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file.read_text().strip()
