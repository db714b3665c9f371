"""Objects that other languages serialized: Java's streams, Torch7's files, BSON of Julia. Known by content, not read:
they end as unknown. What gives an attack away is looked for as it lies there.

Source: Java Object Serialization Specification 6.4.2; torch7 lib/TH and File.lua (types 6 to 8 are functions, dumped by
`string.dump`); BSON.jl 0.3 (src/extensions.jl, src/anonymous.jl), which builds what `tag` says.
"""

from __future__ import annotations

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.patterns import regex

# By what chains of gadgets are made of (ysoserial and its kin); no class of a model is in these.
_JAVA = regex(
    rb"java\.lang\.(?:Runtime|ProcessBuilder|ProcessImpl)|javax\.management\.BadAttributeValueExpException|"
    rb"javax\.script\.ScriptEngine\w*|java\.rmi\.(?:server|registry)\.\w+|javax\.naming\.\w+|com\.sun\.rowset\.\w+|"
    rb"(?:com\.sun\.)?org\.apache\.xalan\.\S{0,60}TemplatesImpl|org\.apache\.commons\.collections4?\.functors\.\w+|"
    rb"org\.apache\.commons\.beanutils\.BeanComparator|org\.codehaus\.groovy\.runtime\.\w+|java\.net\.URL(?![\w.])|"
    rb"org\.springframework\.(?:core|beans|aop)\.\w[\w.]*|bsh\.(?:Interpreter|XThis)|org\.mozilla\.javascript\.\w+|"
    rb"sun\.reflect\.annotation\.AnnotationInvocationHandler|java\.beans\.EventHandler|"
    rb"com\.mchange\.v2\.c3p0\.\w[\w.]*"
)
_LUA = regex(rb"\x1b(?:LJ[\x01-\x04]|Lua[\x50-\x54])|os\.execute|io\.popen|loadstring|package\.loadlib")
_JULIA = regex(rb"jl_anonymous|CodeInfo")
_RUNS = {
    "java": (_JAVA, "a stream of Java objects names {}, which programs are started with when it is read"),
    "torch7": (_LUA, "a file of Torch7 holds code of Lua ({}): whoever loads the model and calls it runs that code"),
    "bson": (_JULIA, "a BSON of Julia holds a function ({}), whose code is evaluated when it is loaded"),
}
_TITLES = {
    "java": "a stream of Java objects: reading it builds whatever classes it names",
    "torch7": "a file of Torch7: reading it builds whatever classes it names",
    "bson": "a BSON of Julia: reading it builds whatever types it names",
}
_MOST = 64 << 20


def read(scope: Scope, format_: str) -> int:
    """Look for what gives an attack away; everything counts as explained, and as not read."""
    if scope.role is not Role.FILE:
        return len(scope.view)
    pattern, message = _RUNS[format_]
    view = scope.view
    if found := pattern.search(view.buffer, view.start, min(view.end, view.start + _MOST)):
        name = ascii(found[0].decode("latin-1"))[1:-1][:120]
        severity = "critical" if format_ == "java" else "high"
        scope.issue(Code.CODE_EXECUTION, severity, message.format(name), found.start() - view.start, name)
    scope.unknown(f"{_TITLES[format_]}; this version does not read it")
    return len(scope.view)
