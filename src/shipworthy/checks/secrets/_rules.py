"""The few kinds of secret that people are told about, and which of them a tool's own rule means."""

from __future__ import annotations

from shipworthy.model import Confidence, Rule, Severity

_REVOKE = (
    "Revoke or rotate it at whoever issued it first: from now on it counts as known to others. Then remove it from the "
    "file, let the program take it from a secret store or the environment, and purge it from the version history."
)
_HELP = "secrets-in-code"

CLOUD_KEY = Rule(
    "secret-cloud-key",
    title="A cloud provider's access key",
    severity=Severity.CRITICAL,
    description=(
        "Whoever holds the key acts as its owner in the cloud account: reads data, replaces models, spends money. "
        "Leaked cloud keys are found and used within minutes."
    ),
    remedy=_REVOKE,
    taxonomy=("CWE-798", "CWE-312"),
    help=_HELP,
)
CLOUD_KEY_ID = Rule(
    "secret-cloud-key-id",
    title="The id of a cloud access key",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    description=(
        "The id alone opens nothing. It tells which account it belongs to, it says that somebody worked with a key of "
        "long life here, and the secret that goes with it is often near: in another file, an output or the history."
    ),
    remedy=(
        "Look for the secret that belongs to it, and replace the key if it may have been seen. Take the id out, and "
        "let the program get passing credentials from its environment or role."
    ),
    taxonomy=("CWE-798",),
    help=_HELP,
)
TOKEN = Rule(
    "secret-token",
    title="An access token or API key of a service",
    severity=Severity.HIGH,
    description=(
        "A token is all that the service asks for: whoever reads the file can use the service, its data and its budget "
        "in the owner's name, and for a package or model registry can publish in it."
    ),
    remedy=_REVOKE,
    taxonomy=("CWE-798", "CWE-312"),
    help=_HELP,
)
PRIVATE_KEY = Rule(
    "secret-private-key",
    title="A private key",
    severity=Severity.HIGH,
    description=(
        "With the private key others can sign, decrypt or log in as its owner; signatures made with it prove nothing "
        "any more."
    ),
    remedy=(
        "Replace the key pair and withdraw trust in the old public key everywhere. Then remove the file, keep the new "
        "key in a key store, and purge the old one from the version history."
    ),
    taxonomy=("CWE-321", "CWE-798"),
    help=_HELP,
)
PASSWORD = Rule(
    "secret-password",
    title="A password in plain text",
    severity=Severity.MEDIUM,
    confidence=Confidence.MEDIUM,
    description="Everybody who can read the file, its history, its image or its backups knows the password.",
    remedy=_REVOKE,
    taxonomy=("CWE-259", "CWE-798"),
    help=_HELP,
)
CONNECTION_STRING = Rule(
    "secret-connection-string",
    title="An address with a password in it",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    description="The address of a database or service stands beside the password to it: nothing is left to guess.",
    remedy=_REVOKE,
    taxonomy=("CWE-798", "CWE-522"),
    help=_HELP,
)
GENERIC = Rule(
    "secret-generic",
    title="A value that is named and looks like a secret",
    severity=Severity.MEDIUM,
    confidence=Confidence.LOW,
    description=(
        "Its name says key, token or secret and its value looks random. A framework's signing key, for instance, lets "
        "others forge sessions."
    ),
    remedy=_REVOKE,
    taxonomy=("CWE-798", "CWE-547"),
    help=_HELP,
)

RULES = (CLOUD_KEY, CLOUD_KEY_ID, TOKEN, PRIVATE_KEY, PASSWORD, CONNECTION_STRING, GENERIC)

_CLOUD = (
    "aws-", "azure-", "gcp-", "google-", "alibaba-", "digitalocean", "ibm-cloud", "scaleway", "ovh-", "exoscale",
    "yandex-", "codecommit",
)  # fmt: skip
# Words in a tool's rule name, in the order in which they decide.
_BY_WORD = (
    (("private-key", "age-secret-key"), PRIVATE_KEY),
    (("connection-string", "-uri", "sensitive-url"), CONNECTION_STRING),
    (("password", "passphrase"), PASSWORD),
    (("generic", "kubernetes-secret-yaml"), GENERIC),
)


def rule_for(tool_rule: str) -> Rule:
    """Which of our rules a tool's rule name means; what is unknown is a token, never nothing.

    >>> rule_for("aws-access-token").id, rule_for("private-key").id, rule_for("something-new").id
    ('secret-cloud-key', 'secret-private-key', 'secret-token')
    """
    name = tool_rule.lower()
    for words, rule in _BY_WORD:
        if any(word in name for word in words):
            return rule
    return CLOUD_KEY if name.startswith(_CLOUD) else TOKEN


def is_identifier(tool_rule: str) -> bool:
    """True for rules that see the public half of a pair (a client id, an account name), which alone opens nothing."""
    name = tool_rule.lower().rstrip(".0123456789")
    return name.endswith(
        ("-client-id", "-account-id", "-tenant-id", "-account-name", "-domain", "-cloud-name", "-username")
    )
