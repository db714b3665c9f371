"""The data's datasheet: what it is, where it comes from, what was left out."""

from __future__ import annotations

from shipworthy.example.data import DataReport

_REAL = """\
**Source.** {source}.
The texts were copied from its `train.csv` and `test.csv`, whose SHA-256 digests were checked; rows of the first are in
`train.csv` here, rows of the second in `holdout.csv`.

**Licence.** {licence} This folder is a changed extract.

**What was left out** of the {total:,} rows:

{left_out}

What is not in the subset was left out by an order that depends on the texts and on the seed ({seed}) alone; each class
has the share that it has in the source.

**Weaknesses.** The data set is partly made from templates: only exact copies were removed (case, spacing and
Unicode form do not count), so near copies of a training text can be in the holdout, and the measured quality flatters.
English only. The benign texts are short questions and statements; longer prose is hardly there.
"""
_GENERATED = """\
**Source.** {source}. No text was written by a person for a purpose; nothing here is personal data.

**Licence.** {licence}

**How it was made.** Templates with slots, filled at random (seed {seed}); about an eighth of the injections is
disguised (capitals, digits for letters, spaced letters). A quarter of the holdout is made from templates, and for
injections from words, that training never sees; no text is in both files.

**Weaknesses.** The texts are simpler and more alike than real ones. A score on them says that the pipeline works and
that the model learnt; it says nothing about real attacks. `pip install 'shipworthy[demo]'` brings real data.{note}
"""
_MIT = """
The licence, as the data set's card names it (MIT), in full:

> Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
> documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
> rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
> persons to whom the Software is furnished to do so, subject to the following conditions:
>
> The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
> Software.
>
> THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
> WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
> COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
> OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def datasheet(report: DataReport) -> str:
    """The text of `data/DATASHEET.md`."""
    real = report.kind == "real"
    left_out = "\n".join(f"- {count:,}: {reason}" for reason, count in report.left_out.items())
    body = (_REAL if real else _GENERATED).format(
        source=report.source,
        licence=report.licence,
        left_out=left_out,
        total=report.train_rows + report.holdout_rows + sum(report.left_out.values()),
        seed=report.seed,
        note=f"\n(It was not used: {report.note}.)" if report.note else "",
    )
    rows = [
        ("train.csv", report.train_rows, report.train_attacks),
        ("holdout.csv", report.holdout_rows, report.holdout_attacks),
    ]
    table = "\n".join(
        f"| `{name}` | {count:,} | {attacks:,} | `{report.digests[name]}` |" for name, count, attacks in rows
    )
    return (
        f"# Datasheet: prompt injections ({report.kind} data)\n\n"
        "**What it is for.** Telling texts that try to inject a prompt into a language model (label 1) from texts\n"
        "that do not (label 0).\n\n"
        f"| file | rows | of them injections | digest |\n|---|---|---|---|\n{table}\n\n"
        "Columns: `id` (unique), `text` (UTF-8, one line), `label` (0 or 1). Training never gets `holdout.csv`, and\n"
        "evaluation gets it without the labels.\n\n" + body + (_MIT if real else "")
    )
