"""Train a byte-level BPE vocabulary on the sources and the IR of the training pairs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from scripts.lib.files import atomic_directory
from scripts.lib.job import job, progress
from scripts.lib.special_tokens import END_OF_TEXT
from scripts.lib.training.model_tokenizer import save_tokenizer
from scripts.pretrain.pair_documents import iter_pairs


def texts(sample: str, characters: int) -> Iterator[str]:
    """Sources and IR of the sampled training pairs, each truncated to `characters`."""
    for pair in progress(iter_pairs(sample, "train"), "reading pairs"):
        yield pair.source[:characters]
        yield pair.llvm[:characters]


def train_tokenizer(corpus: Iterator[str], size: int) -> Tokenizer:
    """A byte-level BPE tokenizer of at most `size` tokens, including end of text (Radford et al.,
    2019).
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def write_vocabulary(sample: str, output: str | Path, settings: dict[str, Any]) -> None:
    """Train on a table of sampled pairs, and save into a folder."""
    backend = train_tokenizer(texts(sample, settings["characters"]), settings["size"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT, clean_up_tokenization_spaces=False
    )
    with atomic_directory(output) as folder:
        save_tokenizer(tokenizer, folder)


if __name__ == "__main__":
    with job() as snakemake:
        write_vocabulary(snakemake.input.sample, snakemake.output[0], snakemake.params.settings)
