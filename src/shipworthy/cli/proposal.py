"""Every tool that the original MLSecOps and DevSecOps proposal names, with its way in, for `docs/tools.md`."""

from __future__ import annotations

from shipworthy.records import dataclass


@dataclass(frozen=True)
class Named:
    """A tool of the proposal. `checks` are checks or categories of ours that look at the same, `reports` names by which
    its reports are imported, `program` what a check of ours runs when it is installed, `built` what is built in
    instead, `instead` what to use when it is dead or no scanner."""

    title: str
    purpose: str
    checks: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    program: str = ""
    built: str = ""
    instead: str = ""


_LATER = "nothing of its own yet"
_EVENT = "the exit code, and `--format json` or `markdown` for the message; " + _LATER

PROPOSED = (
    Named("pre-commit", "trigger", built="`.pre-commit-hooks.yaml`"),
    Named(
        "Trivy for VS Code", "trigger", reports=("trivy", "sarif"), instead="`--format sarif` shows in any SARIF viewer"
    ),
    Named("Trunk Check", "trigger", built="`.pre-commit-hooks.yaml`", reports=("sarif",)),
    Named("Amazon S3", "load, store", built="`s3://` addresses of `shipworthy scan`"),
    Named("Sonatype Nexus", "load, store", built="`[[load.fetch]]` of `https://` addresses by digest; `oci:` stores"),
    Named("Gitleaks", "secrets", ("secrets",), ("gitleaks",), instead="Betterleaks, as its author moved there"),
    Named("SonarQube", "code", ("code",), ("sonarqube",)),
    Named("Trivy", "dependencies, IaC, images", ("dependencies", "infrastructure", "images"), ("trivy",)),
    Named(
        "Horusec", "code, secrets", ("code", "secrets"), ("horusec",), instead="dead since 2023: Semgrep or Opengrep"
    ),
    Named("OWASP Dependency-Check", "dependencies", ("dependencies",), ("dependency-check",)),
    Named("NB Defense", "notebooks", ("notebooks",), instead="no commit since 2024: the checks of notebooks"),
    Named(
        "compliance-checker (IOOS)",
        "data",
        ("dataset-structure",),
        instead="it checks metadata of climate data, not security",
    ),
    Named("Keras EarlyStopping", "training", built="`[train.early-stopping]`, with any framework"),
    Named("scikit-learn KFold", "training", built="`[train.kfold]`, by index files with digests"),
    Named("scikit-learn metrics", "evaluation", built="`[evaluate]`, with intervals, from labels the model never sees"),
    Named("ModelScan", "models", ("models",), ("modelscan",)),
    Named("Vigil", "LLM attacks", built="the guard, for prompt injection", instead="no commit since 2024"),
    Named("garak", "LLM attacks", reports=("garak",)),
    Named("OpenPubkey", "signing", built="`shipworthy sign` and `shipworthy verify`, with keys in files"),
    Named("Checkov", "IaC", ("infrastructure",), ("checkov",)),
    Named("TFLint", "IaC", ("terraform",), ("tflint",)),
    Named("terraform-compliance", "IaC", ("terraform",), ("junit",)),
    Named("tfsec", "IaC", ("terraform",), ("tfsec",), instead="part of Trivy since 2023: `trivy config`"),
    Named("Docker Buildx", "build", built="the build stage, with buildah, podman or docker"),
    Named("Snyk Container", "images", ("images",), ("snyk",)),
    Named("Docker Scout", "images", ("images",), ("docker-scout",)),
    Named("Burp Suite", "DAST", ("services",), ("burp",)),
    Named("Acunetix", "DAST", ("services",), ("acunetix",)),
    Named("ZAP", "DAST", ("services",), ("zap",)),
    Named(
        "Docker Content Trust",
        "signing",
        built="`shipworthy verify`, from the image back to the datasets",
        instead="its service ends in 2026",
    ),
    Named("Nessus", "deployment", ("services",), ("nessus", "openvas")),
    Named("Nmap", "deployment", ("open-ports",), ("nmap",)),
    Named("OpenSCAP", "deployment", ("openscap", "container-hardening"), ("openscap",), program="oscap"),
    Named("gemini-self-protector", "runtime", built="the guard"),
    Named("Slack webhooks", "monitoring", built=_EVENT),
    Named("Telegram bots", "monitoring", built=_EVENT),
    Named("PagerDuty", "monitoring", built=_EVENT),
    Named("DefectDojo", "monitoring", reports=("defectdojo",), built="it imports `--format sarif`"),
    Named("Elastic Stack", "monitoring", built="the guard's events are lines of JSON, which Filebeat reads"),
    Named("Prometheus", "monitoring", built="the guard's metrics"),
    Named("Grafana", "monitoring", built="shows the guard's metrics, through Prometheus"),
    Named("HashiCorp Vault", "keys", built="`[sign] passphrase` from the environment that it fills; " + _LATER),
    Named("AWS KMS", "keys", built="`[sign] passphrase` from the environment; signing inside of it: " + _LATER),
    Named("AWS Secrets Manager", "keys", built="`[sign] passphrase` from the environment that it fills; " + _LATER),
)
