"""Numbers and patterns of configurations from which the Hugging Face libraries build models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown
from shipworthy.patterns import regex

# More than any model has, by far
_COUNTS = regex(
    r"(?:num|n)_(?:\w{1,20}_)?(?:layers?|blocks?|heads?)|(?:encoder|decoder)_(?:layers|attention_heads)|r|lora_r"
)
_LENGTHS = regex(
    r"(?!total_|dataset_|download_|file_)(?:\w{1,40}_(?:size|dim|channels|embd|embeddings|positions|experts)|n_\w{1,20}|"
    r"d_\w{1,20}|num_(?:virtual_tokens|train_timesteps|experts|labels|mel_bins)|block_out_channels|hidden_sizes|depths)"
)
_COUNT, _LENGTH = 100_000, 1 << 33
_PRODUCT = 1 << 44  # numbers of one matrix
_SIDES = (
    ("vocab_size", "hidden_size"),
    ("vocab_size", "d_model"),
    ("vocab_size", "n_embd"),
    ("hidden_size", "intermediate_size"),
    ("hidden_size", "hidden_size"),
    ("d_model", "d_ff"),
    ("d_model", "d_model"),
    ("n_embd", "n_embd"),
    ("max_position_embeddings", "hidden_size"),
    ("n_positions", "n_embd"),
    ("num_virtual_tokens", "token_dim"),
)
_PATTERNS = frozenset(("target_modules", "exclude_modules", "rank_pattern", "alpha_pattern", "layers_pattern"))


def judge(scope: Scope, value: Any) -> None:
    """Report the sizes of a configuration and of those in it."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            _single(scope, item)
            sides = ((one, item.get(one), other, item.get(other)) for one, other in _SIDES)
            for one, first, other, second in sides:
                if type(first) is int and type(second) is int and first * second > _PRODUCT:
                    if max(first, second) <= _LENGTH:
                        text = f"{one} is {first} and {other} is {second}: one matrix of the model fills the memory"
                        scope.issue(Code.BOMB, "high", text)
                    break
            pending += item.values()


def _single(scope: Scope, item: dict[Any, Any]) -> None:
    for key, given in item.items():
        for number in given if isinstance(given, list) else (given,):
            if type(number) is not int or number <= _COUNT or not isinstance(key, str) or len(key) > 80:
                continue
            most = _COUNT if _COUNTS.fullmatch(key) else _LENGTH if _LENGTHS.fullmatch(key) else number
            if number > most:
                text = f"{shown(key, 60)} is {number}, more than {most}: building the model takes all memory or time"
                scope.issue(Code.BOMB, "high", text)
                break


def patterns(scope: Scope, value: dict[str, Any], judged: Callable[[Scope, str, str], None]) -> None:
    """Hand on the regular expressions of an adapter, which are matched with the name of each part of the model."""
    for key in _PATTERNS:
        given = value.get(key)
        for text in given if isinstance(given, (dict, list)) else (given,):
            if isinstance(text, str):
                judged(scope, text, f"the adapter's {key}")
