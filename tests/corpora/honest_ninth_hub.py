# ruff: noqa: E501 - makers are short functions
"""The ninth set's folders as `save_pretrained` writes them, from random weights, and GGUF."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from honest_ninth import Kinds, at

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 96}
DECODER = {**TINY, "num_key_value_heads": 2, "max_position_embeddings": 128}
SEQ = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "vocab_size": 96}  # fmt: skip
# Class of the configuration, class of the model, settings, what lies beside it.
MODELS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "bert-base": ("BertConfig", "BertForSequenceClassification", {**TINY, "num_labels": 3, "id2label": {0: "negative", 1: "neutral", 2: "positive"}, "label2id": {"negative": 0, "neutral": 1, "positive": 2}}, "wordpiece"), "bert-ner": ("BertConfig", "BertForTokenClassification", {**TINY, "num_labels": 5}, "wordpiece"),
    "distilbert": ("DistilBertConfig", "DistilBertForQuestionAnswering", {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 96}, "wordpiece"), "roberta": ("RobertaConfig", "RobertaForMaskedLM", {**TINY, "type_vocab_size": 1}, "bytes"), "xlm-roberta": ("XLMRobertaConfig", "XLMRobertaForSequenceClassification", TINY, "bytes"), "albert": ("AlbertConfig", "AlbertForMaskedLM", {**TINY, "embedding_size": 16}, "wordpiece"),
    "electra": ("ElectraConfig", "ElectraForPreTraining", {**TINY, "embedding_size": 16}, "wordpiece"), "deberta": ("DebertaV2Config", "DebertaV2ForSequenceClassification", TINY, "wordpiece"), "gpt2": ("GPT2Config", "GPT2LMHeadModel", {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 96, "n_positions": 64}, "bytes"), "opt": ("OPTConfig", "OPTForCausalLM", {**TINY, "ffn_dim": 48, "word_embed_proj_dim": 32}, "bytes"),
    "bloom": ("BloomConfig", "BloomForCausalLM", {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 96}, "bytes"), "pythia": ("GPTNeoXConfig", "GPTNeoXForCausalLM", DECODER, "bytes"), "llama": ("LlamaConfig", "LlamaForCausalLM", {**DECODER, "rope_theta": 500000.0}, "chat"), "mistral": ("MistralConfig", "MistralForCausalLM", {**DECODER, "sliding_window": 64}, "chat"), "mixtral": ("MixtralConfig", "MixtralForCausalLM", {**DECODER, "num_local_experts": 2}, "chat"), "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", {**DECODER, "tie_word_embeddings": True}, "chat"),
    "gemma": ("GemmaConfig", "GemmaForCausalLM", {**DECODER, "head_dim": 8}, "chat"), "phi": ("PhiConfig", "PhiForCausalLM", DECODER, "bytes"), "falcon": ("FalconConfig", "FalconForCausalLM", TINY, "bytes"), "stablelm": ("StableLmConfig", "StableLmForCausalLM", DECODER, "bytes"), "t5-small": ("T5Config", "T5ForConditionalGeneration", {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "vocab_size": 96}, "wordpiece"), "bart": ("BartConfig", "BartForConditionalGeneration", SEQ, "bytes"),
    "whisper": ("WhisperConfig", "WhisperForConditionalGeneration", {**SEQ, "num_mel_bins": 80, "max_source_positions": 50, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1, "suppress_tokens": [3], "begin_suppress_tokens": [4]}, "WhisperFeatureExtractor"), "wav2vec2": ("Wav2Vec2Config", "Wav2Vec2ForCTC", {**TINY, "conv_dim": [8, 8], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}, "Wav2Vec2FeatureExtractor"),
    "vit": ("ViTConfig", "ViTForImageClassification", {**TINY, "image_size": 32, "patch_size": 8, "num_labels": 2}, "ViTImageProcessor"), "clip": ("CLIPConfig", "CLIPModel", {"text_config": TINY, "vision_config": {**TINY, "image_size": 32, "patch_size": 8}, "projection_dim": 16}, "CLIPImageProcessor"), "swin": ("SwinConfig", "SwinForImageClassification", {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4, "image_size": 32}, "ViTImageProcessor"), "resnet": ("ResNetConfig", "ResNetForImageClassification", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}, "ConvNextImageProcessor"),
    "convnext": ("ConvNextConfig", "ConvNextForImageClassification", {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1]}, "ConvNextImageProcessor"), "segformer": ("SegformerConfig", "SegformerForSemanticSegmentation", {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2], "decoder_hidden_size": 16}, "SegformerImageProcessor"),
}  # fmt: skip
CHAT = "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
CORPUS = ["the quick brown fox jumps over the lazy dog", "pack my box with five dozen liquor jugs", "hello world"] * 5


def model(name: str) -> Any:
    """With random weights."""
    tf = importlib.import_module("transformers")
    config, kind, settings, _ = MODELS[name]
    return getattr(tf, kind)(getattr(tf, config)(**settings))


def tokenizer(kind: str) -> Any:
    """Trained on a few sentences."""
    lib = importlib.import_module("tokenizers")
    special = ["<unk>", "<s>", "</s>", "<pad>", "[MASK]", "[CLS]", "[SEP]"]
    words = kind == "wordpiece"
    made = lib.Tokenizer(lib.models.WordPiece(unk_token="<unk>") if words else lib.models.BPE())
    made.pre_tokenizer = (
        lib.pre_tokenizers.BertPreTokenizer() if words else lib.pre_tokenizers.ByteLevel(add_prefix_space=True)
    )
    made.normalizer = lib.normalizers.BertNormalizer(lowercase=True) if words else lib.normalizers.NFKC()
    made.decoder = lib.decoders.WordPiece() if words else lib.decoders.ByteLevel()
    made.post_processor = (
        lib.processors.TemplateProcessing("[CLS] $0 [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 5), ("[SEP]", 6)])
        if words
        else lib.processors.ByteLevel(trim_offsets=False)
    )
    trainer = lib.trainers.WordPieceTrainer if words else lib.trainers.BpeTrainer
    made.train_from_iterator(CORPUS, trainer(vocab_size=96, special_tokens=special, show_progress=False))
    fast = at("transformers.PreTrainedTokenizerFast")(
        tokenizer_object=made,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        mask_token="[MASK]",
        model_max_length=64,
        padding_side="left",
    )
    if kind == "chat":
        fast.chat_template = CHAT
    return fast


def _folder(folder: Path, name: str, index: int) -> None:
    import torch

    made, version = model(name), int(at("transformers.__version__").split(".")[0])
    made = made.to(torch.float16) if index % 4 == version % 4 else made
    more: dict[str, Any] = {"max_shard_size": "20KB"} if index % 6 == 1 else {}
    if index % 5 == 3 and version < 5:
        more["safe_serialization"] = False
    made.save_pretrained(folder, **more)
    helper = MODELS[name][3]
    (tokenizer(helper) if helper in ("wordpiece", "bytes", "chat") else at(f"transformers.{helper}")()).save_pretrained(
        folder
    )


def _trainer(folder: Path) -> None:
    import torch

    tf = importlib.import_module("transformers")
    rows = [{"input_ids": torch.arange(6) + i, "labels": torch.tensor(i % 3)} for i in range(8)]
    more = {
        "use_cpu": True,
        "report_to": [],
        "max_steps": 4,
        "save_steps": 2,
        "per_device_train_batch_size": 2,
        "logging_steps": 1,
    }
    tf.Trainer(model("bert-base"), tf.TrainingArguments(str(folder / "results"), **more), train_dataset=rows).train()


def _adapter(folder: Path, base: str, kind: str, more: dict[str, Any]) -> None:
    lib = importlib.import_module("peft")
    lib.get_peft_model(model(base), getattr(lib, kind)(**more)).save_pretrained(folder / "adapter")
    tokenizer(MODELS[base][3]).save_pretrained(folder / "adapter")


def _sentence(folder: Path, how: str) -> None:
    lib = importlib.import_module("sentence_transformers")
    base = importlib.import_module("transformers").BertModel(at("transformers.BertConfig")(**TINY))
    base.save_pretrained(folder / "base")
    tokenizer("wordpiece").save_pretrained(folder / "base")
    if how == "cross":
        lib.CrossEncoder(str(folder / "base"), num_labels=1).save_pretrained(str(folder / "reranker"))
        return
    word = lib.models.Transformer(str(folder / "base"), max_seq_length=48)
    modules = [word, lib.models.Pooling(32, how)] + [lib.models.Normalize()] * (how == "mean")
    modules += [lib.models.Dense(32, 8)] * (how == "max")
    lib.SentenceTransformer(modules=modules, device="cpu").save(str(folder / "my-embedding-model"))


def _diffusers(folder: Path, how: str) -> None:
    lib = importlib.import_module("diffusers")
    small: dict[str, Any] = {
        "sample_size": 16,
        "block_out_channels": (16, 16),
        "layers_per_block": 1,
        "norm_num_groups": 8,
    }
    blocks = {"down_block_types": ("DownBlock2D", "DownBlock2D"), "up_block_types": ("UpBlock2D", "UpBlock2D")}
    unet = lib.UNet2DModel(**small, **blocks)
    {
        "ddpm": lambda: lib.DDPMPipeline(unet, lib.DDPMScheduler(num_train_timesteps=100)).save_pretrained(folder / "ddpm-butterflies"), "ddim": lambda: lib.DDIMPipeline(unet, lib.DDIMScheduler(num_train_timesteps=30)).save_pretrained(folder / "ddim", safe_serialization=False),
        "vae": lambda: lib.AutoencoderKL(sample_size=16, block_out_channels=(8,), norm_num_groups=4).save_pretrained(folder / "vae"), "controlnet": lambda: lib.ControlNetModel(block_out_channels=(16, 16), layers_per_block=1, norm_num_groups=8, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), cross_attention_dim=16, attention_head_dim=4, conditioning_embedding_out_channels=(8, 8)).save_pretrained(folder / "controlnet"),
        "scheduler": lambda: lib.LMSDiscreteScheduler(beta_schedule="scaled_linear").save_pretrained(folder / "scheduler"),
    }[how]()  # fmt: skip


def _gguf(folder: Path, arch: str, kind: str) -> None:
    lib, draw = importlib.import_module("gguf"), np.random.default_rng(26)
    writer = lib.GGUFWriter(folder / f"tiny-{arch}-{kind}.gguf", arch)
    writer.add_name("Tiny"), writer.add_context_length(256), writer.add_embedding_length(64), writer.add_block_count(1), writer.add_feed_forward_length(96)  # fmt: skip
    writer.add_head_count(4), writer.add_head_count_kv(2), writer.add_layer_norm_rms_eps(1e-5), writer.add_rope_freq_base(1e4), writer.add_license("mit")  # fmt: skip
    words = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(61))]
    writer.add_tokenizer_model("llama"), writer.add_token_list(words), writer.add_token_scores([0.0] * 64), writer.add_token_types([2, 3, 3] + [6] * 61)  # fmt: skip
    writer.add_bos_token_id(1), writer.add_eos_token_id(2), writer.add_chat_template(CHAT)
    for name in ("token_embd.weight", "blk.0.attn_q.weight", "blk.0.ffn_up.weight", "output_norm.weight"):
        value = draw.standard_normal(64 if "norm" in name else (64, 64)).astype("float32")
        number = getattr(lib.GGMLQuantizationType, kind)
        if value.ndim == 2 and kind not in ("F32", "F16"):
            writer.add_tensor(name, lib.quants.quantize(value, number), raw_dtype=number)
        else:
            writer.add_tensor(name, value.astype("float16" if kind == "F16" and value.ndim == 2 else "float32"))
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()  # fmt: skip


def kinds() -> Kinds:
    """All of this module; where ExecuTorch is (transformers 5) only the models."""
    find, made = importlib.import_module("importlib.util").find_spec, {}  # type: ignore[var-annotated]
    for index, name in enumerate(MODELS):
        made[f"hub.{name}"] = lambda folder, name=name, index=index: _folder(folder, name, index)
    if find("accelerate"):
        made["trainer"] = _trainer
    lora = {"r": 4, "lora_alpha": 8, "task_type": "CAUSAL_LM"}
    for label, base, kind, more in (
        ("lora", "llama", "LoraConfig", {**lora, "target_modules": ["q_proj", "v_proj"]}), ("dora", "mistral", "LoraConfig", {**lora, "use_dora": True, "target_modules": "all-linear"}), ("lora-cls", "bert-base", "LoraConfig", {"r": 2, "task_type": "SEQ_CLS", "target_modules": ["query", "value"]}),
        ("prefix", "gpt2", "PrefixTuningConfig", {"num_virtual_tokens": 4, "task_type": "CAUSAL_LM"}), ("prompt", "opt", "PromptTuningConfig", {"num_virtual_tokens": 5, "task_type": "CAUSAL_LM"}), ("ia3", "t5-small", "IA3Config", {"task_type": "SEQ_2_SEQ_LM"}), ("adalora", "qwen2", "AdaLoraConfig", {"task_type": "CAUSAL_LM", "total_step": 50, "target_modules": ["q_proj"]}),
    ):  # fmt: skip
        if find("peft"):
            made[f"peft.{label}"] = lambda folder, b=base, k=kind, m=more: _adapter(folder, b, k, m)
    if find("sentence_transformers"):
        made.update(
            {
                f"sentence.{how}": lambda folder, how=how: _sentence(folder, how)
                for how in ("mean", "cls", "max", "cross")
            }
        )
    if find("diffusers"):
        made.update(
            {
                f"diffusers.{how}": lambda folder, how=how: _diffusers(folder, how)
                for how in ("ddpm", "ddim", "vae", "controlnet", "scheduler")
            }
        )
    if find("gguf"):
        for arch, kind in (("llama", "F16"), ("llama", "Q8_0"), ("qwen2", "Q4_0"), ("gemma", "F32"), ("phi3", "Q5_1"), ("gpt2", "BF16"), ("mistral3", "Q5_0"), ("bert", "Q4_1")):  # fmt: skip
            made[f"gguf.{arch}-{kind}"] = lambda folder, arch=arch, kind=kind: _gguf(folder, arch, kind)
    return made
