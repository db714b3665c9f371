# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fourth held-out objects of torch's families; see honest_fourth.py. What an older torch does not have fails."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from honest_held import Makers, X, Y, at


def nets() -> Makers:
    """Whole modules as tutorials build them, and their states."""
    import torch
    from torch import nn

    torch.manual_seed(4)
    block = lambda a, b: nn.Sequential(
        nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(inplace=True), nn.MaxPool2d(2)
    )
    modules = {
        "cnn": lambda: nn.Sequential(block(1, 4), block(4, 8), nn.Flatten(), nn.Linear(8 * 7 * 7, 16), nn.Dropout(0.5), nn.Linear(16, 10)),
        "autoencoder": lambda: nn.ModuleDict({"encoder": nn.Sequential(nn.Linear(16, 4), nn.Tanh()), "decoder": nn.Sequential(nn.Linear(4, 16), nn.Sigmoid())}),
        "unet": lambda: nn.ModuleList([block(3, 4), nn.ConvTranspose2d(4, 3, 2, stride=2), nn.Upsample(scale_factor=2)]),
        "lstm": lambda: nn.LSTM(5, 6, num_layers=2, batch_first=True, dropout=0.1, bidirectional=True),
        "gru": lambda: nn.Sequential(nn.Embedding(11, 4, padding_idx=0), nn.GRU(4, 3, batch_first=True)),
        "encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
        "attention": lambda: nn.MultiheadAttention(8, 2, kdim=4, vdim=4),
        "generator": lambda: nn.Sequential(nn.ConvTranspose2d(4, 3, 4, bias=False), nn.BatchNorm2d(3), nn.LeakyReLU(0.2), nn.Tanh()),
        "group-norm": lambda: nn.Sequential(nn.Conv2d(4, 4, 1, groups=2), nn.GroupNorm(2, 4), nn.GELU(), nn.AdaptiveAvgPool2d(1)),
        "bag": lambda: nn.Sequential(nn.EmbeddingBag(10, 4, mode="mean"), nn.Linear(4, 2)),
        "bilinear": lambda: nn.Bilinear(2, 3, 4),
        "tabular": lambda: nn.ModuleDict({"emb": nn.ModuleList([nn.Embedding(3, 2), nn.Embedding(5, 3)]), "mlp": nn.Sequential(nn.Linear(7, 4), nn.SELU(), nn.AlphaDropout(0.1), nn.Linear(4, 1))}),
        "separable": lambda: nn.Sequential(nn.Conv1d(3, 3, 5, groups=3, padding="same"), nn.Conv1d(3, 6, 1), nn.Hardswish(), nn.AdaptiveMaxPool1d(2)),
        "classifier": lambda: nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 3), nn.LogSoftmax(dim=-1)).eval(),
        "weight-normed": lambda: nn.Sequential(nn.utils.weight_norm(nn.Conv1d(1, 2, 3)), nn.PReLU()),
        "cosine": lambda: nn.ModuleList([nn.CosineSimilarity(dim=1), nn.PairwiseDistance(2), nn.Softplus(), nn.Identity(), nn.ZeroPad2d(1), nn.Fold((4, 4), 2)]),
        "parameters": lambda: nn.ParameterList([nn.Parameter(torch.zeros(2)), nn.Parameter(torch.ones(1, 3))]),
    }  # fmt: skip
    values: Makers = dict(modules)
    for name, make in modules.items():
        values[name + "-state"] = lambda make=make: make().state_dict()
    return values


def training() -> Makers:
    """Checkpoints of training loops, data and results."""
    import torch
    from torch import nn, optim

    sets, schedule = torch.utils.data, optim.lr_scheduler
    net = lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))

    def trained(kind: str = "AdamW", plan: Any = None, **more: Any) -> dict[str, Any]:
        model = net()
        optimizer = getattr(optim, kind)(model.parameters(), **{"lr": 1e-3, **more})
        planned = plan(optimizer) if plan else None
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.tensor(X[:8], dtype=torch.float32)), torch.tensor(Y[:8])).backward()
            optimizer.step()
        return {"model": model, "optimizer": optimizer, "scheduler": planned}

    def saved(kind: str = "AdamW", plan: Any = None, **more: Any) -> dict[str, Any]:
        parts = trained(kind, plan, **more)
        return {key: part.state_dict() for key, part in parts.items() if part is not None}

    lightning = lambda: {
        "epoch": 1, "global_step": 2, "pytorch-lightning_version": "2.0.0", "state_dict": net().state_dict(), "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1, "completed": 1}}}},
        "callbacks": {"ModelCheckpoint{'monitor': 'val'}": {"monitor": "val", "best_model_score": torch.tensor(0.5), "best_k_models": {"a.ckpt": torch.tensor(0.5)}, "kth_value": torch.tensor(0.5)}},
        "optimizer_states": [saved("Adam")["optimizer"]], "lr_schedulers": [], "hparams_name": "kwargs", "hyper_parameters": {"lr": 0.1, "layers": [4, 2]},
    }  # fmt: skip
    tensors = lambda: sets.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return {
        "resume": lambda: {"epoch": 3, "best": 0.91, **saved("SGD", lambda o: schedule.StepLR(o, 2, 0.5), momentum=0.9, nesterov=True), "args": {"lr": 0.1, "name": "run"}},
        "resume-cosine": lambda: saved("AdamW", lambda o: schedule.CosineAnnealingWarmRestarts(o, 3), weight_decay=0.05),
        "resume-plateau": lambda: saved("RMSprop", lambda o: schedule.ReduceLROnPlateau(o, patience=1)),
        "resume-one-cycle": lambda: saved("Adam", lambda o: schedule.OneCycleLR(o, 0.1, total_steps=5)),
        "whole": lambda: trained("Adam", lambda o: schedule.ExponentialLR(o, 0.9)),
        "whole-list": lambda: [trained("Adagrad")["model"], trained("NAdam")["optimizer"]],
        "distributed": lambda: {"state_dict": {"module." + key: value for key, value in net().state_dict().items()}, "arch": "mlp", "best_acc1": torch.tensor(71.5)},
        "compiled": lambda: {"_orig_mod." + key: value for key, value in net().state_dict().items()},
        "lightning": lightning,
        "average": lambda: optim.swa_utils.AveragedModel(net()),
        "average-state": lambda: {"ema": optim.swa_utils.AveragedModel(net()).state_dict(), "decay": 0.999},
        "adapters": lambda: {f"base.layers.{i}.q_proj.lora_{side}.weight": torch.zeros(2, 4).to(torch.bfloat16) for i in range(2) for side in "AB"},
        "half": lambda: {key: value.half() for key, value in net().state_dict().items()},
        "quantized": lambda: _dynamic(torch, net()),
        "quantized-tensor": lambda: _quantized(torch),
        "embeddings": lambda: {"ids": ["a", "b"], "vectors": torch.nn.functional.normalize(torch.rand(2, 8)), "index": torch.arange(2)},
        "predictions": lambda: {"logits": torch.rand(3, 2), "labels": torch.tensor([0, 1, 1]), "probabilities": torch.rand(3, 2).softmax(-1).numpy(), "files": ("a.png", "b.png")},
        "data-set": tensors,
        "data-split": lambda: sets.random_split(tensors(), [40, 20]),
        "loader": lambda: sets.DataLoader(tensors(), batch_size=4, shuffle=True, drop_last=True),
        "samplers": lambda: [sets.WeightedRandomSampler([0.2, 0.8], 4), sets.SubsetRandomSampler([1, 2]), sets.SequentialSampler([1, 2, 3])],
        "padded": lambda: nn.utils.rnn.pack_padded_sequence(torch.rand(2, 3, 1), torch.tensor([3, 2]), batch_first=True),
        "sparse": lambda: {"a": torch.eye(4).to_sparse(), "csr": torch.eye(4).to_sparse_csr()},
        "complex": lambda: [torch.fft.rfft(torch.rand(8)), torch.view_as_complex(torch.rand(2, 2)), torch.polar(torch.ones(1), torch.ones(1))],
        "views": lambda: (lambda base: {"base": base, "rows": base[::2], "turned": base.t(), "wide": base.expand(2, 4, 4)})(torch.rand(4, 4)),
        "grad": lambda: (lambda leaf: {"leaf": leaf, "grad": leaf.grad})(_with_grad(torch)),
        "random-state": lambda: {"torch": torch.get_rng_state(), "numpy": np.random.RandomState(0).get_state(), "python": at("random", "Random")(0).getstate()},
        "distributions": lambda: {"n": torch.distributions.Normal(torch.zeros(2), torch.ones(2)), "c": torch.distributions.Categorical(torch.tensor([0.2, 0.8])), "m": torch.distributions.Independent(torch.distributions.Bernoulli(torch.tensor([0.5])), 1)},
        "loss-weights": lambda: {"criterion": nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]), label_smoothing=0.1), "other": nn.SmoothL1Loss(beta=0.5)},
        "shapes": lambda: {"size": torch.Size([1, 2]), "dtype": torch.float16, "device": torch.device("cpu"), "layout": torch.strided, "format": torch.channels_last},
        "history": lambda: at("collections", "defaultdict")(list, {"train": [torch.tensor(0.1), 0.2], "lr": [1e-3]}),
        "replay": lambda: at("collections", "deque")([(np.zeros(4, "f4"), 1, 0.5, np.ones(4, "f4"), False)] * 3, maxlen=100),
        "pandas-beside": lambda: {"model": net().state_dict(), "log": at("pandas", "DataFrame")({"loss": [0.5, 0.4]})},
        "sklearn-beside": lambda: {"scaler": at("sklearn.preprocessing", "StandardScaler")().fit(X), "net": net()},
    }  # fmt: skip


def _dynamic(torch: Any, net: Any) -> Any:
    if torch.__version__ >= "2.13":
        raise NotImplementedError("to save it as a pickle ends the process")
    return torch.quantization.quantize_dynamic(net, {torch.nn.Linear}, dtype=torch.qint8)


def _quantized(torch: Any) -> Any:
    channels = torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8)
    return [torch.quantize_per_tensor(torch.ones(3), 0.1, 2, torch.quint8), channels]


def _with_grad(torch: Any) -> Any:
    leaf = torch.ones(2, requires_grad=True)
    (leaf * 3).sum().backward()
    return leaf


def transformers_models() -> Makers:
    """Tiny models, whole and as state; tokenizers; what trainers leave."""
    import tokenizers as k
    import transformers as t

    text = {
        "vocab_size": 30,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 12,
        "max_position_embeddings": 24,
    }
    gpt = {"vocab_size": 30, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 24}
    rows = [
        ("Bert", "ForSequenceClassification", {**text, "num_labels": 3}), ("Bert", "ForMaskedLM", text), ("Roberta", "ForTokenClassification", text), ("DistilBert", "ForQuestionAnswering", {"vocab_size": 30, "dim": 8, "n_layers": 1, "n_heads": 2, "hidden_dim": 8}),
        ("GPT2", "LMHeadModel", gpt), ("GPTNeo", "ForCausalLM", {"vocab_size": 30, "hidden_size": 8, "num_layers": 1, "num_heads": 2, "attention_types": [[["global"], 1]]}), ("Llama", "ForCausalLM", text), ("Qwen3", "ForCausalLM", {**text, "head_dim": 4}),
        ("Gemma2", "ForCausalLM", {**text, "head_dim": 4}), ("Electra", "ForTokenClassification", {**text, "embedding_size": 8}), ("MPNet", "Model", text), ("Deberta", "ForSequenceClassification", text),
        ("T5", "EncoderModel", {"vocab_size": 30, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}), ("ViT", "ForImageClassification", {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "image_size": 16, "patch_size": 8}),
        ("ResNet", "ForImageClassification", {"embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1]}), ("Whisper", "Model", {"vocab_size": 30, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "num_mel_bins": 8, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}),
    ]  # fmt: skip
    config = lambda name, more: getattr(t, name + "Config")(**more)
    values: Makers = {}
    for name, head, more in rows:
        values[name + head] = lambda name=name, head=head, more=more: getattr(t, name + head)(config(name, more))
        values[name + head + "-state"] = lambda name=name, head=head, more=more: getattr(t, name + head)(
            config(name, more)
        ).state_dict()
        values[name + "-config"] = lambda name=name, more=more: config(name, more)
    words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "red": 5, "fox": 6}
    plain = lambda: k.Tokenizer(k.models.WordLevel(words, unk_token="[UNK]"))
    fast = lambda: t.PreTrainedTokenizerFast(tokenizer_object=plain(), unk_token="[UNK]", pad_token="[PAD]")
    bert = lambda: t.BertModel(config("Bert", text))
    return {
        **values,
        "tokenizer-fast": fast,
        "tokenizer-encoded": lambda: fast()(["red fox", "fox"], padding=True, return_tensors="np"),
        "tokenizer-plain": plain,
        "tokenizer-bpe": lambda: k.Tokenizer(k.models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")])),
        "pair": lambda: {"model": bert(), "tokenizer": fast(), "labels": {0: "no", 1: "yes"}},
        "arguments": lambda: t.TrainingArguments("out", report_to=[], num_train_epochs=1, learning_rate=5e-5),
        "linear-plan": lambda: t.get_linear_schedule_with_warmup(at("torch.optim", "AdamW")(bert().parameters()), 1, 9).state_dict(),
        "linear-plan-whole": lambda: t.get_linear_schedule_with_warmup(at("torch.optim", "AdamW")(bert().parameters()), 1, 9),
        "generation": lambda: t.GenerationConfig(max_new_tokens=5, do_sample=True, top_p=0.9),
        "collator": lambda: t.DataCollatorWithPadding(fast()),
        "image-features": lambda: at("transformers", "BatchFeature")({"pixel_values": np.zeros((1, 3, 4, 4), "f4")}),
        "early-stopping": lambda: t.EarlyStoppingCallback(early_stopping_patience=2),
    }  # fmt: skip


def neighbours() -> Makers:
    """torchvision, timm, torchmetrics, lightning, gpytorch, geometric, sentence-transformers, gymnasium, skorch."""
    import torch
    from torch import nn

    lightning, vision = "pytorch_lightning.callbacks.", "torchvision."
    many = {"num_classes": 3}
    metrics: dict[str, dict[str, Any]] = {
        "classification.MulticlassAccuracy": many, "classification.MulticlassF1Score": {**many, "average": "macro"}, "classification.BinaryAUROC": {"thresholds": 5}, "classification.BinaryConfusionMatrix": {},
        "classification.MulticlassPrecision": many, "classification.MulticlassJaccardIndex": many, "classification.MultilabelAveragePrecision": {"num_labels": 2}, "classification.BinaryCohenKappa": {},
        "MeanAbsoluteError": {}, "R2Score": {}, "ExplainedVariance": {}, "SpearmanCorrCoef": {}, "CosineSimilarity": {}, "MeanMetric": {}, "SumMetric": {}, "CatMetric": {}, "MaxMetric": {},
        "text.BLEUScore": {}, "text.WordErrorRate": {}, "text.EditDistance": {}, "image.StructuralSimilarityIndexMeasure": {}, "image.TotalVariation": {}, "retrieval.RetrievalMAP": {}, "clustering.RandScore": {}, "nominal.CramersV": many,
    }  # fmt: skip
    values: Makers = {}
    for name, more in metrics.items():
        module, _, label = ("torchmetrics." + name).rpartition(".")
        values["torchmetrics." + label] = lambda module=module, label=label, more=more: at(module, label)(**more)
    for name in ("resnet18", "mobilenet_v3_small", "efficientnet_b0", "alexnet_like"):
        values["torchvision." + name] = lambda name=name: at(vision + "models", name)(num_classes=2).state_dict()
    values |= {
        "torchvision.resnet": lambda: at(vision + "models.resnet", "ResNet")(at(vision + "models.resnet", "BasicBlock"), [1, 1, 1, 1], num_classes=2),
        "torchvision.squeezed": lambda: at(vision + "models", "squeezenet1_0")(num_classes=2),
        "torchvision.transforms": lambda: at(vision + "transforms", "Compose")([at(vision + "transforms", "Resize")(8), at(vision + "transforms", "ToTensor")(), at(vision + "transforms", "Normalize")((0.5,), (0.5,))]),
        "timm.resnet": lambda: at("timm", "create_model")("resnet10t", pretrained=False, num_classes=2).state_dict(),
        "timm.model": lambda: at("timm", "create_model")("lcnet_035", pretrained=False, num_classes=2),
        "metrics.collection": lambda: at("torchmetrics", "MetricCollection")({"mae": at("torchmetrics", "MeanAbsoluteError")(), "mse": at("torchmetrics", "MeanSquaredError")()}, prefix="val_"),
        "metrics.updated": lambda: _updated(torch),
        "lightning.stopping": lambda: at(lightning + "early_stopping", "EarlyStopping")("val", mode="max", patience=2),
        "lightning.checkpoint": lambda: at(lightning + "model_checkpoint", "ModelCheckpoint")(monitor="val", save_top_k=2),
        "lightning.average": lambda: at(lightning + "stochastic_weight_avg", "StochasticWeightAveraging")(swa_lrs=1e-2).state_dict(),
        "gpytorch.model": lambda: nn.ModuleDict({"mean": at("gpytorch.means", "ConstantMean")(), "kernel": at("gpytorch.kernels", "ScaleKernel")(at("gpytorch.kernels", "MaternKernel")(nu=2.5, ard_num_dims=2))}),
        "gpytorch.state": lambda: at("gpytorch.likelihoods", "GaussianLikelihood")().state_dict(),
        "geometric.data": lambda: at("torch_geometric.data", "Data")(x=torch.rand(3, 2), edge_index=torch.tensor([[0, 1], [1, 2]]), y=torch.tensor([1])),
        "geometric.list": lambda: [at("torch_geometric.data", "Data")(x=torch.rand(2, 1), edge_index=torch.tensor([[0], [1]])) for _ in range(3)],
        "geometric.state": lambda: at("torch_geometric.nn", "SAGEConv")(2, 3).state_dict(),
        "sentence.pooling": lambda: nn.Sequential(at("sentence_transformers.models", "Pooling")(8), at("sentence_transformers.models", "Normalize")()),
        "gymnasium.spaces": lambda: at("gymnasium.spaces", "Dict")({"p": at("gymnasium.spaces", "Box")(-1, 1, (3,)), "m": at("gymnasium.spaces", "MultiDiscrete")([2, 3]), "b": at("gymnasium.spaces", "MultiBinary")(4)}),
        "skorch.net": lambda: at("skorch", "NeuralNetClassifier")(nn.Sequential(nn.Linear(4, 2)), max_epochs=1, verbose=0),
        "accelerate.state": lambda: at("accelerate.utils", "GradientAccumulationPlugin")(num_steps=2),
    }  # fmt: skip
    return values


def _updated(torch: Any) -> Any:
    made = importlib.import_module("torchmetrics").MeanSquaredError()
    made.update(torch.rand(4), torch.rand(4))
    return made


GROUPS = [("torch-nets", nets), ("torch-training", training), ("torch-transformers", transformers_models), ("torch-others", neighbours)]  # fmt: skip
