"""Training under a contract: what goes in is declared and digested, it runs in a sandbox, what comes out is checked."""

from shipworthy.training.run import train
from shipworthy.training.spec import EarlyStopping, FoldResult, Judge, KFold, Stopping, TrainResult, TrainSpec

__all__ = ["EarlyStopping", "FoldResult", "Judge", "KFold", "Stopping", "TrainResult", "TrainSpec", "train"]
