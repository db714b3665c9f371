"""What the record of the protect stage keeps of a service's answers."""

from shipworthy.stages.dev.protect import _kept


def test_a_secret_in_an_answer_is_not_written_into_the_record() -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    for before in ("", "x" * 490 + " "):  # also one that would be cut in the middle
        kept = _kept(f"{before}{key} and more".encode())
        assert "AKIA" not in kept
        assert "a key of AWS" in kept
    assert _kept(b'{"label": "yes"}') == '{"label": "yes"}'
