"""Makes `tests/data/models/rows`: small files by the real writers of the formats that the other folders lack.

    pip install numpy==2.4.6 joblib==1.6.0 lz4==4.4.5 zstandard==0.25.0 safetensors==0.8.0 omegaconf==2.4.0 \
        pillow==13.0.0 py7zr==1.1.4 transformers==5.23.0 pyyaml==6.0.3 ziglang==0.17.1
    python scripts/make_row_samples.py tests/data/models/rows

In environments of their own, as they do not go together: onnx==1.23.2; pyarrow==26.0.1; joblib==0.9.4 with
Python 3.8. Parts whose library is not installed are left out; names behind the folder choose some.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path


def arrays(out: Path) -> None:
    """Numbers, records, and both in an archive."""
    import numpy as np

    np.save(str(out / "array.npy"), np.arange(12, dtype=np.float32).reshape(3, 4))
    names = np.array([("a", 1.5), ("b", 2.5)], dtype=[("name", "U4"), ("value", "<f8")])
    np.save(str(out / "records.npy"), names)
    np.savez_compressed(str(out / "arrays.npz"), w=np.ones((2, 2)), b=np.zeros(2))


def tensors(out: Path) -> None:
    """With metadata."""
    import numpy as np
    from safetensors.numpy import save_file

    weights = {"dense.weight": np.ones((4, 2), np.float16), "dense.bias": np.zeros(2, np.float32)}
    save_file(weights, str(out / "model.safetensors"), {"format": "pt"})


def tars(out: Path) -> None:
    """As Python and as GNU tar write them."""
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.ones(4))
    for name, form in (("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("ustar", tarfile.USTAR_FORMAT)):
        with tarfile.open(str(out / (name + ".tar")), "w", format=form) as archive:
            folder = tarfile.TarInfo("weights")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
            for member in ("weights/array.npy", "weights/" + "l" * (90 if name == "ustar" else 120) + ".npy"):
                info = tarfile.TarInfo(member)
                info.size, info.mtime = len(stream.getvalue()), 1.5 if name == "pax" else 1
                archive.addfile(info, io.BytesIO(stream.getvalue()))
    with tempfile.TemporaryDirectory() as folder_:
        Path(folder_, "array.npy").write_bytes(stream.getvalue())
        where = str(out.resolve() / "gnutar.tar")
        command = ["tar", "--owner=0", "--group=0", "--mtime=@0", "-cf", where, "array.npy"]
        subprocess.run(command, cwd=folder_, check=True)


def packed(out: Path) -> None:
    """Joblib with LZ4; its other compressions are in the folder of pickles."""
    import joblib
    import numpy as np

    joblib.dump({"w": np.arange(40.0), "kind": "linear"}, str(out / "state.joblib.lz4"), compress=("lz4", 3))


def zstandard(out: Path) -> None:
    """With and without a checksum."""
    import zstandard as writer

    raw = b"".join(b"%d," % number for number in range(400))
    array = (out / "array.npy").read_bytes()
    (out / "array.npy.zst").write_bytes(writer.ZstdCompressor(level=9, write_checksum=True).compress(array))
    import pickle

    value = pickle.dumps({"text": raw.decode(), "numbers": list(range(500))}, 4)
    (out / "state.pkl.zst").write_bytes(writer.ZstdCompressor(level=19).compress(value))


def old_joblib(out: Path) -> None:
    """Joblib 0.9 wrote streams of zlib behind a header of its own."""
    import joblib

    if joblib.__version__.startswith("0.9"):
        joblib.dump({"alpha": 0.5, "names": ["a", "b"]}, str(out / "old.joblib"), compress=3)


def settings(out: Path) -> None:
    """As NeMo writes the configuration of a model."""
    from omegaconf import OmegaConf

    optimizer = {"name": "adamw", "lr": 0.001, "betas": [0.9, 0.98]}
    config = {
        "target": "nemo.collections.asr.models.ctc_models.EncDecCTCModel",
        "sample_rate": 16000,
        "preprocessor": {
            "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
            "features": 64,
            "sample_rate": "${sample_rate}",
        },
        "encoder": {"_target_": "nemo.collections.asr.modules.ConvASREncoder", "activation": "relu", "jasper": []},
        "optim": optimizer,
    }
    OmegaConf.save(OmegaConf.create(config), str(out / "model_config.yaml"))


def plain_yaml(out: Path) -> None:
    """With a tag for a Python object."""
    from collections import OrderedDict

    import yaml

    (out / "settings.yaml").write_text(yaml.dump({"optimizer": OrderedDict(name="adam", lr=0.1)}))


def template(out: Path) -> None:
    """As transformers saves it beside a tokenizer."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "<s>": 1}, "<s>")))
    tokenizer.chat_template = (
        "{%- for message in messages %}\n{{- '<|' + message['role'] + '|>' + message['content'] | trim }}\n"
        "{%- endfor %}\n{%- if add_generation_prompt %}\n{{- '<|assistant|>' }}\n{%- endif %}"
    )
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        (out / "chat_template.jinja").write_bytes(Path(folder, "chat_template.jinja").read_bytes())


def message(out: Path) -> None:
    """A protobuf message that is no model: an input for tests, as the collections of ONNX models have them."""
    import numpy as np
    from onnx import numpy_helper

    tensor = numpy_helper.from_array(np.arange(6.0).reshape(2, 3), "input_0")
    (out / "input_0.pb").write_bytes(tensor.SerializeToString())


def feather(out: Path) -> None:
    """Version 1."""
    import pyarrow
    from pyarrow import feather as writer

    table = pyarrow.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    writer.write_feather(table, str(out / "table.feather"), version=1)


def manifest(out: Path) -> None:
    """What Orbax keeps its arrays in."""
    import tempfile

    import tensorstore

    with tempfile.TemporaryDirectory() as folder:
        kvstore = {"driver": "ocdbt", "base": f"file://{folder}/"}
        array = {"driver": "zarr", "kvstore": kvstore, "path": "w", "metadata": {"shape": [3], "dtype": "<f4"}}
        tensorstore.open({**array, "create": True}).result().write([1, 2, 3]).result()
        (out / "manifest.ocdbt").write_bytes((Path(folder) / "manifest.ocdbt").read_bytes())


def encrypted(out: Path) -> None:
    """Parquet with and without a readable footer; the keys are in the files, as nobody needs to open them again."""
    from base64 import b64encode

    import pyarrow
    import pyarrow.parquet as parquet
    from pyarrow.parquet import encryption

    class Keys(encryption.KmsClient):
        def __init__(self, _: object) -> None:
            super().__init__()

        def wrap_key(self, key: bytes, _: str) -> bytes:
            """In plain sight."""
            return b64encode(key)

    table = pyarrow.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    for name, plain in (("encrypted", False), ("encrypted-columns", True)):
        settings = encryption.EncryptionConfiguration("f", column_keys={"c": ["a"]}, plaintext_footer=plain)
        factory = encryption.CryptoFactory(Keys)
        keys = factory.file_encryption_properties(encryption.KmsConnectionConfig(), settings)
        with parquet.ParquetWriter(out / f"{name}.parquet", table.schema, encryption_properties=keys) as writer:
            writer.write_table(table)


def pictures(out: Path) -> None:
    """PNG and JPEG."""
    from PIL import Image

    for name in ("picture.png", "picture.jpg"):
        Image.new("RGB", (16, 16), (200, 30, 30)).save(str(out / name))


def seven(out: Path) -> None:
    """One text."""
    import py7zr

    with py7zr.SevenZipFile(str(out / "archive.7z"), "w") as archive:
        archive.writestr("notes", "notes.txt")


def programs(out: Path) -> None:
    """A function as a library or program of each system, without a standard library."""
    systems = {"elf": "x86_64-linux", "pe": "x86_64-windows", "mach-o": "aarch64-macos", "wasm": "wasm32-freestanding"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "add.zig").write_text("export fn add(a: i32, b: i32) i32 {\n    return a + b;\n}\n")
        for name, target in systems.items():
            kind = ["build-exe", "-fno-entry", "--export=add"] if name == "wasm" else ["build-lib", "-dynamic"]
            command = [sys.executable, "-m", "ziglang", *kind, "add.zig", "-target", target, "-OReleaseSmall"]
            subprocess.run([*command, "-fstrip", "-femit-bin=made"], cwd=folder, check=True)
            (out / ("add." + name)).write_bytes(Path(folder, "made").read_bytes())


PARTS = {
    "numpy": (arrays, tars),
    "safetensors": (tensors,),
    "lz4": (packed,),
    "zstandard": (zstandard,),
    "joblib": (old_joblib,),
    "omegaconf": (settings,),
    "yaml": (plain_yaml,),
    "transformers": (template,),
    "onnx": (message,),
    "tensorstore": (manifest,),
    "pyarrow": (feather, encrypted),
    "PIL": (pictures,),
    "py7zr": (seven,),
    "ziglang": (programs,),
}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[2:] or list(PARTS)
    for library in wanted:
        if importlib.util.find_spec(library):
            for part in PARTS[library]:
                part(target)
