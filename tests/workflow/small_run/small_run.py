"""Writes small results in place of the stages before the tables."""

from pathlib import Path

from tests.support.small_results import MODEL, write_curves, write_losses, write_outcomes, write_pairs, write_scores

folder = Path(snakemake.params.folder)
if snakemake.rule == "compile_shard":
    write_outcomes(folder, snakemake.params.seconds)
elif snakemake.rule == "pairs_language":
    write_pairs(folder)
elif snakemake.rule == "pretrain_merge":
    write_losses(folder)
    write_curves(folder)
    Path(snakemake.output.model).mkdir(parents=True)
    Path(snakemake.output.model, "config.json").write_text(f'{{"name": "{MODEL}"}}\n')
    Path(snakemake.output.unused).write_text("gone soon\n")
else:
    write_scores(folder)
