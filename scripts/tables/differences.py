"""IRCoder minus base for every score that both have, paired by problem: `tables/differences.csv`."""

from pathlib import Path

from scripts.lib.bootstrap import Sample, paired_interval
from scripts.lib.files import read_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.scores import DIFFERENCES, KEY
from scripts.lib.scores import Row, base_of, write_rows
from scripts.lib.seeds import seed_for
from scripts.tables import losses

Problems = dict[str, float]


def problems_of(path: str | Path) -> dict[tuple[str, ...], Problems]:
    """Values of single problems behind each row of a score file, by the row's key.

    A metric that is no mean over problems, like a relative drop, has no such values and is left out.
    """
    content = read_json(path)
    found = {
        tuple(row[name] for name in KEY): content["per_problem"].get(row["setting"], {}).get(row["metric"])
        for row in content["rows"]
    }
    return {key: values for key, values in found.items() if values}


def _difference(key: tuple[str, ...], base: Problems, ircoder: Problems, seed: int) -> Row:
    """One row of the differences; raise `InputError` when the two were scored on different problems."""
    row: Row = dict(zip(KEY, key, strict=True))
    if base.keys() != ircoder.keys():
        odd = sorted(base.keys() ^ ircoder.keys())[0]
        raise InputError(f"{', '.join(key)}: base and IRCoder were scored on different problems, {odd} in one only")
    names = sorted(base)
    first, second = (Sample.of([values[name] for name in names]) for values in (base, ircoder))
    low, high = paired_interval(first, second, seed_for(seed, *key[:2], *key[4:]))
    value = second.mean() - first.mean()
    return {**row, "base": base_of(key[3]), "difference": value, "ci_low": low, "ci_high": high, "problems": len(names)}


def score_differences(scores: list[str], seed: int) -> list[Row]:
    """Differences for every score of an IRCoder checkpoint whose base checkpoint was scored too."""
    found = {key: values for path in scores for key, values in problems_of(path).items()}
    rows = []
    for key, values in found.items():
        base = (*key[:3], base_of(key[3]), *key[4:])
        if base in found:
            rows.append(_difference(key, found[base], values, seed))
    return rows


def loss_differences(loss_files: dict[tuple[str, str], str], seed: int) -> list[Row]:
    """Differences of validation losses; `loss_files` maps (model, checkpoint) to its file."""
    rows = []
    for (model, checkpoint), path in loss_files.items():
        base = loss_files.get((model, base_of(checkpoint) or ""))
        if base is not None:
            rows.extend(losses.difference_rows(base, path, model, checkpoint, seed))
    return rows


if __name__ == "__main__":
    with job() as snakemake:
        trained = [tuple(names) for names in snakemake.params.trained]
        named = dict(zip(trained, snakemake.input.losses, strict=True))
        found = score_differences(snakemake.input.scores, snakemake.params.seed)
        found += loss_differences(named, snakemake.params.seed)
        write_rows(snakemake.output[0], found, DIFFERENCES)
