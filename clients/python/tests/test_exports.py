"""Exports run by their reference programs: onnxruntime and the safetensors reader give the trainer's scores."""

import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from millrace_client import FeatureEncoder
from millrace_client.hashing import initial_vectors
from safetensors import safe_open

FOLDER = Path(os.environ["MILLRACE_VECTORS"])
TOPICS = json.loads((FOLDER / "topics.json").read_text())
EXPORTED = [topic for topic in TOPICS if topic.get("exported")]


@pytest.mark.parametrize("topic", EXPORTED, ids=lambda topic: topic["topic"])
def test_exported_files_give_the_trainers_scores(topic: dict) -> None:
    with safe_open(FOLDER / f"{topic['topic']}.safetensors", "np") as file:
        header = json.loads(file.metadata()["millrace"])
        assert file.metadata()["sha256"] == topic["sha256"]
        keys, values = file.get_tensor("rows.keys"), file.get_tensor("rows.values")
        statistics = file.get_tensor("statistics").reshape(-1)
        weights = {name: file.get_tensor(name) for name in file.keys() if name.startswith("dense.")}
    index = {(int(hi), int(lo)): i for i, (hi, lo) in enumerate(keys)}
    table, tasks = header["table"], len(header["tasks"])
    deep = table["width"] - (tasks if header["model"].get("wide") else 0)
    rows = TOPICS[0]["rows"]
    encoded = FeatureEncoder(header["feature_spec"]).encode(rows, [row["time"] for row in rows], statistics)

    pooled = []
    for slot in encoded.slots:
        fresh = initial_vectors(slot.hi, slot.lo, table["seed"], table["deviation"], deep)
        vectors = np.zeros((len(slot.hi), table["width"]), np.float32)
        for i, key in enumerate(zip(slot.hi.tolist(), slot.lo.tolist())):
            if key in index:
                vectors[i] = values[index[key]]
            else:
                vectors[i, :deep] = fresh[i]
        bags = [vectors[a:b] for a, b in zip(slot.starts[:-1], slot.starts[1:])]
        pooled.append(np.stack([bag.mean(0) if slot.pooling == "mean" else bag.sum(0) for bag in bags]))
    given = {"x": np.concatenate([p[:, :deep] for p in pooled], axis=1)}
    given["dense"] = encoded.dense
    given["wide"] = np.sum([p[:, deep:] for p in pooled], axis=0)

    path = str(FOLDER / f"{topic['topic']}.onnx")
    checked = onnx.load(path)
    onnx.checker.check_model(checked, full_check=True)
    for tensor in checked.graph.initializer:
        if f"dense.{tensor.name}" in weights:
            np.testing.assert_array_equal(onnx.numpy_helper.to_array(tensor), weights[f"dense.{tensor.name}"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = {one.name: given[one.name].astype(np.float32) for one in session.get_inputs()}
    (scores,) = session.run(["probabilities"], wanted)
    expected = np.array(topic["scores"]).reshape(tasks, -1).T
    assert np.abs(scores - expected).max() < 1e-5
    (one,) = session.run(["probabilities"], {name: value[:1] for name, value in wanted.items()})
    np.testing.assert_allclose(one, scores[:1], atol=1e-6)
