"""Detectors of what is done with a model's output, and of services and transport."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from shipworthy.checks.code import _ml_rules as rules
from shipworthy.checks.code._flow import MODEL, Flow, Scope
from shipworthy.checks.code._ml_loads import Hit
from shipworthy.checks.code._names import Call, Names
from shipworthy.model import Confidence, Severity

_RUNS_TEXT = (
    "eval exec compile os.system os.popen subprocess.run subprocess.call subprocess.check_call subprocess.check_output "
    "subprocess.Popen subprocess.getoutput subprocess.getstatusoutput asyncio.create_subprocess_shell "
    "asyncio.create_subprocess_exec code.InteractiveInterpreter().runcode pty.spawn importlib.import_module __import__ "
    "runpy.run_path commands.getoutput"
)
_RUNS = frozenset(_RUNS_TEXT.split())
_STARTS = re.compile(
    r"(?:os|posix|nt)\.(?:system|popen|startfile|exec[lv]\w*|spawn[lv]\w*|posix_spawnp?)|pty\.spawn|"
    r"subprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)"
)
_RENDERS = ("jinja2.Template", "markupsafe.Markup", "flask.Markup", "flask.render_template_string",
            "django.utils.safestring.mark_safe", "mako.template.Template",
            "IPython.display.HTML", "IPython.core.display.HTML")  # fmt: skip
_TOOLS = frozenset(
    {
        "PythonREPLTool",
        "PythonAstREPLTool",
        "PythonREPL",
        "ShellTool",
        "BashProcess",
        "create_python_agent",
        "BashTool",
        "TerminalTool",
    }
)
_DANGEROUS = frozenset(
    {
        "allow_dangerous_deserialization",
        "allow_dangerous_code",
        "allow_dangerous_requests",
        "dangerously_allow_filesystem_read",
    }
)
_DOWNLOADERS = ("requests.", "httpx.", "urllib.request.urlopen", "urllib.request.urlretrieve", "urllib.request.Request",
                "urllib3.", "wget.download", "gdown.", "torch.hub.load_state_dict_from_url",
                "torch.hub.download_url_to_file", "pandas.read_",
                "tensorflow.keras.utils.get_file", "keras.utils.get_file", "pooch.retrieve",
                "boto3.client")  # fmt: skip
_TLS_CLIENTS = (
    "requests",
    "httpx",
    "urllib3",
    "aiohttp",
    "boto3",
    "botocore",
    "elasticsearch",
    "hvac",
    "minio",
    "openai",
)


def detect(call: Call, names: Names, flow: Flow, scope: Scope) -> Iterator[Hit]:
    """All that this module knows, on one call."""
    yield from _output(call, names, flow, scope)
    yield from _hidden(call)
    yield from _tls(call, names)
    yield from _http(call, names)
    yield from _archives(call, names)
    yield from _services(call, names)
    yield from _agents(call, names)


def _hidden(call: Call) -> Iterator[Hit]:
    """`__import__("os").system(...)` and its like: the module is asked for where it is used."""
    if not _STARTS.fullmatch(call.name):
        return
    node: ast.expr = call.node.func
    if isinstance(node, ast.Call) and len(node.args) > 1:  # getattr
        node = node.args[0]
    while isinstance(node, ast.Attribute):
        node = node.value
    if isinstance(node, ast.Call):
        message = f"{call.name} is called through a module that no import names"
        yield Hit(rules.HIDDEN_CALL, call.node, message)


def detect_assignment(node: ast.Assign, names: Names) -> Iterator[Hit]:
    """TLS switched off by assignment: a context's settings, ssl's default context, an environment variable."""
    value = names.dotted(node.value) if isinstance(node.value, ast.Attribute | ast.Name) else ""
    constant = names.value(node.value)
    for target in node.targets:
        if isinstance(target, ast.Attribute):
            off = (target.attr == "verify_mode" and value.endswith("ssl.CERT_NONE")) or (
                constant is False
                and (target.attr == "check_hostname" or (target.attr == "verify" and names.has(*_TLS_CLIENTS)))
            )
            if off or (target.attr == "_create_default_https_context" and "unverified" in value):
                yield Hit(rules.TLS_DISABLED, node, f"{target.attr} is set so that certificates are not verified")
        elif isinstance(target, ast.Subscript) and names.dotted(target.value) == "os.environ":
            key = names.value(target.slice)
            if (key in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE") and constant == "") or (
                key == "PYTHONHTTPSVERIFY" and constant == "0"
            ):
                yield Hit(rules.TLS_DISABLED, node, f"{key} is set so that certificates are not verified")


def _output(call: Call, names: Names, flow: Flow, scope: Scope) -> Iterator[Hit]:
    runs = call.name in _RUNS or (call.method == "run" and "PythonREPL" in call.name)
    renders = call.name in _RENDERS or (call.method == "from_string" and names.has("jinja2"))
    sql = call.method in ("execute", "executescript", "executemany", "read_sql", "read_sql_query")
    if not (runs or renders or sql) or not call.args:
        return
    checked = call.args if runs else call.args[:1]
    if not any(MODEL in flow.of(argument, scope) for argument in checked):
        return
    if runs:
        yield Hit(rules.OUTPUT_EXECUTED, call.node, f"a model's output reaches {call.name.lstrip('*.')}")
    elif renders:
        yield Hit(rules.OUTPUT_RENDERED, call.node, f"a model's output reaches {call.method}")
    else:
        yield Hit(rules.OUTPUT_SQL, call.node, f"a model's output is the statement of {call.method}")


def _tls(call: Call, names: Names) -> Iterator[Hit]:
    off = ""
    if call.name == "ssl._create_unverified_context":
        off = "ssl._create_unverified_context"
    for keyword in ("verify", "verify_ssl", "verify_certs", "ssl", "ssl_verify"):
        if names.value(call.keywords.get(keyword)) is not False:
            continue
        client = call.name.startswith(_TLS_CLIENTS) or (names.has(*_TLS_CLIENTS) and keyword != "ssl")
        if client or keyword in ("verify_ssl", "verify_certs"):
            off = f"{call.method} with {keyword}=False"
    reqs = call.keywords.get("cert_reqs")
    if reqs is not None and (names.dotted(reqs).endswith("CERT_NONE") or names.value(reqs) == "CERT_NONE"):
        off = f"{call.method} with cert_reqs CERT_NONE"
    if call.method == "setopt" and len(call.args) == 2 and names.value(call.args[1]) in (0, False):
        option = names.dotted(call.args[0]).rpartition(".")[2].removeprefix("CURLOPT_")
        if option in ("SSL_VERIFYPEER", "SSL_VERIFYHOST"):
            off = "curl with certificate verification switched off"
    if call.name == "os.environ.setdefault" and len(call.args) == 2:
        key, value = names.value(call.args[0]), names.value(call.args[1])
        if (key in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE") and value == "") or (
            key == "PYTHONHTTPSVERIFY" and value == "0"
        ):
            off = f"{key} is set"
    if off:
        yield Hit(rules.TLS_DISABLED, call.node, f"{off}: certificates are not verified")


def _http(call: Call, names: Names) -> Iterator[Hit]:
    if not call.name.startswith(_DOWNLOADERS) or call.method in ("post", "put", "delete", "patch"):
        return
    for argument in (
        *call.args[:2],
        *(call.keywords[k] for k in ("url", "origin", "endpoint_url") if k in call.keywords),
    ):
        url = names.value(argument)
        if isinstance(argument, ast.JoinedStr) and argument.values:
            url = names.value(argument.values[0])
        if isinstance(url, str) and url[:7].lower() == "http://" and not _private(url):
            yield Hit(rules.HTTP_DOWNLOAD, call.node, f"{call.method} over plain http")
            return


def _private(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "::1", "0.0.0.0") or host.startswith("127.") or (bool(host) and "." not in host)  # noqa: S104


def _archives(call: Call, names: Names) -> Iterator[Hit]:
    if call.method not in ("extractall", "extract") or "filter" in call.keywords or call.open:
        return
    if "tarfile." in call.name or (call.name.startswith("*") and names.has("tarfile") and not names.has("zipfile")):
        confidence = None if "tarfile." in call.name else Confidence.LOW
        severity = Severity.LOW if call.method == "extract" else None
        yield Hit(
            rules.TAR_EXTRACT, call.node, f"{call.method} of a tar archive without filter='data'", severity, confidence
        )


def _services(call: Call, names: Names) -> Iterator[Hit]:
    if call.method in ("launch", "queue") and names.value(call.keywords.get("share")) is True:
        yield Hit(rules.PUBLIC_DEMO, call.node, f"{call.method} with share=True gives this machine a public address")
    serves = call.method in ("run", "launch", "run_server", "serve") or call.name in ("uvicorn.run", "waitress.serve")
    if not serves:
        return
    if names.value(call.keywords.get("debug")) is True and names.has("flask", "dash", "quart"):
        yield Hit(rules.DEBUG_SERVER, call.node, f"{call.method} with debug=True")
    for keyword in ("host", "server_name"):
        if names.value(call.keywords.get(keyword)) in ("0.0.0.0", "::"):  # noqa: S104
            yield Hit(rules.BINDS_ALL, call.node, f"{call.method} listens on all interfaces")


def _agents(call: Call, names: Names) -> Iterator[Hit]:
    for keyword in sorted(_DANGEROUS & call.keywords.keys()):
        if names.value(call.keywords[keyword]) is True:
            yield Hit(rules.DANGEROUS_OPTION, call.node, f"{call.method} with {keyword}=True")
    if call.method in _TOOLS and not call.name.startswith("*."):
        yield Hit(rules.CODE_TOOL, call.node, f"{call.method} lets a model run code here")
    if call.method == "load_tools" and call.args and isinstance(call.args[0], ast.List | ast.Tuple):
        risky = {names.value(item) for item in call.args[0].elts} & {
            "terminal",
            "python_repl",
            "python_repl_ast",
            "requests_all",
        }
        if risky:
            yield Hit(rules.CODE_TOOL, call.node, f"load_tools gives the agent {', '.join(sorted(map(str, risky)))}")
