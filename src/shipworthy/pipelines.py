"""The two pipelines: what runs, in which order."""

from __future__ import annotations

from shipworthy.engine.stage import Pipeline
from shipworthy.stages import scan, trigger
from shipworthy.stages.dev import load as dev_load
from shipworthy.stages.gate import gate
from shipworthy.stages.ml import evaluate, load, model_scan, sign, store, train
from shipworthy.stages.not_built import not_built

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
        not_built("build", "Build image", "Builds the container image."),
        not_built("test", "Image scan and DAST", "Looks into the image and attacks the running service."),
        not_built("before-release", "Gate", "Stops before signing."),
        not_built("sign", "Sign", "Signs image, SBOM and results."),
        not_built("store", "Store", "Pushes to the registry."),
        not_built("deploy-check", "Deploy check", "Looks at the deployment from outside."),
        not_built("after-deploy", "Gate", "Decides on the deployment."),
        not_built("protect", "Runtime protection", "Guards the running service."),
    ),
)

PIPELINES = {pipeline.name: pipeline for pipeline in (ML, DEV)}
