"""MLflow's `MLmodel`: which code loads the model. `python_function` imports its loader module when the model is loaded.

Source: mlflow/pyfunc/__init__.py (`load_model`, `_add_code_from_conf_to_system_path`) of mlflow 3.17.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipworthy.modelfile.listed import listed
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.pickles.names import Kind, standing_of
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.strictjson import leaves
from shipworthy.patterns import regex

_PLACES = frozenset(  # not `uri`: where the artifact came from; loaders take the copy under `path`
    "data model_path pickled_model python_model saved_model_dir model_data path code model_code_path model_config "
    "pipeline_file model_binary booster_file cb_model".split()
)
_MODULES = frozenset(
    "keras tensorflow.keras tf_keras tf.keras tensorflow.python.keras keras.src tensorflow.keras.api "
    "mlflow.pytorch.pickle_module pickle cloudpickle dill".split()
)

_JOINED = regex(r"&&|\|\||;|\n")
_SET = regex(r"[A-Za-z_]\w*=[\w./:{}-]*")
_SHELL = regex(r"`|\$\(|[<>]\(|\||(?<!&)&(?!&)|>\s*(?:[/~.]|\$)|<<")
_WHOLE = frozenset(("/", "~", "$HOME", "${HOME}", "/home", "/root", "/var", "/Users"))
_SYSTEM = ("/etc", "/proc", "/sys", "/dev", "/root/", "/boot", "/var/run", "/run", "~/.", "$HOME/.", "../..")
_INTERPRETER = regex(r"python[\d.]*|Rscript|R|bash|sh|zsh|node|julia|perl|ruby|java|scala")
_RUNNERS = frozenset(
    "mlflow torchrun accelerate deepspeed horovodrun mpirun mpiexec spark-submit papermill jupyter dvc make echo cd "
    "mkdir export set pytest kedro dbt streamlit uvicorn gunicorn tensorboard ls pwd sleep true exit time nice".split()
)


def judge(scope: Scope, value: dict[str, Any]) -> None:
    """Report what loading the folder of this MLmodel would run."""
    flavors = value.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        scope.unknown("the MLmodel names no flavor")
        return
    for flavor, item in flavors.items():
        if not isinstance(item, dict):
            continue
        if "loader_module" in item:
            _loader(scope, str(item["loader_module"]))
        _modules(scope, item)
        for key in ("code", "model_code_path", "code_path", "code_paths"):
            if isinstance(item.get(key), (str, list)) and item[key]:
                place = ascii(item[key])[1:-1][:120]
                text = f"loading the model runs the code in {place} beside it: review it, sign it with the model"
                scope.issue(Code.REMOTE_CODE, "high", text, None, f"{flavor}:{key}"[:80])
        _places(scope, item)


def commands(value: Any) -> Iterator[tuple[str, str]]:
    """The entry points of an MLproject whose commands do more than to start a script of the project, and what.

    Source: mlflow/projects/_project_spec.py: a command is given to a shell, its parameters put in.
    """
    points = value.get("entry_points") if isinstance(value, dict) else None
    for name, point in points.items() if isinstance(points, dict) else ():
        command = point.get("command") if isinstance(point, dict) else None
        if not isinstance(command, str):
            continue
        for part in _JOINED.split(command):
            words = part.split()
            while words and _SET.fullmatch(words[0]):
                words.pop(0)
            if odd := _SHELL.search(part):
                yield shown(str(name), 60), f"has the shell do more than start a script ({shown(odd[0], 20)})"
            elif words and not _starts_a_script(words):
                yield shown(str(name), 60), f"starts {shown(' '.join(words), 80)}"


def mounts(value: Any) -> Iterator[str]:
    """The folders outside of the project that an MLproject has put into its container."""
    docker = value.get("docker_env") if isinstance(value, dict) else None
    volumes = docker.get("volumes") if isinstance(docker, dict) else None
    for volume in volumes if isinstance(volumes, list) else ():
        place = str(volume).partition(":")[0]
        if place in _WHOLE or place.startswith(_SYSTEM):
            yield shown(str(volume), 80)


def _starts_a_script(words: list[str]) -> bool:
    program = words[0].rpartition("/")[2]
    if not _INTERPRETER.fullmatch(program):
        return program in _RUNNERS or words[0].startswith("{")
    code = "c" if program in ("bash", "sh", "zsh") else "ceE"
    for at, word in enumerate(words[1:], 1):
        if word == "-m":
            return words[at + 1 : at + 2] not in ([], ["pip"], ["code"], ["timeit"], ["http.server"])
        if word in ("-", "--eval", "--print") or (word[0] == "-" and word[1:2] != "-" and set(code) & set(word)):
            return False
        if word[0] != "-":
            return not escapes(word.strip("'\""))
    return True


def _loader(scope: Scope, module: str) -> None:
    if module in listed("mlflow-loaders"):
        return
    shown = ascii(module)[1:-1][:120]
    standing = standing_of(module, "_load_pyfunc", scope.trust)
    if standing.kind is not Kind.TRUSTED:
        text = f"loading the model imports the module {shown}, which is none of MLflow's own, and calls its loader"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, f"{shown}:_load_pyfunc")


def _modules(scope: Scope, item: dict[str, Any]) -> None:
    """Modules that the flavors of torch and Keras import by a name in MLmodel, or in a text beside the data."""
    made = item.get("model_class")  # xgboost, lightgbm: imported, and called without arguments
    if isinstance(made, str) and "." in made and made.partition(".")[0] not in ("xgboost", "lightgbm"):
        owner, _, name = made.rpartition(".")
        if not standing_of(owner, name, scope.trust).is_class:
            text = f"loading the model imports and calls {shown(made, 120)}, which is no class of MLflow's flavors"
            scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, f"{shown(owner, 80)}:{shown(name, 40)}")
    named = {"keras_module": item.get("keras_module")}
    data = item.get("data") or item.get("model_data")
    if scope.folder is not None and isinstance(data, str) and not escapes(data):
        for key in ("keras_module", "pickle_module_info"):
            try:
                with (scope.folder / data / f"{key}.txt").open("rb") as stream:
                    named[f"{key}.txt"] = stream.read(200).decode("utf-8", "replace").strip()
            except (OSError, ValueError):  # there is none
                continue
    for key, module in named.items():
        if isinstance(module, str) and module not in _MODULES:
            told = ascii(module)[1:-1][:120]
            if standing_of(module, "load", scope.trust).kind is not Kind.TRUSTED:
                text = f"loading the model imports the module {told} that {key} names, none that MLflow writes there"
                scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, f"{told}:load")


def _places(scope: Scope, flavor: dict[str, Any]) -> None:
    """Every path of a flavor must stay in the model's folder."""
    for key, item in leaves(flavor):
        if key in _PLACES and isinstance(item, str) and escapes(item):
            text = f"{ascii(key)[:40]} is {ascii(item)[:120]}, outside of the model's folder"
            scope.issue(Code.PATH_TRAVERSAL, "high", text)
