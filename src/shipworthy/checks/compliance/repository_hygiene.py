"""What a repository should say of itself: licence, contact, owners, model cards, datasheets, a lock file.

The tree is what artifacts were found in: a file that is not among them (excluded by the settings) counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from shipworthy.check import Canary, check
from shipworthy.model import Artifact, Confidence, Finding, Kind, Rule, Severity

# what these lock, and whether they are there, is the check npm-lock's business
_OF_NPM = frozenset({"package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"})
_LOCKS = frozenset({"poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "conda-lock.yml", "pixi.lock"})
_PINNED = re.compile(rb"^\s*[A-Za-z0-9][\w.\[\],-]*\s*===?\s*[^\s,*]+", re.MULTILINE)
_CARD_SECTIONS = re.compile(
    r"(?im)^#+\s*(intended use|uses|limitations|bias|training data|evaluation|model details)\b|^model-index:"
)
_CARD_LIMIT = 200_000

NO_LICENCE = Rule(
    "repository-no-licence",
    "The repository has no licence file",
    Severity.LOW,
    "Without a licence nobody may use the code, model or data, and what its parts require is not recorded.",
    "Add a LICENSE file; say the licence of models and datasets in their cards too.",
    taxonomy=("A.5.32", "GOVERN 6.1", "MAP 4.1"),
    help="licences",
)
NO_SECURITY_CONTACT = Rule(
    "repository-no-security-contact",
    "The repository does not say how to report a vulnerability",
    Severity.LOW,
    "People who find a weakness have no private way to tell; they publish it, or keep it.",
    "Add SECURITY.md with a contact and what you promise to do.",
    taxonomy=("RV.1", "A.8.8", "GOVERN 5.1"),
    help="vulnerability-disclosure",
)
NO_MODEL_CARD = Rule(
    "repository-no-model-card",
    "There are models and no model card",
    Severity.LOW,
    "Nobody can tell what the model is for, what it was trained on and where it fails. High-risk systems in the EU "
    "need such documentation.",
    "Add MODEL_CARD.md (or a README beside the model): intended use, training data, evaluation, limitations.",
    confidence=Confidence.MEDIUM,
    taxonomy=("Art. 11", "Art. 13", "A.6.2.7", "iso-42001-2023/A.8.2", "MAP 2.3", "GOVERN 1.4"),
    help="model-card",
)
NO_DATASHEET = Rule(
    "repository-no-datasheet",
    "There are datasets and no datasheet",
    Severity.LOW,
    "Where the data come from, under which terms and with whose consent cannot be shown.",
    "Add a datasheet (DATASHEET.md or data/README.md): source, collection, licence, personal data, known gaps.",
    confidence=Confidence.MEDIUM,
    taxonomy=("Art. 10", "iso-42001-2023/A.7.5", "iso-42001-2023/A.7.3", "MAP 4.1"),
    help="datasheet",
)
NO_LOCK_FILE = Rule(
    "repository-no-lock-file",
    "Dependencies are not locked",
    Severity.LOW,
    "A training or a build cannot be repeated with the same code, and vulnerabilities cannot be matched to exact "
    "versions.",
    "Commit a lock file: `uv lock`, `poetry lock`, or `pip-compile --generate-hashes`.",
    taxonomy=("CWE-1357", "CICD-SEC-3", "PW.4"),
    help="dependency-pinning",
)
NO_OWNERS = Rule(
    "repository-no-owners",
    "Nobody is named as owner of the code",
    Severity.INFO,
    "Changes to training code, data and pipelines need a reviewer who answers for them.",
    "Add CODEOWNERS, and require its review on the protected branch.",
    taxonomy=("CICD-SEC-1", "GOVERN 2.1", "A.3.2"),
    help="code-owners",
)


@check(
    "repository-hygiene",
    scope="tree",
    version=3,
    canary=Canary(files={"train.py": b"print('a repository with nothing but this')\n"}, rule=NO_LICENCE.id),
)
def scan(artifacts: tuple[Artifact, ...]) -> Iterator[Finding]:
    """What is missing, each said once."""
    here = [a for a in artifacts if "://" not in a.uri]
    if not here:
        return
    names = {PurePosixPath(a.uri).name.lower() for a in here}
    top = {
        a.uri.lower()
        for a in here
        if a.uri.count("/") == 0 or a.uri.lower().startswith((".github/", "docs/", ".gitlab/"))
    }
    if not any(PurePosixPath(n).name.startswith(("license", "licence", "copying", "unlicense")) for n in top):
        yield _missing(NO_LICENCE)
    if not any(
        PurePosixPath(n).name.startswith(("security.", "security-policy")) or n.endswith("security.txt") for n in top
    ):
        yield _missing(NO_SECURITY_CONTACT)
    if not any(PurePosixPath(n).name == "codeowners" for n in top):
        yield _missing(NO_OWNERS)
    yield from _documented(here, names)
    yield from _locked(here, names)


def _missing(rule: Rule) -> Finding:
    """A finding about the repository as such, and about none of its files."""
    return rule.at(Artifact(".", Kind.OTHER, "", 0), rule.title, key="repository")


def _documented(here: list[Artifact], names: set[str]) -> Iterator[Finding]:
    models = [a for a in here if a.kind is Kind.MODEL]
    if models and not any(n.startswith(("model_card", "model-card", "modelcard")) for n in names):
        folders = {PurePosixPath(a.uri).parent for a in models}
        if not any(
            _is_card(a) for a in here if _readme(a) and (PurePosixPath(a.uri).parent in folders or "/" not in a.uri)
        ):
            yield _missing(NO_MODEL_CARD)
    datasets = [a for a in here if a.kind is Kind.DATASET]
    if datasets and not any(
        n.startswith(("datasheet", "dataset_card", "dataset-card", "data_card", "croissant")) for n in names
    ):
        folders = {PurePosixPath(a.uri).parent for a in datasets} - {PurePosixPath()}
        if not any(_readme(a) and PurePosixPath(a.uri).parent in folders for a in here):
            yield _missing(NO_DATASHEET)


def _readme(artifact: Artifact) -> bool:
    return PurePosixPath(artifact.uri).name.lower().startswith("readme")


def _is_card(artifact: Artifact) -> bool:
    """Whether a README says what a model card says: at least two of its usual sections."""
    try:
        text = artifact.read_text(_CARD_LIMIT)
    except OSError:
        return False  # then there is no card that anybody can read
    return len({m[0].lower().lstrip("# ") for m in _CARD_SECTIONS.finditer(text)}) >= 2


def _locked(here: list[Artifact], names: set[str]) -> Iterator[Finding]:
    wanted = [a for a in here if a.kind is Kind.REQUIREMENTS and PurePosixPath(a.uri).name.lower() not in _OF_NPM]
    if not wanted or names & _LOCKS or any(re.fullmatch(r"pylock(\.[\w-]+)?\.toml", n) for n in names):
        return
    for artifact in wanted:
        if artifact.uri.endswith(".txt"):
            try:
                lines = [
                    n
                    for n in artifact.read_bytes(1_000_000).splitlines()
                    if n.strip() and n.lstrip()[:1] not in (b"#", b"-")
                ]
            except OSError:
                continue
            if lines and all(_PINNED.match(n) or n[:1] in b" \t" for n in lines):
                return
    yield _missing(NO_LOCK_FILE)
