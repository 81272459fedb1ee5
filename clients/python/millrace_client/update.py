"""The body of an update: header, sections, and what is in them."""

import json
import struct
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import Foreign, NotSound

NEWEST_FORMAT = 2
KNOWN = {
    "dense": (1,),
    "statistics": (1,),
    "rows": (1, 2),
    "probe": (1,),
    "graph": (1,),
    "removed": (1,),
    "feature-state": (1,),
    "state-removed": (1,),
}


@dataclass(frozen=True)
class Slot:
    """Keys of one feature: row r has those from starts[r] to starts[r + 1]. `query`: of attention, the slot that it asks with."""

    pooling: str
    hi: npt.NDArray[np.uint32]
    lo: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.uint32]
    query: int = -1

    @property
    def is_history(self) -> bool:
        """Past items: they have no part in the linear weights."""
        return self.pooling.startswith("history-")


@dataclass(frozen=True)
class Encoded:
    """Encoded rows: what the forward pass starts from."""

    rows: int
    slots: list[Slot]
    dense: npt.NDArray[np.float32]


@dataclass(frozen=True)
class StateRows:
    """Rows of one feature with a state: `removed` [M, 2] keys lose theirs, then `keys` [N, 2] get `values`."""

    keys: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32]
    removed: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Update:
    """One version as it travels; `rows_keys` and `removed` are [N, 2] (hi, lo), `rows_values` [N, width]."""

    header: dict[str, Any]
    dense: dict[str, npt.NDArray[np.float32]]
    statistics: npt.NDArray[np.float64]
    rows_keys: npt.NDArray[np.uint32]
    rows_values: npt.NDArray[np.float32]
    probe: Encoded
    probe_scores: npt.NDArray[np.float32]
    graph: dict[str, Any] | None
    removed: npt.NDArray[np.uint32]
    sections: list[tuple[str, int, bool]] = field(default_factory=list)
    state: dict[str, StateRows] = field(default_factory=dict)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def raw(self, count: int) -> memoryview:
        if self._at + count > len(self._data):
            raise NotSound(f"{count} more bytes expected at {self._at} of {len(self._data)}")
        self._at += count
        return self._data[self._at - count : self._at]

    def u8(self) -> int:
        return self.raw(1)[0]

    def u32(self) -> int:
        return int(struct.unpack("<I", self.raw(4))[0])

    def blob(self) -> memoryview:
        return self.raw(self.u32())

    def text(self) -> str:
        return str(self.blob(), "utf-8", "replace")

    def json(self) -> Any:
        try:
            return json.loads(self.text())
        except ValueError as error:
            raise NotSound(f"no JSON where some was expected: {error}") from error

    def array(self, dtype: str) -> npt.NDArray[Any]:
        data = self.blob()
        kind = np.dtype(dtype)
        if len(data) % kind.itemsize:
            raise NotSound(f"{len(data)} bytes are no array of {dtype}")
        return np.frombuffer(data, kind)

    def end(self) -> None:
        if self._at != len(self._data):
            raise NotSound(f"{len(self._data) - self._at} bytes too many")


def read_update(body: bytes) -> Update:
    """The update. NotSound when the bytes are none, Foreign when a newer trainer wrote it."""
    reader = _Reader(body)
    header = reader.json()
    format_ = header.get("format") if isinstance(header, dict) else None
    if not isinstance(format_, int):
        raise NotSound("the update has no header with a format")
    if format_ > NEWEST_FORMAT:
        raise Foreign(f"update format {format_}, this client knows 1 to {NEWEST_FORMAT}")
    if format_ == 1:
        dense, statistics = _dense(reader), reader.array("<f8")
        keys, values = reader.array("<u4"), reader.array("<f4")
        return _update(header, dense, statistics, keys, values, _probe(reader), None, np.zeros((0, 2), np.uint32), [])
    sections = _sections(reader)
    reader.end()

    def of(name: str) -> _Reader:
        if name not in sections or sections[name][0] not in KNOWN[name]:
            raise NotSound(f"the update has no section {name} that this client knows")
        return _Reader(bytes(sections[name][2]))

    keys, values = _rows(of("rows"), sections["rows"][0], int(header["table"]["width"]))
    graph = of("graph").json() if "graph" in sections and sections["graph"][0] in KNOWN["graph"] else None
    removed = _keys(of("removed")) if "removed" in sections else np.zeros((0, 2), np.uint32)
    listed = [(name, version, required) for name, (version, required, _) in sections.items()]
    dense, statistics = _dense(of("dense")), of("statistics").array("<f8")
    update = _update(header, dense, statistics, keys, values, _probe(of("probe")), graph, removed, listed)
    lost = _state_removed(of("state-removed")) if "state-removed" in sections else {}
    return replace(update, state=_state(of("feature-state"), lost) if "feature-state" in sections else {})


def _update(
    header: dict[str, Any],
    dense: dict[str, npt.NDArray[np.float32]],
    statistics: npt.NDArray[np.float64],
    keys: npt.NDArray[np.uint32],
    values: npt.NDArray[np.float32],
    probe: tuple[Encoded, npt.NDArray[np.float32]],
    graph: dict[str, Any] | None,
    removed: npt.NDArray[np.uint32],
    sections: list[tuple[str, int, bool]],
) -> Update:
    width = header["table"]["width"]
    if len(keys) % 2 or len(values) != len(keys) // 2 * width:
        raise NotSound(f"{len(values)} values for {len(keys) / 2} rows of {width} columns")
    rows = values.reshape(-1, width)
    return Update(header, dense, statistics, keys.reshape(-1, 2), rows, *probe, graph, removed, sections)


def _sections(reader: _Reader) -> dict[str, tuple[int, bool, memoryview]]:
    sections: dict[str, tuple[int, bool, memoryview]] = {}
    for _ in range(reader.u32()):
        name, version, flags, content = reader.text(), reader.u32(), reader.u8(), reader.blob()
        if flags > 1 or name in sections:
            raise NotSound(f"section {name} comes twice or is marked {flags}")
        if flags == 1 and version not in KNOWN.get(name, ()):
            raise Foreign(f"the update needs section {name} version {version}: upgrade this client")
        sections[name] = (version, flags == 1, content)
    return sections


def _keys(reader: _Reader) -> npt.NDArray[np.uint32]:
    keys = reader.array("<u4")
    if len(keys) % 2:
        raise NotSound(f"{len(keys)} halves of keys")
    return keys.reshape(-1, 2)


def _state_removed(reader: _Reader) -> dict[str, npt.NDArray[np.uint32]]:
    return {reader.text(): _keys(reader) for _ in range(reader.u32())}


def _state(reader: _Reader, removed: dict[str, npt.NDArray[np.uint32]]) -> dict[str, StateRows]:
    state = {}
    for _ in range(reader.u32()):
        name, width = reader.text(), reader.u32()
        keys, values = _keys(reader), reader.array("<f4")
        if len(values) != len(keys) * width:
            raise NotSound(f"state of {name}: {len(values)} values for {len(keys)} rows of {width}")
        lost = removed.get(name, np.zeros((0, 2), np.uint32))
        state[name] = StateRows(keys, values.reshape(len(keys), width), lost)
    return state


def _rows(reader: _Reader, layout: int, width: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]:
    """Keys (hi, lo, hi, lo, ...) and values of all rows, whatever types they travel in."""
    if layout == 1:
        return reader.array("<u4"), reader.array("<f4")
    widths = reader.array("<u4")
    if widths.sum() != width:
        raise NotSound(f"column groups of {widths.tolist()} in rows of {width} values")
    keys: list[npt.NDArray[Any]] = [np.zeros(0, np.uint32)]
    values: list[npt.NDArray[Any]] = [np.zeros(0, np.float32)]
    for _ in range(reader.u32()):
        kind = reader.text()
        block_keys = reader.array("<u4")
        rows = len(block_keys) // 2
        keys.append(block_keys)
        values.append(_values(kind, reader.blob(), rows, widths))
    return np.concatenate(keys), np.concatenate(values)


def _values(kind: str, data: memoryview, rows: int, widths: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    dtype = {"float32": "<f4", "float16": "<f2", "int8": "i1"}.get(kind)
    if dtype is None:
        raise NotSound(f"no type of values {kind}")
    groups = len(widths) if kind == "int8" else 0
    columns = groups + int(widths.sum())
    if len(data) != rows * columns * np.dtype(dtype).itemsize:
        raise NotSound(f"{len(data)} bytes of {kind} for {rows} rows")
    numbers = np.frombuffer(data, dtype).reshape(rows, columns)
    if kind != "int8":
        return numbers.astype(np.float32).reshape(-1)
    exponents = np.repeat(numbers[:, :groups].astype(np.int32), widths.astype(np.int64), axis=1)
    return np.ldexp(numbers[:, groups:].astype(np.float32), exponents).reshape(-1)


def _dense(reader: _Reader) -> dict[str, npt.NDArray[np.float32]]:
    dense = {}
    for _ in range(reader.u32()):
        name, shape, values = reader.text(), reader.json(), reader.array("<f4")
        if int(np.prod(shape)) != len(values):
            raise NotSound(f"{len(values)} values for weight {name} of shape {shape}")
        dense[name] = values.reshape(shape)
    return dense


def _slot(reader: _Reader, count: int) -> Slot:
    pooling, _, query = reader.text().partition(" ")
    if pooling not in ("single", "mean", "sum", "history-mean", "history-attention"):
        raise Foreign(f"this client does not pool slots by {pooling}: upgrade it")
    keys = reader.array("<u4"), reader.array("<u4"), reader.array("<u4")
    if pooling != "history-attention":
        return Slot(pooling, *keys)
    if not query.isdecimal() or int(query) >= count:
        raise NotSound(f"attention asks with slot {query} of {count}")
    return Slot(pooling, *keys, int(query))


def _probe(reader: _Reader) -> tuple[Encoded, npt.NDArray[np.float32]]:
    rows = reader.u32()
    count = reader.u32()
    slots = [_slot(reader, count) for _ in range(count)]
    width, dense, scores = reader.u32(), reader.array("<f4"), reader.array("<f4")
    if len(dense) != rows * width:
        raise NotSound(f"{len(dense)} dense inputs for {rows} probe rows of {width}")
    return Encoded(rows, slots, dense.reshape(rows, width)), scores
