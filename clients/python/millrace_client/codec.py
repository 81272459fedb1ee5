"""Records of the model topic and of the control topic: Avro in single-object encoding."""

import io
import json
from importlib.resources import files
from typing import Any

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form


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
