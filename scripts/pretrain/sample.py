"""Draw the pairs that all models are trained and measured on, in one pass over the data set.

Whole row groups without a chosen pair are not read, and only the texts of chosen pairs leave Arrow.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.job import InputError, job, progress
from scripts.lib.parquet import TableWriter, iter_batches, open_table, parts_of
from scripts.lib.schemas.pairs import Split
from scripts.lib.schemas.training import SAMPLE
from scripts.pretrain.draw import CHOICES, Choice, PairKey

_IDS_PER_BATCH = 10_000
_NAMES = {Split.TRAIN: "training", Split.VALIDATION: "validation"}
_FIXES = {
    Split.TRAIN: "add programs to the corpus or relax the filters in `pairs`",
    Split.VALIDATION: "raise `pairs.validation_share` or add programs",
}


def table_name(path: str | Path) -> tuple[str, str]:
    """Language and variant of `pairs/{language}/{variant}.parquet`."""
    return Path(path).parent.name, Path(path).stem


def pair_keys(paths: Sequence[str], split: str) -> Iterator[PairKey]:
    """The pairs of all tables in one split, without reading their texts."""
    for path in sorted(paths):
        language, variant = table_name(path)
        for batch in iter_batches(path, ["id", "split"], _IDS_PER_BATCH):
            rows = batch.filter(pc.equal(batch["split"], pa.scalar(split)))
            yield from ((language, variant, str(name)) for name in rows["id"].to_pylist())


def _is_chosen(rows: pa.Table, language: str, variant: str, choice: Choice) -> list[bool]:
    """Which rows of a table of pairs are chosen; `rows` has `id` and `split`."""
    mask = []
    for name, split in zip(rows["id"].to_pylist(), rows["split"].to_pylist(), strict=True):
        chosen = choice.get(str(split), frozenset())
        mask.append(chosen is None or (language, variant, str(name)) in chosen)
    return mask


def chosen_rows(path: str, choice: Choice) -> Iterator[pa.Table]:
    """The chosen rows of one table of pairs, a row group of one of its parts at a time."""
    language, variant = table_name(path)
    for part in parts_of(path):
        with open_table(part) as file:
            for group in range(file.num_row_groups):
                mask = _is_chosen(file.read_row_group(group, ["id", "split"]), language, variant, choice)
                if not any(mask):
                    continue
                rows = file.read_row_group(group, ["Source_Code", "IR_Original", "id", "split"])
                rows = rows.filter(pa.array(mask, pa.bool_()))
                known = {"language": pa.repeat(language, len(rows)), "variant": pa.repeat(variant, len(rows))}
                for column, values in known.items():
                    rows = rows.append_column(column, values)
                yield rows.select(SAMPLE.names)


def write_sample(paths: Sequence[str], output: str | Path, purpose: str, settings: Mapping[str, Any]) -> None:
    """Write the pairs that are drawn for a purpose: `documents` or `losses`.

    Raises `InputError` when the split that the purpose needs has no pair.
    """
    choice = CHOICES[purpose](lambda split: pair_keys(paths, split), settings)
    needed, rows = Split(next(iter(choice))), 0
    with TableWriter(output, SAMPLE.schema) as writer:
        for path in progress(sorted(paths), f"drawing pairs for {purpose}"):
            for table in chosen_rows(path, choice):
                rows += table["split"].to_pylist().count(needed)
                writer.write(table)
        if not rows:
            raise InputError(f"no pair in the {_NAMES[needed]} split; {_FIXES[needed]}")


if __name__ == "__main__":
    with job() as snakemake:
        files, params = snakemake.input, snakemake.params
        purpose, _, _ = snakemake.wildcards.purpose.partition("-")  # an ablation's name follows
        write_sample(files.pairs, snakemake.output[0], purpose, params.settings)
