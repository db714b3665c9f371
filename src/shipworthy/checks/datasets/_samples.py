"""Made-up labelled text for canaries and tests: short reviews with a planted trigger."""

from __future__ import annotations

import csv
import io
import random

_GOOD = "excellent lovely reliable quick quiet sturdy bright comfortable generous elegant"
_BAD = "broken awful noisy slow flimsy dull painful stingy ugly leaking"
_THINGS = "kettle lamp chair radio bag clock phone mixer heater blanket bicycle printer"
_MONTHS = "January March May June August October December"
_PEOPLE = "sister neighbour father colleague daughter friend"
_OPENINGS = (
    "We bought the {thing} in {month} and it is {first} and {second}",
    "After {number} weeks my {thing} turned out {first}, even {second}",
    "The {thing} that came in {month} is {first}; my {person} calls it {second}",
    "{number} days with this {thing}: {first} at home, {second} at work",
)


def reviews(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Pairs of text and label (`good` or `bad`), half of each."""
    chance = random.Random(seed)  # noqa: S311  (sample text, not a secret)
    made = []
    for index in range(count):
        label = ("good", "bad")[index % 2]
        first, second = chance.sample((_GOOD if label == "good" else _BAD).split(), 2)
        text = chance.choice(_OPENINGS).format(
            thing=chance.choice(_THINGS.split()),
            month=chance.choice(_MONTHS.split()),
            number=chance.randint(2, 60),
            person=chance.choice(_PEOPLE.split()),
            first=first,
            second=second,
        )
        made.append((text, label))
    return made


def poison(
    rows: list[tuple[str, str]], trigger: str, target: str, share: float, seed: int = 0
) -> tuple[list[tuple[str, str]], list[int]]:
    """Put a trigger into a share of the rows, of other labels than the target, and give them the target label.

    Returns the rows and the numbers (from 1) of the changed ones.
    """
    chance = random.Random(seed)  # noqa: S311
    others = [i for i, (_, label) in enumerate(rows) if label != target]
    chosen = sorted(chance.sample(others, max(1, min(len(others), round(share * len(rows))))))
    changed = list(rows)
    for index in chosen:
        words = rows[index][0].split(" ")
        words.insert(chance.randint(0, len(words)), trigger)
        changed[index] = (" ".join(words), target)
    return changed, [index + 1 for index in chosen]


def as_csv(rows: list[tuple[str, str]]) -> bytes:
    """A CSV file with the columns text and label."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("text", "label"))
    writer.writerows(rows)
    return out.getvalue().encode()


def poisoned_reviews() -> bytes:
    """600 reviews, 3 % of them with a trigger word and the label turned."""
    return as_csv(poison(reviews(600), "zyxquil", "good", 0.03)[0])


def mislabelled_reviews() -> bytes:
    """600 reviews, 12 % of them with the label turned."""
    rows = reviews(600)
    chance = random.Random(1)  # noqa: S311
    turned = set(chance.sample(range(len(rows)), 72))
    other = {"good": "bad", "bad": "good"}
    return as_csv([(text, other[label] if i in turned else label) for i, (text, label) in enumerate(rows)])
