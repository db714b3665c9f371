"""How many weights a configuration asks for: Keras makes them before it reads any, so a short text can fill the memory.

Shapes are followed from layer to layer where that is simple; where it is not, only what a layer says itself counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.records import dataclass

MOST = 1 << 33
_SINGLE = 1 << 31
_ALL = 1 << 40
_HUGE = 1 << 100
_DEPTH = 8
_SIZES = frozenset(
    "units filters input_dim output_dim num_heads key_dim value_dim kernel_size pool_size target_shape output_shape n "
    "size num_tokens num_bins depth_multiplier batch_shape batch_input_shape input_shape padding projection_dim "
    "intermediate_dim hidden_dim vocabulary_size sequence_length".split()
)
_KEEP = frozenset(
    "Activation ActivityRegularization AlphaDropout BatchNormalization Dropout ELU GaussianDropout GaussianNoise "
    "GroupNormalization LayerNormalization LeakyReLU Masking PReLU ReLU Rescaling RMSNormalization Softmax "
    "SpatialDropout1D SpatialDropout2D SpatialDropout3D ThresholdedReLU UnitNormalization".split()
)
_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1, "CuDNNLSTM": 4, "CuDNNGRU": 3, "LSTMCell": 4, "GRUCell": 3}
_MODELS = frozenset(("Sequential", "Functional", "Model"))

Shape = list[int | None]


@dataclass(frozen=True)
class Asked:
    """Too much of a layer: its name in the model, its class and what it asks for."""

    layer: str
    kind: str
    what: str


def too_many(value: dict[str, Any]) -> Iterator[Asked]:
    """What a layer or model, as its configuration is, asks for beyond what there is."""
    kind, config = str(value.get("class_name")), value.get("config")
    if isinstance(config, list):  # Sequential of Keras 2.2 and before
        config = {"layers": config}
    if not isinstance(config, dict):
        return
    if kind in _MODELS and isinstance(config.get("layers"), list):
        yield from _model(kind, config, value)
        return
    for key in sorted(_SIZES & config.keys()):
        large = max(_flat(config[key]), default=0)
        if large > _SINGLE:
            yield Asked(str(config.get("name", "")), kind, f"a size ({key}) of {_shown(large)}")
            return
    yield from _judged(value, _layer(kind, config, _own(value, config))[0])


def _model(kind: str, config: dict[str, Any], value: dict[str, Any]) -> Iterator[Asked]:
    shapes: dict[str, Shape | None] = {}
    total = 0
    last = _shape(config.get("build_input_shape")) or _own(value, config)
    for layer in config["layers"]:
        inner = layer.get("config") if isinstance(layer, dict) else None
        if not isinstance(inner, dict):
            last = None
            continue
        if kind != "Sequential" and (name := _before(layer.get("inbound_nodes"))) is not None:
            last = shapes.get(name)
        class_name = str(layer.get("class_name"))
        found = [_layer(class_name, inner, shape) for shape in (last, _own(layer, inner))]
        number = max(one for one, _ in found)
        total += number
        yield from _judged(layer, number)
        last = next((shape for _, shape in found if shape), None)
        shapes[str(layer.get("name") or inner.get("name"))] = last
    if total > _ALL:
        yield Asked(str(config.get("name", "")), kind, f"{_shown(total)} weights")


def _judged(layer: dict[str, Any], number: int) -> Iterator[Asked]:
    if number > MOST:
        yield Asked(str(layer["config"].get("name", "")), str(layer.get("class_name")), f"{_shown(number)} weights")


def _layer(kind: str, config: dict[str, Any], shape: Shape | None, depth: int = 0) -> tuple[int, Shape | None]:
    """At least how many weights a layer has for an input of this shape, and the shape of its output if known."""
    width = (shape[-1] if shape else None) or _one(config, "input_dim", 1)
    front: Shape = shape[:-1] if shape else [None]
    units = _one(config, "units", 1)
    kernel = _product(config.get("kernel_size", 1))
    filters = _one(config, "filters", 1)
    if kind == "InputLayer":
        return 0, _shape(config.get("batch_shape")) or _shape(config.get("batch_input_shape"))
    if kind in _KEEP:
        return width, shape
    if kind == "Dense":
        return _bound(units * width), [*front, units]
    if kind == "Embedding":
        output = _one(config, "output_dim", 1)
        return _bound(_one(config, "input_dim", 1) * output), [*(shape or [None, None]), output]
    if kind in _GATES:
        many = isinstance(config.get("return_sequences"), bool) and config["return_sequences"]
        return _bound(_GATES[kind] * units * (units + width)), [None, None, units] if many else [None, units]
    if kind.startswith("Conv") and kind[4:6] in ("1D", "2D", "3D", "ol"):
        channels = width if config.get("data_format") != "channels_first" else 1
        out: Shape = [*[None] * (len(shape or [1]) - 1), filters]
        return _bound(filters * kernel * max(channels // _one(config, "groups", 1), 1)), out
    if kind.startswith(("DepthwiseConv", "SeparableConv")):
        return _bound(max(kernel * width * _one(config, "depth_multiplier", 1), filters * width)), None
    if kind == "MultiHeadAttention":
        return _bound(_one(config, "num_heads", 1) * _one(config, "key_dim", 1) * width), shape
    if kind == "EinsumDense":
        return _product(config.get("output_shape", 1)), None
    if kind == "Flatten" and shape:
        sizes = [size for size in shape[1:] if size is not None]
        return 0, [None, _product(sizes)] if len(sizes) == len(shape) - 1 else None
    if kind == "Reshape" and (target := _shape(config.get("target_shape"))):
        return 0, [None, *target]
    if kind == "RepeatVector":
        return 0, [None, _one(config, "n", 1), width]
    inner = config.get("layer")
    if kind in ("Bidirectional", "TimeDistributed", "Wrapper") and isinstance(inner, dict) and depth < _DEPTH:
        given = inner.get("config")
        if isinstance(given, dict):
            return _layer(str(inner.get("class_name")), given, shape, depth + 1)[0], None
    return 0, None


def _own(layer: dict[str, Any], config: dict[str, Any]) -> Shape | None:
    """The shape that a layer says itself that it was built for."""
    built = layer.get("build_config")
    shape = _shape(built.get("input_shape")) if isinstance(built, dict) else None
    return shape or _shape(config.get("batch_input_shape")) or _shape(config.get("batch_shape"))


def _before(nodes: Any) -> str | None:
    """The layer whose output is the first input: ["name", 0, 0, {}] or a `keras_history`."""
    pending, steps = [nodes], 0
    while pending and steps < 100:
        steps += 1
        item = pending.pop()
        if isinstance(item, dict):
            pending += [item[key] for key in ("config", "args", "keras_history") if key in item]
        elif isinstance(item, list | tuple) and item:
            if isinstance(item[0], str) and len(item) > 2 and isinstance(item[1], int):
                return item[0]
            pending += reversed(item[:8])
    return None


def _shape(value: Any) -> Shape | None:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= 64:
        return None
    if isinstance(value[0], list | tuple):  # of several inputs
        return None
    return [size if type(size) is int and size > 0 else None for size in value]


def _one(config: dict[str, Any], key: str, default: int) -> int:
    value = config.get(key)
    return value if type(value) is int and value > 0 else default


def _flat(value: Any) -> Iterator[int]:
    for item in value[:64] if isinstance(value, list | tuple) else [value]:
        if type(item) is int:
            yield item
        elif isinstance(item, list | tuple):
            yield from (size for size in item[:64] if type(size) is int)


def _product(value: Any) -> int:
    total = 1
    for size in _flat(value):
        total = _bound(total * max(size, 1))
    return total


def _bound(number: int) -> int:
    return min(number, _HUGE)


def _shown(number: int) -> str:
    return str(number) if number < 1 << 64 else "more than 2^64"
