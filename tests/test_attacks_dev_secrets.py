"""A service prints the secrets that it was given: its log is kept, and its last lines are in messages and reports."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.serving.running import Masked

SECRETS = {"TOKEN": "abcabcabd-secret", "KEY": "abcabc", "SHORT": "1"}


@given(
    st.lists(
        st.sampled_from([b"abc", b"abcabd-secret", b"ab", b"c", b"x", b"abcabcabd-", b"secret", b"\n"]), max_size=12
    )
)
def test_a_secret_is_masked_wherever_it_is_cut(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    masked = Masked(SECRETS)
    got = b"".join([*(masked.pass_on(piece) for piece in pieces), masked.pass_on(b"")])
    assert b"abcabc" not in got
    if b"abcabc" not in whole:
        assert got == whole


def test_names_stand_for_values() -> None:
    masked = Masked(SECRETS)
    assert masked.pass_on(b"token=abcabcabd-sec") + masked.pass_on(b"ret and 1\n") + masked.pass_on(b"") == (
        b"token=[TOKEN] and 1\n"
    )
