"""The rules of `dockerfile`: what each means, why it matters and what to write instead."""

from __future__ import annotations

from shipworthy.model import Confidence, Rule, Severity

_HIGH, _MEDIUM, _LOW, _INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
_SUPPLY = ("CWE-494", "CWE-829", "CICD-SEC-3")
_ROOT = ("CWE-250", "AC-6", "K01:2025")

ROOT_USER = Rule(
    "dockerfile-root-user",
    "The container runs as root",
    _MEDIUM,
    "Whoever gets into the service is root inside of the container: one weakness of the kernel or of the runtime, or "
    "one mounted folder, is then enough for the machine.",
    "Make a user and switch to it before CMD: `RUN useradd --uid 10001 app` and `USER 10001`.",
    taxonomy=_ROOT,
    help="container-user",
)
BASE_LATEST = Rule(
    "dockerfile-base-latest",
    "The base image is whatever is newest",
    _MEDIUM,
    "Without a version the image is built on what its publisher pushed last: another one every month, with nobody's "
    "decision and no way to build the same again.",
    "Name a version and its digest: `FROM python:3.13-slim@sha256:<64 hex digits>`.",
    taxonomy=("CWE-1357", "CICD-SEC-3", "CM-2"),
    help="image-pinning",
)
BASE_UNPINNED = Rule(
    "dockerfile-base-unpinned",
    "The base image is not pinned to a digest",
    _LOW,
    "A tag can be moved to another image at any time, by its owner or by who takes over the account.",
    "Add the digest: `FROM name:tag@sha256:<64 hex digits>`; `skopeo inspect docker://name:tag` shows it.",
    taxonomy=("CWE-1357", "CWE-494", "CICD-SEC-3"),
    help="image-pinning",
)
ADD_URL = Rule(
    "dockerfile-add-url",
    "A file is added from an address, without a digest",
    _MEDIUM,
    "What the server sends on the day of the build becomes part of the image, whatever it is.",
    "Give its digest: `ADD --checksum=sha256:<64 hex digits> https://... /path`.",
    taxonomy=_SUPPLY,
    help="build-inputs",
)
ADD_LOCAL = Rule(
    "dockerfile-add-local",
    "ADD is used where COPY does",
    _INFO,
    "ADD unpacks archives and fetches addresses as well: a file that turns out to be an archive is spread over the "
    "image.",
    "Write COPY for files of the context.",
    taxonomy=("CWE-1188",),
    help="build-inputs",
)
PIPE_TO_SHELL = Rule(
    "dockerfile-pipe-to-shell",
    "What is downloaded is run at once",
    _HIGH,
    "The server, and whoever can answer in its place, decides what runs in the build, with its secrets and its "
    "network; "
    "a download that breaks off is run by halves.",
    "Download to a file, compare its digest, then run it: `RUN curl -fsSLo i.sh https://... && echo '<sha256>  i.sh' | "
    "sha256sum -c && sh i.sh`.",
    taxonomy=(*_SUPPLY, "CWE-78"),
    help="build-inputs",
)
DOWNLOAD_RUN = Rule(
    "dockerfile-download-unverified",
    "A program is downloaded and used without a look at its digest",
    _MEDIUM,
    "The image holds what the server sent on the day of the build. Nobody would notice another program.",
    "Compare the digest in the same RUN: `echo '<sha256>  tool' | sha256sum -c -`.",
    confidence=Confidence.MEDIUM,
    taxonomy=_SUPPLY,
    help="build-inputs",
)
PLAIN_HTTP = Rule(
    "dockerfile-plain-http",
    "Something is downloaded over plain http",
    _MEDIUM,
    "Anybody on the way can replace it.",
    "Write https, and compare a digest where there is no signature.",
    taxonomy=("CWE-319", "CWE-494", "SC-8"),
    help="transport-security",
)
TLS_OFF = Rule(
    "dockerfile-verification-off",
    "A program is told not to verify what it downloads",
    _HIGH,
    "Without the server's certificate or the package's signature, anybody on the way decides what is installed.",
    "Leave the option out; copy an own certificate authority to /usr/local/share/ca-certificates and run "
    "update-ca-certificates.",
    taxonomy=("CWE-295", "CWE-347", "CICD-SEC-3", "SC-8"),
    help="transport-security",
)
SECRET_VALUE = Rule(
    "dockerfile-secret-value",
    "A secret is written into the image",
    _HIGH,
    "ENV, ARG, LABEL and RUN are kept in the image's history: everybody who can pull the image can read them, "
    "also when "
    "a later step removes them.",
    "Replace the secret, which is known now. In a build: `RUN --mount=type=secret,id=token ...`; at run time: a "
    "mounted "
    "file or the platform's secrets.",
    taxonomy=("CWE-798", "CWE-522", "CICD-SEC-6", "IA-5"),
    help="secrets-in-images",
)
SECRET_ARGUMENT = Rule(
    "dockerfile-secret-argument",
    "A secret is taken as a build argument",
    _MEDIUM,
    "The values of build arguments are recorded in the image's history and in the build's provenance.",
    "Write `RUN --mount=type=secret,id=token,env=TOKEN ...` and `docker build --secret id=token`.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-522", "CWE-532", "CICD-SEC-6"),
    help="secrets-in-images",
)
SECRET_COPIED = Rule(
    "dockerfile-secret-copied",
    "A file that holds secrets is copied into the image",
    _HIGH,
    "Everybody who can pull the image can read it, also when a later step removes it: its layer stays.",
    "List the file in .dockerignore, and mount it where a build step needs it: `RUN --mount=type=secret,id=...`.",
    taxonomy=("CWE-522", "CWE-538", "CICD-SEC-6"),
    help="secrets-in-images",
)
SECRET_KEPT = Rule(
    "dockerfile-secret-mount-kept",
    "A mounted secret is copied into a layer",
    _HIGH,
    "The mount keeps a secret out of the image only as long as the step does not write it anywhere.",
    "Use the secret where it is mounted, and write nothing that holds it.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-522", "CICD-SEC-6"),
    help="secrets-in-images",
)
PASSWORD_SET = Rule(
    "dockerfile-password-set",
    "A password is set in the image",
    _HIGH,
    "It is the same for everybody who runs the image, and stands in its history.",
    "Set no password: a service needs none. Use keys that are mounted where somebody must log in.",
    taxonomy=("CWE-798", "IA-5"),
    help="secrets-in-images",
)
COPY_ALL = Rule(
    "dockerfile-copy-all",
    "The whole folder is copied, and nothing is left out",
    _LOW,
    "Without a .dockerignore, .git with its history, .env files, keys and local data come into the image.",
    "Write a .dockerignore that begins with `*` and lists what is needed: `!src`, `!requirements.txt`.",
    taxonomy=("CWE-538", "CICD-SEC-6"),
    help="build-inputs",
)
SUDO = Rule(
    "dockerfile-sudo",
    "sudo is used or installed",
    _LOW,
    "A build step is root unless USER says otherwise; a sudo that stays in the image gives the service's user the way "
    "back.",
    "Run the steps that need root before USER, and leave sudo out.",
    taxonomy=("CWE-250", "AC-6"),
    help="container-user",
)
SUDO_FREE = Rule(
    "dockerfile-sudo-without-password",
    "A user may become root without a password",
    _HIGH,
    "The unprivileged user is root in all but name.",
    "Remove the line from sudoers.",
    taxonomy=("CWE-250", "CWE-269", "AC-6"),
    help="container-user",
)
WORLD_WRITABLE = Rule(
    "dockerfile-world-writable",
    "Files are made writable for everybody",
    _MEDIUM,
    "Every process in the container can replace them: programs, settings, models.",
    "Give the files to their user and no more: `COPY --chown=10001:10001 --chmod=0755 ...`.",
    taxonomy=("CWE-732", "AC-6"),
    help="file-permissions",
)
SETUID = Rule(
    "dockerfile-setuid",
    "A program is made to run as its owner",
    _MEDIUM,
    "With the setuid bit whoever starts the program has its owner's rights, mostly root's.",
    "Leave the bit out, and forbid gaining rights where the container is run (no-new-privileges).",
    taxonomy=("CWE-250", "CWE-269", "AC-6"),
    help="file-permissions",
)
REMOTE_LOGIN = Rule(
    "dockerfile-remote-login",
    "The image offers a remote login",
    _MEDIUM,
    "A login beside the service is one more way in, with users and keys that nobody rotates.",
    "Leave the server out; `docker exec` and `kubectl exec` need none.",
    taxonomy=("CWE-668", "CM-7"),
    help="service-exposure",
)
DEBUG_PORT = Rule(
    "dockerfile-debug-port",
    "A debugger's port is exposed",
    _HIGH,
    "Debuggers run what they are sent, and ask nobody who they are.",
    "Remove the port from EXPOSE and the debugger from the command.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-489", "CWE-668", "CM-7"),
    help="service-exposure",
)
PRIVILEGED_STEP = Rule(
    "dockerfile-privileged-step",
    "A build step runs without isolation",
    _HIGH,
    "With the builder's own rights or network, the step can reach the machine that builds and what it can reach.",
    "Leave `--security=insecure` and `--network=host` out.",
    taxonomy=("CWE-250", "CICD-SEC-5"),
    help="build-isolation",
)
SOCKET = Rule(
    "dockerfile-runtime-socket",
    "The image asks for the container runtime's socket",
    _HIGH,
    "Whoever can write to the socket can start a container that owns the machine.",
    "Build and start containers from outside of the service.",
    taxonomy=("CWE-250", "CWE-668", "AC-6"),
    help="container-isolation",
)
FRONTEND = Rule(
    "dockerfile-frontend",
    "The Dockerfile is read by a frontend of somebody else",
    _MEDIUM,
    "`# syntax=` names an image that is pulled and decides what the instructions mean.",
    "Write `# syntax=docker/dockerfile:1`, or leave the line out.",
    taxonomy=_SUPPLY,
    help="build-inputs",
)
APT_UNPINNED = Rule(
    "dockerfile-packages-unpinned",
    "Packages of the distribution have no version",
    _INFO,
    "Two builds of the same commit hold different packages.",
    "Pin versions, `apt-get install name=1.2.3-1`, or take packages from a snapshot of the archive.",
    taxonomy=("CWE-1357", "CM-2"),
    help="image-pinning",
)
APT_CLEANUP = Rule(
    "dockerfile-packages-left",
    "Lists and caches of packages stay in the image",
    _INFO,
    "They make the image larger and tell which packages may have holes; recommended packages that nobody needs "
    "are more "
    "to attack.",
    "Write `apt-get install -y --no-install-recommends ... && rm -rf /var/lib/apt/lists/*`, `apk add --no-cache`, "
    "`pip install --no-cache-dir`.",
    taxonomy=("CWE-1188", "CM-7"),
    help="image-contents",
)
PIP_UNHASHED = Rule(
    "dockerfile-pip-unhashed",
    "Python packages are installed without digests",
    _LOW,
    "An index or mirror that was taken over can hand out other files under the same version.",
    "Write `pip install --require-hashes -r requirements.txt`, or install from checked wheels with `--no-index`.",
    taxonomy=("CWE-494", "CICD-SEC-3", "PW.4"),
    help="dependency-pinning",
)
NPM_UNLOCKED = Rule(
    "dockerfile-npm-unlocked",
    "npm packages are installed past the lock file",
    _LOW,
    "`npm install` may take newer versions than the lock file names, and changes it.",
    "Write `npm ci --ignore-scripts`.",
    taxonomy=("CWE-1357", "CICD-SEC-3", "PW.4"),
    help="dependency-pinning",
)
GIT_UNPINNED = Rule(
    "dockerfile-git-unpinned",
    "Code is taken from a repository without a commit",
    _LOW,
    "A branch or tag can be moved: the image holds what was there on the day of the build.",
    "Check out a commit, `git checkout <40 hex digits>`, or write `ADD https://host/repo.git#<commit> /src`.",
    confidence=Confidence.MEDIUM,
    taxonomy=_SUPPLY,
    help="build-inputs",
)
NO_HEALTHCHECK = Rule(
    "dockerfile-no-healthcheck",
    "Nothing tells whether the service works",
    _INFO,
    "A service that hangs is kept, and goes on to be sent requests. Kubernetes has probes of its own.",
    'Write `HEALTHCHECK CMD ["python", "-m", "app", "--check"]`, or give the deployment probes.',
    taxonomy=("CWE-693", "SI-4"),
    help="image-contents",
)
SHELL_FORM = Rule(
    "dockerfile-shell-form",
    "The service is started through a shell",
    _LOW,
    "The shell gets the signals instead of the service, which is then killed without being told; variables are "
    "put into "
    "a command line.",
    'Write the JSON form: `CMD ["python", "app.py"]`.',
    taxonomy=("CWE-1188",),
    help="image-contents",
)
RULES = {
    rule.id: rule
    for rule in (
        ROOT_USER, BASE_LATEST, BASE_UNPINNED, ADD_URL, ADD_LOCAL, PIPE_TO_SHELL, DOWNLOAD_RUN, PLAIN_HTTP, TLS_OFF,
        SECRET_VALUE, SECRET_ARGUMENT, SECRET_COPIED, SECRET_KEPT, PASSWORD_SET, COPY_ALL, SUDO, SUDO_FREE,
        WORLD_WRITABLE, SETUID, REMOTE_LOGIN, DEBUG_PORT, PRIVILEGED_STEP, SOCKET, FRONTEND, APT_UNPINNED, APT_CLEANUP,
        PIP_UNHASHED, NPM_UNLOCKED, GIT_UNPINNED, NO_HEALTHCHECK, SHELL_FORM,
    )
}  # fmt: skip
