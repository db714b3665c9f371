"""The fourth blind set by itself: that it is whole, not what the scanner says of it."""

from __future__ import annotations

from collections import Counter

from corpora import unseen4


def test_every_attack_was_seen_to_act_and_the_kinds_are_in_proportion() -> None:
    attacks = unseen4.attacks()
    kinds = Counter(unseen4.KINDS[one.effect] for one in attacks)
    assert len(attacks) >= 300
    assert len({one.id for one in attacks}) == len(attacks)
    assert all(any(one.files.values()) for one in attacks)
    assert kinds["code"] * 4 >= len(attacks) * 3 - 40
    assert kinds["resource"] * 8 <= len(attacks)


def test_what_looks_odd_and_is_honest_has_a_loader_and_no_effect() -> None:
    honest = list(unseen4.harmless())
    assert len(honest) >= 60
    assert all(one.effect == "none" and one.loader for one in honest)
