"""Makes `tests/data/models/llm`: small honest files by the real writers.

    pip install torch==2.13.0 gguf==0.19.0 skops==0.16.0 scikit-learn==1.9.1 tokenizers==0.23.3 mlflow-skinny==3.17.2 \
        torch-model-archiver==0.12.0 sentencepiece==0.2.3 tiktoken==0.12.0 blobfile==3.3.0
    python scripts/make_llm_samples.py tests/data/models/llm

Parts whose library is not installed are left out, so that several environments can be used. Torch writes the paths of
sources into its files: run a copy of this script, and torch, from a folder whose name may be seen.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

TEMPLATE = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] | trim }}{% endfor %}"


def gguf(out: Path) -> None:
    """One file of each byte order, with every tensor type."""
    import gguf as writer
    import numpy as np

    for order in ("LITTLE", "BIG"):
        file = writer.GGUFWriter(str(out / f"{order.lower()}.gguf"), "llama", endianess=writer.GGUFEndian[order])
        file.add_string("tokenizer.chat_template", TEMPLATE)
        file.add_array("tokenizer.ggml.tokens", ["<s>", "a", "system", "eval"])
        file.add_array("tokenizer.ggml.scores", [0.5] * 40)
        file.add_bool("tokenizer.ggml.add_bos_token", True)
        file.add_custom_alignment(64)
        for kind, (_, width) in writer.GGML_QUANT_SIZES.items():
            if kind.name in ("F32", "F16"):
                file.add_tensor(kind.name, np.ones((2, 3), dtype=np.dtype("f4" if kind.name == "F32" else "f2")))
            else:
                file.add_tensor(kind.name, np.full((2, width), 7, dtype=np.uint8), raw_dtype=kind)
        file.write_header_to_file()
        file.write_kv_data_to_file()
        file.write_tensors_to_file()
        file.close()


def torchscript(out: Path) -> None:
    """Scripted, traced and exported modules, and a state without checksums."""
    import torch

    class Sum(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(x) + x.sum(-1, keepdim=True)

    class Sized(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, x])[: x.shape[0] * 2 - 1] + x.shape[0] / 2

    torch.jit.trace(Sum(), torch.zeros(2, 2)).save(str(out / "traced.pt"))
    torch.jit.script(torch.nn.LSTM(4, 3)).save(str(out / "lstm.pt"))
    linear = torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),))
    torch.export.save(linear, str(out / "linear.pt2"))
    size = torch.export.Dim("size", min=2, max=100)
    sized = torch.export.export(Sized(), (torch.zeros(4, 3),), dynamic_shapes={"x": {0: size}})
    torch.export.save(sized, str(out / "sized.pt2"))
    torch.serialization.set_crc32_options(False)
    state = {"weight": torch.arange(40.0).reshape(4, 10), "bias": torch.zeros(4), "epoch": 3}
    torch.save(state, str(out / "unsummed.pt"))


def skops(out: Path) -> None:
    """Fitted estimators whose schema has most kinds of nodes."""
    import numpy as np
    import skops.io
    from sklearn import linear_model, pipeline, preprocessing, tree

    data = np.random.default_rng(0).normal(size=(30, 3))
    target = (data[:, 0] > 0).astype(int)
    scale = preprocessing.FunctionTransformer(np.tanh)
    steps = pipeline.make_pipeline(scale, preprocessing.StandardScaler(), linear_model.SGDClassifier())
    skops.io.dump(steps.fit(data, target), out / "pipeline.skops")
    skops.io.dump(tree.DecisionTreeClassifier(max_depth=2).fit(data, target), out / "tree.skops")
    skops.io.dump({"g": np.random.default_rng(0), "b": b"some bytes"}, out / "generator.skops")


def tokenizers(out: Path) -> None:
    """A trained byte-pair tokenizer with a pattern."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    pattern = Regex(r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\s+(?!\S)|\s+")
    split = pre_tokenizers.Split(pattern=pattern, behavior="isolated")
    made.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(use_regex=False)])
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>"])
    made.train_from_iterator(["model eval exec import os"] * 10, trainer)
    made.save(str(out / "tokenizer.json"))


def mlflow(out: Path) -> None:
    """The MLmodel of a folder."""
    import mlflow.pyfunc

    class Same(mlflow.pyfunc.PythonModel):
        def predict(self, context: object, model_input: object, params: object = None) -> object:  # noqa: ARG002
            return model_input

    with tempfile.TemporaryDirectory() as folder:
        mlflow.pyfunc.save_model(f"{folder}/m", python_model=Same(), pip_requirements=["mlflow"])
        (out / "MLmodel").write_bytes(Path(f"{folder}/m/MLmodel").read_bytes())


def model_archiver(out: Path) -> None:
    """A TorchServe archive with a handler of TorchServe's own."""
    tool = Path(sys.executable).with_name("torch-model-archiver")
    options = ["--version", "1.0", "--serialized-file", str(out / "traced.pt"), "--export-path", str(out), "--force"]
    subprocess.run([tool, "--model-name", "builtin", "--handler", "image_classifier", *options], check=True)


def vocabularies(out: Path) -> None:
    """Without rules for the normalizer, which are 230 KB."""
    import sentencepiece as writer

    texts = [f"the lazy number {n} of {n * 7} quick brown foxes, Größe {n}" for n in range(200)]
    options: dict[str, dict[str, object]] = {
        "unigram": {"user_defined_symbols": ["<mask>"], "vocab_size": 60},
        "bpe": {"byte_fallback": True, "vocab_size": 340},
    }
    for kind, more in options.items():
        with (out / f"{kind}.spm").open("wb") as model:
            more |= {"model_type": kind, "normalization_rule_name": "identity", "minloglevel": 2}
            writer.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=model, **more)
    listed = {"model_prefix": str(out / "pieces"), "vocab_size": 40, "minloglevel": 2}
    writer.SentencePieceTrainer.train(sentence_iterator=iter(texts), **listed)
    (out / "pieces.model").unlink()


def ranks(out: Path) -> None:
    """Every byte, and three tokens more."""
    from tiktoken.load import dump_tiktoken_bpe

    tokens = [bytes([value]) for value in range(256)] + [b" the", "ö".encode(), b"hello world"]
    dump_tiktoken_bpe({token: rank for rank, token in enumerate(tokens)}, str(out / "ranks.tiktoken"))


PARTS = {"gguf": gguf, "torch": torchscript, "skops": skops, "tokenizers": tokenizers, "mlflow": mlflow,
         "model_archiver": model_archiver, "sentencepiece": vocabularies, "tiktoken": ranks}  # fmt: skip


def main() -> None:
    """Write what can be written here."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, part in PARTS.items():
        if importlib.util.find_spec(name):
            part(out)


if __name__ == "__main__":
    main()
