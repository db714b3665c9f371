"""What Python code beside a model reaches for: a file is parsed, never imported.

Code of a model defines classes with torch and its kin. What it uses is looked up through its imports; a name of another
library, a file that it writes outside of saving the model, and every way around names is told.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence

from shipworthy.modelfile.pickles.names import Kind, standing_of
from shipworthy.modelfile.shown import shown
from shipworthy.records import dataclass, field

_STARTS = re.compile(
    r"os\.(?:system|popen|startfile|fork\w*|exec\w+|spawn\w+|posix_spawnp?)|posix\.\w+|pty\.spawn|subprocess\.\w+|"
    r"asyncio\.create_subprocess_\w+|commands\.\w+"
)
_RUNS = re.compile(
    r"(?:builtins\.)?(?:eval|exec|compile|__import__)|code\.\w+|runpy\.\w+|importlib\.(?:util|machinery|_bootstrap)\w*\."
    r"(?:spec_from_file_location|SourceFileLoader)|transformers\.dynamic_module_utils\.\w+|torch\.hub\.load|"
    r"types\.(?:Function|Code)Type|logging\.config(?:\.\w+)*|(?:numpy\.(?:f2py|distutils|testing)|torch\.utils\.collect_env)\.\w+"
)
_NATIVE = re.compile(r"ctypes\.(?:CDLL|cdll\.\w+|PyDLL|WinDLL|windll\.\w+)|torch\.(?:ops|classes)\.load_library|"
                     r"torch\.utils\.cpp_extension\.load\w*|numpy\.ctypeslib\.\w+|cffi\.\w+")  # fmt: skip
# `loads` is how objects are copied, too; the checks of code report it.
_UNPICKLES = re.compile(r"(?:c?[pP]ickle|dill|cloudpickle|marshal|shelve|joblib)\.(?:load|open|Unpickler)")
_KINDS = ((_STARTS, "starts programs"), (_RUNS, "runs code that it puts together"), (_NATIVE, "loads native code"),
          (_UNPICKLES, "loads pickles"))  # fmt: skip

# What honest code needs of modules that reach further than a model does.
_PARTS = {
    "os": r"path(?:\.\w+)*|environ(?:\.get)?|getenv|makedirs|listdir|sep|cpu_count|getcwd|PathLike|walk|fspath|mkdir|"
    r"getpid",
    "sys": r"version_info|maxsize|platform|version|float_info|byteorder|getsizeof|exit|stdout|stderr|maxunicode",
    "importlib": r"util\.find_spec|metadata(?:\.\w+)*",
    "shutil": r"copyfile|copy|copy2",
    "huggingface_hub": r"(?:\w+\.)*(?:hf_hub_download|snapshot_download|try_to_load_from_cache|constants\.\w+|\w+Mixin|"
    r"dataclasses\.\w+|\w+Error)",
    "google": r"protobuf(?:\.\w+)*",
    "urllib": r"parse(?:\.\w+)*",
    "pickle": r"loads|dumps|dump|HIGHEST_PROTOCOL",
}
_PARTLY = {root: re.compile(rf"{root}\.(?:{parts})") for root, parts in _PARTS.items()}
# Of the standard library, what neither reaches out nor runs anything.
_STANDARD = frozenset(
    "__future__ abc array ast base64 bisect cmath codecs collections contextlib copy csv dataclasses datetime decimal "
    "difflib enum fractions functools gc glob gzip hashlib heapq html inspect io itertools json keyword logging math "
    "numbers operator packaging pathlib pprint queue random re statistics string struct tempfile textwrap threading "
    "time traceback types typing typing_extensions unicodedata uuid warnings weakref zlib".split()
)
# What code of models is made with.
_LIBRARIES = frozenset(
    "torch torchvision torchaudio transformers tokenizers sentencepiece tiktoken numpy scipy einops einops_exts "
    "flash_attn flash_attn_interface xformers timm PIL cv2 safetensors accelerate peft diffusers sentence_transformers "
    "tqdm triton causal_conv1d mamba_ssm bitsandbytes deepspeed apex regex ftfy librosa soundfile av decord pandas "
    "sklearn jax jaxlib flax optax tensorflow keras nltk spacy fla open_clip optimum auto_gptq rjieba jieba "
    "sacremoses fugashi unidic ipadic natten torch_npu torch_xla pycocotools phonemizer shapely Levenshtein pythainlp "
    "detectron2 torchcodec yaml cpm_kernels megablocks grouped_gemm scann faiss pretty_midi essentia rapidfuzz".split()
)
_REACHING = frozenset(
    "requests httpx aiohttp urllib3 websocket websockets paramiko boto3 dill cloudpickle joblib cffi".split()
)
_TRACED = re.compile(r"torch\.(?:fx\.(?:wrap|Proxy)|_dynamo\.(?:is_compiling|disable|allow_in_graph))")
# By these attributes code gets at what it did not import, whatever they are attributes of.
_INNER = re.compile(
    r"__(?:self|globals|builtins|subclasses|code|closure|loader|mro|getattribute|import)__|f_globals|f_builtins|"
    r"f_locals|tb_frame|gi_frame|cr_frame|_?(?:os|sys|posix|subprocess|builtins|importlib|ctypes|socket|shutil|runpy|pickle|marshal|pty|urllib|requests)|"
    r"system|popen|Popen|check_output|check_call|getoutput|exec_module|load_module|import_module|run_module|run_path|"
    r"load_library"
)
_WRITERS = re.compile(r"(?:io\.|codecs\.|gzip\.|bz2\.|lzma\.)?open|pathlib\.Path\.open")
_SAVERS = re.compile(r"torch\.save|numpy\.(?:save\w*|memmap)")
_METHODS = frozenset("write_text write_bytes unlink rmdir chmod symlink_to hardlink_to tofile".split())
_MAKES = frozenset("join decode replace format fromhex translate".split())
_SAVING = re.compile(r"_*(?:save|export|convert|to_json|write|download|build_vocab|train)\w*")
_BUILTINS = frozenset("eval exec compile __import__ globals __builtins__ builtins breakpoint open".split())


@dataclass
class Source:
    """What one file reaches for: `troubles` as (rank, line, text), the most telling first; `beside` are the files that
    it may import from its folder, as (dots, module).
    """

    troubles: list[tuple[int, int, str]] = field(default_factory=list)
    beside: list[tuple[int, str]] = field(default_factory=list)


def read(tree: ast.AST, trust: Sequence[str] = ()) -> Source:
    """What the code of this tree reaches for."""
    return _Reading(trust).run(tree)


class _Reading:
    def __init__(self, trust: Sequence[str]) -> None:
        self.trust = trust
        self.names: dict[str, set[str]] = {}
        self.bound: set[str] = set()
        self.source = Source()
        self.called: set[int] = set()
        self.judged: set[str] = set()

    def run(self, tree: ast.AST) -> Source:
        for node in ast.walk(tree):
            self.bind(node)
        pending: list[tuple[ast.AST, str]] = [(tree, "")]
        while pending:
            node, inside = pending.pop()
            pending += ((child, inside) for child in self.visit(node, inside))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                pending += ((child, inside or node.name) for child in node.body)
        self.source.troubles.sort()
        return self.source

    def bind(self, node: ast.AST) -> None:
        """Names that the file gives to things."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                self.names.setdefault(alias.asname or root, set()).add(alias.name if alias.asname else root)
                self.source.beside.append((0, alias.name))
                aliased = alias.asname and alias.asname != alias.name and root in _PARTLY
                # another file may use what this one only imports
                if aliased or root in _REACHING or root in sys.stdlib_module_names - _STANDARD - _PARTLY.keys():
                    self.judge(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            self.bind_from(node)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)
        elif isinstance(node, ast.arg):
            self.bound.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.bound.add(node.name)

    def bind_from(self, node: ast.ImportFrom) -> None:
        modules = [node.module] if node.module else [alias.name for alias in node.names]
        self.source.beside += ((node.level, module) for module in modules)
        for alias in node.names:
            if node.level == 0:
                self.names.setdefault(alias.asname or alias.name, set()).add(f"{node.module}.{alias.name}")
                self.judge(f"{node.module}.{alias.name}", node.lineno, importing=True)
            elif alias.name in sys.stdlib_module_names - _STANDARD:  # another file's import
                self.names.setdefault(alias.asname or alias.name, set()).add(alias.name)
            else:
                self.bound.add(alias.asname or alias.name)

    def visit(self, node: ast.AST, inside: str) -> Iterator[ast.AST]:
        """Judge a node; the nodes in it that are to be visited in the same function."""
        if isinstance(node, ast.Call):
            self.call(node, inside)
        if isinstance(node, ast.Attribute):
            yield from self.attribute(node)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self.refer(node, [], node.lineno, id(node) in self.called)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from (*node.decorator_list, node.args, *([node.returns] if node.returns else []))
        else:
            yield from ast.iter_child_nodes(node)

    def attribute(self, node: ast.Attribute) -> Iterator[ast.AST]:
        parts: list[str] = []
        target: ast.AST = node
        while isinstance(target, ast.Attribute):
            parts.append(target.attr)
            target = target.value
        parts.reverse()
        if isinstance(target, ast.Name):
            self.refer(target, parts, node.lineno, id(node) in self.called)
        else:
            self.inner(parts, node.lineno)
            yield target

    def refer(self, root: ast.Name, parts: list[str], line: int, called: bool) -> None:
        """A name, or attributes of one."""
        known = self.names.get(root.id)
        if known is None and root.id not in self.bound and root.id in sys.stdlib_module_names and parts:
            known = {root.id}  # it may have come by a star
        for name in known or ():
            self.judge(".".join([name, *parts]), line)
        if known is None:
            self.inner(parts, line)
            free = root.id in _BUILTINS
            if free and not parts and not (called and root.id == "open"):
                self.told("runs code that it puts together" if root.id != "open" else "passes on how to write files",
                          root.id, line, 0)  # fmt: skip
            elif free and parts:
                self.told("reaches around its imports", ".".join([root.id, *parts]), line)

    def inner(self, parts: Sequence[str], line: int) -> None:
        for part in parts:
            if _INNER.fullmatch(part):
                self.told("reaches around its imports", part, line)

    def judge(self, dotted: str, line: int, importing: bool = False) -> None:
        """What is imported from somewhere else, by its full name as far as imports tell."""
        if dotted in self.judged:
            return
        if not importing:
            self.judged.add(dotted)
        for pattern, does in _KINDS:
            if pattern.fullmatch(dotted):
                self.told(does, dotted, line, 2 if importing else 0)
                return
        root, _, rest = dotted.partition(".")
        module, _, name = dotted.rpartition(".")
        self.inner(rest.split(".") if root in _STANDARD or root in _LIBRARIES else (), line)
        if root in _STANDARD or _TRACED.fullmatch(dotted):
            return
        standing = standing_of(module, name, self.trust) if module and root not in _PARTLY else None
        if standing and standing.kind is Kind.DANGEROUS:
            self.told(f"uses what {standing.reason}", dotted, line)
        elif root in _PARTLY:
            if not _PARTLY[root].fullmatch(dotted) and not (importing and dotted == "importlib.util"):
                self.told("uses more than a model needs", dotted, line)
        elif root not in _LIBRARIES and not importing and not (standing and standing.kind is Kind.TRUSTED):
            self.told("uses what is of no library that models are made with", dotted, line)

    def call(self, node: ast.Call, inside: str) -> None:
        self.called.add(id(node.func))
        for name in self.full(node.func):
            saving = bool(inside and _SAVING.fullmatch(inside))
            writes = _WRITERS.fullmatch(name) is not None and _writes(node)
            if (writes or _SAVERS.fullmatch(name)) and not saving:
                self.told("writes files", name, node.lineno)
            if name == "getattr" and len(node.args) > 1:
                self.getattr(node)
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in _METHODS and not (inside and _SAVING.fullmatch(inside)):
                self.told("writes files", node.func.attr, node.lineno)
            if any(k.arg == "trust_remote_code" and isinstance(k.value, ast.Constant) and k.value.value is True
                   for k in node.keywords):  # fmt: skip
                self.told("runs code of another model", node.func.attr, node.lineno)

    def getattr(self, node: ast.Call) -> None:
        """An attribute that is named by a text."""
        base, name = node.args[0], node.args[1]
        roots = [root for root in self.full(base) if root.partition(".")[0] in self.known_roots()]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.inner([name.value], node.lineno)
            for root in roots:
                self.judge(f"{root}.{name.value}", node.lineno)
        elif roots and (isinstance(name, ast.BinOp) or _made(name)):
            self.told("reaches around its imports", f"getattr({roots[0]}", node.lineno)

    def known_roots(self) -> set[str]:
        """The first names of all that is imported."""
        return {name.partition(".")[0] for known in self.names.values() for name in known}

    def full(self, node: ast.AST) -> list[str]:
        """The full names of what is called, as far as imports tell."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return []
        return [".".join([name, *reversed(parts)]) for name in self.names.get(node.id, {node.id})]

    def told(self, does: str, what: str, line: int, rank: int = 1) -> None:
        self.source.troubles.append((rank, line, f"{does} ({shown(what, 60)}, line {line})"))


def _made(node: ast.AST) -> bool:
    """Whether a text comes of a method that puts texts together."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _MAKES


def _writes(node: ast.Call) -> bool:
    """Whether a call of `open` may write."""
    mode: ast.AST | None = node.args[1] if len(node.args) > 1 else None
    for keyword in node.keywords:
        mode = keyword.value if keyword.arg in ("mode", None) else mode
    if mode is None:
        return False
    return not isinstance(mode, ast.Constant) or any(char in "wax+" for char in str(mode.value))
