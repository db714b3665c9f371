# ruff: noqa: E501, E731, UP006, UP035, SIM - makers are short functions
"""Folders as Hugging Face's libraries save them, and GGUF, for the sixth set."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Dict

import numpy as np
from honest_sixth_models import Kinds, at

TEXTS = [
    "the quick brown fox jumps over the lazy dog",
    "Hello, how are you today?",
    "models are saved in folders",
    "0 1 2 3 4 5 6 7 8 9",
] * 8
CHATML = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
HEADERS = "{{- bos_token }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}"
INST = "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'].strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
TOOLS = "{%- if tools %}{{- '<|im_start|>system\n# Tools\n<tools>' }}{%- for tool in tools %}{{- '\n' }}{{- tool | tojson }}{%- endfor %}{{- '\n</tools><|im_end|>\n' }}{%- endif %}{%- set ns = namespace(multi_step=true, last=messages | length - 1) %}{%- for message in messages %}{%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}{%- if message.tool_calls %}{%- for call in message.tool_calls %}{{- '<tool_call>\n{\"name\": \"' + call.function.name + '\", \"arguments\": ' }}{{- call.function.arguments | tojson }}{{- '}\n</tool_call>' }}{%- endfor %}{%- elif message.role == 'tool' and (loop.first or messages[loop.index0 - 1].role != 'tool') %}{{- '<|im_start|>user' }}{%- endif %}{{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>\n' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
DATED = "{%- if not date_string is defined %}{%- if strftime_now is defined %}{%- set date_string = strftime_now('%d %b %Y') %}{%- else %}{%- set date_string = '26 Jul 2024' %}{%- endif %}{%- endif %}{{- 'Today Date: ' + date_string + '\n' }}{%- for message in messages %}{%- if message['content'] is iterable and message['content'] is not string %}{%- for item in message['content'] | selectattr('type', 'equalto', 'text') %}{{- item['text'] }}{%- endfor %}{%- else %}{{- message['content'] }}{%- endif %}{{- eos_token }}{%- endfor %}"
TEMPLATES = {"chatml": CHATML, "headers": HEADERS, "inst": INST, "tools": TOOLS, "dated": DATED}


def tokenizer(kind: str, template: str = "") -> Any:
    """A fast tokenizer, trained on a few lines."""
    lib, tf = importlib.import_module("tokenizers"), importlib.import_module("transformers")
    words = {
        "wordpiece": ("WordPiece", "WordPieceTrainer"),
        "bpe": ("BPE", "BpeTrainer"),
        "unigram": ("Unigram", "UnigramTrainer"),
        "words": ("WordLevel", "WordLevelTrainer"),
    }[kind]
    special = (
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] if kind == "wordpiece" else ["<pad>", "<unk>", "<s>", "</s>"]
    )
    unknown = special[1]
    made = lib.Tokenizer(getattr(lib.models, words[0])(**({} if kind == "unigram" else {"unk_token": unknown})))
    made.pre_tokenizer = {
        "wordpiece": lib.pre_tokenizers.BertPreTokenizer,
        "bpe": lib.pre_tokenizers.ByteLevel,
        "unigram": lib.pre_tokenizers.Metaspace,
        "words": lib.pre_tokenizers.Whitespace,
    }[kind]()
    if kind == "wordpiece":
        made.normalizer = lib.normalizers.BertNormalizer(lowercase=True)
        made.decoder = lib.decoders.WordPiece()
    if kind == "bpe":
        made.decoder = lib.decoders.ByteLevel()
    more = {"unk_token": unknown} if kind == "unigram" else {}
    made.train_from_iterator(TEXTS, getattr(lib.trainers, words[1])(vocab_size=120, special_tokens=special, **more))
    if kind == "wordpiece":
        made.post_processor = lib.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        return tf.PreTrainedTokenizerFast(
            tokenizer_object=made,
            pad_token="[PAD]",
            unk_token="[UNK]",
            cls_token="[CLS]",
            sep_token="[SEP]",
            mask_token="[MASK]",
        )
    fast = tf.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    if template:
        fast.chat_template = template
    return fast


SMALL = {
    "vocab_size": 130,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
PATCHES = {**{k: v for k, v in SMALL.items() if k != "vocab_size"}, "image_size": 32, "patch_size": 8}
# Configuration, model, its settings, tokenizer or image processor, chat template.
MODELS: Dict[str, Any] = {
    "bert-classify": ("BertConfig", "BertForSequenceClassification", {**SMALL, "num_labels": 3, "id2label": {0: "neg", 1: "neu", 2: "pos"}, "label2id": {"neg": 0, "neu": 1, "pos": 2}}, "wordpiece", ""),
    "bert-masked": ("BertConfig", "BertForMaskedLM", SMALL, "wordpiece", ""),
    "distilbert-ner": ("DistilBertConfig", "DistilBertForTokenClassification", {"vocab_size": 130, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "num_labels": 5}, "wordpiece", ""),
    "roberta-answer": ("RobertaConfig", "RobertaForQuestionAnswering", SMALL, "bpe", ""),
    "deberta": ("DebertaV2Config", "DebertaV2ForSequenceClassification", SMALL, "unigram", ""),
    "electra": ("ElectraConfig", "ElectraForPreTraining", {**SMALL, "embedding_size": 8}, "wordpiece", ""),
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", {"vocab_size": 130, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64}, "bpe", ""),
    "opt": ("OPTConfig", "OPTForCausalLM", {"vocab_size": 130, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 32, "word_embed_proj_dim": 16}, "bpe", ""),
    "bloom": ("BloomConfig", "BloomForCausalLM", {"vocab_size": 130, "hidden_size": 16, "n_layer": 2, "n_head": 2}, "bpe", ""),
    "llama": ("LlamaConfig", "LlamaForCausalLM", SMALL, "bpe", "headers"),
    "llama-dated": ("LlamaConfig", "LlamaForCausalLM", {**SMALL, "num_key_value_heads": 1, "tie_word_embeddings": True}, "bpe", "dated"),
    "mistral": ("MistralConfig", "MistralForCausalLM", {**SMALL, "num_key_value_heads": 1}, "bpe", "inst"),
    "mixtral": ("MixtralConfig", "MixtralForCausalLM", {**SMALL, "num_key_value_heads": 1, "num_local_experts": 2}, "bpe", "inst"),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", {**SMALL, "num_key_value_heads": 1}, "bpe", "tools"),
    "gemma": ("GemmaConfig", "GemmaForCausalLM", {**SMALL, "num_key_value_heads": 1, "head_dim": 8}, "unigram", "chatml"),
    "phi": ("PhiConfig", "PhiForCausalLM", SMALL, "bpe", "chatml"),
    "t5": ("T5Config", "T5ForConditionalGeneration", {"vocab_size": 130, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}, "unigram", ""),
    "bart": ("BartConfig", "BartForConditionalGeneration", {"vocab_size": 130, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}, "bpe", ""),
    "vit": ("ViTConfig", "ViTForImageClassification", {**PATCHES, "num_labels": 4}, "ViTImageProcessor", ""),
    "beit": ("BeitConfig", "BeitForImageClassification", PATCHES, "BeitImageProcessor", ""),
    "resnet": ("ResNetConfig", "ResNetForImageClassification", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}, "ConvNextImageProcessor", ""),
    "clip-vision": ("CLIPVisionConfig", "CLIPVisionModel", PATCHES, "CLIPImageProcessor", ""),
    "wav2vec2": ("Wav2Vec2Config", "Wav2Vec2ForCTC", {**SMALL, "conv_dim": [8, 8], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}, "Wav2Vec2FeatureExtractor", ""),
    "whisper": ("WhisperConfig", "WhisperForConditionalGeneration", {"vocab_size": 130, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3, "max_source_positions": 20, "suppress_tokens": None, "begin_suppress_tokens": None}, "WhisperFeatureExtractor", ""),
}  # fmt: skip


def model(name: str) -> Any:
    """The model alone."""
    tf = importlib.import_module("transformers")
    config, kind, more, _, _ = MODELS[name]
    return getattr(tf, kind)(getattr(tf, config)(**more))


def beside(folder: Path, name: str) -> None:
    """Tokenizer or processor, and the card."""
    _, kind, _, helper, template = MODELS[name]
    if helper[0].isupper():
        at(f"transformers.{helper}")().save_pretrained(str(folder))
    else:
        tokenizer(helper, TEMPLATES.get(template, "")).save_pretrained(str(folder))
    (folder / "README.md").write_text(
        f'---\nlicense: apache-2.0\nlibrary_name: transformers\n---\n# {name}\n\n```python\nfrom transformers import AutoTokenizer, {kind}\n\nmodel = {kind}.from_pretrained("acme/{name}")\n```\n'
    )
    (folder / ".gitattributes").write_text(
        "*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.bin filter=lfs diff=lfs merge=lfs -text\n"
    )


def _folder(folder: Path, name: str, **more: Any) -> None:
    made = model(name)
    if more.pop("half", False):
        made = made.half()
    made.save_pretrained(str(folder), **more)
    beside(folder, name)


def _trainer(folder: Path, name: str) -> None:
    import torch

    tf = importlib.import_module("transformers")
    made = model(name)
    rows = [
        {
            "input_ids": torch.arange(6),
            "attention_mask": torch.ones(6, dtype=torch.long),
            "labels": torch.tensor(1) if "classify" in name else torch.arange(6),
        }
        for _ in range(8)
    ]
    settings = tf.TrainingArguments(
        str(folder),
        per_device_train_batch_size=4,
        max_steps=2,
        save_steps=1,
        logging_steps=1,
        report_to=[],
        **(
            {"use_cpu": True}
            if int(tf.__version__.split(".")[0]) > 4 or int(tf.__version__.split(".")[1]) > 33
            else {"no_cuda": True}
        ),
    )
    trainer = tf.Trainer(model=made, args=settings, train_dataset=rows)
    trainer.train()
    trainer.save_model(str(folder / "final"))


def folders() -> Kinds:
    """save_pretrained in its variants, Trainer's checkpoints."""
    made: Kinds = {}
    for name in MODELS:
        made[f"hub.{name}"] = lambda folder, name=name: _folder(
            folder, name, **({"safe_serialization": True} if at("transformers.__version__") < "5" else {})
        )
    for name in ("bert-classify", "gpt2", "llama", "t5", "vit", "whisper"):
        made[f"hub.{name}.bin"] = lambda folder, name=name: _folder(folder, name, safe_serialization=False)
        made[f"hub.{name}.sharded"] = lambda folder, name=name: _folder(folder, name, max_shard_size="20KB")
        made[f"hub.{name}.half"] = lambda folder, name=name: _folder(folder, name, half=True)
    for name in ("bert-classify", "gpt2", "llama"):
        made[f"trainer.{name}"] = lambda folder, name=name: _trainer(folder, name)
    for template in TEMPLATES:
        made[f"tokenizer.{template}"] = lambda folder, template=template: tokenizer(
            "bpe", TEMPLATES[template]
        ).save_pretrained(str(folder))
    for kind in ("wordpiece", "unigram", "words"):
        made[f"tokenizer.{kind}"] = lambda folder, kind=kind: tokenizer(kind).save_pretrained(str(folder))
    made["tokenizer.several"] = lambda folder: _several(folder)
    made["tokenizer.sentencepiece"] = lambda folder: _pieces(folder)
    return made


def _several(folder: Path) -> None:
    made = tokenizer("bpe")
    made.chat_template = {"default": CHATML, "tool_use": TOOLS, "rag": INST}
    made.save_pretrained(str(folder))


def _pieces(folder: Path) -> None:
    (folder / "corpus").write_text("\n".join(TEXTS))
    at("sentencepiece.SentencePieceTrainer").train(
        input=str(folder / "corpus"), model_prefix=str(folder / "spiece"), vocab_size=60, hard_vocab_limit=False
    )
    (folder / "corpus").unlink()
    at("transformers.T5Tokenizer")(str(folder / "spiece.model"), legacy=False).save_pretrained(
        str(folder / "tokenizer")
    )


def adapters() -> Kinds:
    """peft's adapters, sentence-transformers and cross-encoders, diffusers' pipelines."""
    made: Kinds = {}
    for label, kind, name, more in (
        (
            "lora",
            "LoraConfig",
            "llama",
            {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"},
        ),
        (
            "lora-classify",
            "LoraConfig",
            "bert-classify",
            {"r": 2, "task_type": "SEQ_CLS", "modules_to_save": ["classifier"]},
        ),
        (
            "dora",
            "LoraConfig",
            "mistral",
            {"r": 2, "use_dora": True, "target_modules": "all-linear", "task_type": "CAUSAL_LM"},
        ),
        ("ia3", "IA3Config", "t5", {"task_type": "SEQ_2_SEQ_LM"}),
        ("prompt", "PromptTuningConfig", "gpt2", {"num_virtual_tokens": 4, "task_type": "CAUSAL_LM"}),
        ("prefix", "PrefixTuningConfig", "gpt2", {"num_virtual_tokens": 4, "task_type": "CAUSAL_LM"}),
        (
            "adalora",
            "AdaLoraConfig",
            "llama",
            {"target_modules": ["q_proj"], "total_step": 10, "task_type": "CAUSAL_LM"},
        ),
    ):
        for safe in (True, False):
            made[f"peft.{label}{'' if safe else '.bin'}"] = lambda folder, kind=kind, name=name, more=more, safe=safe: (
                at("peft.get_peft_model")(model(name), at(f"peft.{kind}")(**more)).save_pretrained(
                    str(folder), safe_serialization=safe
                ),
                beside(folder, name),
            )
    for label, layers in (
        ("plain", ["Pooling"]),
        ("normalized", ["Pooling", "Normalize"]),
        ("dense", ["Pooling", "Dense"]),
    ):
        made[f"sentence.{label}"] = lambda folder, layers=layers: _sentence(folder, layers)
    made["sentence.cross"] = lambda folder: _cross(folder)
    for label in ("ddpm", "ddim", "vae", "controlnet"):
        made[f"diffusers.{label}"] = lambda folder, label=label: _diffusers(folder, label)
    return made


def _sentence(folder: Path, layers: Any) -> None:
    _folder(folder / "base", "bert-masked")
    lib = importlib.import_module("sentence_transformers.models")
    first = lib.Transformer(str(folder / "base"))
    options = {
        "Pooling": lambda: lib.Pooling(16, "mean"),
        "Normalize": lambda: lib.Normalize(),
        "Dense": lambda: lib.Dense(16, 8),
    }
    at("sentence_transformers.SentenceTransformer")(
        modules=[first, *(options[name]() for name in layers)], device="cpu"
    ).save(str(folder / "model"))


def _cross(folder: Path) -> None:
    _folder(folder / "base", "bert-classify")
    at("sentence_transformers.CrossEncoder")(str(folder / "base"), device="cpu").save(str(folder / "model"))


def _diffusers(folder: Path, label: str) -> None:
    lib = importlib.import_module("diffusers")
    net = lambda: lib.UNet2DModel(
        sample_size=8,
        in_channels=3,
        out_channels=3,
        layers_per_block=1,
        block_out_channels=(8, 8),
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
    if label == "ddpm":
        lib.DDPMPipeline(net(), lib.DDPMScheduler(num_train_timesteps=10)).save_pretrained(str(folder))
    elif label == "ddim":
        lib.DDIMPipeline(net(), lib.DDIMScheduler(num_train_timesteps=10)).save_pretrained(
            str(folder), safe_serialization=False
        )
    elif label == "vae":
        lib.AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, sample_size=8).save_pretrained(
            str(folder / "vae"), variant="fp16"
        )
    else:
        lib.ControlNetModel(
            block_out_channels=(8, 8),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            cross_attention_dim=8,
            norm_num_groups=4,
            attention_head_dim=4,
        ).save_pretrained(str(folder))


def _gguf(folder: Path, arch: str, template: str, kind: str) -> None:
    gguf = importlib.import_module("gguf")
    writer, draw = gguf.GGUFWriter(str(folder / f"tiny-{arch}.{kind}.gguf"), arch), np.random.RandomState(0)
    writer.add_name("Tiny"), writer.add_description("a test"), writer.add_license("apache-2.0")
    (
        writer.add_context_length(128),
        writer.add_embedding_length(32),
        writer.add_block_count(1),
        writer.add_feed_forward_length(64),
    )
    (
        writer.add_head_count(2),
        writer.add_head_count_kv(1),
        writer.add_layer_norm_rms_eps(1e-5),
        writer.add_rope_freq_base(10000.0),
    )
    writer.add_file_type(0 if kind == "F32" else 1 if kind == "F16" else 7)
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(16)), "\u2581the", "fox"]
    (
        writer.add_tokenizer_model("llama"),
        writer.add_token_list(tokens),
        writer.add_token_scores([0.0] * len(tokens)),
        writer.add_token_types([2, 3, 3] + [6] * 16 + [1, 1]),
    )
    writer.add_bos_token_id(1), writer.add_eos_token_id(2), writer.add_unk_token_id(0)
    if template:
        writer.add_chat_template(TEMPLATES[template])
    shapes = {
        "token_embd.weight": (21, 32),
        "blk.0.attn_q.weight": (32, 32),
        "blk.0.attn_k.weight": (16, 32),
        "blk.0.attn_norm.weight": (32,),
        "blk.0.ffn_up.weight": (64, 32),
        "output_norm.weight": (32,),
        "output.weight": (21, 32),
    }
    for name, shape in shapes.items():
        value = draw.rand(*shape).astype("float32")
        if kind == "Q8_0" and len(shape) == 2:
            writer.add_tensor(
                name,
                gguf.quants.quantize(value, gguf.GGMLQuantizationType.Q8_0),
                raw_dtype=gguf.GGMLQuantizationType.Q8_0,
            )
        else:
            writer.add_tensor(name, value.astype("float16") if kind == "F16" and len(shape) == 2 else value)
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()


def kinds() -> Kinds:
    """All of this module."""
    made: Kinds = {}
    if at("importlib.util.find_spec")("transformers"):
        made = {**folders(), **adapters()}
    for arch, template in (
        ("llama", "headers"),
        ("qwen2", "tools"),
        ("mistral", "inst"),
        ("gemma", ""),
        ("phi2", "chatml"),
    ):
        for kind in ("F32", "F16", "Q8_0"):
            made[f"gguf.{arch}-{kind}"] = lambda folder, arch=arch, template=template, kind=kind: _gguf(
                folder, arch, template, kind
            )
    made["safetensors.numpy"] = lambda folder: at("safetensors.numpy.save_file")(
        {"w": np.ones((3, 4), "float16")},
        str(folder / "model.safetensors"),
        metadata={"author": "acme", "config": json.dumps({"rank": 4})},
    )
    return made
