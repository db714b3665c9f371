"""Builds the environments of tests/corpora/environments.toml, writes honest model files in each, lists their names.

    python scripts/honest_corpus.py build FOLDER [NAME...]    # virtual environments FOLDER/NAME; by uv
    python scripts/honest_corpus.py write FOLDER [NAME...]    # files in FOLDER/honest/NAME, with a manifest
    python scripts/honest_corpus.py list FOLDER [NAME...]     # FOLDER/NAME.import.json and FOLDER/NAME.source.json
    python scripts/honest_corpus.py table FOLDER              # the four tables in src/shipworthy/modelfile/pickles
    python benchmarks/modelfile/honest.py FOLDER/honest       # how many of the files are flagged

`table` merges all lists in FOLDER, which must come from one run of `list`, into allowed_names.txt; then list_called.py
reads the same environments for what it allows (ten minutes): called_names.txt and class_traits.txt; list_methods.py for
plain_methods.txt.
Environments that are held out (`held_out` in the file) are neither listed nor looked at: they measure.
`build` uses uv. Everything needs about 25 GB of disk and two hours of two cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
CORPORA = REPOSITORY / "tests" / "corpora"
TABLES = REPOSITORY / "src" / "shipworthy" / "modelfile" / "pickles"
sys.path.insert(0, str(CORPORA))
# Packages whose source text is listed, by the name that is imported.
PACKAGES = (
    "numpy scipy sklearn pandas torch xgboost lightgbm catboost statsmodels lifelines networkx nltk imblearn "
    "category_encoders feature_engine gensim pyod sktime skbase spacy thinc confection prophet mlxtend ngboost tslearn "
    "pmdarima optuna shap hdbscan umap pynndescent shapely skorch tokenizers transformers sentence_transformers "
    "pytorch_lightning lightning_fabric timm torchmetrics formulaic autograd patsy dateutil pytz cmdstanpy holidays "
    "skops regex sksurv skopt xarray textblob implicit flaml gymnasium stable_baselines3 torchvision torch_geometric "
    "gpytorch linear_operator botorch pyro slicer stanio river tsfresh pygam hmmlearn sklego mapie kmodes accelerate"
).split()


def interpreter(version: str) -> str:
    """A Python of this version: pyenv's newest, or the one on the path."""
    found = sorted(
        Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))).glob(f"versions/{version}.*/bin/python")
    )
    return str(found[-1]) if found else f"python{version}"


def build(folder: Path, name: str, wanted: dict[str, Any]) -> None:
    """A virtual environment with what the file asks for; where only the text is read, a folder without one."""
    install = ["uv", "pip", "install", "--quiet", "--only-binary", ":all:"]
    if "known" in wanted:
        packages = folder / name / "lib" / "python3" / "site-packages"
        install += ["--no-cache", "--python-version", wanted["python"], "--target", str(packages)]
        subprocess.run([*install, "--no-deps", *wanted["nodeps"]], check=True)
        for path in packages.rglob("*"):
            if path.is_file() and path.suffix != ".py" and not path.parent.name.endswith(".dist-info"):
                path.unlink()
        return
    python = str(folder / name / "bin" / "python")
    subprocess.run(["uv", "venv", "--quiet", "--python", interpreter(wanted["python"]), str(folder / name)], check=True)
    subprocess.run([*install, "--python", python, *wanted["install"]], check=True)
    if wanted["nodeps"]:
        subprocess.run([*install, "--python", python, "--no-deps", *wanted["nodeps"]], check=True)


def write(folder: Path, name: str, wanted: dict[str, Any]) -> None:
    """The honest files of one environment; those of the later measurements lie in FOLDER/second to FOLDER/fifth."""
    python = str(folder / name / "bin" / "python")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    sets = [key for key in ("second", "third", "fourth", "fifth") if wanted.get(key)]
    command = [python, "-W", "ignore", str(CORPORA / "honest.py"), str(folder / (sets or ["honest"])[0] / name), name]
    command += ["--held"] * wanted.get("held_out", False) + [f"--{key}" for key in sets]
    subprocess.run(command, check=True, env=environment)


def listing(folder: Path, name: str, known: str) -> None:
    """What importing shows (or showed in the environment `known`), and what the source text shows."""
    python = str(folder / name / "bin" / "python")
    imported, read = folder / f"{known or name}.import.json", folder / f"{name}.source.json"
    if not known:
        with imported.open("wb") as stream:
            command = [python, "-W", "ignore", str(REPOSITORY / "scripts" / "make_allow_table.py"), "collect"]
            subprocess.run(command, check=True, stdout=stream)
    (packages,) = (folder / name).glob("lib/python3*/site-packages")
    script = str(REPOSITORY / "scripts" / "allow_sources.py")
    command = [sys.executable, script, str(read), str(packages), "--package", *PACKAGES, "--known", str(imported)]
    subprocess.run(command, check=True)


def standard_library(folder: Path) -> None:
    """A few plain modules of Python itself, whose objects people put beside their models."""
    source = sysconfig.get_paths()["stdlib"]
    packages = "argparse random statistics string calendar ipaddress graphlib typing".split()
    script = str(REPOSITORY / "scripts" / "allow_sources.py")
    out = str(folder / "python.source.json")
    subprocess.run([sys.executable, script, out, source, "--package", *packages], check=True)


def tables(folder: Path, environments: dict[str, Any]) -> None:
    """All four, from the lists and the source text of the environments that are not held out."""
    from make_allow_table import merge

    older = [name for name, wanted in environments.items() if wanted.get("older")]
    text = merge(sorted(str(path) for path in folder.glob("*.json")), older)
    (TABLES / "allowed_names.txt").write_text(text, encoding="utf-8")
    listed = [name for name, wanted in environments.items() if not wanted.get("held_out")]
    packages = [str(path) for name in listed for path in folder.glob(f"{name}/lib/python3*/site-packages")]
    for script, out in (("list_called.py", TABLES), ("list_methods.py", TABLES / "plain_methods.txt")):
        command = [sys.executable, str(REPOSITORY / "scripts" / script), str(out), *packages]
        subprocess.run(command, check=True)


def main() -> None:
    """Command line."""
    action, folder, *names = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]
    environments = tomllib.loads((CORPORA / "environments.toml").read_text(encoding="utf-8"))
    if action == "table":
        tables(folder, environments)
        return
    if action == "list" and not names:
        standard_library(folder)
    for name in names or environments:
        wanted = environments[name]
        if action == "build":
            build(folder, name, wanted)
        elif action == "write" and not wanted.keys() & {"known", "sixth"}:  # the sixth set: honest_sixth.py
            write(folder, name, wanted)
        elif action == "list" and not wanted.get("held_out"):
            listing(folder, name, wanted.get("known", ""))


if __name__ == "__main__":
    main()
