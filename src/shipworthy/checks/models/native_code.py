"""Programs and libraries in machine code that lie among sources, data and models, whatever they are called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shipworthy.check import Canary, check
from shipworthy.model import Artifact, Finding, Kind, Rule, Severity
from shipworthy.modelfile import sniff

NATIVE = Rule(
    "native-code",
    title="A program or library in machine code is kept among the sources",
    severity=Severity.MEDIUM,
    description="Nobody can review machine code in a repository, no check of sources sees into it, and whatever starts "
    "or imports it runs it. Beside a model it is loaded with the model, as an operator or a plug-in.",
    remedy="Build it from sources in the pipeline, or take it from a package whose digest is pinned. If it has to be "
    "here, record where it comes from and waive the finding with that reason.",
    taxonomy=("CWE-829", "CWE-1357", "AML.T0010.001", "LLM03:2025"),
    help="native-code",
)
DISGUISED = Rule(
    "native-code-disguised",
    title="A file that is named as data or text is a program",
    severity=Severity.HIGH,
    description="Honest tools name programs as programs. One that is called a picture, a table or a text is there to "
    "be overlooked, and to be started by something else.",
    remedy="Do not run anything that is here. Find out who added the file and what reads it.",
    taxonomy=("CWE-506", "CWE-434", "AML.T0074", "LLM03:2025"),
    help="native-code",
)
_FORMATS = {
    "elf": "ELF machine code",
    "pe": "Windows machine code (PE)",
    "mach-o": "macOS machine code (Mach-O)",
    "wasm": "WebAssembly",
}
_HEAD = 64 * 1024  # where a Windows program's second header is, its first may say freely
_MODEL_FOLDER = re.compile(r"(?i)(?:.*/)?(?:models?|weights|checkpoints?|pretrained)/")
# Names of data, texts and pictures. A name of no such kind (a.out, firmware.axf) hides nothing.
_DATA = frozenset(
    """json jsonl ndjson txt text md rst csv tsv tab log cfg ini conf toml yaml yml xml html htm css js mjs ts py pyi
    ipynb r sh sql env lock png jpg jpeg gif bmp svg ico webp tif tiff pdf doc docx xls xlsx ppt pptx mp3 mp4 wav flac
    avi zip gz tgz bz2 xz zst 7z rar tar whl jar dat data db sqlite parquet pq arrow feather avro orc vocab
    tokens""".split()
)


def _is_served(artifact: Artifact) -> bool:
    """Whether it lies in a folder of Triton's, which loads backends and operators from there."""
    path = artifact.path
    return path is not None and any((folder / "config.pbtxt").is_file() for folder in path.parents[:2])


@check(
    "native-code",
    version=2,
    kinds={"other", "dataset", "notebook", "requirements", "dockerfile", "workflow"},
    canary=Canary(files={"vocab.json": b"\x7fELF\x02\x01\x01" + bytes(57)}, rule=DISGUISED.id),
)
def run(artifact: Artifact) -> Iterator[Finding]:
    """Decide by the first bytes. What is named as a model is for the check `model-file`."""
    found = sniff(artifact.read_bytes(_HEAD)) or ""
    if found not in _FORMATS:
        return
    name = artifact.uri.rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if suffix in _DATA or artifact.kind is not Kind.OTHER:
        yield DISGUISED.at(artifact, f"{_FORMATS[found]} under a name of data or text", key=found)
    elif _MODEL_FOLDER.match(artifact.uri) or _is_served(artifact):
        yield NATIVE.at(artifact, f"{_FORMATS[found]} in a folder of models", key=found, severity=Severity.HIGH)
    else:
        severity = Severity.LOW if found == "wasm" else Severity.MEDIUM  # it runs in a sandbox of its own
        yield NATIVE.at(artifact, _FORMATS[found], key=found, severity=severity)
