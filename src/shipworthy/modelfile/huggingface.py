"""JSON of the Hugging Face libraries: configurations, tokenizers, templates, adapters, lists of modules.

Such a file builds nothing by itself, but the libraries import what some of its keys name: `auto_map` and
`custom_pipelines` (transformers), components of `model_index.json` (diffusers), `type` in `modules.json` and activation
functions (sentence-transformers), `parent_library` and `megatron_core` (peft).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shipworthy.modelfile import configsizes, localcode, templates
from shipworthy.modelfile.listed import listed
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.pickles.names import Kind, standing_of
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.patterns import regex

# Keys that tell a configuration of these libraries from any other JSON.
_TELLING = frozenset(
    "model_type architectures auto_map transformers_version tokenizer_class processor_class chat_template peft_type "
    "image_processor_type feature_extractor_type _class_name _diffusers_version custom_pipelines trust_remote_code "
    "word_embedding_dimension max_seq_length quant_method lora_alpha model_max_length image_mean sampling_rate "
    "__version__ activation_function".split()
)
_MODEL = frozenset(("model_type", "architectures"))
_BUILT = _MODEL | {"_class_name", "peft_type", "feature_extractor_type", "image_processor_type"}
# Files that are run for their names, without any key of a configuration.
_RUN = (
    ("handler", "", "inference endpoints run"),
    ("hubconf", "", "torch.hub runs"),
    ("generate", "custom_generate", "generate(custom_generate=...) runs"),
)
_GENERATION = frozenset(
    "bos_token_id eos_token_id pad_token_id do_sample temperature top_p top_k max_length max_new_tokens "
    "repetition_penalty decoder_start_token_id num_beams min_length no_repeat_ngram_size early_stopping "
    "length_penalty use_cache forced_bos_token_id forced_eos_token_id suppress_tokens begin_suppress_tokens".split()
)
_SPECIAL = regex(r"\w{1,60}_tokens?")
_LOCAL = regex(r"[A-Za-z_][\w.]*\.[A-Za-z_]\w*")
_CALLED = frozenset(("activation_function", "activation_fn", "sbert_ce_default_activation_function", "loss_fct"))
_KERNELS = frozenset(("attn_implementation", "_attn_implementation", "_attn_implementation_internal"))
_REPOSITORY = regex(r"(?:\w+\|)?(?!kernels-community/)[\w.-]+/[\w.-]+(?:@[\w.-]+)?(?::\w+)?")
_COMPONENTS = frozenset("optimum onnxruntime peft flax k_diffusion".split())  # beside those that diffusers lists
_SENTENCE = regex(
    r"sentence_transformers\.(?:base\.|sentence_transformer\.|sparse_encoder\.|cross_encoder\.)?(?:models|modules|"
    r"model_card)(?:\.[A-Za-z]\w*)+"
)
_ADAPTED = regex(r"(?:transformers|diffusers|peft|sentence_transformers|timm|torch)(?:\.\w+)*")
_PARTS = frozenset(
    "Sequence BertNormalizer BertPreTokenizer ByteLevel CharDelimiterSplit Digits FixedLength Metaspace Punctuation "
    "Split UnicodeScripts Whitespace WhitespaceSplit Lowercase NFC NFD NFKC NFKD Nmt Precompiled Prepend Replace Strip "
    "StripAccents TemplateProcessing BertProcessing RobertaProcessing BPEDecoder ByteFallback CTC Fuse WordPiece BPE "
    "Unigram WordLevel Nop".split()
)
_PADDED = 100_000_000
_PARTS_OF_PIPELINES = frozenset(("config.json", "scheduler_config.json", "guider_config.json"))
_PATTERN = 20_000
_REPLACED = 1000
_INDEX = "transformers asks for trust_remote_code to run it; review the code first"


def _is_routed(value: dict[str, Any]) -> bool:
    """`router_config.json` of sentence-transformers, whose types are imported as those of `modules.json`."""
    return isinstance(value.get("types"), dict) and isinstance(value.get("structure"), dict)


def judge(scope: Scope, value: Any) -> bool:
    """Report what loading this JSON would run; False when it is no JSON of these libraries."""
    if isinstance(value, list):
        return _modules(scope, value)
    if not isinstance(value, dict):
        return False
    if _is_tokenizer(value):
        _tokenizer(scope, value)
        return True
    if _is_routed(value):
        for kind in value["types"].values():
            _sentence(scope, str(kind))
        return True
    words = bool(value) and all(type(item) is int for item in value.values())
    special = all(isinstance(key, str) and _SPECIAL.fullmatch(key) for key in value)
    if words or not (value.keys() & _TELLING or value.keys() <= _GENERATION or special):
        return words
    _walk(scope, value)
    if value.keys() & _BUILT:
        configsizes.judge(scope, value)
    if value.keys() & _MODEL:
        for module, folder, runs in _RUN:
            localcode.judge(scope, module, runs, f"{folder or '.'}:{module}", folder, quiet=True)
    if "_class_name" in value and "_diffusers_version" in value and not _is_part(scope, value["_class_name"]):
        _pipeline(scope, value)
    if "peft_type" in value:
        _adapter(scope, value)
    return True


def foreign_code(value: Any) -> Iterator[tuple[str, bool]]:
    """Code that an `auto_map` or a custom pipeline names, and whether it lies in another repository."""
    for key, item in _entries(value):
        if key in ("auto_map", "custom_pipelines"):
            for text in _texts(item):
                if "--" in text or "/" in text or _LOCAL.fullmatch(text):
                    yield text, "--" in text


def chat_templates(value: Any) -> Iterator[tuple[str, str]]:
    """The templates of a configuration, each with the key that it stands under."""
    seen: set[str] = set()
    for key, item in _entries(value):
        if "template" in key:
            for text in _texts(item):
                if text not in seen and any(mark in text for mark in ("{{", "{%", "{#")):
                    seen.add(text)
                    yield key, text


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            yield from item.items()
            pending += item.values()


def _texts(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, (list, dict)):
            pending += item.values() if isinstance(item, dict) else item
        elif isinstance(item, str):
            yield item


def _walk(scope: Scope, value: Any) -> None:
    for text, foreign in foreign_code(value):
        shown = ascii(text)[1:-1][:120]
        if foreign:
            message = f"the configuration takes code from another repository, {shown}, in whatever state it is then"
            scope.issue(Code.REMOTE_CODE, "high", f"{message}; copy reviewed code beside the model", None, shown)
        elif not localcode.judge(scope, text.rpartition(".")[0], "the model needs the code in", shown):
            absent = scope.folder is not None
            message = f"the model needs the code {shown} beside it{', which is not there' if absent else ''}; {_INDEX}"
            scope.issue(Code.REMOTE_CODE, "high" if absent else "medium", message, None, shown)
    for key, text in chat_templates(value):
        templates.judge(scope, text, f"the template of {ascii(key)[1:-1][:60]}")
    for key, item in _entries(value):
        if key == "trust_remote_code" and (item is True or item == 1 or str(item).lower() == "true"):
            text = "the configuration switches trust_remote_code on: code from the model's repository runs unasked"
            scope.issue(Code.REMOTE_CODE, "high", text, None, "trust_remote_code")
        elif key in _KERNELS and isinstance(item, str) and _REPOSITORY.fullmatch(item):
            shown = ascii(item)[1:-1][:120]
            text = f"{key} is {shown}: transformers fetches that repository and runs its native code, unasked"
            scope.issue(Code.REMOTE_CODE, "high", text, None, shown)
        elif key in _KERNELS and isinstance(item, dict):
            for text in _texts(item):
                if _REPOSITORY.fullmatch(text):
                    shown = ascii(text)[1:-1][:120]
                    told = f"{key} is {shown}: transformers fetches that repository and runs its native code, unasked"
                    scope.issue(Code.REMOTE_CODE, "high", told, None, shown)
        elif key == "tokenizer_class" and isinstance(item, str) and "." in item:
            _sentence(scope, item)
        elif key in _CALLED and isinstance(item, str) and "." in item:
            _name(scope, item, f"the configuration's {key}")


def _name(scope: Scope, dotted: str, what: str) -> None:
    """A class that is imported and called without arguments."""
    module, _, name = dotted.rpartition(".")
    standing = standing_of(module, name, scope.trust)
    key = f"{module}:{name}"
    shown = ascii(key)[1:-1][:120]
    scope.names([key])
    if standing.kind is Kind.DANGEROUS:
        scope.issue(Code.CODE_EXECUTION, "critical", f"{what} calls {shown}, which {standing.reason}", None, shown)
    elif not standing.is_class:
        text = f"{what} calls {shown}, which is not known to be harmless"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)


def _modules(scope: Scope, value: list[Any]) -> bool:
    """`modules.json` of sentence-transformers: each type is imported and built; each path is a folder of the model."""
    keys = {"idx", "name", "path", "type"}
    if not value or not all(isinstance(item, dict) and keys <= item.keys() for item in value):
        return False
    for item in value:
        path = str(item["path"])
        _sentence(scope, str(item["type"]))
        if escapes(path):
            text = f"a module lies in {ascii(path)[:120]}, outside of the model's folder"
            scope.issue(Code.PATH_TRAVERSAL, "high", text)
    return True


def _sentence(scope: Scope, kind: str) -> None:
    if _SENTENCE.fullmatch(kind):
        return
    shown = ascii(kind)[1:-1][:120]
    module, _, name = kind.rpartition(".")
    known = standing_of(module, name, scope.trust).kind
    here = known is not Kind.DANGEROUS and known is not Kind.TRUSTED
    here = here and localcode.judge(scope, module, "sentence-transformers imports", shown)
    if known is not Kind.TRUSTED and not here:
        text = f"sentence-transformers would import and build {shown}, which is none of its own modules"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)


def _is_part(scope: Scope, named: Any) -> bool:
    """A part of a pipeline, such as its network: two texts in a list are settings there (`down_block_types`). Only for
    a file whose name is known to be that of a part's configuration; pipelines are read from other names.
    """
    place = scope.name.rpartition("!")[2].rpartition("/")[2]
    here = place in _PARTS_OF_PIPELINES if scope.name else f"{scope.state.stem}.json" in _PARTS_OF_PIPELINES
    return here and isinstance(named, str) and "Pipeline" not in named


def _pipeline(scope: Scope, value: dict[str, Any]) -> None:
    """`model_index.json` of diffusers: each component is `[library, class]`; the library is imported."""
    named = value["_class_name"]
    localcode.judge(scope, "pipeline", "`custom_pipeline` runs", ".:pipeline", quiet=True)
    if isinstance(named, list):
        shown = ascii(named)[:100]
        if not localcode.judge(scope, str(named[0] if named else ""), "the pipeline is the code in", shown):
            text = f"the pipeline is code of the repository, {shown}; review it first"
            scope.issue(Code.REMOTE_CODE, "high" if scope.folder is not None else "medium", text, None, shown)
    for key, item in value.items():
        if key.startswith("_") or not isinstance(item, list) or len(item) not in (2, 3):
            continue
        hint = item[2].get("type_hint") if len(item) == 3 and isinstance(item[2], dict) else None  # modular pipelines
        item = hint if item[0] is None and isinstance(hint, list) and len(hint) == 2 else item
        if isinstance(item[0], str) and item[0] not in _COMPONENTS | listed("diffusers-libraries"):
            shown = ascii(f"{item[0]}:{item[1]}")[1:-1][:120]
            known = standing_of(item[0], str(item[1]), scope.trust).kind
            what = f"the component {ascii(key)[:40]} is the code in"
            places = () if known in (Kind.DANGEROUS, Kind.TRUSTED) else (key, "")
            here = any(localcode.judge(scope, item[0], what, shown, place) for place in places)
            if known is not Kind.TRUSTED and not here:
                text = f"the component {ascii(key)[:40]} is {shown}: diffusers imports that library, or code beside it"
                scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)


def _adapter(scope: Scope, value: dict[str, Any]) -> None:
    configsizes.patterns(scope, value, _pattern)
    for key in ("base_model_name_or_path", "tokenizer_name_or_path"):
        base = value.get(key)
        if isinstance(base, str) and escapes(base):
            text = f"the adapter's {key} is {ascii(base)[:120]}: a place outside of this model is read or fetched"
            scope.issue(Code.EXTERNAL_DATA, "medium", text)
    mapping = value.get("auto_mapping")
    library = mapping.get("parent_library") if isinstance(mapping, dict) else None
    if isinstance(library, str) and library.startswith("transformers_modules."):
        text = "the adapter is for a model with code of its own, which transformers fetches and runs if it is told to"
        scope.issue(Code.REMOTE_CODE, "medium", f"{text}; review that code first", None, ascii(library)[1:-1][:120])
        library = None
    for what in (library, value.get("megatron_core") if value.get("megatron_config") else None):
        if what is not None and not (_ADAPTED.fullmatch(str(what)) or what == "megatron.core"):
            shown = ascii(what)[:120]
            text = f"peft imports the module {shown}, which is none of the libraries that adapters are for"
            scope.issue(Code.UNKNOWN_NAME, "high", text, None, shown)


def _is_tokenizer(value: dict[str, Any]) -> bool:
    return isinstance(value.get("model"), dict) and "added_tokens" in value and "pre_tokenizer" in value


def _tokenizer(scope: Scope, value: dict[str, Any]) -> None:
    """`tokenizer.json`: parts of known types, patterns that can't run for ever."""
    pending: list[Any] = [value.get(key) for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder")]
    model = value["model"]
    if not isinstance(model.get("vocab"), (dict, list)):
        scope.unknown("the tokenizer has no vocabulary")
    pending.append({key: item for key, item in model.items() if key not in ("vocab", "merges")})
    padding = value.get("padding")
    strategy = padding.get("strategy") if isinstance(padding, dict) else None
    fixed = strategy.get("Fixed") if isinstance(strategy, dict) else None
    if type(fixed) is int and fixed > _PADDED:
        scope.issue(Code.BOMB, "high", f"the tokenizer pads each text to {fixed} tokens: one text fills memory")
    multiple = padding.get("pad_to_multiple_of") if isinstance(padding, dict) else None
    if type(multiple) is int and multiple > _PADDED:
        scope.issue(Code.BOMB, "high", f"the tokenizer pads texts to multiples of {multiple} tokens: one fills memory")
    for part in ("normalizer", "decoder"):
        if _grows(value.get(part)):
            text = f"the tokenizer's {part} replaces texts by longer ones again and again: a short text fills memory"
            scope.issue(Code.BOMB, "high", text)
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            kind = item.get("type")
            if isinstance(kind, str) and kind not in _PARTS and "id" not in item:
                scope.unknown(f"the tokenizer has a part of the unknown type {ascii(kind)[:60]}")
            pattern = item.get("Regex")
            if isinstance(pattern, str):
                _pattern(scope, pattern)
            pending += (inner for key, inner in item.items() if key not in ("special_tokens", "precompiled_charsmap"))


def _grows(part: Any) -> bool:
    """Whether the replacements of a normalizer or decoder, one after the other, make a text of all that they replace
    more than a thousand times as long.
    """
    pairs: list[tuple[str, str]] = []
    pending = [part]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += reversed(item)
        elif isinstance(item, dict):
            given, content = item.get("pattern"), item.get("content")
            pattern = given.get("String") if isinstance(given, dict) else None
            if item.get("type") == "Replace" and isinstance(pattern, str) and isinstance(content, str) and pattern:
                pairs.append((pattern, content))
            pending += (item.get("decoders"), item.get("normalizers"))
    text = " ".join(sorted({pattern[:_REPLACED] for pattern, _ in pairs}))[: _PATTERN * 10]
    most = max(1000 * len(text), _PATTERN)
    for pattern, content in pairs[:_REPLACED]:
        if len(text) + text.count(pattern) * (len(content) - len(pattern)) > most:
            return True
        text = text.replace(pattern, content)
    return False


def _pattern(scope: Scope, pattern: str, whose: str = "the tokenizer's pattern") -> None:
    wrong, severity = "", "medium"
    if len(pattern) > _PATTERN:
        wrong = f"is {len(pattern)} characters long"
    elif nested_repetition(pattern):
        severity = "high"
        wrong = "repeats what repeats itself without bound: a short text can keep it busy for ever"
    if wrong:
        scope.issue(Code.BOMB, severity, f"{whose} {ascii(pattern)[:80]} {wrong}")


def nested_repetition(pattern: str) -> bool:
    """Whether a group that holds an unbounded repetition is itself repeated without bound. Linear.

    Not every such pattern is slow, but all of the slowest kind are such; the published tokenizers have none.
    """
    groups: list[bool] = [False]
    last = False  # whether the element just read is a group that holds an unbounded repetition
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at, last = at + 2, False
            continue
        if char == "[":
            at, last = _class_end(pattern, at), False
            continue
        if char == "(":
            groups.append(False)
            last = False
        elif char == ")":
            last = groups.pop() if len(groups) > 1 else False
            groups[-1] |= last
        elif char in "*+" or (char == "{" and re.match(r"\{\d*,\}", pattern[at : at + 24])):
            if pattern[at - 1 : at] not in ("(", "|") and at:
                if last and pattern[at + 1 : at + 2] != "+":  # a possessive one never goes back
                    return True
                groups[-1] |= pattern[at + 1 : at + 2] != "+"
                at += pattern[at + 1 : at + 2] in ("+", "?")
            last = False
        elif char not in "?":
            last = False
        at += 1
    return False


def _class_end(pattern: str, at: int) -> int:
    depth = 0
    first = at
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            continue
        if char == "[" and (at == first or pattern[at + 1 : at + 2] == ":"):
            depth += 1
        elif char == "]" and at > first + 1 + (pattern[first + 1 : first + 2] == "^"):
            depth -= 1
            if depth <= 0:
                return at + 1
        at += 1
    return at
