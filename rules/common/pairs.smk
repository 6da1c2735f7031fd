"""What the pairs are made from, and what the benchmarks are that they must not contain."""


def _benchmark_folder():
    return Path(FETCHED if config["evaluate"]["data_dir"] is None else rooted(config["evaluate"]["data_dir"]))


def benchmark_files(wildcards):
    """The benchmarks' files: those fetched, or all below `evaluate.data_dir`.

    Commits are data to tune on, not a benchmark.
    """
    folder = _benchmark_folder()
    found = [path for kind in ("jsonl", "jsonl.gz") for path in folder.rglob(f"*.{kind}")]
    names = SOURCES or [path.relative_to(folder).as_posix() for path in found]
    return sorted(str(folder / name) for name in names if not name.startswith("commitchronicle/"))


def benchmark_names(wildcards, input):
    """The names of the benchmarks' files in their folder."""
    return [Path(path).relative_to(_benchmark_folder()).as_posix() for path in input]


def ngram_tables(wildcards):
    """The n-grams to look for; none when decontamination is off."""
    return [f"{RESULTS}/decontamination/ngrams.parquet"] if config["pairs"]["decontaminate"]["enabled"] else []


def pair_settings():
    """What the pairs of a language depend on, beside its tables."""
    lengths = ("source_bytes", "source_tokens", "ir_bytes", "ir_tokens")
    return {
        "limits": {f"max_{field}": config["pairs"][f"max_{field}"] for field in lengths},
        "normalise_newlines": config["pairs"]["normalise_newlines"],
        "validation_share": config["pairs"]["validation_share"],
        "seed": config["seed"],
    }


def card_settings():
    """What the data set's card tells of the config."""
    return {key: config[key] for key in ("variants", "dedup", "pairs", "seed")}


def pairs_megabytes(wildcards):
    """A base with room for two row groups of text, and what is known of each source."""
    return 1500 + language_rows(wildcards.language) * 500 // 1_000_000


def pairs_targets():
    """The data set with its card, and the figures of it."""
    return [
        *expand(
            f"{RESULTS}/pairs/{{language}}/{{variant}}.parquet",
            language=config["languages"],
            variant=config["variants"],
        ),
        *expand(f"{RESULTS}/pairs/{{file}}", file=["README.md", "statistics.csv", "contamination.csv"]),
        *expand(f"{RESULTS}/figures/{{figure}}.svg", figure=["funnel", "ir_lengths"]),
    ]
