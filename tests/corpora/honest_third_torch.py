# ruff: noqa: E501, E731 - makers are short functions
"""The third held-out objects of torch's families; see honest_third.py."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from honest_held import Makers, X, at


def torch_third() -> Makers:
    """State, optimizers, schedulers, modules and data as other training loops than those before leave them."""
    import torch
    from torch import nn, optim

    torch.manual_seed(3)
    schedule = optim.lr_scheduler
    sets = torch.utils.data

    def net() -> Any:
        return nn.Sequential(
            nn.Conv1d(2, 3, 3), nn.InstanceNorm1d(3, affine=True), nn.SiLU(), nn.Flatten(), nn.Linear(18, 2)
        )

    def stepped(kind: str, scheduler: Any = None, **more: Any) -> tuple[Any, Any, Any]:
        model = net()
        groups = [{"params": list(model[0].parameters()), "lr": 0.01}, {"params": list(model[4].parameters())}]
        optimizer = getattr(optim, kind)(groups, **{"lr": 0.1, **more})
        planned = scheduler(optimizer) if scheduler else None
        for _ in range(2):
            optimizer.zero_grad()
            model(torch.ones(2, 2, 8)).sum().backward()
            optimizer.step()
            if planned is not None and not isinstance(planned, schedule.ReduceLROnPlateau):
                planned.step()
        return model, optimizer, planned

    def checkpoint(kind: str, scheduler: Any = None, **more: Any) -> dict[str, Any]:
        model, optimizer, planned = stepped(kind, scheduler, **more)
        return {
            "state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()],
            "lr_schedulers": [planned.state_dict()] if planned else [], "global_step": 2, "hparams": {"lr": 0.1},
            "rng": {"torch": torch.get_rng_state(), "numpy": np.random.RandomState(1).get_state(), "python": at("random", "Random")(2).getstate()},
        }  # fmt: skip

    optimizers = {
        "Adam": {"amsgrad": True, "weight_decay": 0.1}, "AdamW": {"betas": (0.8, 0.9), "foreach": False},
        "SGD": {"momentum": 0.5, "dampening": 0.1}, "RMSprop": {"centered": True, "momentum": 0.1},
        "Adagrad": {"initial_accumulator_value": 0.1}, "Adadelta": {"rho": 0.8}, "Adamax": {"eps": 1e-7},
        "NAdam": {"momentum_decay": 0.01}, "RAdam": {"decoupled_weight_decay": True}, "ASGD": {"t0": 10.0}, "Rprop": {"etas": (0.4, 1.3)},
    }  # fmt: skip
    schedulers = {
        "lambda": lambda o: schedule.LambdaLR(o, [torch.relu, torch.relu]) and schedule.ExponentialLR(o, 0.5),
        "multi-step": lambda o: schedule.MultiStepLR(o, [1, 3]), "multiplicative": lambda o: schedule.ConstantLR(o, 0.5, 3),
        "cyclic": lambda o: schedule.CyclicLR(o, 0.01, 0.1, cycle_momentum=False),
        "one-cycle": lambda o: schedule.OneCycleLR(o, [0.1, 0.2], total_steps=9, cycle_momentum=False),
        "warmup": lambda o: schedule.SequentialLR(o, [schedule.LinearLR(o, 0.1, total_iters=2), schedule.CosineAnnealingLR(o, 5)], [2]),
        "chained": lambda o: schedule.ChainedScheduler([schedule.ConstantLR(o), schedule.StepLR(o, 2)]),
        "plateau": lambda o: schedule.ReduceLROnPlateau(o, "max", factor=0.2, cooldown=1),
    }  # fmt: skip
    utils = nn.utils
    data = sets.TensorDataset(torch.ones(6, 2), torch.arange(6))
    values: Makers = {}
    for kind, more in optimizers.items():
        values[f"checkpoint-{kind}"] = lambda kind=kind, more=more: checkpoint(kind, **more)
        values[f"optimizer-{kind}"] = lambda kind=kind, more=more: stepped(kind, **more)[1]
    for label, planned in schedulers.items():
        values[f"scheduled-{label}"] = lambda planned=planned: checkpoint("SGD", planned)
        values[f"scheduler-{label}"] = lambda planned=planned: stepped("SGD", planned)[2]
    modules = {
        "transformer": lambda: nn.Transformer(4, 2, 1, 1, 8, activation="gelu", norm_first=True),
        "decoder": lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 1, norm=nn.LayerNorm(4)),
        "rnn": lambda: nn.ModuleDict({"e": nn.Embedding(9, 4, padding_idx=0), "l": nn.LSTM(4, 3, 2, bidirectional=True, proj_size=2), "r": nn.RNN(4, 3, nonlinearity="relu")}),
        "cells": lambda: nn.ModuleList([nn.LSTMCell(2, 3), nn.GRUCell(2, 3)]),
        "transposed": lambda: nn.Sequential(nn.ConvTranspose2d(1, 2, 3, stride=2, output_padding=1), nn.PixelShuffle(1), nn.Upsample(scale_factor=2.0, mode="bilinear")),
        "channels-last": lambda: nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last),
        "normed": lambda: utils.weight_norm(nn.Linear(2, 3)),
        "spectral-old": lambda: utils.spectral_norm(nn.Conv1d(1, 2, 3)),
        "parametrized": lambda: utils.parametrizations.spectral_norm(nn.Linear(3, 3), n_power_iterations=2),
        "pruned-random": lambda: at("torch.nn.utils.prune", "random_unstructured")(nn.Conv2d(1, 2, 3), "weight", 0.5),
        "pruned-rows": lambda: at("torch.nn.utils.prune", "ln_structured")(nn.Linear(4, 4), "weight", 0.5, 2, 0),
        "frozen": lambda: net().requires_grad_(False).eval(),
        "double": lambda: net().double(),
        "half-state": lambda: {key: value.half() for key, value in net().state_dict().items()},
        "shared-weights": lambda: _tied(nn),
        "losses": lambda: nn.ModuleList([nn.BCEWithLogitsLoss(pos_weight=torch.ones(1)), nn.TripletMarginLoss(p=1), nn.CTCLoss(), nn.KLDivLoss(log_target=True), nn.AdaptiveLogSoftmaxWithLoss(4, 9, [3])]),
        "averaged": lambda: optim.swa_utils.AveragedModel(net(), multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9)),
        "dynamic": lambda: torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.LSTM(2, 3), nn.Linear(3, 1)), {nn.LSTM, nn.Linear}),
        "prepared": lambda: torch.ao.quantization.prepare(_configured(torch, nn)),
        "converted": lambda: torch.ao.quantization.convert(_calibrated(torch, nn)).state_dict(),
        "fused": lambda: torch.ao.quantization.fuse_modules(nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.ReLU()).eval(), [["0", "1", "2"]]),
        "traced-graph": lambda: torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU())).state_dict(),
        "data-parallel": lambda: nn.DataParallel(nn.Linear(2, 2)),
        "parameters": lambda: nn.ParameterDict({"a": nn.Parameter(torch.ones(2)), "b": nn.Parameter(torch.zeros(1), requires_grad=False)}),
        "moved": lambda: {"w": torch.ones(4, 4)[1:, ::2], "s": torch.tensor(3), "e": torch.empty(0), "i": torch.eye(2, dtype=torch.int16)},
        "dtypes": lambda: [torch.ones(2, dtype=kind) for kind in (torch.bfloat16, torch.float16, torch.int32, torch.complex128, torch.bool)],
        "sparse-coo": lambda: torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0], (2, 3)),
        "sparse-csc": lambda: torch.eye(3).to_sparse_csc(),
        "lists": lambda: [(torch.ones(1), {"k": [torch.zeros(1)]}), None, {"shape": torch.Size([2]), "device": torch.device("cpu")}],
        "generator": lambda: torch.Generator().manual_seed(4).get_state(),
        "data-sets": lambda: sets.Subset(sets.ConcatDataset([data, data]), [1, 7]),
        "loader": lambda: sets.DataLoader(data, batch_sampler=sets.BatchSampler(sets.RandomSampler(data), 2, True)),
        "stacked": lambda: sets.StackDataset(data, data),
        "normal": lambda: [torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2)), torch.distributions.LogNormal(0.0, 1.0), torch.distributions.Gumbel(0.0, 1.0)],
        "named-tuple": lambda: torch.max(torch.eye(3), dim=1),
        "history": lambda: at("collections", "defaultdict")(list, {"loss": [torch.tensor(0.5)], "acc": [0.25]}),
        "scaler": lambda: torch.amp.GradScaler("cpu", enabled=True),
        "namespace": lambda: {"args": at("argparse", "Namespace")(lr=0.1, layers=[1]), "model": net().state_dict(), "path": at("pathlib", "PurePosixPath")("a/b")},
        "numpy-inside": lambda: {"classes": np.array(["a", "b"]), "mean": np.float64(0.5), "prior": X[:2], "w": torch.from_numpy(X[:2])},
    }  # fmt: skip
    return {**values, **modules}


def _tied(nn: Any) -> Any:
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 5, bias=False))
    model[1].weight = model[0].weight
    return model


def _configured(torch: Any, nn: Any) -> Any:
    model = nn.Sequential(
        torch.ao.quantization.QuantStub(), nn.Linear(2, 2), torch.ao.quantization.DeQuantStub()
    ).eval()
    model.qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    return model


def _calibrated(torch: Any, nn: Any) -> Any:
    model = torch.ao.quantization.prepare(_configured(torch, nn))
    model(torch.ones(2, 2))
    return model


def vision_third() -> Makers:
    """torchvision's own models and transforms; nothing is downloaded."""
    models, transforms = (
        importlib.import_module("torchvision.models"),
        importlib.import_module("torchvision.transforms"),
    )
    later = importlib.import_module("torchvision.transforms.v2")
    small = {"mobilenet_v3_small": {"width_mult": 0.25}, "shufflenet_v2_x0_5": {}, "squeezenet1_1": {}, "mnasnet0_5": {}, "mobilenet_v2": {"width_mult": 0.1}}  # fmt: skip
    values: Makers = {}
    for name, more in small.items():
        values[name] = lambda name=name, more=more: getattr(models, name)(weights=None, num_classes=2, **more)
        values[name + "-state"] = lambda name=name, more=more: getattr(models, name)(
            weights=None, num_classes=2, **more
        ).state_dict()
    vision = lambda: models.VisionTransformer(16, 8, 1, 2, 8, 8, num_classes=2)
    values |= {
        "vit": vision,
        "resnet": lambda: models.resnet.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=2, width_per_group=64),
        "densenet": lambda: models.DenseNet(2, (1, 1), 4, num_classes=2),
        "swin": lambda: models.SwinTransformer([2, 2], 4, [1, 1], [1, 1], [2, 2], num_classes=2),
        "features": lambda: at("torchvision.models.feature_extraction", "create_feature_extractor")(models.squeezenet1_1(weights=None), ["features.1"]).state_dict(),
        "pyramid": lambda: at("torchvision.ops", "FeaturePyramidNetwork")([2, 4], 3),
        "transforms": lambda: transforms.Compose([transforms.Resize(8), transforms.CenterCrop(4), transforms.RandomHorizontalFlip(), transforms.ToTensor(), transforms.Normalize([0.5], [0.2])]),
        "augment": lambda: transforms.Compose([transforms.RandomRotation(5), transforms.ColorJitter(0.1), transforms.AutoAugment(), transforms.RandomErasing()]),
        "transforms-v2": lambda: later.Compose([later.RandomResizedCrop(8), later.ToDtype(at("torch", "float32"), scale=True)]),
    }  # fmt: skip
    return values


def transformers_third() -> Makers:
    """Tiny models of configurations that are built here: whole, as state, with heads, and what stands beside them."""
    import torch
    import transformers as t

    text = {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
            "intermediate_size": 8, "max_position_embeddings": 16, "pad_token_id": 0}  # fmt: skip
    gpt = {"vocab_size": 20, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 16}
    pair = {"vocab_size": 20, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
            "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "max_position_embeddings": 16}  # fmt: skip
    image = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "image_size": 16,
        "patch_size": 8,
    }
    rows = [
        ("Bert", "ForQuestionAnswering", text), ("Bert", "ForMultipleChoice", text), ("Roberta", "ForMaskedLM", text),
        ("XLMRoberta", "ForSequenceClassification", text), ("Electra", "ForPreTraining", {**text, "embedding_size": 8}),
        ("DebertaV2", "ForTokenClassification", text), ("Albert", "ForMaskedLM", {**text, "embedding_size": 4}),
        ("DistilBert", "ForSequenceClassification", {"vocab_size": 20, "dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8}),
        ("GPT2", "LMHeadModel", gpt), ("GPT2", "ForSequenceClassification", gpt), ("GPTNeoX", "ForCausalLM", text),
        ("Mistral", "ForCausalLM", text), ("Qwen2", "ForSequenceClassification", text), ("Gemma", "ForCausalLM", {**text, "head_dim": 4}),
        ("Phi", "ForCausalLM", text), ("OPT", "ForCausalLM", {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "ffn_dim": 8, "num_attention_heads": 2, "max_position_embeddings": 16, "word_embed_proj_dim": 8}),
        ("T5", "ForConditionalGeneration", {"vocab_size": 20, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}),
        ("Bart", "ForConditionalGeneration", pair), ("Marian", "MTModel", {**pair, "pad_token_id": 0, "decoder_start_token_id": 0}), ("Pegasus", "ForConditionalGeneration", pair),
        ("ViT", "ForImageClassification", image), ("Dinov2", "Model", image), ("Beit", "Model", image),
        ("ConvNext", "ForImageClassification", {"hidden_sizes": [4, 8], "depths": [1, 1], "num_stages": 2}),
        ("MobileBert", "Model", {**text, "embedding_size": 8, "true_hidden_size": 8, "intra_bottleneck_size": 8}),
        ("Wav2Vec2", "ForCTC", {**text, "conv_dim": (4,), "conv_stride": (2,), "conv_kernel": (3,), "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "num_feat_extract_layers": 1}),
        ("Mamba", "ForCausalLM", {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "state_size": 2}),
        ("CLIPText", "Model", {**text, "eos_token_id": 2}), ("CLIPVision", "Model", image),
    ]  # fmt: skip

    def built(name: str, head: str, more: dict[str, Any]) -> Any:
        model = "Marian" if name == "Marian" else name
        return getattr(t, model + head)(getattr(t, name + "Config")(**more))

    values: Makers = {}
    for number, (name, head, more) in enumerate(rows):
        values[name + head] = lambda name=name, head=head, more=more: built(name, head, more)
        if number % 2:
            values[name + head + "-state"] = lambda name=name, head=head, more=more: {
                "model": built(name, head, more).half().state_dict(),
                "config": getattr(t, name + "Config")(**more),
            }
    bert = lambda: built("Bert", "ForSequenceClassification", text)
    values |= {
        "arguments": lambda: t.TrainingArguments("o", report_to=[], use_cpu=True, save_strategy="epoch", optim="adafactor", label_smoothing_factor=0.1),
        "collators": lambda: [t.DataCollatorWithPadding(None), t.default_data_collator],
        "generation": lambda: t.GenerationConfig(num_beams=2, eos_token_id=[1, 2], suppress_tokens=[3]),
        "cosine": lambda: t.get_cosine_schedule_with_warmup(torch.optim.AdamW(bert().parameters()), 1, 5),
        "constant": lambda: t.get_constant_schedule_with_warmup(torch.optim.AdamW(bert().parameters()), 2),
        "trainer-state": lambda: t.TrainerState(best_metric=0.5, log_history=[{"eval_loss": np.float32(0.2)}], stateful_callbacks={}),
        "encoding": lambda: t.BatchEncoding({"input_ids": [[1, 2]], "attention_mask": [[1, 1]]}),
        "processors": lambda: t.LogitsProcessorList([t.TemperatureLogitsWarper(0.5), t.TopKLogitsWarper(5)]),
        "image-processor": lambda: t.ViTImageProcessor(size={"height": 16, "width": 16}),
        "prediction": lambda: at("transformers.trainer_utils", "PredictionOutput")(X, X[:, 0], {"loss": 0.5}),
        "quantization": lambda: t.BitsAndBytesConfig(load_in_8bit=False),
    }  # fmt: skip
    return values


def neighbours_third() -> Makers:
    """timm, torchmetrics, lightning, gpytorch, sentence-transformers, geometric graphs, gymnasium, skorch."""
    import torch
    from torch import nn

    values: Makers = {
        "timm." + name: lambda name=name: at("timm", "create_model")(name, pretrained=False, num_classes=2)
        for name in ("test_vit", "test_resnet", "test_efficientnet", "test_byobnet")
    }
    metrics = {
        "classification.MulticlassAUROC": {"num_classes": 3}, "classification.BinaryCalibrationError": {}, "classification.MultilabelF1Score": {"num_labels": 2},
        "classification.MulticlassConfusionMatrix": {"num_classes": 3}, "MeanSquaredLogError": {}, "PearsonCorrCoef": {}, "R2Score": {}, "text.Perplexity": {},
        "text.CharErrorRate": {}, "aggregation.MeanMetric": {}, "MinMaxMetric": {"base_metric": None}, "retrieval.RetrievalMRR": {}, "image.PeakSignalNoiseRatio": {},
    }  # fmt: skip
    for name, more in metrics.items():
        module, _, label = name.rpartition(".")
        values["torchmetrics." + label] = lambda module=module, label=label, more=more: at(
            "torchmetrics" + (module and "." + module), label
        )(**{key: at("torchmetrics", "MeanMetric")() if key == "base_metric" else value for key, value in more.items()})
    kernels = "gpytorch.kernels"
    lightning = "pytorch_lightning."
    values |= {
        "torchmetrics.collection": lambda: at("torchmetrics", "MetricCollection")([at("torchmetrics", "MeanSquaredError")(), at("torchmetrics", "MeanAbsoluteError")()]),
        "gpytorch.product": lambda: at(kernels, "RQKernel")() * at(kernels, "LinearKernel")(),
        "gpytorch.constrained": lambda: at(kernels, "RBFKernel")(lengthscale_constraint=at("gpytorch.constraints", "Interval")(0.1, 2.0), lengthscale_prior=at("gpytorch.priors", "GammaPrior")(2.0, 1.0)),
        "gpytorch.multitask": lambda: at("gpytorch.likelihoods", "MultitaskGaussianLikelihood")(num_tasks=2).state_dict(),
        "lightning.callbacks": lambda: [at(lightning + "callbacks", "EarlyStopping")("loss", patience=2), at(lightning + "callbacks", "LearningRateMonitor")()],
        "lightning.checkpoint": lambda: at(lightning + "callbacks", "ModelCheckpoint")(monitor="loss").state_dict(),
        "geometric.graph": lambda: at("torch_geometric.data", "Data")(x=torch.ones(3, 2), edge_index=torch.tensor([[0, 1], [1, 2]])),
        "geometric.hetero": lambda: _hetero(torch),
        "geometric.net": lambda: at("torch_geometric.nn", "GCN")(2, 4, 2),
        "geometric.attention": lambda: at("torch_geometric.nn", "GATConv")(2, 2, heads=2),
        "sentence.pooling": lambda: at("sentence_transformers.models", "Pooling")(8, "cls"),
        "sentence.dense": lambda: at("sentence_transformers.models", "Dense")(8, 4, activation_function=nn.Tanh()),
        "sentence.normalize": lambda: nn.Sequential(at("sentence_transformers.models", "Normalize")()),
        "gymnasium.graph": lambda: at("gymnasium.spaces", "Graph")(at("gymnasium.spaces", "Box")(0, 1, (2,)), at("gymnasium.spaces", "Discrete")(2)),
        "gymnasium.sequence": lambda: at("gymnasium.spaces", "Sequence")(at("gymnasium.spaces", "Discrete")(3, start=1)),
        "skorch.module": lambda: at("skorch", "NeuralNetRegressor")(nn.Linear(4, 1), max_epochs=1, verbose=0),
        "tokenizers.unigram": lambda: at("tokenizers", "Tokenizer")(at("tokenizers.models", "Unigram")([("a", -1.0), ("b", -2.0)])),
    }  # fmt: skip
    return values


def _hetero(torch: Any) -> Any:
    data = at("torch_geometric.data", "HeteroData")()
    data["user"].x = torch.ones(2, 3)
    data["user", "rates", "film"].edge_index = torch.tensor([[0], [1]])
    return data


GROUPS = [
    ("torch", torch_third),
    ("torch-vision", vision_third),
    ("torch-transformers", transformers_third),
    ("torch-others", neighbours_third),
]
