# ruff: noqa: E501, E731 - Python 3.10 runs it; makers are short functions
"""The fifth held-out objects of torch's families; see honest_fifth.py. What this torch does not have fails."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from honest_fifth import NAMES, REAL
from honest_fifth_libraries import new
from honest_held import Makers, X, Y, at, frame, sk


def nets() -> Makers:
    """Modules whole and as state: what courses and papers build of torch's own parts."""
    import torch
    from torch import nn

    torch.manual_seed(5)
    modules: Makers = {
        "mlp": lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.SiLU(), nn.Dropout(0.2), nn.Linear(8, 3), nn.Softmax(dim=1)),
        "lenet": lambda: nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Flatten(1), nn.Linear(400, 10)),
        "volumes": lambda: nn.Sequential(nn.Conv3d(1, 2, 3), nn.InstanceNorm3d(2, affine=True), nn.MaxPool3d(2), nn.Dropout3d(0.1)),
        "dilated": lambda: nn.Sequential(nn.Conv1d(2, 4, 3, dilation=2, padding_mode="circular"), nn.ELU(), nn.ConvTranspose1d(4, 2, 3)),
        "decoder": lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, norm_first=True, activation="gelu"), 1, norm=nn.LayerNorm(8)),
        "transformer": lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True),
        "recurrent": lambda: nn.ModuleDict({"rnn": nn.RNN(3, 4, nonlinearity="relu"), "cell": nn.GRUCell(3, 4), "proj": nn.LSTM(3, 4, proj_size=2)}),
        "activations": lambda: nn.ModuleList([nn.GLU(), nn.Mish(), nn.CELU(), nn.Softshrink(), nn.Hardtanh(-2, 2), nn.RReLU(), nn.Threshold(0.1, 0), nn.Softmin(0), nn.Tanhshrink(), nn.LogSigmoid(), nn.ReLU6()]),
        "pools": lambda: nn.ModuleList([nn.LPPool2d(2, 2), nn.FractionalMaxPool2d(2, output_size=3), nn.AdaptiveAvgPool3d((1, None, 2)), nn.MaxUnpool2d(2), nn.PixelShuffle(2), nn.ReflectionPad1d(2), nn.UpsamplingBilinear2d(scale_factor=2)]),
        "norms": lambda: nn.ModuleList([nn.LocalResponseNorm(2), nn.RMSNorm(4), nn.SyncBatchNorm(3), nn.LayerNorm([2, 3], elementwise_affine=False), nn.BatchNorm2d(3, track_running_stats=False)]),
        "losses": lambda: nn.ModuleList([nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0])), nn.TripletMarginLoss(1.5), nn.CTCLoss(zero_infinity=True), nn.KLDivLoss(reduction="batchmean"), nn.GaussianNLLLoss(), nn.HuberLoss(), nn.CosineEmbeddingLoss(), nn.NLLLoss(ignore_index=0), nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance()), nn.MultiMarginLoss(p=2)]),
        "words": lambda: nn.Sequential(nn.Embedding.from_pretrained(torch.rand(5, 3), freeze=True), nn.Flatten(), nn.Linear(6, 2)),
        "lazy": lambda: nn.Sequential(nn.LazyLinear(3), nn.ReLU()),
        "lazy-used": lambda: _used(nn.Sequential(nn.LazyConv2d(2, 3), nn.LazyBatchNorm2d()), torch.rand(1, 1, 5, 5)),
        "named": lambda: nn.Sequential(at("collections", "OrderedDict")(first=nn.Linear(2, 2), act=nn.ReLU(), last=nn.Linear(2, 1))),
        "frozen": lambda: nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)).requires_grad_(False).eval(),
        "buffers": lambda: _buffered(nn, torch),
        "orthogonal": lambda: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3)),
        "pruned": lambda: _pruned(nn),
        "adaptive": lambda: nn.AdaptiveLogSoftmaxWithLoss(6, 20, [4, 10]),
        "doubles": lambda: nn.Linear(2, 2, dtype=torch.float64),
        "meta": lambda: nn.Linear(2, 2, device="meta"),
    }  # fmt: skip
    values: Makers = dict(modules)
    for name, make in modules.items():
        values[name + "-state"] = lambda make=make: make().state_dict()
    return values


def _used(net: Any, data: Any) -> Any:
    net(data)
    return net


def _buffered(nn: Any, torch: Any) -> Any:
    made = nn.Linear(2, 2)
    made.register_buffer("mean", torch.zeros(2))
    made.register_buffer("scratch", torch.ones(1), persistent=False)
    return made


def _pruned(nn: Any) -> Any:
    made = nn.Linear(4, 4)
    new("torch.nn.utils.prune.ln_structured", made, "weight", amount=0.5, n=2, dim=0)
    return made


def training() -> Makers:
    """Checkpoints of optimizers and plans that earlier sets do not have; data, tensors, results."""
    import torch
    from torch import nn, optim

    sets, plans = torch.utils.data, optim.lr_scheduler
    net = lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))

    def loop(kind: str, plan: Any = None, **more: Any) -> tuple[Any, Any, Any]:
        model = net()
        groups = [{"params": model[0].parameters(), "lr": 1e-4}, {"params": model[2].parameters()}]
        optimizer = getattr(optim, kind)(groups, **{"lr": 1e-3, **more})
        planned = plan(optimizer) if plan else None
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(torch.tensor(X[:8], dtype=torch.float32)), torch.tensor(Y[:8])).backward()
            optimizer.step()
        return model, optimizer, planned

    def saved(kind: str, plan: Any = None, **more: Any) -> dict[str, Any]:
        model, optimizer, planned = loop(kind, plan, **more)
        return {"epoch": 2, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "scheduler": planned.state_dict() if planned else None, "loss": torch.tensor(0.4), "best_acc": np.float64(0.9)}  # fmt: skip

    made: Makers = {
        f"optimizer-{kind}": lambda kind=kind: saved(kind)
        for kind in ("Adadelta", "Adamax", "ASGD", "RAdam", "Rprop", "Adafactor")
    }
    made |= {
        f"optimizer-{kind}-whole": lambda kind=kind: loop(kind)[1] for kind in ("Adadelta", "RAdam", "SGD", "Adamax")
    }
    planned = {
        "polynomial": lambda o: plans.PolynomialLR(o, 3), "constant": lambda o: plans.ConstantLR(o, 0.5, 2), "linear": lambda o: plans.LinearLR(o, 0.1), "cosine": lambda o: plans.CosineAnnealingLR(o, 5, 1e-5), "cyclic-exp": lambda o: plans.CyclicLR(o, 1e-4, 1e-2, mode="exp_range", cycle_momentum=False),
        "sequence": lambda o: plans.SequentialLR(o, [plans.LinearLR(o, 0.1, total_iters=2), plans.CosineAnnealingLR(o, 4)], [2]), "multiplied": lambda o: plans.ExponentialLR(o, 0.9), "average": lambda o: optim.swa_utils.SWALR(o, 0.05),
    }  # fmt: skip
    for name, plan in planned.items():
        made["plan-" + name] = lambda plan=plan: saved("SGD", plan, momentum=0.8)
        made["plan-" + name + "-whole"] = lambda plan=plan: loop("Adam", plan)[2]
    tensors = lambda: sets.TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(Y))
    lower = lambda key, value: {
        f"{key}.{i}.{name}": tensor for i in range(2) for name, tensor in value.state_dict().items()
    }
    return made | {
        "amp": lambda: {**saved("AdamW", fused=False, amsgrad=True), "scaler": torch.amp.GradScaler("cpu").state_dict()},
        "averaged": lambda: {"model": net().state_dict(), "ema": optim.swa_utils.AveragedModel(net(), multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.99)).state_dict()},
        "averaged-whole": lambda: optim.swa_utils.AveragedModel(net(), use_buffers=True),
        "best-of-folds": lambda: [{"fold": i, "state": net().state_dict(), "score": 0.1 * i} for i in range(3)],
        "dqn": lambda: {"policy": net().state_dict(), "target": net().state_dict(), "steps": 100, "epsilon": 0.05, "memory": at("collections", "deque")([(np.zeros(4, "f4"), np.int64(1), 1.0)], maxlen=9)},
        "gan": lambda: {"generator": net().state_dict(), "discriminator": net().state_dict(), "opt_g": loop("Adam", betas=(0.5, 0.999))[1].state_dict(), "fixed_noise": torch.randn(2, 4)},
        "diffusion": lambda: {"betas": torch.linspace(1e-4, 0.02, 5), "unet": lower("down", net()), "ema_decay": 0.999},
        "lora": lambda: {"alpha": torch.tensor(8.0), **{f"blocks.{i}.attn.lora_A": torch.zeros(2, 4, dtype=torch.float16) for i in range(2)}},
        "detector": lambda: {"model": lower("head", nn.Conv2d(3, 4, 1)), "names": ["cat", "dog"], "anchors": [[10, 13], [16, 30]], "stride": torch.tensor([8.0, 16.0]), "date": "2024-05-01T10:00:00"},
        "speech": lambda: {"dims": {"n_mels": 80, "n_vocab": 51865}, "model_state_dict": lower("encoder.blocks", nn.LayerNorm(4))},
        "stopped": lambda: {"state": net().state_dict(), "args": at("argparse", "Namespace")(lr=0.1, gpus=None, out=at("pathlib", "PurePosixPath")("runs/1")), "git": "abc123"},
        "config-class": lambda: {"config": at("types", "SimpleNamespace")(d_model=8, heads=2), "weights": net().state_dict()},
        "vocabulary": lambda: {"stoi": {"<pad>": 0, "fox": 1}, "itos": ["<pad>", "fox"], "vectors": torch.rand(2, 4), "dim": 4},
        "tabular": lambda: {"net": net(), "scaler": sk("preprocessing.RobustScaler").fit(X), "encoder": sk("preprocessing.LabelEncoder").fit(NAMES), "columns": list(frame().columns)},
        "normalized": lambda: {"mean": torch.tensor(X).mean(0), "std": torch.tensor(X).std(0), "target": (REAL.mean(), REAL.std())},
        "results": lambda: {"y": torch.tensor(Y), "p": torch.rand(60), "matrix": torch.eye(3, dtype=torch.int64), "frame": frame().head(3)},
        "reduced": lambda: [torch.rand(3, 3).max(1), torch.rand(4).sort(), torch.rand(4).topk(2), torch.linalg.svd(torch.eye(2)), torch.rand(4).min(0), torch.unique(torch.tensor([1, 1]), return_counts=True)],
        "kinds": lambda: {str(kind): torch.ones(2).to(kind) for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int16, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16)},
        "formats": lambda: [torch.eye(3).to_sparse_csc(), torch.eye(4).to_sparse_bsr((2, 2)), torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0], (2, 2)), torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])],
        "shared": lambda: (lambda base: [base[0], base[1:], base.view(-1), base.t().contiguous()])(torch.rand(3, 2)),
        "conjugate": lambda: [torch.ones(2, dtype=torch.complex64).conj(), torch.view_as_real(torch.ones(1, dtype=torch.complex64)), -torch.ones(1), torch.zeros(0, 3)],
        "parameter": lambda: [nn.Parameter(torch.ones(2), requires_grad=False), nn.Parameter(torch.rand(1, 2).half()), nn.Buffer(torch.ones(1))],
        "generators": lambda: {"torch": torch.Generator().manual_seed(3).get_state(), "initial": torch.initial_seed()},
        "images": lambda: {"x": torch.zeros(2, 3, 4, 4, dtype=torch.uint8).to(memory_format=torch.channels_last), "boxes": [torch.tensor([[0.0, 0, 1, 1]])], "labels": [torch.tensor([1])]},
        "subset": lambda: sets.Subset(tensors(), [1, 2, 3]),
        "joined": lambda: sets.ConcatDataset([tensors(), tensors()]),
        "stacked": lambda: sets.StackDataset(x=torch.rand(3, 2), y=torch.arange(3)),
        "loader-batches": lambda: list(sets.DataLoader(tensors(), batch_size=32, sampler=sets.RandomSampler(tensors(), replacement=True, num_samples=9))),
        "loader-weighted": lambda: sets.DataLoader(tensors(), batch_sampler=sets.BatchSampler(sets.WeightedRandomSampler([1.0] * 60, 8), 4, False)),
        "mixtures": lambda: torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(2)), torch.distributions.Normal(torch.zeros(2), torch.ones(2))),
        "transformed": lambda: torch.distributions.TransformedDistribution(torch.distributions.Normal(0.0, 1.0), [torch.distributions.AffineTransform(1.0, 2.0), torch.distributions.SigmoidTransform()]),
        "several": lambda: [torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2)), torch.distributions.Dirichlet(torch.ones(3)), torch.distributions.Poisson(torch.ones(1)), torch.distributions.LogNormal(0.0, 1.0), torch.distributions.Gamma(torch.ones(1), torch.ones(1))],
        "packed": lambda: nn.utils.rnn.pack_sequence([torch.ones(3, 1), torch.ones(2, 1)]),
        "functions": lambda: {"act": torch.relu, "loss": nn.functional.cross_entropy, "init": nn.init.xavier_uniform_, "class": nn.GELU, "optimizer": optim.AdamW},
        "pair-file": lambda: (net().state_dict(), loop("SGD")[1].state_dict(), 7),
    }  # fmt: skip


def transformers_models() -> Makers:
    """Tiny models of other families; tokenizers, processors, what trainers and adapters leave."""
    import tokenizers as k
    import transformers as t

    text = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 12, "max_position_embeddings": 24}  # fmt: skip
    vision = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "image_size": 16, "patch_size": 8}  # fmt: skip
    pair = {"vocab_size": 30, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "max_position_embeddings": 16}  # fmt: skip
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("Albert", "ForSequenceClassification", {**text, "embedding_size": 4}), ("XLMRoberta", "ForMaskedLM", text), ("ModernBert", "ForSequenceClassification", text), ("DebertaV2", "ForTokenClassification", text), ("BigBird", "Model", {**text, "attention_type": "original_full"}), ("Longformer", "ForMaskedLM", {**text, "attention_window": 4}),
        ("Phi3", "ForCausalLM", {**text, "pad_token_id": 0}), ("Mixtral", "ForCausalLM", {**text, "num_local_experts": 2}), ("Falcon", "ForCausalLM", text), ("Bloom", "ForCausalLM", {"vocab_size": 30, "hidden_size": 8, "n_layer": 1, "n_head": 2}), ("OPT", "ForCausalLM", {**text, "ffn_dim": 8, "word_embed_proj_dim": 8}), ("GPTNeoX", "ForCausalLM", text), ("Gemma3Text", "Model", {**text, "head_dim": 4}), ("StableLm", "ForCausalLM", text), ("Olmo2", "ForCausalLM", text), ("Cohere", "ForCausalLM", text), ("Mamba", "ForCausalLM", {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "state_size": 4}),
        ("Bart", "ForConditionalGeneration", pair), ("Pegasus", "ForConditionalGeneration", pair), ("Marian", "MTModel", {**pair, "pad_token_id": 0, "decoder_start_token_id": 0, "eos_token_id": 1}), ("MT5", "EncoderModel", {"vocab_size": 30, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}),
        ("DeiT", "ForImageClassification", vision), ("Dinov2", "Model", vision), ("Beit", "Model", vision), ("ConvNext", "ForImageClassification", {"hidden_sizes": [4, 8], "depths": [1, 1], "num_stages": 2}), ("Segformer", "ForSemanticSegmentation", {"num_encoder_blocks": 1, "depths": [1], "sr_ratios": [1], "hidden_sizes": [8], "patch_sizes": [3], "strides": [2], "num_attention_heads": [1], "mlp_ratios": [1], "decoder_hidden_size": 8}), ("SiglipVision", "Model", vision), ("CLIPText", "Model", text),
        ("Wav2Vec2", "ForCTC", {**text, "conv_dim": [4, 4], "conv_kernel": [3, 3], "conv_stride": [2, 2], "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}), ("TimeSeriesTransformer", "ForPrediction", {"prediction_length": 2, "d_model": 4, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 1, "decoder_attention_heads": 1}), ("PatchTST", "ForPrediction", {"context_length": 16, "patch_length": 4, "d_model": 4, "num_attention_heads": 1, "num_hidden_layers": 1, "ffn_dim": 4, "prediction_length": 2}),
    ]  # fmt: skip
    head = lambda name, kind: getattr(t, name + kind) if hasattr(t, name + kind) else getattr(t, name)
    config = lambda name, more: getattr(t, name + "Config")(**more)
    values: Makers = {}
    for name, kind, more in rows:
        values[name + kind] = lambda row=(name, kind, more): head(*row[:2])(config(row[0], row[2]))
        values[name + kind + "-half"] = lambda row=(name, kind, more): {key: tensor.half() for key, tensor in head(*row[:2])(config(row[0], row[2])).state_dict().items()}  # fmt: skip
        values[name + "-config"] = lambda row=(name, more): config(row[0], {**row[1], "id2label": {0: "no", 1: "yes"}})
    pieces = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "red": 5, "fox": 6, "##es": 7}

    def pieced() -> Any:
        made = k.Tokenizer(k.models.WordPiece(pieces, unk_token="[UNK]"))
        made.normalizer, made.pre_tokenizer = (
            k.normalizers.BertNormalizer(lowercase=True),
            k.pre_tokenizers.BertPreTokenizer(),
        )
        made.post_processor = k.processors.TemplateProcessing(
            "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        made.decoder = k.decoders.WordPiece()
        return made

    fast = lambda: t.PreTrainedTokenizerFast(
        tokenizer_object=pieced(),
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=16,
    )
    bert = lambda: t.BertForSequenceClassification(config("Bert", text))
    return values | {
        "tokenizer-pieces": pieced,
        "tokenizer-bytes": lambda: _bytes(k),
        "tokenizer-bert": lambda: t.BertTokenizerFast(tokenizer_object=pieced()),
        "tokenizer-added": lambda: [t.AddedToken("<x>", lstrip=True), k.AddedToken("<y>", special=True)],
        "tokenizer-batch": lambda: fast()(["red fox", "foxes"], padding="max_length", truncation=True, return_tensors="pt"),
        "tokenizer-parts": lambda: [k.normalizers.Sequence([k.normalizers.NFKC(), k.normalizers.StripAccents()]), k.pre_tokenizers.Metaspace(), k.pre_tokenizers.Digits(True), k.decoders.BPEDecoder(), k.processors.ByteLevel()],
        "service": lambda: {"model": bert(), "tokenizer": fast(), "max_length": 16, "labels": ["no", "yes"]},
        "output": lambda: dict(bert()(**fast()(["red fox"], return_tensors="pt"))),
        "generation": lambda: t.GenerationConfig(num_beams=4, length_penalty=0.8, eos_token_id=[1, 2], stop_strings=["x"]),
        "arguments": lambda: t.TrainingArguments("out", report_to=[], lr_scheduler_type="cosine", eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True, optim="adafactor", use_cpu=True),
        "arguments-generation": lambda: t.Seq2SeqTrainingArguments("out", report_to=[], predict_with_generate=True, use_cpu=True),
        "plans": lambda: [new("transformers." + name, new("torch.optim.AdamW", bert().parameters()), **more).state_dict() for name, more in (("get_cosine_schedule_with_warmup", {"num_warmup_steps": 1, "num_training_steps": 5}), ("get_polynomial_decay_schedule_with_warmup", {"num_warmup_steps": 1, "num_training_steps": 5}), ("get_inverse_sqrt_schedule", {"num_warmup_steps": 1}))],
        "plan-whole": lambda: t.get_inverse_sqrt_schedule(new("torch.optim.AdamW", bert().parameters()), 2),
        "adafactor": lambda: t.Adafactor(bert().parameters(), lr=1e-3, relative_step=False).state_dict(),
        "collators": lambda: [t.DataCollatorForLanguageModeling(fast(), mlm_probability=0.1), t.DataCollatorForTokenClassification(fast()), t.DefaultDataCollator()],
        "callbacks": lambda: [t.EarlyStoppingCallback(3, 0.01), t.PrinterCallback(), t.TrainerState(epoch=1.0, log_history=[{"loss": 0.5}]), t.TrainerControl()],
        "image-processors": lambda: [t.ViTImageProcessor(size={"height": 16, "width": 16}), t.CLIPImageProcessor(), t.ConvNextImageProcessor()],
        "audio-features": lambda: [t.WhisperFeatureExtractor(feature_size=8), t.Wav2Vec2FeatureExtractor()],
        "adapter": lambda: at("peft", "get_peft_model_state_dict")(_adapted(bert())),
        "adapter-all": lambda: {key: tensor for key, tensor in _adapted(bert()).state_dict().items() if "lora" in key},
        "sentence-modules": lambda: [new("sentence_transformers.models.Pooling", 8, pooling_mode="max"), new("sentence_transformers.models.Dense", 8, 4), new("sentence_transformers.models.LayerNorm", 4)],
        "sentence-loss": lambda: new("sentence_transformers.models.WeightedLayerPooling", 8, num_hidden_layers=2, layer_start=1).state_dict(),
        "embedded": lambda: {"sentences": ["a", "b"], "embeddings": np.ones((2, 8), "f4"), "model": "all-mini"},
    }  # fmt: skip


def _bytes(k: Any) -> Any:
    made = k.Tokenizer(k.models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")], dropout=0.1))
    made.pre_tokenizer, made.decoder = k.pre_tokenizers.ByteLevel(add_prefix_space=False), k.decoders.ByteLevel()
    return made


def _adapted(model: Any) -> Any:
    return at("peft", "get_peft_model")(model, new("peft.LoraConfig", r=2, target_modules=["query", "value"]))


def neighbours() -> Makers:
    """torchvision, timm, torchmetrics, lightning, gpytorch, pyro, geometric, gymnasium, stable-baselines, accelerate."""
    import torch
    from torch import nn

    three, callbacks, vision = {"num_classes": 3}, "pytorch_lightning.callbacks.", "torchvision."
    metrics: dict[str, dict[str, Any]] = {
        "classification.MulticlassRecall": three, "classification.MulticlassCalibrationError": three, "classification.MulticlassMatthewsCorrCoef": three, "classification.BinaryPrecisionRecallCurve": {}, "classification.MultilabelF1Score": {"num_labels": 2}, "classification.BinaryFBetaScore": {"beta": 0.5}, "classification.MulticlassStatScores": {**three, "top_k": 2}, "classification.MulticlassHingeLoss": three,
        "MeanSquaredLogError": {}, "PearsonCorrCoef": {}, "TweedieDevianceScore": {"power": 1.0}, "MeanAbsolutePercentageError": {}, "KLDivergence": {}, "ConcordanceCorrCoef": {}, "MinMetric": {}, "RunningMean": {"window": 3},
        "text.Perplexity": {}, "text.CHRFScore": {}, "text.MatchErrorRate": {}, "image.PeakSignalNoiseRatio": {"data_range": 1.0}, "image.UniversalImageQualityIndex": {}, "audio.SignalNoiseRatio": {}, "retrieval.RetrievalNormalizedDCG": {"top_k": 3}, "retrieval.RetrievalMRR": {}, "clustering.MutualInfoScore": {}, "segmentation.MeanIoU": three,
    }  # fmt: skip
    made: Makers = {}
    for name, more in metrics.items():
        made["torchmetrics." + name.split(".")[-1]] = lambda name=name, more=more: new("torchmetrics." + name, **more)
    for name, more in (("resnet34", {}), ("mobilenet_v2", {"width_mult": 0.25}), ("shufflenet_v2_x0_5", {}), ("mnasnet0_5", {}), ("efficientnet_b0", {}), ("convnext_tiny", {}), ("regnet_y_400mf", {}), ("googlenet", {"aux_logits": False, "init_weights": False})):  # fmt: skip
        made["torchvision." + name] = lambda name=name, more=more: _small(
            new(vision + "models." + name, num_classes=2, **more)
        )
    for name in (
        "mobilenetv3_small_050",
        "efficientnet_lite0",
        "resnet14t",
        "regnetx_002",
        "ghostnet_050",
        "tf_mobilenetv3_small_minimal_100",
        "test_vit",
        "test_convnext",
        "test_efficientnet",
        "test_resnet",
    ):
        made["timm." + name] = lambda name=name: new("timm.create_model", name, pretrained=False, num_classes=2)
    v2 = vision + "transforms."
    trainer = lambda: new(
        "pytorch_lightning.Trainer", max_epochs=1, logger=False, enable_checkpointing=False, accelerator="cpu"
    )
    return made | {
        "timm.optimizer": lambda: new("timm.optim.create_optimizer_v2", nn.Linear(2, 2), "lamb", lr=0.1).state_dict(),
        "timm.average": lambda: new("timm.utils.ModelEmaV2", nn.Linear(2, 2)),
        "timm.losses": lambda: [new("timm.loss.LabelSmoothingCrossEntropy", 0.1), new("timm.loss.SoftTargetCrossEntropy"), new("timm.loss.AsymmetricLossMultiLabel")],
        "timm.augment": lambda: new("timm.data.create_transform", 32, is_training=True, auto_augment=None, re_prob=0.1),
        "timm.mixup": lambda: new("timm.data.Mixup", 0.2, num_classes=2),
        "torchvision.training": lambda: new(v2 + "Compose", [new(v2 + "RandomResizedCrop", 8), new(v2 + "RandomHorizontalFlip"), new(v2 + "ColorJitter", 0.2), new(v2 + "RandomErasing", 0.1), new(v2 + "GaussianBlur", 3), new(v2 + "RandomRotation", 10)]),
        "torchvision.second": lambda: new(v2 + "v2.Compose", [new(v2 + "v2.ToImage"), new(v2 + "v2.ToDtype", torch.float32, scale=True), new(v2 + "v2.RandomAffine", 5), new(v2 + "v2.Normalize", [0.5], [0.5])]),
        "torchvision.roi": lambda: nn.ModuleList([new(vision + "ops.RoIAlign", 3, 1.0, 2), new(vision + "ops.FrozenBatchNorm2d", 3), new(vision + "ops.SqueezeExcitation", 4, 2), new(vision + "ops.DropBlock2d", 0.1, 3), new(vision + "ops.MLP", 4, [3])]),
        "torchvision.anchors": lambda: new(vision + "models.detection.rpn.AnchorGenerator", ((32,),), ((0.5, 1.0),)),
        "torchvision.segment": lambda: new(vision + "models.segmentation.lraspp_mobilenet_v3_large", weights=None, weights_backbone=None, num_classes=2).classifier,
        "torchmetrics.wrapped": lambda: [new("torchmetrics.wrappers.BootStrapper", new("torchmetrics.MeanSquaredError"), 2), new("torchmetrics.wrappers.MinMaxMetric", new("torchmetrics.MeanMetric")), new("torchmetrics.wrappers.ClasswiseWrapper", new("torchmetrics.classification.MulticlassAccuracy", num_classes=3, average=None))],
        "torchmetrics.tracked": lambda: new("torchmetrics.wrappers.MetricTracker", new("torchmetrics.MetricCollection", [new("torchmetrics.MeanSquaredError"), new("torchmetrics.MeanAbsoluteError")])),
        "torchmetrics.sum": lambda: new("torchmetrics.MeanMetric") + new("torchmetrics.SumMetric"),
        "torchmetrics.state": lambda: new("torchmetrics.classification.BinaryAccuracy").state_dict(),
        "lightning.callbacks": lambda: [new(callbacks + "LearningRateMonitor", logging_interval="step"), new(callbacks + "GradientAccumulationScheduler", {0: 1, 4: 2}), new(callbacks + "Timer", "00:01:00:00"), new(callbacks + "ModelSummary", 2)],
        "lightning.stopping-state": lambda: new(callbacks + "EarlyStopping", "loss", patience=3).state_dict(),
        "lightning.checkpoint": lambda: trainer_state(trainer()),
        "lightning.attributes": lambda: at("lightning_utilities.core.apply_func", "apply_to_collection")({"a": 1}, int, float),
        "lightning.hparams": lambda: new("pytorch_lightning.utilities.parsing.AttributeDict", lr=0.1, sizes=[1, 2]),
        "gpytorch.exact": lambda: nn.ModuleDict({"mean": new("gpytorch.means.LinearMean", 2), "kernel": new("gpytorch.kernels.RBFKernel", lengthscale_prior=new("gpytorch.priors.GammaPrior", 3.0, 6.0)) + new("gpytorch.kernels.LinearKernel"), "likelihood": new("gpytorch.likelihoods.StudentTLikelihood")}),
        "gpytorch.periodic": lambda: new("gpytorch.kernels.ScaleKernel", new("gpytorch.kernels.PeriodicKernel") * new("gpytorch.kernels.RQKernel"), outputscale_constraint=new("gpytorch.constraints.Interval", 0.1, 2.0)),
        "gpytorch.variational": lambda: new("gpytorch.variational.CholeskyVariationalDistribution", 4),
        "pyro.distributions": lambda: [new("pyro.distributions.Normal", torch.zeros(1), torch.ones(1)), new("pyro.distributions.Delta", torch.ones(1)), new("pyro.distributions.Beta", torch.ones(1), torch.ones(1))],
        "pyro.parameters": lambda: _pyro(torch),
        "geometric.graphs": lambda: [new("torch_geometric.data.Data", x=torch.rand(3, 2), edge_index=torch.tensor([[0, 1], [1, 2]]), edge_attr=torch.rand(2, 1), train_mask=torch.tensor([True, False, True]), name="g") for _ in range(2)],
        "geometric.batch": lambda: at("torch_geometric.data", "Batch").from_data_list([new("torch_geometric.data.Data", x=torch.ones(2, 1)), new("torch_geometric.data.Data", x=torch.ones(1, 1))]),
        "geometric.states": lambda: {"gcn": new("torch_geometric.nn.GCN", 2, 4, 2).state_dict(), "gin": new("torch_geometric.nn.GINConv", nn.Linear(2, 2)).state_dict(), "gat": new("torch_geometric.nn.GATv2Conv", 2, 2, heads=2).state_dict()},
        "geometric.transforms": lambda: new("torch_geometric.transforms.Compose", [new("torch_geometric.transforms.NormalizeFeatures"), new("torch_geometric.transforms.AddSelfLoops"), new("torch_geometric.transforms.RandomNodeSplit", num_val=1, num_test=1)]),
        "gymnasium.nested": lambda: new("gymnasium.spaces.Tuple", [new("gymnasium.spaces.Discrete", 4, start=1), new("gymnasium.spaces.Text", 8), new("gymnasium.spaces.OneOf", [new("gymnasium.spaces.Box", 0, 255, (2, 2), np.uint8)])]),
        "gymnasium.specification": lambda: at("gymnasium", "spec")("CartPole-v1"),
        "baselines.buffer": lambda: new("stable_baselines3.common.buffers.ReplayBuffer", 5, new("gymnasium.spaces.Box", -1, 1, (3,)), new("gymnasium.spaces.Discrete", 2), device="cpu"),
        "baselines.policy": lambda: new("stable_baselines3.PPO", "MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, device="cpu").policy.state_dict(),
        "baselines.noise": lambda: [new("stable_baselines3.common.noise.NormalActionNoise", np.zeros(2), np.ones(2)), new("stable_baselines3.common.noise.OrnsteinUhlenbeckActionNoise", np.zeros(2), np.ones(2))],
        "baselines.running": lambda: new("stable_baselines3.common.running_mean_std.RunningMeanStd", shape=(2,)),
        "accelerate.kinds": lambda: [new("accelerate.utils.ProjectConfiguration", "out"), new("accelerate.utils.GradScalerKwargs"), new("accelerate.utils.InitProcessGroupKwargs")],
        "accelerate.plans": lambda: new("accelerate.scheduler.AcceleratedScheduler", new("torch.optim.lr_scheduler.StepLR", new("torch.optim.SGD", nn.Linear(1, 1).parameters(), 0.1), 1), []).state_dict(),
    }  # fmt: skip


def trainer_state(trainer: Any) -> Any:
    """A checkpoint as Lightning itself writes it, of its own demonstration model."""
    model = at("pytorch_lightning.demos.boring_classes", "BoringModel")()
    trainer.fit(model)
    return trainer._checkpoint_connector.dump_checkpoint()


def _small(model: Any) -> Any:
    """Whole, but with one number in each weight, so that the file is small."""
    for parameter in model.parameters():
        parameter.data = parameter.data.flatten()[:1].clone()
    return model


def _pyro(torch: Any) -> Any:
    pyro = importlib.import_module("pyro")
    pyro.clear_param_store()
    pyro.param("loc", torch.zeros(2))
    pyro.param("scale", torch.ones(2), constraint=torch.distributions.constraints.positive)
    return pyro.get_param_store().get_state()


GROUPS = [("torch5-nets", nets), ("torch5-training", training), ("torch5-transformers", transformers_models), ("torch5-others", neighbours)]  # fmt: skip
