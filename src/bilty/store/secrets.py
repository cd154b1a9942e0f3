"""Secrets at rest: the connector's key is sealed with a key that is not in the database.

The secret is exchanged without a gap: the one before goes on opening what it sealed and checking what it signed, until
nothing is left of either. See docs/security.md and `bilty.store.rotating`.
"""

import base64
import hashlib
import hmac
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

_FILE = "secret.key"
OLD_FILE = "secret-old.key"


class Vault:
    """Seals and signs with one secret; opens and checks with those before it, too. `repr` and errors tell nothing."""

    def __init__(self, secret: str, *older: str) -> None:
        secrets = tuple(dict.fromkeys((secret, *older)))
        self._fernets = tuple(_fernet(each) for each in secrets)
        self._sign_with = tuple(hashlib.sha256(b"signatures\0" + each.encode()).digest() for each in secrets)

    def signature(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that only who has the secret can make: the same message for another purpose has another."""
        return _signature(self._sign_with[0], purpose, message)

    def signed(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """Whether that is our signature, of this secret or of one before it. Takes as long whichever it is."""
        ours = [hmac.compare_digest(signature, _signature(each, purpose, message)) for each in self._sign_with]
        return any(ours)

    def seal(self, text: str) -> bytes:
        return self._fernets[0].encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises ValueError when it was sealed with another secret."""
        for fernet in self._fernets:
            try:
                return fernet.decrypt(sealed).decode()
            except InvalidToken:
                continue
        raise ValueError(
            "The stored ClickPost key was sealed with another BILTY_SECRET_KEY. "
            "Give that one again, or enter the key anew with Update Connector."
        ) from None

    def sealed_before(self, sealed: bytes) -> bool:
        """Whether it opens, but with a secret before the present one. Raises ValueError when it does not open."""
        self.open(sealed)
        try:
            self._fernets[0].decrypt(sealed)
        except InvalidToken:
            return True
        return False


def _fernet(secret: str) -> Fernet:
    # Any string will do as a secret: Fernet's 32 bytes are hashed from it.
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))


def _signature(key: bytes, purpose: str, message: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + message, "sha256")


def kept_secret(data_dir: Path) -> str:
    """The secret of this data folder, made at the first call. The file appears whole or not at all."""
    file = data_dir / _FILE
    if not file.exists():
        made = _made(data_dir)
        try:
            os.link(made, file)  # two programs may start at once: the first one's secret stays
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file.read_text().strip()


def kept_old_secret(data_dir: Path) -> str | None:
    """The one before it, while its file is there."""
    try:
        return (data_dir / OLD_FILE).read_text().strip() or None
    except FileNotFoundError:
        return None


def exchange_kept_secret(data_dir: Path) -> bool:
    """Another secret in this data folder, with the present one kept beside it. False where an older one still is.

    At no moment is the present one in neither file.
    """
    present = kept_secret(data_dir)
    if (kept_old_secret(data_dir) or present) != present:  # the same: an exchange that was cut short
        return False
    file, old = data_dir / _FILE, data_dir / OLD_FILE
    if not old.exists():
        os.link(file, old)
    _made(data_dir).replace(file)
    folder = os.open(data_dir, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return True


def _made(data_dir: Path) -> Path:
    """A file with a new secret, under a name of its own, for the owner's eyes."""
    data_dir.mkdir(parents=True, exist_ok=True)
    made = data_dir / f".{_FILE}.{os.getpid()}"
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(base64.urlsafe_b64encode(os.urandom(32)).decode())
        stream.flush()
        os.fsync(stream.fileno())
    return made
