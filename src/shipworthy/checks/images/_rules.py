"""What can be wrong with how an image is made."""

from __future__ import annotations

from shipworthy.checks.images._reading import DAMAGED, HOSTILE
from shipworthy.model import Confidence, Rule, Severity

_LEAST, _SECRETS, _SURFACE = "container-least-privilege", "secrets-in-images", "container-attack-surface"

ROOT = Rule(
    "image-runs-as-root",
    "The image's program runs as root",
    Severity.MEDIUM,
    "Whoever breaks into the service is root in the container: one weakness of the kernel or of a mounted folder away"
    " from being root on the machine.",
    "Add a user of its own with a fixed number, and `USER 10001` (or another number) as the last user of the image.",
    taxonomy=("CWE-250", "CWE-269", "iso-27001-2022/A.8.2"),
    help=_LEAST,
)
NO_SUCH_USER = Rule(
    "image-unknown-user",
    "The image's user is in no password file",
    Severity.LOW,
    "A user by name that the image does not have keeps the container from starting, and orchestrators cannot tell"
    " whether a user by name is root.",
    "Give the user by its number, as in `USER 10001:10001`.",
    taxonomy=("CWE-1188",),
    help=_LEAST,
)
SECRET = Rule(
    "image-secret-in-configuration",
    "A secret is in the image's configuration",
    Severity.HIGH,
    "Environment, labels and history are plain text that everybody who can pull the image reads, without running it."
    " Build arguments stay in the history.",
    "Revoke the secret, and build without it: `RUN --mount=type=secret` for the build, the orchestrator's secrets for"
    " the running service. Removing it in a later layer does not help.",
    taxonomy=("CWE-798", "CWE-312", "CWE-538", "CICD-SEC-6"),
    help=_SECRETS,
)
CREDENTIAL_FILE = Rule(
    "image-credential-file",
    "A file of credentials is in the image",
    Severity.HIGH,
    "By its name it holds keys or passwords of a person or a build. Everybody who can pull the image has it, also from"
    " a layer in which it was deleted again.",
    "Revoke what is in it. Keep it out of the build context with `.dockerignore`, hand it to the build with"
    " `--mount=type=secret`, and build the layer again.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-538", "CWE-522", "CICD-SEC-6"),
    help=_SECRETS,
)
REPOSITORY = Rule(
    "image-repository-inside",
    "The image holds a git repository",
    Severity.MEDIUM,
    "The history of the source goes with the image: code that was never to be published, and secrets that were removed"
    " from the files long ago.",
    "Add `.git` to `.dockerignore`, and copy only what the service needs.",
    taxonomy=("CWE-538", "CWE-200"),
    help=_SECRETS,
)
DEBUG_PORT = Rule(
    "image-debug-port",
    "The image exposes a port for debugging or remote control",
    Severity.HIGH,
    "Debuggers run any code for whoever reaches their port, and remote shells and control interfaces let people change"
    " a container that nobody will see change.",
    "Take the port out of the image, and keep debuggers for images of their own that are never deployed.",
    taxonomy=("CWE-489", "CWE-749", "A.8.20"),
    help=_SURFACE,
)
SSH = Rule(
    "image-ssh-server",
    "The image holds an SSH server",
    Severity.MEDIUM,
    "A container has one service. A way to log in is one more to be attacked, with keys and accounts that nobody"
    " rotates, and changes made through it are in no image.",
    "Remove the package; use what the orchestrator has to look into a container.",
    taxonomy=("CWE-749", "CWE-1188"),
    help=_SURFACE,
)
SUDO = Rule(
    "image-sudo",
    "Users of the image become root without a password",
    Severity.HIGH,
    "The service's user is then root in all but name.",
    "Remove sudo from the image, or the rule with NOPASSWD.",
    taxonomy=("CWE-269", "CWE-250"),
    help=_LEAST,
)
ACCOUNT = Rule(
    "image-account-without-password",
    "An account of the image has an empty password, or is a second root",
    Severity.HIGH,
    "Whoever runs anything in the container becomes that user with `su`, without being asked for anything.",
    "Lock the account (`passwd -l`), or remove it.",
    taxonomy=("CWE-287", "CWE-1188"),
    help=_LEAST,
)
HEALTHCHECK = Rule(
    "image-without-healthcheck",
    "The image says nothing about its health",
    Severity.INFO,
    "Without a health check a service that hangs counts as running. Kubernetes has checks of its own, and builders that"
    " write OCI images may drop this one.",
    "Add HEALTHCHECK, or have a liveness probe where the image is deployed.",
    confidence=Confidence.LOW,
    taxonomy=("CWE-754",),
    help="container-availability",
)
LATEST = Rule(
    "image-latest-tag",
    "The image is named by a tag that moves",
    Severity.LOW,
    "`latest` means another image tomorrow: what was examined is not what will be deployed.",
    "Name images by version, and deploy them by digest.",
    taxonomy=("CWE-1357", "CICD-SEC-3"),
    help="image-integrity",
)
SETUID = Rule(
    "image-setuid-file",
    "The image holds a program that runs with other rights than its user's",
    Severity.MEDIUM,
    "A weakness in a program that is setuid, setgid, or has file capabilities gives its rights to whoever is in the"
    " container. This one is not among those that distributions have.",
    "Remove the bits (`chmod a-s FILE`, `setcap -r FILE`), and run containers with `no-new-privileges`.",
    taxonomy=("CWE-250", "CWE-269", "CWE-732"),
    help=_LEAST,
)
WORLD_WRITABLE = Rule(
    "image-world-writable",
    "Everybody in the container can change a file of the image",
    Severity.MEDIUM,
    "Any process, whatever its user, can replace what others read or run.",
    "Set modes when copying (`COPY --chmod=0644`), and never `chmod 777`.",
    taxonomy=("CWE-732", "CWE-276"),
    help=_LEAST,
)
OWN_PROGRAM = Rule(
    "image-writable-program",
    "The service's user can change the service's program",
    Severity.LOW,
    "Who gets to write a file through the service can replace its code, and stays until the container is made anew.",
    "Let root own program files (`COPY --chown=0:0`), writable for nobody else; run with a read-only root file system.",
    taxonomy=("CWE-732", "CWE-913"),
    help=_LEAST,
)
CACHE = Rule(
    "image-package-cache",
    "The image holds what package managers keep for themselves",
    Severity.LOW,
    "It makes the image larger, every pull slower, and may tell of private indexes.",
    "Remove it in the same RUN that made it (`rm -rf /var/lib/apt/lists/*`), or use cache mounts, `pip install"
    " --no-cache-dir`, `apk add --no-cache`.",
    taxonomy=("CWE-1051",),
    help="image-size",
)
LARGE = Rule(
    "image-large",
    "The image is larger than the settings allow",
    Severity.LOW,
    "What is in an image can be attacked, must be kept up to date, and is moved with every deployment.",
    "Build in stages, and copy only what runs into the last one.",
    taxonomy=("CWE-1051",),
    help="image-size",
)
SHELL = Rule(
    "image-shell-entrypoint",
    "The image starts its program through a shell",
    Severity.LOW,
    "The shell gets the signals that should end the service, and must be in the image. With variables in the command,"
    " whoever sets the environment writes shell code.",
    'Use the exec form: `ENTRYPOINT ["program", "argument"]`.',
    taxonomy=("CWE-78",),
    help=_SURFACE,
)
REMOTE_CODE = Rule(
    "image-remote-code",
    "The image was built with code from an address that nothing vouches for",
    Severity.MEDIUM,
    "The history shows a download that was run or added without a digest: whoever controls the address or the way to"
    " it writes into the image.",
    "Download a fixed version, compare its digest (`ADD --checksum=sha256:...`), and only then run it.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-494", "CWE-829", "CICD-SEC-3"),
    help="build-integrity",
)
VOLUME = Rule(
    "image-sensitive-volume",
    "The image asks for a folder of the system as a volume",
    Severity.MEDIUM,
    "Whoever runs it as it asks hands it the control socket of the container engine, or folders that decide who is"
    " root.",
    "Declare only folders for the service's own data as VOLUME.",
    taxonomy=("CWE-668", "CWE-250"),
    help=_LEAST,
)
VOLUME_FILES = Rule(
    "image-volume-with-files",
    "The image has files where it asks for a volume",
    Severity.HIGH,
    "An engine fills a new volume with what the image has there; here, and wherever an empty volume or another one is"
    " mounted, those files are not seen. The service that is tested is then not the one that is served.",
    "Keep what the service is made of outside of its volumes, and declare as VOLUME only empty folders for data.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-668", "CWE-494"),
    help=_LEAST,
)
ENVIRONMENT = Rule(
    "image-unsafe-environment",
    "The image's environment switches protection off",
    Severity.MEDIUM,
    "Libraries loaded ahead of all others, programs looked for in folders that everybody can write to, or certificates"
    " that are not verified, for every process in the container.",
    "Take the variable out of the image.",
    taxonomy=("CWE-427", "CWE-295"),
    help=_SURFACE,
)
RULES = (
    DAMAGED, HOSTILE, ROOT, NO_SUCH_USER, SECRET, CREDENTIAL_FILE, REPOSITORY, DEBUG_PORT, SSH, SUDO, ACCOUNT,
    HEALTHCHECK, LATEST, SETUID, WORLD_WRITABLE, OWN_PROGRAM, CACHE, LARGE, SHELL, REMOTE_CODE, VOLUME, VOLUME_FILES,
    ENVIRONMENT,
)  # fmt: skip
