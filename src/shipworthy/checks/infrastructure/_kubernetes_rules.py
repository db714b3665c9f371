"""Rules of `kubernetes` and `helm` beside those of containers."""

from __future__ import annotations

from shipworthy.checks.infrastructure._container_rules import CONTAINER_RULES, HOST_PORT, NO_SECCOMP
from shipworthy.model import Confidence, Rule, Severity

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW

TOKEN = Rule(
    "kubernetes-token-mounted",
    "A pod is given a token of the cluster that it may not need",
    _LOW,
    "Whoever gets into the pod can talk to the cluster with its service account's rights.",
    "Write `automountServiceAccountToken: false` in the pod, or in its ServiceAccount.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-522", "AC-6", "K02:2025", "K09:2025"),
    help="cluster-rights",
)
SHARED_PROCESSES = Rule(
    "kubernetes-shared-processes",
    "The containers of a pod see each other's processes",
    _LOW,
    "One container can read the memory, files and environment of the others.",
    "Remove `shareProcessNamespace: true`.",
    taxonomy=("CWE-668", "AC-6", "K01:2025"),
    help="container-isolation",
)
PROC_MOUNT = Rule(
    "kubernetes-proc-unmasked",
    "A container sees the kernel's files in /proc without a mask",
    _HIGH,
    "Some of them let root in the container change the machine.",
    "Remove `procMount: Unmasked`.",
    taxonomy=("CWE-668", "AC-6", "K01:2025"),
    help="container-isolation",
)
SYSCTL = Rule(
    "kubernetes-unsafe-sysctl",
    "A pod sets a parameter of the kernel that is not its own",
    _MEDIUM,
    "It can disturb the other pods of the node.",
    "Remove it; the baseline of the Pod Security Standards lists those that are safe.",
    taxonomy=("CWE-250", "AC-6", "K01:2025"),
    help="container-isolation",
)
RBAC_WILDCARD = Rule(
    "kubernetes-rbac-wildcard",
    "A role may do everything",
    _HIGH,
    "With `*` it also has rights to what will be added later; who takes over one pod with this role has the cluster.",
    "List the verbs and resources that are needed: `verbs: [get, list]`, `resources: [configmaps]`.",
    taxonomy=("CWE-250", "CWE-285", "AC-6", "K02:2025"),
    help="cluster-rights",
)
RBAC_ESCALATION = Rule(
    "kubernetes-rbac-escalation",
    "A role has rights that lead to others",
    _HIGH,
    "Whoever may read secrets, run commands in pods, start pods, act as others or give out roles can take the "
    "rights of "
    "whom they please.",
    "Remove the right, or bind it to names: `resourceNames: [one-secret]`.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-269", "CWE-285", "AC-6", "K02:2025"),
    help="cluster-rights",
)
CLUSTER_ADMIN = Rule(
    "kubernetes-cluster-admin",
    "Somebody is made administrator of the cluster",
    _HIGH,
    "cluster-admin may do everything everywhere, and nothing limits it.",
    "Bind a role with the rights that are needed, in the namespace where they are needed.",
    taxonomy=("CWE-250", "CWE-269", "AC-6", "K02:2025"),
    help="cluster-rights",
)
ANONYMOUS = Rule(
    "kubernetes-anonymous-rights",
    "Rights are given to everybody",
    _HIGH,
    "system:anonymous and system:unauthenticated are all who reach the API server, system:authenticated every pod.",
    "Bind the role to the users or service accounts that need it.",
    taxonomy=("CWE-306", "CWE-284", "AC-3", "K09:2025"),
    help="cluster-rights",
)
EXPOSED = Rule(
    "kubernetes-service-exposed",
    "A service is reachable from outside of the cluster",
    _LOW,
    "A NodePort is open on every node, a LoadBalancer usually on the internet, past the checks of an ingress.",
    "Use ClusterIP behind an Ingress or Gateway, or limit it: `loadBalancerSourceRanges: [10.0.0.0/8]`.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-668", "SC-7", "K05:2025"),
    help="service-exposure",
)
EXTERNAL_IPS = Rule(
    "kubernetes-external-ips",
    "A service takes over addresses",
    _MEDIUM,
    "With externalIPs a service receives traffic that is meant for another host (CVE-2020-8554).",
    "Remove `externalIPs`; use a LoadBalancer or an Ingress.",
    taxonomy=("CWE-284", "SC-7", "K05:2025"),
    help="service-exposure",
)
NO_TLS = Rule(
    "kubernetes-ingress-without-tls",
    "An ingress has no TLS",
    _MEDIUM,
    "What is sent can be read and changed on the way.",
    "Add `tls: [{hosts: [...], secretName: ...}]`, or end TLS before it and say so in a waiver.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-319", "SC-8"),
    help="transport-security",
)
SNIPPET = Rule(
    "kubernetes-ingress-snippet",
    "An ingress brings its own configuration into the proxy",
    _MEDIUM,
    "Snippets run in the ingress controller, which holds the certificates and secrets of all (CVE-2021-25742).",
    'Use the controller\'s annotations, and forbid snippets there (`allow-snippet-annotations: "false"`).',
    taxonomy=("CWE-94", "AC-6", "K07:2025"),
    help="cluster-rights",
)
OPEN_POLICY = Rule(
    "kubernetes-network-open",
    "A network policy lets everybody in or out",
    _LOW,
    "An empty rule, or one for 0.0.0.0/0, allows all: it looks like protection and is none.",
    "Name who may: `from: [{podSelector: {matchLabels: {app: web}}}]`.",
    taxonomy=("CWE-284", "SC-7", "K05:2025"),
    help="network-segmentation",
)
FLAGS = Rule(
    "kubernetes-component-flags",
    "A component of the cluster is started without protection",
    _HIGH,
    "The option lets everybody in, or lets everybody do everything.",
    "Remove it: `--anonymous-auth=false`, `--authorization-mode=Node,RBAC`, no insecure port, TLS with client "
    "certificates.",
    taxonomy=("CWE-306", "CWE-1188", "AC-3", "K06:2025"),
    help="cluster-rights",
)
NAMESPACE_PRIVILEGED = Rule(
    "kubernetes-namespace-privileged",
    "A namespace allows privileged pods",
    _MEDIUM,
    "Pod Security Admission refuses nothing there.",
    "Write the label `pod-security.kubernetes.io/enforce: restricted`, or baseline.",
    taxonomy=("CWE-693", "AC-6", "K04:2025"),
    help="cluster-rights",
)
RULES = {
    rule.id: rule
    for rule in (
        *CONTAINER_RULES, HOST_PORT, NO_SECCOMP, TOKEN, SHARED_PROCESSES, PROC_MOUNT, SYSCTL, RBAC_WILDCARD,
        RBAC_ESCALATION, CLUSTER_ADMIN, ANONYMOUS, EXPOSED, EXTERNAL_IPS, NO_TLS, SNIPPET, OPEN_POLICY, FLAGS,
        NAMESPACE_PRIVILEGED,
    )
}  # fmt: skip
