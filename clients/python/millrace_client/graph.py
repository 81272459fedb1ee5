"""Runs the forward pass that travels with full updates (docs/model-topic.md, "Graph"): every kind of model, no code per kind."""

from typing import Any, Callable

import numpy as np
import numpy.typing as npt

from .errors import Foreign, NotSound

Array = npt.NDArray[np.float64]

_UNARY: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: _sigmoid(x),
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
}


def _sigmoid(x: Array) -> Array:
    power = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + power), power / (1 + power))


def _unary(kind: str, x: Array, slope: float) -> Array:
    if kind == "leakyRelu":
        return np.where(x > 0, x, slope * x)
    if kind not in _UNARY:
        raise Foreign(f"the graph has an operation {kind} that this client does not have")
    return _UNARY[kind](x)


def _turned(x: Array, turn: bool) -> Array:
    return np.swapaxes(x, -1, -2) if turn else x


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _linear(node: dict[str, Any], of: list[Array]) -> Array:
    y = of[0] @ of[1] + (of[2] if len(of) > 2 else 0)
    end = node.get("activation")
    return y if end is None else _unary(end, y, node.get("slope", 0.0))


_OPERATIONS: dict[str, Callable[[dict[str, Any], list[Array]], Array]] = {
    "linear": _linear,
    "product": lambda n, of: _turned(of[0], n["transpose"][0]) @ _turned(of[1], n["transpose"][1]),
    "add": lambda n, of: of[0] + of[1],
    "sub": lambda n, of: of[0] - of[1],
    "mul": lambda n, of: of[0] * of[1],
    "affine": lambda n, of: n["factor"] * of[0] + n["offset"],
    "softmax": lambda n, of: _softmax(of[0]),
    "concat": lambda n, of: np.concatenate(of, axis=-1),
    "transpose": lambda n, of: _turned(of[0], True),
    "sum": lambda n, of: np.asarray(of[0].sum()),
    "sum-last": lambda n, of: np.asarray(of[0].sum(axis=-1)),
    "mix": lambda n, of: np.einsum("bk,kbh->bh", of[0], np.stack(of[1:])),
    "slice": lambda n, of: of[0][..., n["begin"] : n["begin"] + n["size"]],
    "reshape": lambda n, of: of[0].reshape(n["shape"]),
}


def logits(graph: dict[str, Any], inputs: dict[str, Array], weights: dict[str, Array]) -> Array:
    """[B, T]. `inputs`: x, and dense and wide where the model has them."""
    values: list[Array] = []
    for node in graph["nodes"]:
        op = node["op"]
        if op == "input":
            value = inputs[node["name"]]
        elif op == "parameter":
            if node["name"] not in weights:
                raise NotSound(f"the update has no weight {node['name']}")
            value = weights[node["name"]]
        elif op == "constant":
            value = np.asarray(node["values"], np.float64).reshape(node["shape"])
        else:
            of = [values[at] for at in node["of"]]
            run = _OPERATIONS.get(op)
            value = run(node, of) if run is not None else _unary(op, of[0], node.get("slope", 0.0))
        values.append(value)
    return np.concatenate([values[at].reshape(-1, 1) for at in graph["logits"]], axis=1)


def probabilities(graph: dict[str, Any], inputs: dict[str, Array], weights: dict[str, Array]) -> Array:
    """The sigmoid of `logits`."""
    return _sigmoid(logits(graph, inputs, weights))
