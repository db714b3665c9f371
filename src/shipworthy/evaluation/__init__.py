"""Measuring a model ourselves: the labels stay here, predictions are read strictly, every metric has its interval."""

from shipworthy.evaluation.evaluate import Claim, EvaluateResult, EvaluateSpec, evaluate
from shipworthy.evaluation.judge import FoldJudge
from shipworthy.evaluation.tables import Unusable

__all__ = ["Claim", "EvaluateResult", "EvaluateSpec", "FoldJudge", "Unusable", "evaluate"]
