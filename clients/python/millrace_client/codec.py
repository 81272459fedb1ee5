"""Records of the model topic and of the control topic: Avro in single-object encoding."""

import io
import json
import zlib
from importlib.resources import files
from typing import Any

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form


MOST_BODY_BYTES = 2**20
"""Largest body of a compressed chunk: what one record may make of its bytes."""


class RecordCodec:
    """Decodes by one of the schemas that come with the package."""

    def __init__(self, name: str) -> None:
        text = files("millrace_client").joinpath("schemas", f"{name}.avsc").read_text()
        self._schema = parse_schema(json.loads(text))
        digest = fingerprint(to_parsing_canonical_form(self._schema), "CRC-64-AVRO")
        self._head = b"\xc3\x01" + bytes.fromhex(digest)

    def decode(self, value: bytes) -> dict[str, Any] | None:
        """The record's fields, or None when the bytes are no value of the schema."""
        if not value.startswith(self._head):
            return None
        body = io.BytesIO(value[len(self._head) :])
        try:
            decoded = schemaless_reader(body, self._schema, None)
        except Exception:  # whatever an Avro reader thinks of wrong bytes
            return None
        return decoded if isinstance(decoded, dict) and body.read(1) == b"" else None


class ChunkCodec:
    """Decodes records of the model topic, plain and compressed ones."""

    def __init__(self) -> None:
        self._plain = RecordCodec("model-update")
        self._deflated = RecordCodec("model-update-deflated")

    def decode(self, value: bytes) -> dict[str, Any] | None:
        """The chunk's fields, its body whole, or None when the bytes are no chunk."""
        plain = self._plain.decode(value)
        if plain is not None:
            return plain
        deflated = self._deflated.decode(value)
        if deflated is None:
            return None
        body = _inflated(deflated.pop("deflated"), deflated.pop("body_bytes"))
        return None if body is None else {**deflated, "body": body}


def _inflated(deflated: bytes, size: int) -> bytes | None:
    """Takes no more memory than the record says, and no more than a record may say."""
    if not 1 <= size <= MOST_BODY_BYTES:
        return None
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(deflated, size + 1)
    except zlib.error:
        return None
    return body if stream.eof and len(body) == size else None
