"""Operators that make or do as much as a number of the graph says: where it is, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ATTRIBUTE = 16  # behind all inputs of these operators

# how the result follows from an input: its product is the shape, or multiplies another input's; it is the size; ...
SHAPE, TIMES, RANGE, PADS, PAIRS, NUMBER, BOTH = range(7)
MAKES: dict[str, tuple[tuple[int, int], ...]] = {
    **dict.fromkeys(("ConstantOfShape", "Fill", "Empty", "RandomUniform", "RandomUniformInt", "RandomStandardNormal",
                     "TruncatedNormal", "RandomGamma", "RandomPoisson", "RandomPoissonV2", "StatelessRandomUniform",
                     "StatelessRandomUniformInt", "StatelessRandomUniformFullInt", "StatelessRandomNormal",
                     "StatelessTruncatedNormal", "StatelessRandomUniformV2", "StatelessRandomUniformIntV2",
                     "StatelessRandomNormalV2", "StatelessTruncatedNormalV2", "StatelessRandomUniformFullIntV2",
                     "ParameterizedTruncatedNormal", "StatelessRandomBinomial", "StatelessRandomGammaV2",
                     "StatelessRandomGammaV3", "StatelessRandomPoisson", "StatelessParameterizedTruncatedNormal",
                     "NonDeterministicInts", "RaggedTensorToTensor", "Conv2DBackpropInput", "Conv2DBackpropInputV2",
                     "Conv3DBackpropInput", "Conv3DBackpropInputV2", "DepthwiseConv2dNativeBackpropInput"),
                    ((SHAPE, 0),)),
    **dict.fromkeys(("Expand", "BroadcastTo", "SparseToDense", "ResizeBilinear", "ResizeNearestNeighbor",
                     "ResizeBicubic", "ResizeArea", "AffineGrid", "CenterCropPad", "Col2Im", "ExtractGlimpse",
                     "ExtractGlimpseV2", "ScaleAndTranslate"), ((SHAPE, 1),)),
    **dict.fromkeys(("ScatterNd", "StatefulStandardNormalV2", "StatefulUniform", "StatefulUniformInt",
                     "StatefulUniformFullInt", "StatefulTruncatedNormal", "StatefulRandomBinomial", "MaxUnpool",
                     "ImageProjectiveTransformV2", "ImageProjectiveTransformV3"), ((SHAPE, 2),)),
    "CropAndResize": ((SHAPE, 3),),
    **dict.fromkeys(("Tile", "Upsample", "OneHot"), ((TIMES, 1),)),
    "Resize": ((TIMES, 2), (SHAPE, 3)),
    "Range": ((RANGE, 0),),
    "Pad": ((PADS, 1),),
    **dict.fromkeys(("PadV2", "MirrorPad"), ((PAIRS, 1),)),
    **dict.fromkeys(("Multinomial", "Bincount", "TensorListReserve", "TensorListResize", "DenseBincount",
                     "StatelessMultinomial", "DFT"), ((NUMBER, 1),)),
    **dict.fromkeys(("LinSpace", "UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin",
                     "UnsortedSegmentProd", "HistogramFixedWidth"), ((NUMBER, 2),)),
    **dict.fromkeys(("HannWindow", "HammingWindow", "BlackmanWindow", "TensorArrayV3"), ((NUMBER, 0),)),
    **dict.fromkeys(("SobolSample", "MelWeightMatrix"), ((BOTH, 0),)),
    **dict.fromkeys(("MatrixDiagV2", "MatrixDiagV3"), ((BOTH, 2),)),
    "SpaceToBatchND": ((PAIRS, 2),),
    # what constants unpack to is not followed
    **dict.fromkeys(("ParseTensor", "DecodeCompressed", "DecodeImage", "DecodePng", "DecodeJpeg", "DecodeGif",
                     "DecodeWebP", "DecodeJxl"), ((SHAPE, 0),)),
    # what attributes say, which are put behind all inputs
    **dict.fromkeys(("Conv", "MaxPool", "AveragePool", "LpPool"), ((PADS, ATTRIBUTE),)),
    **dict.fromkeys(("ConvTranspose", "RoiAlign", "MaxRoiPool", "TemporaryVariable", "ParallelConcat", "AsString",
                     "UniformCandidateSampler", "LogUniformCandidateSampler", "LearnedUnigramCandidateSampler",
                     "ThreadUnsafeUnigramCandidateSampler", "AllCandidateSampler", "FixedUnigramCandidateSampler",
                     "MutableDenseHashTable", "MutableDenseHashTableV2", "AnonymousMutableDenseHashTable"),
                    ((SHAPE, ATTRIBUTE),)),
}  # fmt: skip

# Datasets that have at least as many elements as the one they are made from, or so many less that it does not matter.
PASSING = frozenset(
    "MapDataset ParallelMapDataset ParallelMapDatasetV2 PrefetchDataset OptionsDataset ModelDataset ShuffleDataset "
    "ShuffleDatasetV2 ShuffleDatasetV3 ConcatenateDataset FilterDataset ParallelFilterDataset FinalizeDataset "
    "SkipDataset EnumerateDataset ScanDataset UniqueDataset OptimizeDataset OptimizeDatasetV2 UnbatchDataset".split()
)
READING = frozenset(("ReduceDataset", "DatasetToTFRecord", "InitializeTableFromDataset"))
REPEATING = PASSING | READING | {"RangeDataset", "RepeatDataset", "For"}

# TensorFlow's attributes that say a size.
_SAID = {
    **dict.fromkeys(("TemporaryVariable", "ParallelConcat"), "shape"),
    **dict.fromkeys(("UniformCandidateSampler", "LogUniformCandidateSampler", "LearnedUnigramCandidateSampler",
                     "ThreadUnsafeUnigramCandidateSampler", "AllCandidateSampler", "FixedUnigramCandidateSampler"),
                    "num_sampled"),
    **dict.fromkeys(("MutableDenseHashTable", "MutableDenseHashTableV2", "AnonymousMutableDenseHashTable"),
                    "initial_num_buckets"),
    "AsString": "width",
}  # fmt: skip
_TURNED = {"transpose_a": "=a", "adj_x": "=a", "transpose_b": "=b", "adj_y": "=b"}


def said(
    operator: str, numbers: Mapping[str, tuple[Any, ...]], texts: Mapping[str, list[str]], count: int
) -> list[str]:
    """What comes behind the inputs of a node of TensorFlow, of which there are `count`: names as `#4,5` for sizes that
    its attributes say, `=a` and `=b` for matrices that are turned, and the equation of Einsum.
    """
    if operator == "Einsum":
        return ["=" + text for text in texts.get("equation", [])[:1]]
    if operator in ("MatMul", "BatchMatMul", "BatchMatMulV2"):
        return [mark for key, mark in _TURNED.items() if numbers.get(key, (0,))[0]]
    if operator == "StaticRegexReplace":
        return [""] + [f"#{len(text)}" for text in texts.get("rewrite", [])]
    values = numbers.get(_SAID.get(operator, ""))
    return [""] * (ATTRIBUTE - count) + ["#" + ",".join(map(str, values))] if values else []


def labelled(names: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    """The names that `said` gave, with their values."""
    return [(name, tuple(int(part) for part in name[1:].split(",") if part)) for name in names if name.startswith("#")]
