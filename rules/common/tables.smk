"""Functions that name what the stage's rules need."""

from scripts.workflow.config import ConfigError, read_yaml, validate

VALIDATION = "validation"
TABLE_FORMATS = ("csv", "md", "tex")


def read_table_specs():
    """The checked table config/tables.yaml; a fault in it ends the process with one line."""
    try:
        table_specs = read_yaml(f"{ROOT}/config/tables.yaml")
        validate(table_specs, "tables", ROOT, "config/tables.yaml")
    except ConfigError as error:
        sys.exit(f"error: {error}")
    return table_specs


TABLE_SPECS = read_table_specs()


def score_files():
    """Score files of the run, sorted."""
    return sorted(path for path in evaluate_targets() if path.startswith(f"{RESULTS}/scores/"))


def loss_files():
    """Files of validation losses, in the order of `compared_losses`."""
    return [f"{RESULTS}/models/{model}/losses/{start}.parquet" for model, start in compared_losses()]


def curve_files():
    """Learning curves of all trainings of the run, by model in the order of training."""
    return [f"{RESULTS}/models/{model}/curves/{name}.csv" for model in config["models"] for name in trainings(model)]


def figure_names():
    """Figures that the run has something to draw for."""
    losses = ["validation_loss"] if compared_losses() else []
    return ["base_vs_ircoder", *losses, *(["learning_curves"] if curve_files() else [])]


def table_benchmarks():
    """Benchmarks that get a wide table, in the order of config/tables.yaml."""
    found = {path.removeprefix(f"{RESULTS}/scores/").split("/")[0] for path in score_files()}
    found |= {VALIDATION} if compared_losses() else set()
    unknown = sorted(found - TABLE_SPECS.keys())
    if unknown:
        sys.exit(f"error: config/tables.yaml has no entry '{unknown[0]}'; add one for the benchmark's table")
    return [benchmark for benchmark in TABLE_SPECS if benchmark in found]


def table_spec(wildcards):
    """What of a benchmark's entry decides its wide table in one format: csv has all digits and no text."""
    table_spec = TABLE_SPECS[wildcards.benchmark]
    unused = ("headline", "decimals", "title", "caption", "notes") if wildcards.format == "csv" else ("headline",)
    return {key: value for key, value in table_spec.items() if key not in unused}


def _specs(names, *keys):
    """Some keys of some benchmarks' entries."""
    return {name: {key: TABLE_SPECS[name][key] for key in keys if key in TABLE_SPECS[name]} for name in names}


def headline_specs():
    """What of every benchmark's entry decides the main table."""
    return _specs(table_benchmarks(), "title", "decimals", "lower_is_better", "headline", "notes")


def figure_specs():
    """What decides the figure of scores, which shows all that is scored from 0 to 100."""
    return _specs([name for name in table_benchmarks() if name != VALIDATION], "title", "headline")


def run_notes():
    """Remarks that must stand under every table of the run."""
    unsandboxed = "Generated programs were run without a sandbox (evaluate.sandbox: off)."
    return [unsandboxed] if EVALUATE["sandbox"] is False else []


def tables_targets():
    """Final files of the stage."""
    tables = [f"{RESULTS}/tables/{name}.{form}" for name in table_benchmarks() for form in TABLE_FORMATS]
    figures = [f"{RESULTS}/figures/{name}.svg" for name in figure_names()]
    return [f"{RESULTS}/tables/scores.csv", f"{RESULTS}/tables/main.md", *tables, *figures]
