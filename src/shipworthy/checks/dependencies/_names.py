"""Well-known packages, and names that are near one without being it."""

from __future__ import annotations

from dataclasses import dataclass

_KNOWN_TEXT = (
    "accelerate "
    "aiohttp alembic anthropic anyio apache-airflow attrs azure-storage-blob beautifulsoup4 bentoml "
    "bitsandbytes black bokeh boto3 botocore catboost celery certifi cffi chainlit charset-normalizer chromadb click "
    "cloudpickle colorama coverage cryptography cython dask datasets deepspeed diffusers distributed django docker dvc "
    "einops evaluate faiss-cpu fastapi fastai flask flax fsspec gensim gitpython google-cloud-storage gradio grpcio "
    "gunicorn h5py haystack-ai httpx huggingface-hub hydra-core idna imageio ipykernel ipython jax jaxlib "
    "jinja2 joblib "
    "jsonschema jupyter jupyterlab keras kubernetes langchain langchain-community langchain-core langchain-openai "
    "langgraph lightgbm lightning litellm llama-index lxml markupsafe matplotlib mlflow mlserver monai mypy nbconvert "
    "networkx nltk notebook numba numpy onnx onnxruntime openai opencv-python optimum optuna packaging pandas paramiko "
    "peft pillow pinecone-client pip plotly polars protobuf psutil psycopg2 psycopg2-binary pyarrow pycryptodome "
    "pydantic pyjwt pymongo pymysql pyspark pytest python-dateutil python-dotenv python-multipart pytorch-lightning "
    "pytz pyyaml qdrant-client ray redis regex requests rich ruff s3fs safetensors scikit-image scikit-learn scipy "
    "scrapy seaborn selenium sentence-transformers sentencepiece sentry-sdk setuptools shap simplejson six skops spacy "
    "sqlalchemy starlette statsmodels streamlit sympy tabulate tensorboard tensorflow tiktoken timm "
    "tokenizers torch torchaudio torchvision tornado tqdm transformers trl triton typer typing-extensions ultralytics "
    "unsloth urllib3 uvicorn virtualenv vllm wandb weasyprint websockets werkzeug wheel xformers xgboost zipp"
)
KNOWN = frozenset(_KNOWN_TEXT.split())
_SORTED = tuple(sorted(KNOWN))
# Real packages of their own that are near a well-known name.
_ALLOWED_TEXT = (
    "airflow beautifulsoup biopython boto bpython cattrs crick ctransformers dataset distribute djongo docker-py "
    "faiss-gpu fastar grequests gsutil httpr hyper ipytest jaxlie jupyter-ai jupyterhub keras-hub keras-nlp "
    "langchain-cohere langgraph-sdk lightning-sdk mocker myjwt ngboost openapi pbspark psycopg psycopg-binary "
    "ptpython pyaml pycryptodomex pymantic pymssql pyshark python-docx python-jose python-pptx retworkx scapy scipp "
    "simpy slack sops spython streamlink tensorboardx tensorflow-cpu tensorflow-gpu tensorflow-intel "
    "tensorflow-macos tensorflowjs tf-keras tokenize-rt torchx unicorn vastai vyper wand websocket willow "
    "x-transformers xoto3 "
)
ALLOWED = frozenset(_ALLOWED_TEXT.split())
# What people write for what they mean: the import's name, or a name that assistants and tutorials made up.
CONFUSED = {
    "bs4": "beautifulsoup4", "cv2": "opencv-python", "dotenv": "python-dotenv", "dateutil": "python-dateutil",
    "faiss": "faiss-cpu", "huggingface-cli": "huggingface-hub", "jwt": "pyjwt", "opencv": "opencv-python",
    "pil": "pillow", "pytorch": "torch", "sklearn": "scikit-learn", "skimage": "scikit-image", "yaml": "pyyaml",
    "attr": "attrs", "lightning-pytorch": "lightning", "sentence-transformer": "sentence-transformers",
    "transformer": "transformers", "tensorflow-cpu-only": "tensorflow",
}  # fmt: skip
# Characters that look alike in many fonts; the right one is what the left ones are read as.
LOOKALIKE = str.maketrans({"0": "o", "1": "l", "5": "s", "3": "e"})
_ADDED = ("python-", "py-", "py", "lib", "python3-", "the-", "real-")
_ENDED = ("-python", "-py", "py", "3", "2", "-lib", "-dev", "js", "-official", "-sdk")


@dataclass(frozen=True)
class Near:
    """A well-known name, how the given one differs, and how sure it is that this is no accident of naming: 1 to 3."""

    known: str
    how: str
    sureness: int


def near(name: str) -> Near | None:
    """The well-known package that a normalized name could be taken for; None for known, allowed and other names."""
    if name in KNOWN or name in ALLOWED or len(name) > 80:
        return None
    if name in CONFUSED:
        return Near(CONFUSED[name], "is how that is called elsewhere, not its name on the index", 2)
    bare = name.replace("-", "")
    for known in _SORTED:
        if known.replace("-", "") == bare and len(bare) >= 5:
            return Near(known, "differs only in its separators", 3)
        if len(known) >= 4 and known.translate(LOOKALIKE) == name.translate(LOOKALIKE):
            return Near(known, "has characters that look alike", 3)
    for known in _SORTED:
        if len(known) >= 5 and abs(len(known) - len(name)) <= 1 and distance(name, known, 1) == 1:
            return Near(known, "differs in one character", 3 if len(known) >= 7 else 2)
    for known in _SORTED:
        if len(known) >= 5 and (name in {p + known for p in _ADDED} or name in {known + s for s in _ENDED}):
            return Near(known, "adds to it what people expect to see", 1)
        if len(known) >= 9 and abs(len(known) - len(name)) <= 2 and distance(name, known, 2) == 2:
            return Near(known, "differs in two characters", 1)
    return None


def distance(one: str, two: str, limit: int) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two short names; above `limit` any number
    above it (Damerau-Levenshtein, optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(two, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before, last = last, row
    return last[-1]
