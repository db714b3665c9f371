"""Names that are known to be dangerous: only for severity and explanation. What is not listed is unknown, not safe."""

from __future__ import annotations

COMMAND = "starts a program"
CODE = "runs Python code"
RESOLVE = "looks up other names while loading, which hides what is called"
SECOND = "loads a second pickle or model, whose content this file does not show"
FILES = "reads, writes or deletes files"
NETWORK = "opens a network connection"
NATIVE = "loads native code or touches raw memory"
INSTALL = "installs packages"
INTERNALS = "reaches into the interpreter or switches a protection off"

# A module: every name in it and below it. The longest match wins.
_MODULES: dict[str, str] = {
    **dict.fromkeys(("os", "posix", "nt", "subprocess", "_posixsubprocess", "pty", "commands", "popen2"), COMMAND),
    **dict.fromkeys(("pexpect", "invoke", "sh", "plumbum", "fabric", "IPython", "ptyprocess"), COMMAND),
    **dict.fromkeys(("asyncio", "multiprocessing", "concurrent", "webbrowser", "antigravity"), COMMAND),
    **dict.fromkeys(("numpy.distutils", "distutils", "_aix_support", "_osx_support", "test.support"), COMMAND),
    **dict.fromkeys(("runpy", "code", "codeop", "timeit", "profile", "cProfile", "pdb", "bdb", "trace"), CODE),
    **dict.fromkeys(("doctest", "idlelib", "lib2to3", "unittest", "_interpreters", "_xxsubinterpreters"), CODE),
    **dict.fromkeys(("dill", "cloudpickle", "types", "marshal", "jinja2", "mako", "torch._dynamo", "torch.fx"), CODE),
    **dict.fromkeys(("numpy.testing", "numpy.f2py", "pandas.core.computation", "torch._inductor"), CODE),
    **dict.fromkeys(("torch.hub", "transformers.dynamic_module_utils", "threading", "_thread", "sched"), CODE),
    **dict.fromkeys(("torch.utils.bottleneck", "torch.utils.cpp_extension", "logging.config", "mlflow"), CODE),
    **dict.fromkeys(("importlib", "pkgutil", "imp", "zipimport", "_frozen_importlib", "inspect"), RESOLVE),
    **dict.fromkeys(("pickle", "_pickle", "cPickle", "shelve", "joblib", "torch.package"), SECOND),
    **dict.fromkeys(("pandas.io", "numpy.lib.npyio", "numpy.lib._npyio_impl", "torch.serialization"), SECOND),
    **dict.fromkeys(("shutil", "tempfile", "io", "_io", "fileinput", "glob", "linecache", "fsspec"), FILES),
    **dict.fromkeys(("zipfile", "tarfile", "sqlite3", "dbm", "logging", "tensorflow.python.lib.io"), FILES),
    **dict.fromkeys(("socket", "_socket", "ssl", "urllib", "http", "ftplib", "smtplib", "imaplib"), NETWORK),
    **dict.fromkeys(("poplib", "nntplib", "telnetlib", "xmlrpc", "requests", "httpx", "aiohttp", "urllib3"), NETWORK),
    **dict.fromkeys(("paramiko", "boto3", "socketserver", "smtpd"), NETWORK),
    **dict.fromkeys(("ctypes", "_ctypes", "cffi", "mmap", "numpy.ctypeslib", "torch.ops", "torch.classes"), NATIVE),
    **dict.fromkeys(("pip", "ensurepip", "venv", "setuptools", "pkg_resources", "virtualenv"), INSTALL),
    **dict.fromkeys(("sys", "gc", "signal", "faulthandler", "fickling", "modelscan", "picklescan"), INTERNALS),
}

_NAMES: dict[str, str] = {
    **dict.fromkeys((f"builtins:{name}" for name in ("eval", "exec", "compile", "execfile", "breakpoint")), CODE),
    **dict.fromkeys((f"builtins:{name}" for name in ("open", "input")), FILES),
    **dict.fromkeys(("builtins:__import__", "builtins:getattr", "builtins:vars", "builtins:globals"), RESOLVE),
    **dict.fromkeys(("builtins:setattr", "builtins:delattr", "builtins:locals", "builtins:memoryview"), INTERNALS),
    **dict.fromkeys(("builtins:map", "builtins:filter", "itertools:starmap", "itertools:accumulate"), RESOLVE),
    **dict.fromkeys(("operator:attrgetter", "operator:methodcaller", "functools:reduce"), RESOLVE),
    **dict.fromkeys(("functools:partialmethod", "functools:singledispatch"), RESOLVE),
    **dict.fromkeys(("uuid:_get_command_stdout", "platform:popen", "platform:_syscmd_ver"), COMMAND),
    **dict.fromkeys(("torch:load", "torch.jit:load", "numpy:load", "pandas:read_pickle"), SECOND),
    **dict.fromkeys(("sklearn.datasets:load_files", "sklearn.externals.joblib:load"), SECOND),
    **dict.fromkeys(("numpy:fromfile", "numpy:memmap", "numpy:save", "pandas:HDFStore", "pandas:ExcelWriter"), FILES),
    **dict.fromkeys(("copyreg:add_extension", "copyreg:pickle", "copyreg:constructor"), INTERNALS),
    **dict.fromkeys(("pandas:eval", "collections:namedtuple", "site:main"), CODE),
    **dict.fromkeys(("numpy:frompyfunc", "numpy:apply_along_axis", "numpy:piecewise"), RESOLVE),
}

_DUNDERS = frozenset(
    [
        "__builtins__",
        "__globals__",
        "__dict__",
        "__class__",
        "__subclasses__",
        "__import__",
        "__reduce__",
        "__reduce_ex__",
        "__getattribute__",
        "__bases__",
        "__mro__",
        "__base__",
        "__code__",
        "__loader__",
        "__spec__",
    ]
)


_DEPTH = 6  # no name here has more parts


def reason_for(module: str, name: str) -> str:
    """Why `module:name` is dangerous, or an empty string. A dotted name is judged by every part of it as well:
    `logging:os.system` reaches `os.system` through whatever module has imported `os`.
    """
    exact = _NAMES.get(f"{module}:{name}")
    if exact:
        return exact
    parts = name.split(".")
    if any(part in _DUNDERS for part in parts):
        return INTERNALS
    reason = _of_module(module)
    if reason:
        return reason
    for index in range(1, len(parts)):
        head = parts[index - 1]
        tail = ".".join(parts[index:]) if len(parts) - index <= _DEPTH else ""
        inner = _NAMES.get(f"{head}:{tail}") or _of_module(head)
        if inner:
            return inner
    return ""


def _of_module(module: str) -> str:
    parts = module.split(".", _DEPTH)[:_DEPTH]  # a hostile name may have thousands
    for count in range(len(parts), 0, -1):
        if reason := _MODULES.get(".".join(parts[:count])):
            return reason
    return ""
