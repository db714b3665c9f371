"""The rules of `python-ml`: what each means, why it matters and what to write instead."""

from __future__ import annotations

from shipworthy.model import Confidence, Rule, Severity

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_DESERIALIZE = ("CWE-502", "AML.T0011.000", "AML.T0010.003", "ML06:2023", "LLM03:2025")
_OUTPUT = ("CWE-1426", "LLM05:2025", "ASI05")

TORCH_LOAD = Rule(
    "torch-load-unsafe",
    "torch.load may run code from the file",
    _MEDIUM,
    "A PyTorch checkpoint is a pickle: loading it without weights_only=True runs whatever its author put in. PyTorch "
    "2.6 and later refuse by default, earlier versions do not, and before 2.6.0 weights_only=True itself could be "
    "bypassed (CVE-2025-32434).",
    "Write torch.load(path, map_location='cpu', weights_only=True) and require torch>=2.6; better, ship safetensors: "
    "safetensors.torch.load_file(path).",
    taxonomy=_DESERIALIZE,
    help="unsafe-deserialization",
)
PICKLE_LOAD = Rule(
    "pickle-load",
    "Data is loaded with pickle",
    _MEDIUM,
    "pickle and what is built on it (cloudpickle, dill, joblib, shelve, pandas.read_pickle, numpy with allow_pickle) "
    "call any function that the file names. Whoever can replace the file runs code where it is loaded.",
    "Store data in a format that holds only data (safetensors, npz without pickle, Parquet, JSON, ONNX; for "
    "scikit-learn skops.io.load(path, trusted=[])), or verify a signature or digest of the file before it is loaded.",
    confidence=Confidence.MEDIUM,
    taxonomy=_DESERIALIZE,
    help="unsafe-deserialization",
)
YAML_LOAD = Rule(
    "yaml-load-unsafe",
    "YAML is loaded with a loader that can make any object",
    _MEDIUM,
    "PyYAML's full and unsafe loaders make Python objects that the document names, which runs code.",
    "Write yaml.safe_load(stream), or yaml.load(stream, Loader=yaml.CSafeLoader) for speed.",
    taxonomy=("CWE-502", "CWE-20"),
    help="unsafe-deserialization",
)
KERAS_UNSAFE = Rule(
    "keras-unsafe-deserialization",
    "Keras is told to run code stored in the model",
    _HIGH,
    "safe_mode=False and enable_unsafe_deserialization() let a model file bring its own Python (Lambda layers), which"
    " runs on load.",
    "Write keras.models.load_model(path, safe_mode=True) and keras>=3.9; replace Lambda layers by registered classes.",
    taxonomy=(*_DESERIALIZE, "CWE-94"),
    help="unsafe-deserialization",
)
REMOTE_CODE = Rule(
    "trust-remote-code",
    "Code of the model repository is run",
    _HIGH,
    "trust_remote_code=True downloads Python files with the model and runs them. Without a pinned commit, tomorrow's "
    "code is not the code that was read.",
    "Leave trust_remote_code out and use an architecture that the library has; if it cannot be avoided, read the code"
    " and pin it: from_pretrained(name, trust_remote_code=True, revision='<40 hex digits>', code_revision='<40 hex "
    "digits>').",
    taxonomy=("CWE-829", "CWE-94", "AML.T0010.001", "AML.T0011", "LLM03:2025", "ML06:2023"),
    help="model-provenance",
)
UNPINNED_DOWNLOAD = Rule(
    "unpinned-model-download",
    "A model or dataset is downloaded without a pinned commit",
    _MEDIUM,
    "A branch or tag of a model hub can be moved to other bytes at any time, by its owner or by whoever takes over "
    "the account: what is run is then not what was tested.",
    "Pin the commit: from_pretrained(name, revision='<40 hex digits of the commit>'), or load a copy that you "
    "verified from disk.",
    taxonomy=("CWE-494", "CWE-829", "AML.T0010.003", "AML.T0010.002", "LLM03:2025", "ML06:2023"),
    help="model-provenance",
)
TORCH_HUB = Rule(
    "torch-hub-unpinned",
    "torch.hub.load runs code of a repository that is not pinned",
    _HIGH,
    "torch.hub.load downloads a repository and imports its hubconf.py. With a branch or tag, its owner decides what "
    "runs.",
    "Pin the commit, torch.hub.load('owner/repo:<40 hex digits>', ...), or check the code in and use source='local'.",
    taxonomy=("CWE-494", "CWE-829", "AML.T0010.001", "LLM03:2025", "ML06:2023"),
    help="model-provenance",
)
OUTPUT_EXECUTED = Rule(
    "model-output-executed",
    "A model's output is run as code",
    _HIGH,
    "Whoever can influence the prompt (a user, a document, a web page) then chooses what is run with this program's "
    "rights.",
    "Ask for data instead of code and validate it: action = ACTIONS[json.loads(output)['action']]. Where code must "
    "run, run it in a sandbox without network, credentials and write access.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-94", "CWE-95", "CWE-78", *_OUTPUT, "AML.T0050"),
    help="insecure-output-handling",
)
OUTPUT_RENDERED = Rule(
    "model-output-rendered",
    "A model's output is used as a template or as trusted markup",
    _MEDIUM,
    "As a template it can call what the template engine reaches; as trusted HTML it runs scripts in the reader's "
    "browser.",
    "Pass the output as a value and let the engine escape it: render_template('page.html', answer=output).",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-1336", "CWE-79", *_OUTPUT),
    help="insecure-output-handling",
)
OUTPUT_SQL = Rule(
    "model-output-sql",
    "A model's output is run as SQL",
    _MEDIUM,
    "Whoever can influence the prompt chooses the statement: it can read or change all that the connection may.",
    "Let the model choose among prepared statements and pass values as parameters; give the connection read-only "
    "rights to the tables concerned.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-89", *_OUTPUT),
    help="insecure-output-handling",
)
TLS_DISABLED = Rule(
    "tls-verification-disabled",
    "The server's certificate is not verified",
    _HIGH,
    "Anybody on the way can answer in the server's place: read what is sent and replace models, data and packages.",
    "Leave verification on; for an own certificate authority write requests.get(url, verify='/path/ca.pem') or set "
    "SSL_CERT_FILE.",
    taxonomy=("CWE-295",),
    help="transport-security",
)
HTTP_DOWNLOAD = Rule(
    "download-without-tls",
    "Something is downloaded over plain http",
    _MEDIUM,
    "Anybody on the way can replace the model, the data or the code that is downloaded.",
    "Use https, and compare the digest of what arrived with a known one: hashlib.sha256(data).hexdigest() == EXPECTED.",
    taxonomy=("CWE-319", "CWE-494", "AML.T0010"),
    help="transport-security",
)
TAR_EXTRACT = Rule(
    "tar-extract-unfiltered",
    "A tar archive is extracted without a filter",
    _MEDIUM,
    "Before Python 3.14 members may be written outside of the folder, through '..', absolute names or links: a model "
    "archive can overwrite code.",
    "Write archive.extractall(folder, filter='data').",
    taxonomy=("CWE-22", "CWE-59"),
    help="archive-extraction",
)
PUBLIC_DEMO = Rule(
    "demo-shared-publicly",
    "A demo is tunnelled to a public address",
    _MEDIUM,
    "share=True gives the machine a public address, usually without a login: model, files and hardware are open to "
    "all who find it.",
    "Write launch(share=False), and put an authenticated proxy before what others should reach (or auth=...).",
    taxonomy=("CWE-668", "CWE-306", "AML.T0049"),
    help="service-exposure",
)
DEBUG_SERVER = Rule(
    "debug-server",
    "A web server runs in debug mode",
    _HIGH,
    "Flask's debugger gives a Python console to whoever can reach the server and learn or guess its PIN.",
    "Write app.run() without debug and serve with a production server (gunicorn, uvicorn).",
    taxonomy=("CWE-489", "CWE-94"),
    help="service-exposure",
)
BINDS_ALL = Rule(
    "binds-all-interfaces",
    "A service listens on all interfaces",
    _LOW,
    "It is reachable from every network of the machine. Inside a container that is usual; on a workstation or server "
    "it often is not meant.",
    "Listen on 127.0.0.1 behind a proxy, or take the address from the deployment's settings.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-668", "CWE-1188"),
    help="service-exposure",
)
DANGEROUS_OPTION = Rule(
    "dangerous-option-allowed",
    "A library's protection is switched off",
    _HIGH,
    "The library refuses by default because the option runs code or requests that data or a model chose.",
    "Leave the option out. For a vector store, rebuild the index from its documents or keep it in a format without "
    "pickle; for an agent, give it tools with narrow inputs.",
    taxonomy=("CWE-502", "CWE-94", "LLM06:2025", "LLM03:2025"),
    help="excessive-agency",
)
CODE_TOOL = Rule(
    "agent-code-tool",
    "An agent may run code or shell commands",
    _HIGH,
    "A prompt injection in anything that the agent reads becomes a command on this machine.",
    "Give tools that do one thing with validated arguments; run code only in a sandbox without network and "
    "credentials, and ask a person before each run.",
    taxonomy=("CWE-94", "CWE-78", "LLM06:2025", "ASI05", "ASI02", "AML.T0053"),
    help="excessive-agency",
)

HIDDEN_CALL = Rule(
    "hidden-program-start",
    "A program is started through a module that no import names",
    _HIGH,
    "__import__('os').system(...) starts a program without an import statement. Honest code has no need for that form; "
    "code that was put where nobody should see it has.",
    "Find out who wrote the line. If it is needed, import the module at the top of the file.",
    taxonomy=("CWE-506", "CWE-78"),
    help="secure-coding-python",
)
RULES = {
    rule.id: rule
    for rule in (
        TORCH_LOAD, PICKLE_LOAD, YAML_LOAD, KERAS_UNSAFE, REMOTE_CODE, UNPINNED_DOWNLOAD, TORCH_HUB, OUTPUT_EXECUTED,
        OUTPUT_RENDERED, OUTPUT_SQL, TLS_DISABLED, HTTP_DOWNLOAD, TAR_EXTRACT, PUBLIC_DEMO, DEBUG_SERVER, BINDS_ALL,
        DANGEROUS_OPTION, CODE_TOOL, HIDDEN_CALL,
    )
}  # fmt: skip
