"""What a cloud's resources should not be: rules of `terraform` and `cloudformation`."""

from __future__ import annotations

from shipworthy.model import Confidence, Rule, Severity

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW

STORAGE_PUBLIC = Rule(
    "cloud-storage-public",
    "Stored objects are open to everybody",
    _HIGH,
    "Anybody on the internet can list or read what is in there: data, models, backups.",
    'Make it private (`acl = "private"`, no grants to allUsers), and serve what is public through a CDN.',
    taxonomy=("CWE-284", "CWE-732", "AC-3", "SC-7"),
    help="cloud-storage",
)
NO_PUBLIC_BLOCK = Rule(
    "cloud-storage-public-not-blocked",
    "Nothing keeps stored objects from being made public",
    _MEDIUM,
    "One wrong policy or access list, by whomever, opens the bucket.",
    "Block it: `aws_s3_bucket_public_access_block` with all four settings true; `public_access_prevention = "
    '"enforced"`; `allow_nested_items_to_be_public = false`.',
    taxonomy=("CWE-732", "AC-3"),
    help="cloud-storage",
)
NETWORK_OPEN = Rule(
    "cloud-network-open",
    "A port for administrators or databases is open to the internet",
    _HIGH,
    "Logins and databases that everybody can reach are tried within minutes.",
    'Name the networks that may: `cidr_blocks = ["10.0.0.0/8"]`; use a session manager or a VPN for administration.',
    taxonomy=("CWE-284", "CWE-668", "SC-7"),
    help="cloud-network",
)
UNENCRYPTED = Rule(
    "cloud-unencrypted",
    "Data are stored without encryption",
    _MEDIUM,
    "Whoever gets a copy of the disk, the snapshot or the backup reads everything.",
    "Switch encryption on, with a key of your own where others share the account.",
    taxonomy=("CWE-311", "CWE-312", "SC-28"),
    help="encryption-at-rest",
)
TRANSIT = Rule(
    "cloud-unencrypted-transit",
    "Data are sent without encryption",
    _MEDIUM,
    "Anybody on the way can read and change them.",
    "Require TLS: listeners and origins of HTTPS only, plain HTTP redirected.",
    taxonomy=("CWE-319", "SC-8"),
    help="transport-security",
)
OLD_TLS = Rule(
    "cloud-old-tls",
    "Old versions of TLS are accepted",
    _MEDIUM,
    "TLS 1.0 and 1.1 have known weaknesses; whoever is on the way can make both sides use them.",
    "Require TLS 1.2 or later.",
    taxonomy=("CWE-326", "CWE-757", "SC-8"),
    help="transport-security",
)
DATABASE_PUBLIC = Rule(
    "cloud-database-public",
    "A database has a public address",
    _HIGH,
    "It can be reached, and its logins tried, from anywhere.",
    "Put it into private subnets, without a public address.",
    taxonomy=("CWE-668", "SC-7"),
    help="cloud-network",
)
IAM_WILDCARD = Rule(
    "cloud-iam-wildcard",
    "A policy allows everything",
    _HIGH,
    "Whoever gets the role, through one weakness of one service, has the account.",
    'List actions and resources: `Action = ["s3:GetObject"]`, `Resource = "arn:aws:s3:::name/*"`.',
    taxonomy=("CWE-250", "CWE-285", "AC-6"),
    help="cloud-rights",
)
PUBLIC_PRINCIPAL = Rule(
    "cloud-public-principal",
    "A policy gives rights to everybody",
    _HIGH,
    "`Principal: *` without a condition are all accounts of the cloud, and for some services the whole internet.",
    "Name the account or role, or add a condition (aws:SourceArn, aws:PrincipalOrgID).",
    taxonomy=("CWE-284", "CWE-732", "AC-3"),
    help="cloud-rights",
)
SECRET = Rule(
    "cloud-secret-literal",
    "A secret stands in the configuration",
    _HIGH,
    "Everybody who can read the repository, the plan or the state has it.",
    "Replace the secret, which is known now; read it from a secret manager, or let the cloud make it "
    "(`manage_master_user_password = true`).",
    taxonomy=("CWE-798", "CWE-312", "CICD-SEC-6", "IA-5"),
    help="secrets-in-configuration",
)
METADATA = Rule(
    "cloud-metadata-v1",
    "A machine answers requests for its metadata without a token",
    _MEDIUM,
    "One request that a service can be made to send (SSRF) gives the machine's credentials.",
    'Write `metadata_options { http_tokens = "required" }`.',
    taxonomy=("CWE-918", "AC-3", "K08:2025"),
    help="cloud-machines",
)
NO_LOGGING = Rule(
    "cloud-no-logging",
    "What happens is not logged",
    _LOW,
    "Nobody can tell afterwards who did what, or see it while it goes on.",
    "Switch the resource's logs on and keep them where it cannot delete them.",
    taxonomy=("CWE-778", "AU-2", "AU-12"),
    help="audit-logs",
)
NO_BACKUP = Rule(
    "cloud-no-way-back",
    "What is deleted or overwritten cannot be got back",
    _LOW,
    "A mistake, or somebody with a stolen key, destroys the data.",
    "Switch versions, backups or protection against deletion on.",
    taxonomy=("CWE-693", "CP-9"),
    help="backups",
)
KEY_ROTATION = Rule(
    "cloud-key-not-rotated",
    "A key is never changed",
    _LOW,
    "Whoever got it once reads everything that is encrypted later.",
    'Switch rotation on: `enable_key_rotation = true`, `rotation_period = "7776000s"`.',
    taxonomy=("CWE-321", "SC-12"),
    help="encryption-at-rest",
)
PUBLIC_ADDRESS = Rule(
    "cloud-machine-public",
    "A machine has a public address",
    _LOW,
    "Each of its ports is then one rule away from the internet.",
    "Put it into a private subnet behind a load balancer.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-668", "SC-7"),
    help="cloud-network",
)
REGISTRY = Rule(
    "cloud-registry-mutable",
    "Images in a registry can be exchanged under their tag",
    _LOW,
    "What was tested and signed is not what is pulled.",
    'Write `image_tag_mutability = "IMMUTABLE"`, and deploy by digest.',
    taxonomy=("CWE-494", "CICD-SEC-9", "CM-5"),
    help="image-pinning",
)
CLUSTER_PUBLIC = Rule(
    "cloud-cluster-public",
    "A cluster's control plane is open to the internet",
    _MEDIUM,
    "Stolen credentials, and weaknesses of the API server, can be used from anywhere.",
    "Use a private endpoint, or name the networks that may reach it.",
    taxonomy=("CWE-668", "SC-7", "K06:2025"),
    help="cloud-network",
)
WEAK_LOGIN = Rule(
    "cloud-weak-login",
    "A login that is known to be weak is switched on",
    _MEDIUM,
    "Passwords and shared keys are guessed, lie about and belong to nobody; rights by attributes are never looked at.",
    "Use keys or the cloud's identities, and switch the old way off.",
    taxonomy=("CWE-287", "IA-2"),
    help="cloud-rights",
)
MODULE = Rule(
    "terraform-module-unpinned",
    "A module is taken from where it can change",
    _MEDIUM,
    "Whoever can change the branch or tag decides what is created in the account, with the rights of whoever applies "
    "it.",
    'Name the commit, `source = "git::https://host/repo.git?ref=<40 hex digits>"`, or a registry\'s module with '
    '`version = "1.2.3"`.',
    taxonomy=("CWE-494", "CWE-829", "CICD-SEC-3"),
    help="dependency-pinning",
)
TASK = Rule(
    "cloud-task-privileged",
    "A container of a task or build has all rights of its machine",
    _HIGH,
    "Whoever gets into the container owns the machine, and the credentials on it.",
    "Remove `privileged`; build images with a builder that needs none.",
    taxonomy=("CWE-250", "AC-6"),
    help="container-isolation",
)
RULES = {
    rule.id: rule
    for rule in (
        STORAGE_PUBLIC, NO_PUBLIC_BLOCK, NETWORK_OPEN, UNENCRYPTED, TRANSIT, OLD_TLS, DATABASE_PUBLIC, IAM_WILDCARD,
        PUBLIC_PRINCIPAL, SECRET, METADATA, NO_LOGGING, NO_BACKUP, KEY_ROTATION, PUBLIC_ADDRESS, REGISTRY,
        CLUSTER_PUBLIC, WEAK_LOGIN, TASK,
    )
}  # fmt: skip
