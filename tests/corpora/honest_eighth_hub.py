# ruff: noqa: E501, E731 - makers are short functions
"""Folders of transformers, sentence-transformers, peft and diffusers from random weights, and GGUF, for the eighth set."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from honest_eighth import at
from honest_eighth_tables import TITLES, Kinds

# Settings that configurations share under one name or another; each takes those that it has.
SMALL: dict[str, Any] = {
    "vocab_size": 120, "hidden_size": 16, "d_model": 16, "n_embd": 16, "dim": 16, "n_layer": 1, "n_layers": 1, "num_layers": 1, "num_hidden_layers": 1, "encoder_layers": 1,
    "decoder_layers": 1, "num_decoder_layers": 1, "num_attention_heads": 2, "n_head": 2, "n_heads": 2, "num_heads": 2, "num_key_value_heads": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "intermediate_size": 24, "n_inner": 24, "d_ff": 24, "d_kv": 8, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "ffn_dim": 24, "hidden_dim": 24,
    "d_inner": 24, "embedding_size": 8, "word_embed_proj_dim": 16, "max_position_embeddings": 64, "n_positions": 64, "n_ctx": 64, "max_seq_len": 64, "head_dim": 8, "image_size": 32,
    "patch_size": 8, "moe_intermediate_size": 8, "num_local_experts": 2, "n_routed_experts": 4, "num_experts": 2, "attention_head_size": 8, "rotary_dim": 4,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2, "state_size": 4, "num_mel_bins": 16, "max_length": 32,
}  # fmt: skip
ATTENTION = [[["global"], 1]]
# Prefix of the classes, head, more settings, and what lies beside it.
MODELS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "gpt-neo": ("GPTNeo", "ForCausalLM", {"attention_types": ATTENTION}, "bpe"), "gptj": ("GPTJ", "ForCausalLM", {}, "bpe"), "codegen": ("CodeGen", "ForCausalLM", {"n_head": 4, "n_embd": 32}, "bpe"),
    "mpt": ("Mpt", "ForCausalLM", {}, "bpe"), "bigcode": ("GPTBigCode", "ForCausalLM", {}, "bpe"), "biogpt": ("BioGpt", "ForCausalLM", {}, "word"), "xglm": ("XGLM", "ForCausalLM", {"attention_heads": 2}, "unigram"),
    "gemma2": ("Gemma2", "ForCausalLM", {"query_pre_attn_scalar": 8}, "unigram"), "gemma3": ("Gemma3", "ForCausalLM", {"config": "Gemma3TextConfig"}, "unigram"), "qwen3": ("Qwen3", "ForCausalLM", {}, "bpe"),
    "qwen3-moe": ("Qwen3Moe", "ForCausalLM", {}, "bpe"), "phi3": ("Phi3", "ForCausalLM", {}, "bpe"), "olmo2": ("Olmo2", "ForCausalLM", {}, "bpe"), "olmoe": ("Olmoe", "ForCausalLM", {}, "bpe"), "cohere": ("Cohere", "ForCausalLM", {}, "bpe"),
    "starcoder2": ("Starcoder2", "ForCausalLM", {}, "bpe"), "granite": ("Granite", "ForCausalLM", {}, "bpe"), "deepseek": ("DeepseekV3", "ForCausalLM", {"kv_lora_rank": 8, "q_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2, "num_key_value_heads": 2}, "bpe"),
    "mamba": ("Mamba", "ForCausalLM", {}, "bpe"), "mamba2": ("Mamba2", "ForCausalLM", {"num_heads": 4, "n_groups": 1, "head_dim": 8}, "bpe"), "rwkv": ("Rwkv", "ForCausalLM", {"attention_hidden_size": 16}, "bpe"), "glm": ("Glm", "ForCausalLM", {}, "bpe"), "nemotron": ("Nemotron", "ForCausalLM", {}, "bpe"), "persimmon": ("Persimmon", "ForCausalLM", {}, "unigram"),
    "xlnet": ("XLNet", "LMHeadModel", {}, "unigram"), "camembert": ("Camembert", "ForTokenClassification", {}, "unigram"), "bigbird": ("BigBird", "ForSequenceClassification", {"attention_type": "original_full"}, "unigram"), "mobilebert": ("MobileBert", "ForQuestionAnswering", {"true_hidden_size": 16, "intra_bottleneck_size": 16, "hidden_size": 32}, "word"),
    "squeezebert": ("SqueezeBert", "ForMaskedLM", {"embedding_size": 16}, "word"), "modernbert": ("ModernBert", "ForMaskedLM", {"cls_token_id": 1, "sep_token_id": 2}, "bpe"), "mpnet": ("MPNet", "ForMultipleChoice", {}, "word"), "funnel": ("Funnel", "ForPreTraining", {"block_sizes": [1, 1], "num_decoder_layers": 1}, "word"), "layoutlm": ("LayoutLM", "ForTokenClassification", {}, "word"), "roformer": ("RoFormer", "ForMaskedLM", {}, "word"), "convbert": ("ConvBert", "Model", {}, "word"), "canine": ("Canine", "ForSequenceClassification", {}, ""), "esm": ("Esm", "ForMaskedLM", {}, ""), "fnet": ("FNet", "ForMaskedLM", {}, "unigram"), "ernie": ("Ernie", "Model", {}, "word"), "tapas": ("Tapas", "Model", {}, ""),
    "pegasus": ("Pegasus", "ForConditionalGeneration", {}, "unigram"), "mbart": ("MBart", "ForConditionalGeneration", {}, "unigram"), "m2m": ("M2M100", "ForConditionalGeneration", {}, "unigram"), "marian": ("Marian", "MTModel", {}, "unigram"), "mt5": ("MT5", "EncoderModel", {}, "unigram"), "led": ("LED", "ForConditionalGeneration", {"attention_window": 4}, "bpe"), "prophetnet": ("ProphetNet", "ForConditionalGeneration", {"num_encoder_layers": 1, "num_encoder_attention_heads": 2, "num_decoder_attention_heads": 2}, "word"), "switch": ("SwitchTransformers", "ForConditionalGeneration", {"num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1}, "unigram"),
    "deit": ("DeiT", "ForImageClassification", {}, "DeiTImageProcessor"), "dinov2": ("Dinov2", "ForImageClassification", {}, "BitImageProcessor"), "mobilenet": ("MobileNetV2", "ForImageClassification", {"depth_multiplier": 0.2}, "MobileNetV2ImageProcessor"), "efficientnet": ("EfficientNet", "Model", {"width_coefficient": 0.1, "depth_coefficient": 0.1, "hidden_dim": 64}, "EfficientNetImageProcessor"), "regnet": ("RegNet", "ForImageClassification", {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "groups_width": 4, "embedding_size": 8}, "ConvNextImageProcessor"), "poolformer": ("PoolFormer", "ForImageClassification", {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1]}, "PoolFormerImageProcessor"), "pvt": ("Pvt", "ForImageClassification", {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 1, 1]}, "PvtImageProcessor"), "yolos": ("Yolos", "ForObjectDetection", {"image_size": [32, 32], "num_detection_tokens": 4}, "YolosImageProcessor"), "dpt": ("DPT", "ForDepthEstimation", {"backbone_out_indices": [0, 0, 0, 0], "neck_hidden_sizes": [4, 4, 8, 8], "fusion_hidden_size": 8, "num_hidden_layers": 4}, "DPTImageProcessor"), "mae": ("ViTMAE", "ForPreTraining", {"decoder_hidden_size": 8, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2, "decoder_intermediate_size": 8}, "ViTImageProcessor"), "upernet": ("Swinv2", "Model", {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4, "patch_size": 4}, "ViTImageProcessor"), "siglip": ("SiglipVision", "Model", {}, "SiglipImageProcessor"), "videomae": ("VideoMAE", "Model", {"num_frames": 2}, "VideoMAEImageProcessor"), "mobilevit": ("MobileViT", "Model", {"hidden_sizes": [8, 8, 8], "neck_hidden_sizes": [4, 4, 8, 8, 8, 8, 16], "patch_size": 2, "num_attention_heads": 2}, "MobileViTImageProcessor"),
    "hubert": ("Hubert", "ForCTC", {"conv_dim": [8, 8], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}, "Wav2Vec2FeatureExtractor"), "ast": ("AST", "ForAudioClassification", {"max_length": 32, "patch_size": 8, "frequency_stride": 8, "time_stride": 8}, "ASTFeatureExtractor"), "sew": ("SEW", "ForSequenceClassification", {"conv_dim": [8, 8], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}, "Wav2Vec2FeatureExtractor"), "encodec": ("Encodec", "Model", {"num_filters": 2, "codebook_size": 8, "hidden_size": 4, "codebook_dim": 4}, "EncodecFeatureExtractor"),
    "patchtst": ("PatchTST", "ForPrediction", {"context_length": 16, "patch_length": 4, "patch_stride": 4, "num_input_channels": 2, "prediction_length": 4}, ""), "tsmixer": ("PatchTSMixer", "ForPrediction", {"context_length": 16, "patch_length": 4, "patch_stride": 4, "num_input_channels": 2}, ""), "informer": ("Informer", "Model", {"prediction_length": 4, "context_length": 8}, ""), "decision": ("DecisionTransformer", "Model", {"state_dim": 3, "act_dim": 2}, ""),
}  # fmt: skip
TEMPLATE = "{%- for m in messages -%}\n{%- if loop.first and m['role'] != 'system' -%}{{ '<|system|>\\nDu hilfst.' + eos_token }}{%- endif -%}{{ '<|' + m['role'] + '|>\\n' ~ (m['content'] if m['content'] is string else m['content'] | map(attribute='text') | join(' ')) ~ eos_token }}{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|assistant|>\\n' }}{%- endif -%}"


def config(name: str) -> Any:
    """The configuration, with those settings that it knows."""
    tf = importlib.import_module("transformers")
    prefix, _, more, _ = MODELS[name]
    kind = getattr(tf, more.get("config", f"{prefix}Config"))
    known = {**kind().to_dict(), **getattr(kind, "attribute_map", {})}
    found = {key: value for key, value in SMALL.items() if key in known and not isinstance(known[key], (list, dict))}
    return kind(**{**found, **{k: v for k, v in more.items() if k != "config"}})


def model(name: str) -> Any:
    """The model; refused if it is large."""
    import torch

    tf = importlib.import_module("transformers")
    kind = getattr(tf, MODELS[name][0] + MODELS[name][1])
    with torch.device("meta"):
        size = sum(p.numel() for p in kind(config(name)).parameters())
    if size > 3_000_000:
        raise ValueError(f"{name} is large: {size}")
    return kind(config(name))


def tokenizer(kind: str) -> Any:
    """A tokenizer with normalizers, splitters and processors of many kinds."""
    lib, tf = importlib.import_module("tokenizers"), importlib.import_module("transformers")
    nor, pre, pro, dec = lib.normalizers, lib.pre_tokenizers, lib.processors, lib.decoders
    made = {
        "bpe": lambda: lib.Tokenizer(lib.models.BPE(byte_fallback=True, fuse_unk=True)),
        "word": lambda: lib.Tokenizer(lib.models.WordPiece(unk_token="<unk>", continuing_subword_prefix="@@")),
        "unigram": lambda: lib.Tokenizer(lib.models.Unigram()),
    }[kind]()
    made.normalizer = {
        "bpe": lambda: nor.Sequence([nor.NFC(), nor.Replace(lib.Regex(" {2,}"), "▁"), nor.Prepend("▁")]),
        "word": lambda: nor.Sequence([nor.NFD(), nor.StripAccents(), nor.Lowercase(), nor.Strip()]),
        "unigram": lambda: nor.Sequence([nor.Nmt(), nor.NFKC()]),
    }[kind]()  # fmt: skip
    made.pre_tokenizer = {
        "bpe": lambda: pre.Sequence([pre.Split(lib.Regex(r"'s|'t| ?\p{L}+| ?\p{N}{1,3}|\s+(?!\S)|\s+"), "isolated"), pre.ByteLevel(add_prefix_space=False, use_regex=False)]),
        "word": lambda: pre.Sequence([pre.WhitespaceSplit(), pre.Punctuation("isolated"), pre.Digits(individual_digits=True)]),
        "unigram": lambda: pre.Metaspace(prepend_scheme="first"),
    }[kind]()  # fmt: skip
    made.decoder = {
        "bpe": dec.ByteLevel,
        "word": lambda: dec.WordPiece("@@"),
        "unigram": lambda: dec.Sequence([dec.Metaspace(), dec.Strip(" ", 1, 0)]),
    }[kind]()
    special, trainer = (
        ["<pad>", "<s>", "</s>", "<unk>", "<mask>"],
        {"bpe": "BpeTrainer", "word": "WordPieceTrainer", "unigram": "UnigramTrainer"}[kind],
    )
    made.train_from_iterator(
        TITLES,
        getattr(lib.trainers, trainer)(
            vocab_size=110, special_tokens=special, **({"unk_token": "<unk>"} if kind == "unigram" else {})
        ),
    )
    made.post_processor = pro.Sequence(
        [
            pro.TemplateProcessing(
                single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]
            )
        ]
    )
    made.enable_padding(length=16)
    fast = tf.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        mask_token=lib.AddedToken("<mask>", lstrip=True),
        additional_special_tokens=["<|größe|>"],
    )
    fast.add_tokens(["Straßenbahn", "🙂"])
    if kind == "bpe":
        fast.chat_template = TEMPLATE
    return fast  # fmt: skip


def beside(folder: Path, helper: str) -> None:
    """What lies beside a model."""
    if helper in ("bpe", "word", "unigram"):
        tokenizer(helper).save_pretrained(folder)
    elif helper:
        at(f"transformers.{helper}")().save_pretrained(folder)


def _folder(folder: Path, name: str, index: int) -> None:
    import torch

    made, more = model(name), {}
    if index % 3 == 1:
        made = made.to((torch.bfloat16, torch.float16)[index % 2])
    if index % 5 == 2:
        more = {"max_shard_size": "8KB"}
    if index % 7 == 3 and at("transformers.__version__") < "5":
        more["safe_serialization"] = False
    if index % 4 == 1 and getattr(made, "generation_config", None) is not None:
        made.generation_config = at("transformers.GenerationConfig")(
            max_new_tokens=9, do_sample=True, temperature=0.7, top_p=0.9, eos_token_id=[2, 3], stop_strings=["###"]
        )
    made.save_pretrained(folder, **more)
    beside(folder, MODELS[name][3])
    (folder / "README.md").write_text(f"---\nlanguage: de\ntags: [größe]\nwidget:\n- text: Wie geht's?\n---\n# {name}\n\n    pip install transformers\n", encoding="utf-8")  # fmt: skip


def _adapter(folder: Path, kind: str, base: str, more: dict[str, Any]) -> None:
    made = at("peft.get_peft_model")(model(base), at(f"peft.{kind}")(**more))
    made.save_pretrained(folder, safe_serialization=kind != "LoHaConfig")
    beside(folder, MODELS[base][3])


def _sentence(folder: Path, how: str) -> None:
    lib = importlib.import_module("sentence_transformers.models")
    model("mpnet").mpnet.save_pretrained(folder / "base")
    tokenizer("word").save_pretrained(folder / "base")
    start = lambda: [lib.Transformer(str(folder / "base"), max_seq_length=32)]
    modules = {
        "cls": lambda: [*start(), lib.Pooling(16, pooling_mode_cls_token=True, pooling_mode_mean_tokens=False), lib.Normalize()],
        "cnn": lambda: [*start(), lib.CNN(16, 4), lib.Pooling(12, "max")],
        "lstm": lambda: [*start(), lib.LSTM(16, 6), lib.Pooling(12, "mean")],
        "layers": lambda: [*start(), lib.Pooling(16, "mean"), lib.LayerNorm(16), lib.Dropout(0.2), lib.Dense(16, 4, activation_function=at("torch.nn.Tanh")())],
        "static": lambda: [lib.StaticEmbedding(tokenizer("word").backend_tokenizer, embedding_dim=8)],
        "words": lambda: [lib.BoW(["öde", "ok", "kino"], {"ok": 0.5}), lib.Dense(3, 2)],
    }[how]()  # fmt: skip
    made = at("sentence_transformers.SentenceTransformer")(
        modules=modules, device="cpu", prompts={"frage": "Frage: ", "text": ""}, similarity_fn_name="dot"
    )
    made.save(str(folder / "modell"), create_model_card=how != "words", safe_serialization=how != "lstm")  # fmt: skip


def _diffusers(folder: Path, how: str) -> None:
    lib = importlib.import_module("diffusers")
    unet = lambda: lib.UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
    )
    if how.endswith("Scheduler"):
        getattr(lib, how)(num_train_timesteps=50).save_pretrained(folder)
    elif how == "unet":
        unet().save_pretrained(folder, variant="fp16", max_shard_size="50KB")
    elif how == "dit":
        lib.DiTTransformer2DModel(
            num_attention_heads=2, attention_head_dim=8, in_channels=4, num_layers=1, sample_size=8, norm_num_groups=4
        ).save_pretrained(folder)
    elif how == "vq":
        lib.VQModel(block_out_channels=(8,), norm_num_groups=4, num_vq_embeddings=16).save_pretrained(
            folder, safe_serialization=False
        )
    elif how == "flux":
        lib.FluxTransformer2DModel(
            patch_size=1,
            in_channels=4,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=8,
            axes_dims_rope=(4, 4, 8),
        ).save_pretrained(folder)
    elif how == "stable":
        tf = importlib.import_module("transformers")
        text = tf.CLIPTextModel(
            tf.CLIPTextConfig(
                vocab_size=120,
                hidden_size=16,
                intermediate_size=24,
                num_hidden_layers=1,
                num_attention_heads=2,
                max_position_embeddings=20,
            )
        )
        (folder / "vocab.json").write_text(
            json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 1, "o</w>": 2, "k": 3, "ok</w>": 4, "o": 5})
        )
        (folder / "merges.txt").write_text("#version: 0.2\no k</w>\n")
        words = tf.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
        vae = lib.AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, sample_size=8)
        pipe = lib.StableDiffusionPipeline(
            vae=vae,
            text_encoder=text,
            tokenizer=words,
            unet=unet(),
            scheduler=lib.EulerDiscreteScheduler(num_train_timesteps=20),
            safety_checker=None,
            feature_extractor=tf.CLIPImageProcessor(),
            requires_safety_checker=False,
        )
        pipe.save_pretrained(folder / "pipeline")
    else:
        lib.ConsistencyModelPipeline(lib.UNet2DModel(sample_size=8, block_out_channels=(8, 8), norm_num_groups=4, layers_per_block=1, down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D")), lib.CMStochasticIterativeScheduler(num_train_timesteps=4)).save_pretrained(folder)  # fmt: skip


def _gguf(folder: Path, arch: str, kind: str) -> None:
    gguf, draw = importlib.import_module("gguf"), np.random.default_rng(8)
    more = (
        {"endianess": gguf.GGUFEndian.BIG}
        if kind == "big"
        else {"split_max_tensors": 2, "small_first_shard": True}
        if kind == "split"
        else {}
    )
    writer = gguf.GGUFWriter(folder / f"größe-{kind}.gguf", arch, **more)
    writer.add_type("adapter" if kind == "adapter" else "model")
    (
        writer.add_name("Größe"),
        writer.add_author("Zoë"),
        writer.add_languages(["de", "日本語"]),
        writer.add_tags(["klein"]),
    )
    (
        writer.add_context_length(64),
        writer.add_embedding_length(64),
        writer.add_block_count(2),
        writer.add_feed_forward_length(64),
        writer.add_vocab_size(260),
    )
    (
        writer.add_head_count([2, 2]),
        writer.add_rope_dimension_count(8),
        writer.add_array("test.flags", [True, False]),
        writer.add_float64("test.f64", 0.1),
        writer.add_int64("test.i64", -5),
    )
    tokens = ["<|endoftext|>", "<|user|>", *(chr(0x100 + i) for i in range(256)), "Ġöl", "ok"]
    (
        writer.add_tokenizer_model("gpt2"),
        writer.add_tokenizer_pre("default"),
        writer.add_token_list(tokens),
        writer.add_token_types([3, 3] + [1] * 258),
        writer.add_token_merges(["o k", "Ġ ö"]),
    )
    writer.add_chat_template(
        [{"name": "default", "template": TEMPLATE}, {"name": "tool_use", "template": TEMPLATE}]
        if kind == "Q4_0"
        else TEMPLATE
    )
    for index, name in enumerate(
        ("token_embd.weight", "blk.0.attn_q.weight", "blk.1.ffn_gate.weight", "output_norm.weight")
        if kind != "vocabulary"
        else ()
    ):
        value = draw.random((64,) if "norm" in name else (4 + index, 64), "float32")
        number = getattr(gguf.GGMLQuantizationType, kind, None)
        if number is not None and value.ndim == 2:
            writer.add_tensor(name, gguf.quants.quantize(value, number), raw_dtype=number)
        else:
            writer.add_tensor(name, value)
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()  # fmt: skip


def kinds() -> Kinds:
    """All of this module."""
    made: Kinds = {}
    find = importlib.import_module("importlib.util").find_spec
    if find("transformers"):
        for index, name in enumerate(MODELS):
            made[f"hub.{name}"] = lambda folder, name=name, index=index: _folder(folder, name, index)
        causal = {"task_type": "CAUSAL_LM"}
        for label, kind, base, more in (
            ("loha", "LoHaConfig", "qwen3", {"r": 2, "target_modules": ["q_proj"]}),
            ("lokr", "LoKrConfig", "phi3", {"r": 2, "target_modules": ["o_proj"]}),
            ("vera", "VeraConfig", "granite", {"r": 4, "target_modules": ["q_proj"], **causal}),
            ("oft", "OFTConfig", "olmo2", {"oft_block_size": 4, "r": 0, "target_modules": ["q_proj"]}),
            ("fourier", "FourierFTConfig", "gemma2", {"n_frequency": 8, "target_modules": ["q_proj"], **causal}),
            (
                "rslora",
                "LoraConfig",
                "starcoder2",
                {
                    "r": 3,
                    "use_rslora": True,
                    "lora_dropout": 0.1,
                    "rank_pattern": {"q_proj": 2},
                    "layers_to_transform": [0],
                    "target_modules": ["q_proj", "k_proj"],
                    **causal,
                },
            ),
            ("pissa", "LoraConfig", "gpt-neo", {"r": 2, "init_lora_weights": "pissa", "target_modules": ["q_proj"]}),
            (
                "embedding",
                "LoraConfig",
                "camembert",
                {"r": 2, "target_modules": ["query"], "modules_to_save": ["classifier"], "task_type": "TOKEN_CLS"},
            ),
            ("norms", "LNTuningConfig", "qwen3", {"target_modules": ["input_layernorm"]}),
            ("tuning", "PromptEncoderConfig", "gptj", {"num_virtual_tokens": 3, "encoder_hidden_size": 8, **causal}),
            ("bone", "BoneConfig", "qwen3", {"r": 4, "target_modules": ["q_proj"]}),
            ("xlora", "HRAConfig", "granite", {"r": 2, "target_modules": ["v_proj"]}),
            (
                "seq",
                "LoraConfig",
                "mbart",
                {"r": 2, "bias": "lora_only", "target_modules": ["q_proj", "v_proj"], "task_type": "SEQ_2_SEQ_LM"},
            ),
        ):
            made[f"peft.{label}"] = lambda folder, kind=kind, base=base, more=more: _adapter(folder, kind, base, more)
        for how in ("cls", "cnn", "lstm", "layers", "static", "words"):
            made[f"sentence.{how}"] = lambda folder, how=how: _sentence(folder, how)
        for how in (
            "unet",
            "dit",
            "vq",
            "flux",
            "stable",
            "consistency",
            "DPMSolverMultistepScheduler",
            "EulerAncestralDiscreteScheduler",
            "PNDMScheduler",
            "UniPCMultistepScheduler",
            "HeunDiscreteScheduler",
            "FlowMatchEulerDiscreteScheduler",
        ):
            made[f"diffusers.{how}"] = lambda folder, how=how: _diffusers(folder, how)
    if find("gguf"):
        for arch, kind in zip(
            "gpt2 falcon bert starcoder t5 mamba olmo clip rwkv7 whisper".split(),
            "Q4_0 Q5_0 Q5_1 Q8_0 BF16 Q4_1 big split vocabulary adapter".split(),
            strict=True,
        ):
            made[f"gguf.{arch}-{kind}"] = lambda folder, arch=arch, kind=kind: _gguf(folder, arch, kind)
    return made  # fmt: skip
