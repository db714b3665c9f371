"""The rules of the pipeline itself: what stages find, rather than checks."""

from __future__ import annotations

from shipworthy.model import Confidence, Rule, Severity

STOPPED = Rule(
    "check-stopped",
    title="A check had to be stopped while it read this",
    severity=Severity.HIGH,
    description="Reading it took more time or memory than any honest file needs, or made the reader crash. A file that "
    "no scanner survives is how attackers hide from scanners.",
    remedy="Find out where the file comes from. If it is honest and only large, raise [scan] memory-mb or exclude it.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-400",),
    help="resource-exhaustion",
)
NETWORK = Rule(
    "training-network-call",
    title="Training code calls out to the network",
    severity=Severity.HIGH,
    description="Code that runs on the training data and reaches for the network can leak the data, or fetch code and "
    "weights that nobody has looked at. The sandbox refused the call.",
    remedy="Declare what it needs under [[load.fetch]] with its digest, and remove the call. If the call was not "
    "yours, find out how it got into the code.",
    taxonomy=("CWE-829", "AML.T0010", "AML.T0025"),
    help="training-sandbox",
)
CLAIM = Rule(
    "metrics-claim-differs",
    title="The script claims other metrics than its predictions give",
    severity=Severity.HIGH,
    description="The metrics were computed again from the predictions and from labels that the script never sees. They "
    "differ from what it claims by more than the interval of the measurement allows.",
    remedy="Trust the measured value. Find out whether the claim is about other data, a mistake, or a lie.",
    taxonomy=("CWE-345",),
    help="evaluation",
)
WITNESSED = Rule(
    "model-witness",
    title="Another scanner reports this model",
    severity=Severity.HIGH,
    description="A scanner whose report was imported says this about the file, and our own look at the same file does "
    "not. Either it knows something that we do not, or it is a false alarm, of which some scanners have many.",
    remedy="Look at what it names: `shipworthy explain FILE`. If it is harmless, waive the finding with the reason.",
    confidence=Confidence.LOW,
    taxonomy=("CWE-502", "AML.T0010.003"),
    help="unsafe-model-deserialization",
)
MODEL_MISSING = Rule(
    "image-model-changed",
    title="The image has not the model that was signed",
    severity=Severity.CRITICAL,
    description="A file of the signed model is not in the image, or other bytes are in its place: what is served would "
    "not be what was scanned, evaluated and signed.",
    remedy="Have the Dockerfile copy the model from the build context, where the verified one lies, and change nothing "
    "of it; then build again.",
    taxonomy=("CWE-345", "CWE-494", "AML.T0010.003"),
    help="model-signing",
)
MODEL_UNSIGNED = Rule(
    "image-model-unsigned",
    title="The image holds a model file that nobody signed",
    severity=Severity.HIGH,
    description="Besides the signed model, a file in a format of models is in the image. Nobody scanned, evaluated or "
    "signed it, and the service may load it.",
    remedy="Take it out of the image, or make it part of the model that the ml pipeline signs.",
    taxonomy=("CWE-345", "CWE-494", "AML.T0010.003"),
    help="model-signing",
)
MODEL_BESIDE = Rule(
    "image-model-extra-file",
    title="Files that nobody signed lie in the folder of the signed model",
    severity=Severity.HIGH,
    description="In the folder from which the service loads the signed model there are further files. Loaders read "
    "what they find there: a configuration that names code to run, another tokenizer, an adapter that changes the "
    "weights.",
    remedy="Give the model a folder of its own in the image, or make the files part of the model that the ml pipeline "
    "signs.",
    confidence=Confidence.MEDIUM,
    taxonomy=("CWE-345", "CWE-494", "AML.T0010.003"),
    help="model-signing",
)
MODEL_PACKAGED = Rule(
    "image-model-packaged",
    title="A package brings model files into the image",
    severity=Severity.INFO,
    description="They came with the package: with a wheel whose digest the requirements pin, or in the base image. "
    "Most are test data that nobody loads. They were looked at like any other, but are not part of what was signed.",
    remedy="If the service loads one of them, make it part of the model that the ml pipeline signs. Else there is "
    "nothing to do; an image without the package's tests is smaller.",
    taxonomy=("CWE-829", "AML.T0010.003"),
    help="model-signing",
)
PACKAGE_CHANGED = Rule(
    "image-package-changed",
    title="A file of a package is not the one that was published",
    severity=Severity.HIGH,
    description="The build fetched the package by a pinned digest and installed it, and other bytes lie in the place "
    "of one of its files. A step of the build, or something that it ran, has changed what the service imports.",
    remedy="Find the step that changes it and take it out: a `RUN`, a `COPY` onto the package's folder, another "
    "package that writes over this one. If it is meant, such as stripped libraries, waive it for that path.",
    taxonomy=("CWE-345", "CWE-494", "CWE-506", "AML.T0010.001"),
    help="image-integrity",
)
PIPELINE_RULES = (
    STOPPED,
    NETWORK,
    CLAIM,
    WITNESSED,
    MODEL_MISSING,
    MODEL_UNSIGNED,
    MODEL_BESIDE,
    MODEL_PACKAGED,
    PACKAGE_CHANGED,
)
