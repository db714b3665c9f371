"""What a container should not be given, whoever starts it: rules of `compose`, `kubernetes` and `helm`."""

from __future__ import annotations

from shipworthy.model import Confidence, Rule, Severity

_HIGH, _MEDIUM, _LOW, _INFO = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO
_POD = ("K01:2025",)

PRIVILEGED = Rule(
    "container-privileged",
    "A container has all rights of the machine",
    _HIGH,
    "A privileged container sees every device and may do whatever root may: whoever gets into it owns the machine.",
    "Remove `privileged: true`; give the one device or capability that is needed.",
    taxonomy=("CWE-250", "AC-6", *_POD),
    help="container-isolation",
)
CAPABILITY_ADDED = Rule(
    "container-capability-added",
    "A container is given a dangerous capability",
    _HIGH,
    "With this capability the container can load code into the kernel, look into other processes, change the network "
    "or pass by the rights of files.",
    "Remove it. Most services need none; NET_BIND_SERVICE is enough for ports below 1024.",
    taxonomy=("CWE-250", "CWE-269", "AC-6", *_POD),
    help="container-isolation",
)
CAPABILITIES_KEPT = Rule(
    "container-capabilities-kept",
    "A container keeps the runtime's default capabilities",
    _LOW,
    "By default a container may change owners, send raw packets and more: none of it is needed by a service, all of it "
    "helps an attacker.",
    "Drop all of them. Kubernetes: `securityContext: {capabilities: {drop: [ALL]}}`; Compose: `cap_drop: [ALL]`.",
    taxonomy=("CWE-250", "AC-6", *_POD),
    help="container-isolation",
)
HOST_NAMESPACE = Rule(
    "container-host-namespace",
    "A container shares a namespace of the machine",
    _HIGH,
    "It sees the machine's processes, its shared memory or all of its network, and services there that trust local "
    "callers.",
    "Remove `hostNetwork`, `hostPID`, `hostIPC` (Kubernetes), or `network_mode: host`, `pid: host`, `ipc: host`.",
    taxonomy=("CWE-668", "AC-6", "SC-7", *_POD),
    help="container-isolation",
)
HOST_PATH = Rule(
    "container-host-path",
    "A folder of the machine is mounted into a container",
    _MEDIUM,
    "What the container writes there changes the machine; what it reads there may be keys and data of others.",
    "Use a volume (PersistentVolumeClaim, emptyDir, a named volume) or a ConfigMap; mount what must be `readOnly`.",
    taxonomy=("CWE-668", "AC-6", *_POD),
    help="container-isolation",
)
RUNTIME_SOCKET = Rule(
    "container-runtime-socket",
    "A container can talk to the container runtime",
    _HIGH,
    "Whoever can write to the socket can start a container that owns the machine; read-only mounts do not change that.",
    "Remove the mount. Build images with a builder that needs no daemon; read logs and metrics through an interface.",
    taxonomy=("CWE-250", "CWE-668", "AC-6", *_POD),
    help="container-isolation",
)
HOST_PORT = Rule(
    "container-host-port",
    "A container takes a port of the machine",
    _LOW,
    "The port is reachable on every address of the node, past network policies.",
    "Publish it by a Service.",
    taxonomy=("CWE-668", "SC-7", *_POD),
    help="service-exposure",
)
RUNS_AS_ROOT = Rule(
    "container-runs-as-root",
    "A container may run as root",
    _MEDIUM,
    "Root in a container is root for the kernel: a weakness of the runtime, or a mounted folder, is enough.",
    'Kubernetes: `securityContext: {runAsNonRoot: true, runAsUser: 10001}`; Compose: `user: "10001:10001"`.',
    taxonomy=("CWE-250", "AC-6", *_POD),
    help="container-user",
)
ESCALATION = Rule(
    "container-privilege-escalation",
    "Processes in a container may gain rights",
    _MEDIUM,
    "A setuid program in the image is then a way to root.",
    "Kubernetes: `securityContext: {allowPrivilegeEscalation: false}`; Compose: `security_opt: "
    '["no-new-privileges:true"]`.',
    taxonomy=("CWE-269", "AC-6", *_POD),
    help="container-isolation",
)
WRITABLE_ROOT = Rule(
    "container-writable-root",
    "A container can change its own programs",
    _LOW,
    "Whoever gets in can leave code behind and change what is run.",
    "Kubernetes: `securityContext: {readOnlyRootFilesystem: true}` and an emptyDir at /tmp; Compose: `read_only: true` "
    "and `tmpfs: [/tmp]`.",
    taxonomy=("CWE-732", "CM-5", *_POD),
    help="container-isolation",
)
UNCONFINED = Rule(
    "container-unconfined",
    "A container's confinement is switched off",
    _HIGH,
    "seccomp, AppArmor and SELinux keep a container from calls and files that it never needs, where most "
    "escapes begin.",
    "Leave the runtime's default profile: `seccompProfile: {type: RuntimeDefault}`; remove `unconfined` and "
    "`label:disable`.",
    taxonomy=("CWE-693", "AC-6", *_POD),
    help="container-isolation",
)
NO_SECCOMP = Rule(
    "container-no-seccomp",
    "No seccomp profile is set",
    _LOW,
    "Kubernetes applies none by itself: the container may make every call of the kernel.",
    "Write `securityContext: {seccompProfile: {type: RuntimeDefault}}` for the pod.",
    taxonomy=("CWE-693", "AC-6", *_POD),
    help="container-isolation",
)
IMAGE_LATEST = Rule(
    "container-image-latest",
    "A container's image is whatever is newest",
    _MEDIUM,
    "The next start may run other code than was tested, and nobody can say which runs.",
    "Name the version and its digest: `image: registry/name:1.2.3@sha256:<64 hex digits>`.",
    taxonomy=("CWE-1357", "CICD-SEC-3", "CM-2"),
    help="image-pinning",
)
IMAGE_UNPINNED = Rule(
    "container-image-unpinned",
    "A container's image is not pinned to a digest",
    _LOW,
    "A tag can be moved to another image at any time, by its owner or by who takes over the account.",
    "Add the digest: `image: name:1.2.3@sha256:<64 hex digits>`.",
    taxonomy=("CWE-1357", "CWE-494", "CICD-SEC-3"),
    help="image-pinning",
)
NO_LIMITS = Rule(
    "container-no-limits",
    "A container may use all memory of the machine",
    _LOW,
    "One request that makes it grow takes the other services down with it.",
    'Kubernetes: `resources: {limits: {memory: 512Mi, cpu: "1"}}`; Compose: `mem_limit: 512m`, `cpus: 1`, '
    "`pids_limit: 200`.",
    taxonomy=("CWE-770", "CWE-400", "SC-5", *_POD),
    help="resource-exhaustion",
)
SECRET_LITERAL = Rule(
    "container-secret-literal",
    "A secret stands in the configuration",
    _HIGH,
    "Everybody who can read the repository has it, and it stays in its history.",
    "Replace the secret, which is known now. Kubernetes: `valueFrom: {secretKeyRef: ...}`; Compose: `secrets:` with a "
    "file, or a variable that is set where it runs.",
    taxonomy=("CWE-798", "CWE-312", "CICD-SEC-6", "IA-5", "K03:2025"),
    help="secrets-in-configuration",
)
NO_PROBE = Rule(
    "container-no-probe",
    "Nothing tells whether a container works",
    _INFO,
    "A service that hangs is kept, and goes on to be sent requests.",
    "Kubernetes: `readinessProbe` and `livenessProbe`; Compose: `healthcheck`.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-693", "SI-4"),
    help="service-health",
)
CONTAINER_RULES = (
    PRIVILEGED, CAPABILITY_ADDED, CAPABILITIES_KEPT, HOST_NAMESPACE, HOST_PATH, RUNTIME_SOCKET, RUNS_AS_ROOT,
    ESCALATION, WRITABLE_ROOT, UNCONFINED, IMAGE_LATEST, IMAGE_UNPINNED, NO_LIMITS, SECRET_LITERAL, NO_PROBE,
)  # fmt: skip
