"""The rules of `http-injection`."""

from shipworthy.model import Rule, Severity

RULES = {
    rule.id: rule
    for rule in (
        Rule(
            "http-script-injection",
            "Input comes back as part of a page",
            Severity.HIGH,
            "A link can make a browser run a stranger's script in the name of the user who follows it.",
            "Encode what goes into HTML for its place in it, by a template engine that does so itself.",
            taxonomy=("CWE-79", "A.8.28"),
            help="cross-site-scripting",
        ),
        Rule(
            "http-sql-injection",
            "Input is run as SQL",
            Severity.CRITICAL,
            "Whoever sends it reads and changes the database, and often runs programs on its machine.",
            "Pass values as parameters (`execute(sql, (value,))`); never build SQL from strings.",
            taxonomy=("CWE-89", "A.8.28"),
            help="sql-injection",
        ),
        Rule(
            "http-command-injection",
            "Input is run by a shell",
            Severity.CRITICAL,
            "Whoever sends it runs any program in the service's container.",
            "Call programs with a list of arguments and without a shell, or use a library instead.",
            taxonomy=("CWE-78", "A.8.28"),
            help="command-injection",
        ),
        Rule(
            "http-template-injection",
            "Input is run as a template or an expression",
            Severity.CRITICAL,
            "Template languages reach the objects behind them: whoever sends it runs code in the service.",
            "Pass input as a variable of a fixed template; never make a template or an expression from it.",
            taxonomy=("CWE-1336", "CWE-94", "A.8.28"),
            help="template-injection",
        ),
        Rule(
            "http-header-injection",
            "Input with a line break makes headers of its own",
            Severity.HIGH,
            "A link can set cookies, poison caches and split the answer into two.",
            "Refuse line breaks in everything that goes into a header; current frameworks do.",
            taxonomy=("CWE-74", "A.8.28"),
            help="header-injection",
        ),
        Rule(
            "http-open-redirect",
            "Input decides where a redirect leads",
            Severity.MEDIUM,
            "A link to this service takes its users to a page that only looks like it, and may take tokens with it.",
            "Redirect to paths of the service, or to addresses of a list.",
            taxonomy=("CWE-601",),
            help="open-redirect",
        ),
        Rule(
            "http-file-inclusion",
            "Input names the file that is read",
            Severity.CRITICAL,
            "Whoever sends it reads settings, keys and the service's own memory.",
            "Let input choose from a list; resolve the path and refuse what lies outside of the folder.",
            taxonomy=("CWE-22", "A.8.28"),
            help="path-traversal",
        ),
        Rule(
            "http-server-side-request",
            "Input decides whom the service asks",
            Severity.HIGH,
            "Through the service, strangers reach what only it can reach: metadata of the cloud, databases, itself.",
            "Allow a list of hosts, resolve names once, refuse private addresses, and block them in the network.",
            taxonomy=("CWE-918",),
            help="server-side-request-forgery",
        ),
        Rule(
            "http-object-injection",
            "Input is deserialised into objects",
            Severity.CRITICAL,
            "Pickle and YAML with tags run code of the sender's choice while they are read.",
            "Take JSON and check it against a schema; use `yaml.safe_load`; never unpickle what comes from a client.",
            taxonomy=("CWE-502", "A.8.28"),
            help="unsafe-deserialization",
        ),
    )
}
