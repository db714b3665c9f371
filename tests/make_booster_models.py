"""Writes the honest XGBoost, LightGBM and CatBoost files under tests/data/models/boosters.

pip install xgboost==1.7.6 lightgbm catboost scikit-learn pandas; then again with a newer xgboost and the argument
`new`. XGBoost 1.7.6 is the last that writes its old binary format without a detour.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "data" / "models" / "boosters"
NUMBERS = np.random.default_rng(0)
X = NUMBERS.normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)


def xgboost(tag: str) -> None:
    """Trees, linear and DART models in every format that this version writes."""
    import xgboost as xgb

    data = xgb.DMatrix(X, Y, feature_names=["a", "b", "c", "d"])
    small = {"max_depth": 2, "objective": "binary:logistic"}
    trees = xgb.train(small, data, 3)
    trees.set_attr(note="hello", best="3")
    for suffix in ("json", "ubj", *(("deprecated",) if tag == "old" else ())):
        trees.save_model(FOLDER / f"xgboost-{tag}.{suffix}")
        xgb.train({**small, "booster": "dart"}, data, 2).save_model(FOLDER / f"xgboost-{tag}-dart.{suffix}")
        linear = {"booster": "gblinear", "objective": "reg:squarederror"}
        xgb.train(linear, data, 2).save_model(FOLDER / f"xgboost-{tag}-linear.{suffix}")
    table = np.column_stack([X, NUMBERS.integers(0, 5, 60)])
    kinds = ["float"] * 4 + ["c"]
    mixed = xgb.DMatrix(table, Y, feature_types=kinds, enable_categorical=True)
    xgb.train({**small, "tree_method": "hist", "max_cat_to_onehot": 1}, mixed, 2).save_model(
        FOLDER / f"xgboost-{tag}-categories.json"
    )


def lightgbm() -> None:
    """Plain, categorical and linear trees, random forest."""
    import lightgbm as lgb

    def train(name: str, **more: object) -> None:
        data = lgb.Dataset(np.column_stack([X, NUMBERS.integers(0, 5, 60)]), Y, categorical_feature=[4])
        settings = {"objective": "binary", "num_leaves": 4, "verbose": -1, "min_data_in_leaf": 3, **more}
        lgb.train(settings, data, 3).save_model(FOLDER / f"lightgbm-{name}.txt")

    train("plain")
    train("linear", linear_tree=True)
    train("forest", boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    train("classes", objective="multiclass", num_class=2)


def catboost() -> None:
    """Numbers, categories (with tables of their statistics), asymmetric trees."""
    from catboost import CatBoostClassifier, Pool

    def train(name: str, pool: Pool, **more: object) -> None:
        model = CatBoostClassifier(iterations=3, depth=2, verbose=0, allow_writing_files=False, **more).fit(pool)
        model.save_model(str(FOLDER / f"catboost-{name}.cbm"))
        model.save_model(str(FOLDER / f"catboost-{name}.json"), format="json")

    words = np.array(["x", "y", "z"])[NUMBERS.integers(0, 3, 60)]
    mixed = [[*map(float, row), word] for row, word in zip(X[:, :2], words, strict=True)]
    train("plain", Pool(X, Y))
    train("words", Pool(mixed, (words == "x") * (X[:, 1] > -1), cat_features=[2]), one_hot_max_size=1)
    train("deep", Pool(X, Y), grow_policy="Lossguide")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    if sys.argv[1:] == ["new"]:
        xgboost("new")
    else:
        xgboost("old")
        lightgbm()
        catboost()
    names = ("xgboost", *(() if sys.argv[1:] else ("lightgbm", "catboost")))
    with (FOLDER / "versions.txt").open("a" if sys.argv[1:] else "w") as stream:
        stream.writelines(f"{name} {version(name)}\n" for name in names)
