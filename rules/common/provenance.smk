"""Functions that name what the stage's rules need."""

from snakemake import __version__ as SNAKEMAKE_VERSION

from scripts.workflow.config import ConfigError
from scripts.lib.revisions import revisions_in
from scripts.workflow.fidelity_page import read_deviations

PROVENANCE = f"{RESULTS}/provenance"


def run_results(wildcards):
    """All final files of the stages before this one, and the tables as parts of the report."""
    stages = (sources_targets, dedup_targets, pairs_targets, pretrain_targets, evaluated_tunings, evaluate_targets)
    before = [path for stage in stages for path in stage()]
    return [*compile_targets(wildcards), *before, *tables_targets(), *report_tables()]


def all_outcomes(wildcards):
    """Outcome tables of all languages; none where the IR came with the sources."""
    return [path for path in compile_targets(wildcards) if path.endswith(".parquet")]


def all_outcome_sources(wildcards):
    """The sources tables behind the outcome tables."""
    return [path.replace(f"{RESULTS}/ir/", f"{RESULTS}/sources/", 1) for path in all_outcomes(wildcards)]


def scripted_rules(wildcards):
    """Script and environment of every rule that has a script, as paths below the project."""

    def below(path, folder):
        return os.path.relpath(os.path.join(folder, path), ROOT) if isinstance(path, str) else ""

    return {
        entry.name: {
            name: below(path, str(entry.basedir)) for name, path in (("script", entry.script), ("env", entry.conda_env))
        }
        for entry in workflow.rules
        if entry.script
    }


def deployment():
    """How the rules' programs came to be there: by conda environments or from the host."""
    methods = workflow.deployment_settings.deployment_method
    return "conda" if "conda" in {str(method) for method in methods} else "host"


def deviations():
    """How each stage compares with the paper's published code; end the process with one line when the table is wrong."""
    try:
        return read_deviations(Path(ROOT))
    except ConfigError as error:
        sys.exit(f"error: {error}")


def recorded_config():
    """The config as the results depend on it: where they lie is none of that."""
    return {key: config[key] for key in sorted(config) if key != "results_dir"}


def used_revisions():
    """Models and data sets of the hub that the run used, each with its commit, by the address of that."""
    entries = [config, {name: MODELS[name] for name in config["models"]}, list(SOURCES.values())]
    return {found.address: [found.repository, found.revision] for found in revisions_in(entries)}


def report_tables():
    """Tables as parts of the report."""
    return [f"{RESULTS}/tables/{name}.html" for name in table_benchmarks()]


def report_figures():
    """All figures of the report."""
    return [path for path in [*pairs_targets(), *tables_targets()] if path.endswith(".svg")]


def report_titles():
    """Titles of the benchmarks' tables."""
    return {name: TABLE_SPECS[name]["title"] for name in table_benchmarks()}


def report_targets():
    return [f"{RESULTS}/report.html", f"{PROVENANCE}/ro-crate-metadata.json"]


def audit_targets():
    return [f"{PROVENANCE}/audit.txt"]
