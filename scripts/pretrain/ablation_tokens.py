"""Pack the documents of an ablation into training sequences, with the tokenizer of its model."""

from scripts.lib.files import atomic_directory
from scripts.lib.job import job
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.pretrain.tokens import write_tokens

if __name__ == "__main__":
    with job() as snakemake, atomic_directory(snakemake.output[0]) as folder:
        tokenizer = load_tokenizer(snakemake.input.tokenizer)
        write_tokens(snakemake.input.sample, tokenizer, folder, snakemake.params.settings, snakemake.threads)
