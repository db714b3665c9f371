"""The two pipelines: what runs, in which order."""

from __future__ import annotations

from shipworthy.engine.stage import Pipeline
from shipworthy.stages import scan, trigger
from shipworthy.stages.dev import build, deploy_check, image_test, protect
from shipworthy.stages.dev import load as dev_load
from shipworthy.stages.dev import sign as dev_sign
from shipworthy.stages.dev import store as dev_store
from shipworthy.stages.gate import gate
from shipworthy.stages.ml import evaluate, load, model_scan, sign, store, train

ML = Pipeline(
    "ml",
    "MLSecOps",
    (
        trigger.STAGE,
        load.STAGE,
        scan.STAGE,
        gate("before-train", "Gate", "Stops before training on anything that is not clean.", over=("load", "scan")),
        train.STAGE,
        evaluate.STAGE,
        model_scan.STAGE,
        gate("before-sign", "Gate", "Stops before signing a model that fell short.", over=("evaluate", "model-scan")),
        sign.STAGE,
        store.STAGE,
    ),
)

DEV = Pipeline(
    "dev",
    "DevSecOps",
    (
        trigger.STAGE,
        dev_load.STAGE,
        scan.STAGE,
        gate("before-build", "Gate", "Stops before building from anything that is not clean.", over=("load", "scan")),
        build.STAGE,
        image_test.STAGE,
        gate("before-release", "Gate", "Stops before signing an image that fell short.", over=("build", "test")),
        dev_sign.STAGE,
        dev_store.STAGE,
        deploy_check.STAGE,
        gate("after-deploy", "Gate", "Stops before serving what is not deployed well.", over=("deploy-check",)),
        protect.STAGE,
    ),
)

PIPELINES = {pipeline.name: pipeline for pipeline in (ML, DEV)}
