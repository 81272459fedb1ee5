"""Keys and dense inputs, against values that Millrace itself gave (vectors.json is made by test/clients/python.test.ts)."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from millrace_client import FeatureEncoder, Foreign, NotSound
from millrace_client.features import number_text
from millrace_client.hashing import initial_vectors, murmur
from millrace_client.pooling import attend
from millrace_client.update import Slot, _probe, _Reader

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


@pytest.mark.parametrize(
    "pooling, error, words",
    [
        (b"from-the-future", Foreign, "pool slots by from-the-future"),
        (b"history-attention 3", NotSound, "slot 3 of 1"),
        (b"history-attention", NotSound, "attention asks with slot"),
    ],
)
def test_pooling_that_is_not_known_or_asks_with_no_slot_is_refused(pooling: bytes, error: type, words: str) -> None:
    slots = struct.pack("<II", 0, 1) + struct.pack("<I", len(pooling)) + pooling + struct.pack("<III", 0, 0, 0)
    with pytest.raises(error, match=words):
        _probe(_Reader(slots))


def test_attention_weighs_past_items_by_the_one_that_is_shown_and_gives_zeros_without_a_past() -> None:
    slot = Slot("history-attention", *(np.zeros(3, np.uint32),) * 2, np.array([0, 2, 2, 3], np.uint32), 0)
    keys = np.array([[1, 0], [0, 1], [5, 5]], np.float32)
    queries = np.array([[2, 0], [1, 1], [0, 0]], np.float32)
    near = 1 / (1 + np.exp(-2 / np.sqrt(2)))
    expected = [[near, 1 - near], [0, 0], [5, 5]]
    np.testing.assert_allclose(attend(slot, keys, queries), expected, rtol=1e-6)
