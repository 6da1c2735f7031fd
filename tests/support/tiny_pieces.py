"""Tokenizers that encode the beginning of a text differently, or add tokens around it; made without a hub."""

import json
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from tests.support.tiny_tokenizer import tiny_tokenizer

TEXTS = [
    "int main() {\n    return 0;\n}\n",
    "def f(x):\n    return x + 1\n\n\nclass A:\n    pass\n",
    "define i32 @f(i32 %a) {\n  %b = add i32 %a, 1\n  ret i32 %b\n}\n",
    "### Diff:\n+int a;\n\n### Message:\nAdd a variable\n",
] * 3
_REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
# As in the files of Code Llama and Llama 2; the others below are as in newer conversions of the same vocabulary.
_NORMALIZED = {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, _REPLACE]}}
_STRIP = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
_DECODER = {
    "type": "Sequence",
    "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        _STRIP,
        _STRIP,
    ],
}


def _metaspace(scheme: str, split: bool) -> dict[str, Any]:
    return {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}}


KINDS: dict[str, dict[str, Any]] = {
    "prepended blank": _NORMALIZED,
    "blank before the first segment": _metaspace("first", split=False),
    "blank before every segment, words apart": _metaspace("always", split=True),
}


def pieces_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """A tokenizer like SentencePiece's with byte fallback, trained on a few texts; it adds `<s>` before every text."""
    backend = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    # No token spans a line break, as in the vocabularies of real models.
    lines = pre_tokenizers.Split("\n", behavior="isolated")
    words = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True)
    backend.pre_tokenizer = pre_tokenizers.Sequence([lines, words])
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)], show_progress=False
    )
    backend.train_from_iterator(TEXTS, trainer)
    content = json.loads(backend.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["id"] < len(special)]
    content |= {"pre_tokenizer": None, "normalizer": None, "decoder": _DECODER, **KINDS[kind]}
    backend = Tokenizer.from_str(json.dumps(content))
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def unigram_tokenizer(scheme: str = "always", normalizer: Any = None) -> PreTrainedTokenizerFast:
    """A Unigram tokenizer as SentencePiece trains by default, with byte fallback; it adds `<s>` before every text.

    scheme: where a blank is added. normalizer: of the library tokenizers, as nmt_nfkc of T5 and XLNet.
    """
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=True)
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=320,
        special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)],
        unk_token="<unk>",
        show_progress=False,
    )
    backend.train_from_iterator(TEXTS, trainer)
    content = json.loads(backend.to_str())
    content["model"]["byte_fallback"] = True
    content["added_tokens"] = [token for token in content["added_tokens"] if token["id"] < len(special)]
    backend = Tokenizer.from_str(
        json.dumps({**content, "decoder": {**_DECODER, "decoders": _DECODER["decoders"][:-1]}})
    )
    if normalizer is not None:
        backend.normalizer = normalizer
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def prefixing_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer that adds a blank before every text."""
    plain = tiny_tokenizer()
    plain.backend_tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    plain.backend_tokenizer.decoder = decoders.ByteLevel()
    return plain


def end_adding_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer that adds its end-of-text token after every text."""
    plain = tiny_tokenizer()
    end = plain.eos_token
    plain.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", special_tokens=[(end, plain.eos_token_id)]
    )
    return plain
