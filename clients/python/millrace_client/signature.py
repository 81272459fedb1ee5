"""Ed25519 signatures of updates and decisions; needs the extra `signature`."""

import re
from typing import Any

from .errors import MillraceClientError


class TrustedKeys:
    """Public keys in PEM, one or more: what one of them signed is taken."""

    def __init__(self, pem: str | bytes) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
            from cryptography.hazmat.primitives.serialization import load_pem_public_key
        except ImportError as error:
            raise MillraceClientError("checking signatures needs: pip install 'millrace-client[signature]'") from error
        text = pem.decode() if isinstance(pem, bytes) else pem
        blocks = re.findall(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", text, re.S)
        self._keys = [load_pem_public_key(block.encode()) for block in blocks]
        if not self._keys or not all(isinstance(key, Ed25519PublicKey) for key in self._keys):
            raise MillraceClientError("there is no ed25519 public key in PEM")

    def verify(self, message: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        for key in self._keys:
            try:
                key.verify(signature, message)  # type: ignore[union-attr, call-arg]
                return True
            except InvalidSignature:
                continue
        return False


def update_message(chunk: dict[str, Any]) -> bytes:
    """What the signature of an update covers."""
    lines = ["millrace update 1", chunk["trainer_epoch"], chunk["sequence"], chunk["sha256"], chunk["model_id"]]
    return "\n".join(map(str, lines)).encode()


def control_message(control: dict[str, Any]) -> bytes:
    """What the signature of a decision covers."""
    lines = [
        "millrace control 1",
        control["revision"],
        control["pinned_sequence"],
        control["pinned_sha256"],
        ",".join(control["withdrawn"]),
        control["model_id"],
    ]
    return "\n".join(map(str, lines)).encode()
