"""Evidence: digests, manifests, statements, envelopes, model signatures, and the walk that verifies them."""

from shipworthy.evidence.chain import verify_chain
from shipworthy.evidence.digest import Difference, Entry, Manifest, digest_of, sha256_bytes, sha256_file
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.files import EvidenceSet
from shipworthy.evidence.links import ChainResult, Check, Link, Status
from shipworthy.evidence.oms import ModelVerification, sign_model, verify_model
from shipworthy.evidence.opened import attested
from shipworthy.evidence.policy import Policy, StepRule
from shipworthy.evidence.release import (
    Facts,
    Scan,
    Written,
    release_evidence,
    store_release,
    verify_folder,
    verify_release,
    write_evidence,
)
from shipworthy.evidence.resolve import Resolver, nowhere, places
from shipworthy.evidence.statement import Resource, Statement

__all__ = [
    "ChainResult",
    "Check",
    "Difference",
    "Entry",
    "EvidenceSet",
    "Facts",
    "Failure",
    "Link",
    "Manifest",
    "ModelVerification",
    "Policy",
    "Problem",
    "RefusedError",
    "Resolver",
    "Resource",
    "Scan",
    "Statement",
    "Status",
    "StepRule",
    "Written",
    "attested",
    "digest_of",
    "nowhere",
    "places",
    "release_evidence",
    "sha256_bytes",
    "sha256_file",
    "sign_model",
    "store_release",
    "verify_chain",
    "verify_folder",
    "verify_model",
    "verify_release",
    "write_evidence",
]
