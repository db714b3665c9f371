"""What honest code of models uses, and what it has no business to: names, by kind. Judged in sourcecode.py."""

from __future__ import annotations

import re

STARTS = re.compile(
    r"os\.(?:system|popen|startfile|fork\w*|exec\w+|spawn\w+|posix_spawnp?)|posix\.\w+|pty\.spawn|subprocess\.\w+|"
    r"asyncio\.create_subprocess_\w+|commands\.\w+"
)
RUNS = re.compile(
    r"(?:builtins\.)?(?:eval|exec|compile|__import__)|code\.\w+|runpy\.\w+|importlib\.(?:util|machinery|_bootstrap)\w*\."
    r"(?:spec_from_file_location|SourceFileLoader)|transformers\.dynamic_module_utils\.\w+|torch\.hub(?:\.load)?|"
    r"types\.(?:Function|Code)Type|yaml\.(?:unsafe_load\w*|C?UnsafeLoader|C?Loader)|gc\.get_(?:objects|referr\w+)|"
    r"six\.exec_|PIL\.ImageMath\.\w*eval|dataclasses\._create_fn|typing\.(?:ForwardRef|_eval_type)|"
    r"torch\.distributed\.rpc(?:\.\w+)*|logging\.config(?:\.\w+)*|(?:numpy\.(?:f2py|distutils|testing)|torch\.utils\.collect_env)\.\w+"
)
NATIVE = re.compile(r"ctypes\.(?:CDLL|cdll\.\w+|PyDLL|WinDLL|windll\.\w+)|torch\.(?:ops|classes)\.load_library|"
                     r"torch\.utils\.cpp_extension\.load\w*|numpy\.ctypeslib\.\w+|cffi\.\w+")  # fmt: skip
UNPICKLES = re.compile(r"(?:c?[pP]ickle|dill|cloudpickle|marshal|shelve|joblib)\.(?:loads?|open|Unpickler)")
LOGS = re.compile(r"logging\.(?:FileHandler|handlers(?:\.\w+)*)")
KINDS = ((STARTS, "starts programs"), (RUNS, "runs code that it puts together"), (NATIVE, "loads native code"),
         (UNPICKLES, "loads pickles"), (LOGS, "writes files"))  # fmt: skip

# What honest code needs of modules that reach further than a model does.
FLAG = re.compile(rb'"\w+": ?(?:true|false)')
PARTS = {
    "os": r"path(?:\.\w+)*|environ\.(?:get|pop|setdefault)|getenv|makedirs|listdir|sep|cpu_count|getcwd|PathLike|walk|"
    r"fspath|mkdir|getpid",
    "sys": r"version_info|maxsize|platform|version|float_info|byteorder|getsizeof|getrefcount|exit|stdout|stderr|"
    r"maxunicode",
    "importlib": r"util\.find_spec|metadata(?:\.\w+)*",
    "shutil": r"copyfile|copy|copy2|SameFileError",
    "huggingface_hub": r"(?:\w+\.)*(?:hf_hub_download|snapshot_download|try_to_load_from_cache|constants\.\w+|\w+Mixin|"
    r"dataclasses\.\w+|\w+Error|is_offline_mode|validate_hf_hub_args|list_repo_files)",
    "builtins": r"bool|int|float|str|bytes|list|dict|tuple|set|range|max|min|sum|print",
    "loguru": r"logger(?:\.(?:debug|info|success|warning|error|exception))?",
    "multiprocessing": r"cpu_count|current_process|get_context|get_start_method|(?:pool\.)?Pool",
    "google": r"protobuf(?:\.\w+)*",
    "urllib": r"parse(?:\.\w+)*",
    "pickle": r"dumps|dump|HIGHEST_PROTOCOL|\w+Error",
}
PARTLY = {root: re.compile(rf"{root}\.(?:{parts})") for root, parts in PARTS.items()}
# Of the standard library, what neither reaches out nor runs anything.
STANDARD = frozenset(
    "__future__ abc argparse array ast base64 bisect cmath codecs collections contextlib copy csv dataclasses "
    "datetime decimal difflib enum fnmatch fractions functools gc glob gzip hashlib heapq html inspect io itertools "
    "json keyword logging math numbers operator packaging pathlib pprint queue random re statistics string struct "
    "tempfile textwrap threading time tokenize traceback types typing typing_extensions unicodedata uuid warnings "
    "weakref zlib".split()
)
# What code of models is made with.
LIBRARIES = frozenset(
    "absl accelerate adamp adapters addict albumentations anndata anyascii apex aqlm ase asteroid "
    "asteroid_filterbanks attr attrs audiocraft audiomentations audioread auto_gptq autoawq av awq "
    "axial_positional_embedding babel basicsr beartype bert_score bidict Bio biotite bitsandbytes blingfire "
    "botok botorch bottleneck bs4 cachetools camel_tools causal_conv1d chex chronos clip cn2an cn2en colorama "
    "colossalai consisid_eva_clip contractions coqpit cosmos_guardrail cpm_kernels cuequivariance "
    "cuequivariance_torch cut_cross_entropy cv2 dac dataclasses_json dateutil decord deepchem deepspeed "
    "descript_audiotools detectron2 diffrax diffusers e3nn easydict easyocr eetq einops einops_exts emoji "
    "emojiswitch encodec entmax equinox esm espnet espnet2 espnet_model_zoo essentia facexlib fairscale faiss "
    "farasa fast_lsh_cumulation faster_whisper fasttext fbpca filelock fla flash_attn flash_attn_interface "
    "flash_mla flash_moba flashlight flax frozendict ftfy fugashi functorch fvcore g2p_en g2pk g2pw geopandas "
    "gguf gluonts gptqmodel gpytorch groundingdino grouped_gemm h5py habana_frameworks haiku hdbscan hf_olmo "
    "horovod hqq html5lib hyper_connections ignite imageio imageio_ffmpeg imgaug imwatermark "
    "indic_transliteration indicnlp IndicTransToolkit inflect inplace_abn insightface "
    "intel_extension_for_pytorch invisible_watermark iopath ipadic jamo jax jaxlib jaxtyping jieba jiwer "
    "k_diffusion kaldi_native_fbank kaldifeat kaldiio kenlm keras keras_core keras_cv keras_hub keras_nlp "
    "khmernltk kiwipiepy kmeans1d konlpy kornia langdetect langid Levenshtein librosa liger_kernel lightgbm "
    "joblib lightning lightning_fabric lightning_utilities lingua lion_pytorch lit_gpt litgpt local_attention lxml "
    "mamba_ssm mambapy markdownify marshmallow_dataclass matplotlib mdtraj MeCab megablocks megatron "
    "miditoolkit mido mir_eval mistral_common ml_collections ml_dtypes mlx mlx_lm model2vec more_itertools "
    "msgpack museval music21 Mykytea nagisa natten nemo networkx neural_compressor neuralforecast "
    "neuronx_distributed nltk note_seq num2words numba numpy numpyro olmo omegaconf onnxruntime onnxscript "
    "open_clip opencc openfold openmm optax optimum orbax orjson packaging pandas parselmouth pedalboard peft "
    "performer_pytorch pesq phonemizer PIL pkuseg plotly polars positional_encodings pretty_midi prettytable "
    "prody pyannote pyarabic pyarrow pycocotools pyctcdecode pydantic pyloudnorm pymatgen pypinyin pyproj pyro "
    "pysam pystoi pytesseract pythainlp pytorch3d pytorch_lightning pytorch_metric_learning pytorch_msssim "
    "pytorch_quantization pytorch_wavelets pytz pyvi pyworld pywt quanto rapidfuzz rasterio rdkit regex resampy "
    "rhoknp rjieba rotary_embedding_torch rouge_score sacrebleu sacremoses safetensors sageattention sam2 scann "
    "scanpy scipy seaborn segment_anything selfies sentence_transformers sentencepiece shapely silero_vad six "
    "skimage sklearn smdistributed snac sortedcontainers soundfile soxr soynlp spacy spacy_transformers "
    "speechbrain stanza statsmodels stk subword_nmt sudachipy supervision tabulate tekken tensorboardX "
    "tensorflow tensorflow_addons tensorflow_probability tensorflow_text termcolor textstat tf_keras thefuzz "
    "tiktoken timm tokenizers toml tomli toolz torch torch_audiomentations torch_cluster torch_complex "
    "torch_directml torch_einops_utils torch_geometric torch_mlu torch_musa torch_neuronx torch_npu "
    "torch_optimizer torch_scatter torch_sparse torch_xla torchao torchaudio torchcde torchcodec torchcrf "
    "torchdata torchdiffeq torchinfo torchlens torchlibrosa torchmetrics torchscale torchsde torchseg torchtext "
    "torchtune torchtyping torchvision tqdm transformer_engine transformers triton triton_kernels trl TTS tutel "
    "typeguard typing_inspect ujson ultralytics umap underthesea uni2ts unidecode unidic unidic_lite uroman "
    "vector_quantize_pytorch vncorenlp vocos webrtcvad whisper word2number x_transformers xarray xformers "
    "xgboost xlstm yacs yaml youtokentome zarr".split()
)
REACHING = frozenset(
    "requests httpx aiohttp urllib3 websocket websockets paramiko boto3 dill cloudpickle joblib cffi".split()
)
TRACED = re.compile(
    r"torch\.(?:fx\.(?:wrap|Proxy)|_inductor\.cudagraph_mark_step_begin|_dynamo\.(?:is_compiling|disable|allow_in_graph|"
    r"graph_break|mark_\w+|eval_frame\.OptimizedModule|config(?:\.(?:patch|\w+_limit|capture_\w+|suppress_errors|"
    r"(?:automatic_)?dynamic_shapes))?))"
)
# By these attributes code gets at what it did not import, whatever they are attributes of.
INNER = re.compile(
    r"__(?:self|globals|builtins|subclasses|code|closure|loader|mro|getattribute|import)__|f_globals|f_builtins|"
    r"f_locals|tb_frame|gi_frame|cr_frame|_?(?:os|sys|posix|subprocess|builtins|importlib|ctypes|socket|shutil|runpy|"
    r"pickle|marshal|pty|urllib|requests)|set_executable|register_custom_ops_library|system|popen|Popen|check_output|check_call|getoutput|exec_module|load_module|import_module|run_module|run_path|"
    r"load_library"
)
FETCHES = re.compile(
    r"huggingface_hub\.(?:\w+\.)*(?:hf_hub_download|snapshot_download)|torch\.hub\.\w+|(?:requests|urllib|httpx|gdown|wget)\.[\w.]+"
)
WRITERS = re.compile(
    r"(?:io\.|codecs\.|gzip\.|bz2\.|lzma\.)?open|pathlib\.Path\.open|io\.FileIO|tensorflow\.(?:\w+\.)*GFile"
)
SAVERS = re.compile(r"torch\.save|numpy\.(?:save\w*|memmap)|shutil\.copy\w*")
METHODS = frozenset("write_text write_bytes unlink rmdir chmod symlink_to hardlink_to tofile to_csv to_pickle".split())
MAKES = frozenset("join decode replace format fromhex translate".split())
SAVING = re.compile(r"_*(?:save|export|convert|to_json|write|download|build_vocab|train)\w*")
BUILTINS = frozenset("eval exec compile __import__ globals __builtins__ builtins breakpoint open".split())
# Functions that give all attributes of what they are given.
LISTERS = frozenset(("vars", "dir", "inspect.getmembers", "inspect.getmembers_static"))
BY_TEXT = LISTERS | {"operator.attrgetter", "operator.methodcaller", "os.environ.get", "os.getenv"}
# What a model has no business to read.
SECRET = re.compile(r"(?i)\w*(?:TOKEN(?!IZER)|SECRET|PASSW|CREDENTIAL|(?:API|ACCESS|PRIVATE)_?KEY)\w*")
PRIVATE = re.compile(
    r"(?:[\w.~/\\-]*[/\\])?(?:\.(?:ssh|aws|gnupg|kube|netrc|bashrc|profile|zshrc|bash_history|git-credentials|pypirc|npmrc)|"
    r"id_(?:rsa|ed25519|ecdsa))(?:[/\\][\w./\\-]*)?|/(?:etc|proc|root|dev/shm)/[\w./-]+"
)
