"""Follows a model topic, chunk by chunk: the list of docs/model-topic.md, "Following", as code."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .errors import Foreign, MillraceClientError
from .model import Model
from .signature import TrustedKeys, update_message
from .update import Update, read_update


@dataclass(frozen=True)
class Followed:
    """What one chunk led to: waiting, applied, repeated, or refused with a reason."""

    kind: str
    sequence: int
    reason: str = ""
    detail: str = ""


class Follower:
    """Keeps the last good version. What goes wrong on the topic is counted in `refusals`, never raised."""

    def __init__(
        self,
        model_id: str | None = None,
        trusted: TrustedKeys | None = None,
        control: dict[str, Any] | None = None,
    ) -> None:
        self.model: Model | None = None
        self.sha256 = ""
        self.refusals: Counter[str] = Counter()
        self._model_id = model_id
        self._trusted = trusted
        self._control = control or {}
        self._epoch = 0
        self._newest = 0
        self._verified: object = None
        self._first: dict[str, Any] | None = None
        self._bodies: list[bytes] = []

    def follow(self, chunk: dict[str, Any]) -> Followed:
        """Takes the next chunk of the topic, in order."""
        self._model_id = self._model_id or chunk["model_id"]
        if chunk["model_id"] != self._model_id:
            return self._refuse(chunk, "foreign", f"model {chunk['model_id']}, following {self._model_id}")
        distrust = self._distrust(chunk)
        if distrust:
            return self._refuse(chunk, *distrust)
        if chunk["trainer_epoch"] < self._epoch:
            return self._refuse(chunk, "zombie", f"trainer epoch {chunk['trainer_epoch']} after {self._epoch}")
        if chunk["trainer_epoch"] > self._epoch:
            self._newest = 0
        self._epoch = chunk["trainer_epoch"]
        return self._assemble(chunk)

    def _distrust(self, chunk: dict[str, Any]) -> tuple[str, str] | None:
        if self._trusted is None:
            return None
        if not chunk["signature"]:
            return "unsigned", f"version {chunk['sequence']} has no signature"
        known = (update_message(chunk), chunk["signature"])
        if known != self._verified:
            if not self._trusted.verify(*known):
                return "signature", f"version {chunk['sequence']} is not signed by a trusted key"
            self._verified = known
        return None

    def _assemble(self, chunk: dict[str, Any]) -> Followed:
        if chunk["chunk"] == 0:
            self._first, self._bodies = chunk, []
        names = ("sequence", "sha256", "trainer_epoch", "chunks")
        first = self._first
        if first is None or any(first[n] != chunk[n] for n in names) or chunk["chunk"] != len(self._bodies):
            self._first = None
            return self._refuse(chunk, "incomplete", f"chunk {chunk['chunk']} of {chunk['sequence']} was not expected")
        self._bodies.append(chunk["body"])
        if len(self._bodies) < chunk["chunks"]:
            return Followed("waiting", chunk["sequence"])
        self._first = None
        return self._take(first, b"".join(self._bodies))

    def _take(self, chunk: dict[str, Any], body: bytes) -> Followed:
        sha256, sequence = hashlib.sha256(body).hexdigest(), chunk["sequence"]
        if sha256 != chunk["sha256"]:
            return self._refuse(chunk, "corrupt", f"version {sequence} hashes to {sha256}")
        if sha256 == self.sha256:
            return Followed("repeated", sequence)
        if sha256 in self._control.get("withdrawn", ()):
            return self._refuse(chunk, "withdrawn", f"version {sequence} was withdrawn")
        pin = self._control.get("pinned_sequence", 0)
        if pin and (self.sha256 == self._control["pinned_sha256"] or sequence > pin):
            return Followed("waiting", sequence)
        try:
            refusal = self._load(chunk, read_update(body))
        except Foreign as error:
            return self._refuse(chunk, "foreign", str(error))
        except (MillraceClientError, KeyError, TypeError, ValueError, IndexError) as error:
            return self._refuse(chunk, "corrupt", f"{type(error).__name__}: {error}")
        if refusal:
            return self._refuse(chunk, *refusal)
        self.sha256, self._newest = sha256, sequence
        return Followed("applied", sequence)

    def _load(self, chunk: dict[str, Any], update: Update) -> tuple[str, str] | None:
        header, sequence = update.header, chunk["sequence"]
        if header["model_id"] != chunk["model_id"] or header["sequence"] != sequence:
            return "foreign", f"content of {header['model_id']} {header['sequence']} as {chunk['model_id']} {sequence}"
        if header["kind"] == "full":
            if sequence <= self._newest:
                return "replayed", f"full version {sequence} after version {self._newest}"
            self.model = Model(update)
            return None
        if self.model is None:
            return "gap", f"delta {sequence} before any full update"
        if header["parent_sha256"] != self.sha256:
            at = self.model.sequence
            return "gap" if sequence > at + 1 else "fork", f"version {sequence} does not follow version {at}"
        self.model.apply(update)
        return None

    def _refuse(self, chunk: dict[str, Any], reason: str, detail: str) -> Followed:
        self.refusals[reason] += 1
        return Followed("refused", chunk["sequence"], reason, detail)
