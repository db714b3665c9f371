"""A bundle opens only as it was signed, and only with a key that is trusted."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_world import signer
from shipworthy.errors import UsageError
from shipworthy.evidence import envelope, statement
from shipworthy.evidence.envelope import pae, read, sign, verify
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.evidence.statement import Resource, Statement
from shipworthy.evidence.strictjson import DEPTH_LIMIT, SIZE_LIMIT, canonical, load
from shipworthy.keys import Signer
from shipworthy.model import Metric

DIGEST = "sha256:" + "a" * 64
PAYLOAD = Statement((Resource("model", DIGEST),), statement.SCAN, {"counts": {}}).to_bytes()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Signer]:
    folder = tmp_path_factory.mktemp("keys")
    kinds = {"alice": "ed25519", "bob": "ecdsa-p256-sha256", "mallory": "ed25519"}
    return {name: signer(folder, name, kind) for name, kind in kinds.items()}


@pytest.fixture(scope="module")
def bundles(keys: dict[str, Signer]) -> dict[str, bytes]:
    return {name: sign(PAYLOAD, [keys[name]]) for name in ("alice", "bob")}


def test_the_pre_authentication_encoding_is_that_of_the_dsse_specification() -> None:
    # the example of the specification's protocol document
    assert pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_a_signed_statement_opens_with_its_key_and_no_other(keys: dict[str, Signer], name: str) -> None:
    raw = sign(PAYLOAD, [keys[name]])
    opened = verify(raw, [keys[n].public_key() for n in keys])
    assert opened.payload == PAYLOAD
    assert [key.keyid for key in opened.signers] == [keys[name].public_key().keyid]
    with pytest.raises(RefusedError, match="not trusted") as caught:
        verify(raw, [keys["mallory"].public_key()])
    assert caught.value.failure is Failure.POLICY


def test_the_bundle_has_the_form_of_sigstore(keys: dict[str, Signer]) -> None:
    from sigstore_models.bundle.v1 import Bundle

    raw = sign(PAYLOAD, [keys["bob"]])
    bundle = Bundle.from_json(raw)
    assert bundle.media_type == envelope.BUNDLE_TYPE
    assert bundle.verification_material.public_key is not None
    assert bundle.verification_material.public_key.hint == keys["bob"].public_key().keyid
    assert bundle.dsse_envelope is not None
    assert bundle.dsse_envelope.payload == PAYLOAD


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_changed_byte_anywhere_in_a_bundle_verifies(
    keys: dict[str, Signer], bundles: dict[str, bytes], data: st.DataObject
) -> None:
    who = data.draw(st.sampled_from(["alice", "bob"]))
    raw = bytearray(bundles[who])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RefusedError):
        verify(bytes(raw), [key.public_key() for key in keys.values()])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_added_or_removed_byte_verifies(keys: dict[str, Signer], data: st.DataObject) -> None:
    raw = sign(PAYLOAD, [keys["alice"]])
    at = data.draw(st.integers(0, len(raw) - 1))
    added = raw[:at] + bytes([data.draw(st.sampled_from(list(b' \n",}0A=')))]) + raw[at:]
    for changed in (added, raw[:at] + raw[at + 1 :], raw[:at]):
        with pytest.raises(RefusedError):
            verify(changed, [keys["alice"].public_key()])


def edited(raw: bytes, change: Any) -> bytes:
    bundle = json.loads(raw)
    change(bundle)
    return canonical(bundle) + b"\n"


def test_a_bundle_of_another_tool_may_be_written_otherwise_but_not_say_otherwise(keys: dict[str, Signer]) -> None:
    trusted = [keys["alice"].public_key()]
    raw = sign(PAYLOAD, [keys["alice"]])
    pretty = json.dumps(json.loads(raw), indent=2).encode()
    with pytest.raises(RefusedError, match="not as it was written"):
        verify(pretty, trusted)
    assert verify(pretty, trusted, strict=False).payload == PAYLOAD

    def anonymous(bundle: Any) -> None:
        bundle["dsseEnvelope"]["signatures"][0]["keyid"] = ""
        bundle["verificationMaterial"]["publicKey"]["hint"] = ""

    assert verify(edited(raw, anonymous), trusted, strict=False).payload == PAYLOAD

    def other_hint(bundle: Any) -> None:
        bundle["verificationMaterial"]["publicKey"]["hint"] = "0" * 64

    with pytest.raises(RefusedError, match="hint"):
        verify(edited(raw, other_hint), trusted, strict=False)


def test_a_false_key_id_does_not_lead_to_another_key(keys: dict[str, Signer]) -> None:
    def claim_alice(bundle: Any) -> None:
        bundle["dsseEnvelope"]["signatures"][0]["keyid"] = keys["alice"].public_key().keyid

    raw = edited(sign(PAYLOAD, [keys["mallory"]]), claim_alice)
    for strict in (True, False):
        with pytest.raises(RefusedError, match="does not fit") as caught:
            verify(raw, [keys["alice"].public_key()], strict=strict)
        assert caught.value.failure is Failure.INTEGRITY


def test_several_signatures_need_as_many_trusted_keys(keys: dict[str, Signer]) -> None:
    both = sign(PAYLOAD, [keys["alice"], keys["bob"]])
    trusted = [keys["alice"].public_key(), keys["bob"].public_key()]
    assert len(verify(both, trusted).signers) == 2
    with pytest.raises(RefusedError, match="not trusted"):
        verify(both, trusted[:1])
    with pytest.raises(UsageError, match="no key twice"):
        sign(PAYLOAD, [keys["alice"], keys["alice"]])
    with pytest.raises(UsageError):
        sign(PAYLOAD, [])

    def twice(bundle: Any) -> None:
        signatures = bundle["dsseEnvelope"]["signatures"]
        signatures[1] = signatures[0]

    with pytest.raises(RefusedError, match="signed it twice"):
        verify(edited(both, twice), trusted, strict=False)


def test_what_is_no_bundle_for_a_key_is_refused_with_a_reason(keys: dict[str, Signer]) -> None:
    raw = sign(PAYLOAD, [keys["alice"]])

    def drop(*path: str) -> Any:
        def change(bundle: Any) -> None:
            for part in path[:-1]:
                bundle = bundle[part]
            bundle.pop(path[-1])

        return change

    def put(value: Any, *path: Any) -> Any:
        def change(bundle: Any) -> None:
            for part in path[:-1]:
                bundle = bundle[part]
            bundle[path[-1]] = value

        return change

    sig = ("dsseEnvelope", "signatures", 0, "sig")
    good = json.loads(raw)["dsseEnvelope"]["signatures"][0]["sig"]
    stray = good[:-3] + chr(ord(good[-3]) + 1) + "=="  # other bits in the last character, the same bytes
    changes = [
        drop("dsseEnvelope"),
        drop("verificationMaterial"),
        drop("mediaType"),
        drop("dsseEnvelope", "payload"),
        put({}, "verificationMaterial"),
        put([], "dsseEnvelope", "signatures"),
        put([{}] * 17, "dsseEnvelope", "signatures"),
        put([7], "dsseEnvelope", "signatures"),
        put("text/plain", "dsseEnvelope", "payloadType"),
        put(7, "verificationMaterial", "publicKey", "hint"),
        put(good + "\n", *sig),
        put(good.replace("=", ""), *sig),
        put(stray, *sig),
        put(["x"], *sig),
        put("", *sig),
    ]
    for change in changes:
        with pytest.raises(RefusedError):
            verify(edited(raw, change), [keys["alice"].public_key()], strict=False)
    for rubbish in (b"", b"null", b"[]", b"\xff", b'{"a":1,"a":1}'):
        with pytest.raises(RefusedError):
            read(rubbish)


def test_json_that_two_readers_could_see_differently_is_refused() -> None:
    for raw in (
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"NaN",
        b"[Infinity]",
        b"1e999",
        b'"\\ud800"',
        b'{"\\ud800": 1}',
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"'a'",
        b"[1,]",
    ):
        with pytest.raises(RefusedError):
            load(raw, "the text")


def test_json_that_would_exhaust_the_reader_is_refused() -> None:
    assert load(b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT, "the text") is not None
    for raw in (
        b"[" * (DEPTH_LIMIT + 1) + b"]" * (DEPTH_LIMIT + 1),
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'"' + b"x" * SIZE_LIMIT + b'"',
        b"[" + b"0," * 2_100_000 + b"0]",
        b"9" * 10_000,
    ):
        with pytest.raises(RefusedError):
            load(raw, "the text")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_reads_back_and_has_one_form(value: Any) -> None:
    raw = canonical(value)
    assert load(raw, "the text") == value
    assert canonical(load(raw, "the text")) == raw


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
RESOURCES = st.builds(Resource, NAMES, st.binary(min_size=32, max_size=32).map(lambda b: f"sha256:{b.hex()}"), NAMES)


@given(
    st.lists(RESOURCES, min_size=1, max_size=3),
    st.lists(RESOURCES, max_size=3),
    st.dictionaries(NAMES, JSON, max_size=3),
)
def test_a_statement_reads_back_as_it_was(
    subjects: list[Resource], inputs: list[Resource], facts: dict[str, Any]
) -> None:
    made = statement.provenance("train", subjects, dependencies=inputs, parameters=facts)
    back = statement.parse(made.to_bytes())
    assert back == made
    assert back.step == "train"
    assert back.resources("buildDefinition", "resolvedDependencies") == tuple(inputs)


def test_each_builder_says_which_step_it_is_for_and_when() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    model = Resource("model", DIGEST, "model")
    metric = Metric("accuracy", 0.5, 0.4, 0.6, 10, "wilson-95")
    made = [
        statement.provenance("ingest", [model], finished=now),
        statement.scan([model], report=Resource("r", DIGEST, "report"), finished=now),
        statement.evaluation([model], [metric], inputs=[], finished=now),
        statement.release(model, version="1", evidence=[], stored=now),
    ]
    assert [item.step for item in made] == ["ingest", "scan", "evaluate", "store"]
    assert {item.time for item in made} == {"2026-01-02T03:04:05Z"}
    assert made[2].predicate["metrics"][0] == {
        "name": "accuracy", "value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "method": "wilson-95",
    }  # fmt: skip
    with pytest.raises(ValueError, match="time zone"):
        statement.scan([model], report=model, finished=datetime(2026, 1, 1))
    with pytest.raises(RefusedError, match="cannot be written"):
        statement.evaluation([model], [Metric("f1", float("nan"), 0, 0, 0)], inputs=[]).to_bytes()
    with pytest.raises(RefusedError, match="digest"):
        statement.provenance("train", [Resource("model", "md5:00")]).to_bytes()
    with pytest.raises(RefusedError, match="subject"):
        statement.provenance("train", []).to_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": []},
        {"subject": [{"name": "x", "digest": {"sha1": "00"}}]},
        {"subject": [{"name": 7, "digest": {"sha256": "a" * 64}}]},
        {"subject": ["x"]},
        {"subject": {"name": "x"}},
        {"predicateType": None},
        {"predicate": []},
    ],
)
def test_what_is_no_statement_about_digests_is_refused(change: dict[str, Any]) -> None:
    value = {**json.loads(PAYLOAD), **change}
    with pytest.raises(RefusedError):
        statement.parse(json.dumps(value).encode())


def test_the_in_toto_library_reads_our_statements() -> None:
    from google.protobuf import json_format
    from in_toto_attestation.v1.statement import Statement as Theirs
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    made = statement.provenance("train", [Resource("model", DIGEST)], dependencies=[Resource("d", DIGEST, "dataset")])
    Theirs.copy_from_pb(json_format.Parse(made.to_bytes(), Message())).validate()


def test_the_payload_is_kept_byte_for_byte(keys: dict[str, Signer], tmp_path: Path) -> None:
    payload = json.dumps(json.loads(PAYLOAD), indent=3).encode()
    raw = sign(payload, [keys["alice"]])
    assert base64.b64decode(json.loads(raw)["dsseEnvelope"]["payload"]) == payload
    assert verify(raw, [keys["alice"].public_key()]).payload == payload
