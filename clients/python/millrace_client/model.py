"""A model at one version: loads full updates, applies deltas, proves itself by the probe, scores."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import graph as forward
from .errors import Foreign, NotSound
from .features import FeatureEncoder, written_time
from .hashing import initial_vectors
from .pooling import attend, pool
from .update import Encoded, Slot, Update

if TYPE_CHECKING:
    import pandas as pd

PROBE_TOLERANCE = 1e-4
_KNOWN_CORRECTIONS = {"delayed_feedback", "negative_sampling", "drawn_negatives"}


class Model:
    """From a full update. NotSound when the probe is off, Foreign when it asks for what this client does not know."""

    def __init__(self, update: Update) -> None:
        if update.graph is None:
            raise Foreign("the update has no graph: its trainer is older than section graph 1, score with Millrace itself")
        self._graph = update.graph
        self._index: dict[int, int] = {}
        self._used = 0  # places in _values that were given out; those of removed keys are not used again
        self._values = np.zeros((0, update.header["table"]["width"]), np.float32)
        self._encoder = FeatureEncoder(update.header["feature_spec"])
        self.header: dict[str, Any] = update.header
        self._weights: dict[str, npt.NDArray[np.float64]] = {}
        self._statistics = update.statistics
        self._load(update)

    @property
    def sequence(self) -> int:
        return int(self.header["sequence"])

    @property
    def tasks(self) -> list[str]:
        return list(self.header["tasks"])

    @property
    def rows(self) -> int:
        """Ids that have a row."""
        return len(self._index)

    def apply(self, delta: Update) -> None:
        """Moves to the delta's version (its parent must be this one). When it raises, nothing has changed."""
        before = (self.header, self._weights, self._statistics, self._index.copy(), self._used, self._values.copy())
        try:
            self._load(delta)
        except Exception:
            self.header, self._weights, self._statistics, self._index, self._used, self._values = before
            raise

    def score(self, rows: Sequence[Mapping[str, Any]], time_field: str = "event_time") -> npt.NDArray[np.float64]:
        """[B, T] of probabilities, tasks in the order of `tasks`. Rows have the impression's fields and its event time, Unix ms or ISO 8601 with a zone."""
        times = [written_time(row[time_field]) for row in rows]
        return self.score_encoded(self.encode(rows, times))

    def encode(self, rows: Sequence[Mapping[str, Any]], times: Sequence[float]) -> Encoded:
        """Keys and dense inputs of rows; `times`: event times, Unix ms."""
        return self._encoder.encode(rows, times, self._statistics)

    def score_encoded(self, encoded: Encoded) -> npt.NDArray[np.float64]:
        """The same for rows that are encoded already."""
        tasks, wide = len(self.tasks), bool(self.header["model"].get("wide"))
        deep = self.header["table"]["width"] - (tasks if wide else 0)
        vectors = [self._vectors(slot) for slot in encoded.slots]
        pooled = [pool(slot, own, encoded.rows) for slot, own in zip(encoded.slots, vectors)]
        for slot, own, result in zip(encoded.slots, vectors, pooled):
            if slot.pooling == "history-attention":
                result[:, :deep] = attend(slot, own[:, :deep], vectors[slot.query][:, :deep])
            if slot.is_history:
                result[:, deep:] = 0
        inputs = {"x": np.concatenate([p[:, :deep] for p in pooled], axis=1).astype(np.float64)}
        if encoded.dense.shape[1]:
            inputs["dense"] = encoded.dense.astype(np.float64)
        if wide:
            inputs["wide"] = np.asarray(sum(p[:, deep:].astype(np.float64) for p in pooled))
        return forward.probabilities(self._graph, inputs, self._weights)

    def rows_frame(self) -> "pd.DataFrame":
        """One line per id: key in hex, then the columns of its row."""
        import pandas as pd

        names = [f"{key:016x}" for key in self._index]
        columns = [f"c{c}" for c in range(self._values.shape[1])]
        return pd.DataFrame(self._values[list(self._index.values())], pd.Index(names, name="key"), columns)

    def weights_frame(self) -> "pd.DataFrame":
        """One line per dense weight: shape, size, mean, deviation, norm."""
        import pandas as pd

        lines = {
            name: {"shape": list(w.shape), "size": w.size, "mean": w.mean(), "std": w.std(), "norm": np.linalg.norm(w)}
            for name, w in self._weights.items()
        }
        return pd.DataFrame.from_dict(lines, orient="index")

    def metrics_frame(self) -> "pd.DataFrame":
        """One line per task: its quality when the version was published."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.header["metrics"], orient="index")

    def _load(self, update: Update) -> None:
        unknown = sorted(
            name
            for name, how in update.header.get("corrections", {}).items()
            if name not in _KNOWN_CORRECTIONS or not isinstance(how, dict) or how.get("at") != "training"
        )
        if unknown:
            raise Foreign(f"corrections that this client does not know: {', '.join(unknown)}")
        self.header = update.header
        self._weights = {name: w.astype(np.float64) for name, w in update.dense.items()}
        self._statistics = update.statistics
        for key in _joined(update.removed[:, 0], update.removed[:, 1]):
            if key in self._index:
                self._values[self._index.pop(key)] = 0
        self._take_rows(update.rows_keys, update.rows_values)
        state = self._changed_state(update)
        off = np.abs(self.score_encoded(update.probe).T.reshape(-1) - update.probe_scores).max(initial=0)
        if not off <= PROBE_TOLERANCE:
            raise NotSound(f"the probe of version {self.sequence} is off by {off}")
        for name, rows in state.items():
            self._encoder.state[name].take(rows)

    def _changed_state(self, update: Update) -> dict[str, dict[tuple[int, int], npt.NDArray[np.float32]]]:
        """The rows of feature state after the update; nothing changes before all else is right."""
        tables = self._encoder.state
        missing = sorted(set(tables) - set(update.state))
        if missing:
            raise NotSound(f"the update has no state of {', '.join(missing)}")
        afresh = update.header["kind"] == "full"
        return {name: table.changed(update.state[name], afresh) for name, table in tables.items()}

    def _take_rows(self, keys: npt.NDArray[np.uint32], values: npt.NDArray[np.float32]) -> None:
        joined = _joined(keys[:, 0], keys[:, 1])
        places = np.empty(len(joined), np.int64)
        for i, key in enumerate(joined):
            if key not in self._index:
                self._index[key] = self._used
                self._used += 1
            places[i] = self._index[key]
        if self._used > len(self._values):
            room = np.zeros((max(self._used, 2 * len(self._values)), self._values.shape[1]), np.float32)
            room[: len(self._values)] = self._values
            self._values = room
        self._values[places] = values

    def _vectors(self, slot: Slot) -> npt.NDArray[np.float32]:
        table = self.header["table"]
        places = np.array([self._index.get(key, -1) for key in _joined(slot.hi, slot.lo)], np.int64)
        vectors = np.zeros((len(places), table["width"]), np.float32)
        known = places >= 0
        vectors[known] = self._values[places[known]]
        if not known.all():
            wide = len(self.tasks) if self.header["model"].get("wide") else 0
            new = initial_vectors(
                slot.hi[~known], slot.lo[~known], table["seed"], table["deviation"], table["width"] - wide
            )
            vectors[~known, : table["width"] - wide] = new
        return vectors


def _joined(hi: npt.NDArray[np.uint32], lo: npt.NDArray[np.uint32]) -> list[int]:
    """Keys as one number each."""
    keys: list[int] = ((hi.astype(np.uint64) << np.uint64(32)) | lo.astype(np.uint64)).tolist()
    return keys
