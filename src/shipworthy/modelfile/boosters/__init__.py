"""Gradient boosting: XGBoost, LightGBM, CatBoost."""
