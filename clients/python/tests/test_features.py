"""Keys and dense inputs, against values that Millrace itself gave (vectors.json is made by test/clients/python.test.ts)."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from millrace_client import FeatureEncoder, Foreign
from millrace_client.features import number_text
from millrace_client.hashing import initial_vectors, murmur
from millrace_client.update import _probe, _Reader

VECTORS = json.loads(Path(os.environ["MILLRACE_VECTORS"], "features.json").read_text())


@pytest.mark.parametrize("text, seed, key", VECTORS["hashes"])
def test_keys_are_the_trainers(text: str, seed: int, key: list[int]) -> None:
    assert list(murmur(text.encode(), seed)) == key


@pytest.mark.parametrize("value, text", VECTORS["numbers"])
def test_numbers_have_the_text_that_ecmascript_gives_them(value: float, text: str) -> None:
    assert number_text(value) == text


def test_initial_vectors_are_the_trainers() -> None:
    given = VECTORS["initial"]
    hi, lo = np.array(given["hi"], np.uint32), np.array(given["lo"], np.uint32)
    vectors = initial_vectors(hi, lo, given["seed"], given["deviation"], given["width"])
    np.testing.assert_array_equal(vectors, np.array(given["values"], np.float32).reshape(vectors.shape))


def test_every_kind_of_feature_is_encoded_as_the_trainer_does() -> None:
    given = VECTORS["encoded"]
    encoder = FeatureEncoder(given["features"])
    encoded = encoder.encode(given["rows"], given["times"], np.array(given["statistics"]))
    assert [slot.pooling for slot in encoded.slots] == [slot["pooling"] for slot in given["slots"]]
    for slot, expected in zip(encoded.slots, given["slots"]):
        for part in ("starts", "hi", "lo"):
            assert getattr(slot, part).tolist() == expected[part]
    np.testing.assert_allclose(encoded.dense.reshape(-1), given["dense"], rtol=1e-6, atol=1e-7)


def test_a_kind_that_is_not_known_is_named() -> None:
    with pytest.raises(Foreign, match="kind from-the-future"):
        FeatureEncoder([{"name": "x", "kind": "from-the-future"}])


def test_a_model_with_a_history_is_refused_by_name() -> None:
    name = b"history-attention 3"
    slots = struct.pack("<II", 0, 1) + struct.pack("<I", len(name)) + name + struct.pack("<III", 0, 0, 0)
    with pytest.raises(Foreign, match="features of kind history"):
        _probe(_Reader(slots))
