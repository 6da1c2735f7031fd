"""IRCoder, reproduced: programs in, result tables out.

Each stage is a rule file in rules/ and a folder of scripts of the same name.
"""

import sys

from snakemake.utils import min_version

min_version("9.27")

# The folder of this file, also where another workflow uses this one as a module.
if not workflow.current_basedir.is_local:
    sys.exit("error: the workflow needs all files of its repository; clone it and name the Snakefile by its path")
ROOT = workflow.current_basedir.get_path_or_uri(secret_free=True)
sys.path.insert(0, ROOT)

from scripts.provenance.cost_tables import end_costs
from scripts.provenance.run_record import record_end, record_start
from scripts.workflow.completeness import check_complete, skipped
from scripts.workflow.config import prepare
from scripts.workflow.recovery import check_writable, hold_folder, mark_run, remove_temporary_files, reset_future_times
from scripts.workflow.reevaluation import wait_for_one_evaluation
from scripts.workflow.requirements import check_requirements, warn_at_exit
from scripts.workflow.results_lock import hold_results
from scripts.workflow.summary import follow_stages, record_results_dir


configfile: f"{ROOT}/config/config.yaml"


report: "rules/captions/workflow.rst"


mark_run()
LANGUAGES, MODELS, RUNNERS, BENCHMARKS, TABLE_SPECS = prepare(config, ROOT)


include: "rules/common.smk"
include: "rules/sources.smk"
include: "rules/compile.smk"
include: "rules/dedup.smk"
include: "rules/pairs.smk"
include: "rules/pretrain.smk"
include: "rules/finetune.smk"
include: "rules/evaluate.smk"
include: "rules/tables.smk"
include: "rules/provenance.smk"


onstart:
    hold_folder()
    check_writable(RESULTS)
    check_requirements(workflow, config, MODELS)
    hold_results(RESULTS)
    reset_future_times(RESULTS)
    remove_temporary_files(RESULTS)
    record_start(RESULTS, ROOT, SNAKEMAKE_VERSION, workflow.dag_settings.targets)


onsuccess:
    skipped_jobs = skipped(workflow.dag)
    record_end(RESULTS, () if skipped_jobs else None)
    end_costs(RESULTS)
    check_complete(skipped_jobs)


onerror:
    record_end(RESULTS, workflow.scheduler.failed)
    end_costs(RESULTS)


if workflow.is_main_process:
    wait_for_one_evaluation()
    follow_stages(workflow)
    record_results_dir(RESULTS)
    warn_at_exit(workflow, config, MODELS)


localrules:
    all,
    sources,
    ir,
    dedup,
    pairs,
    pretrain,
    finetune,
    evaluate,
    tables,
    report,
    audit,


rule all:
    default_target: True
    input:
        tables_targets(),
        report_targets(),


rule sources:
    input:
        sources_targets(),


rule ir:
    input:
        compile_targets,


rule dedup:
    input:
        dedup_targets(),


rule pairs:
    input:
        pairs_targets(),
        "<results>/provenance/pairs.json",


rule pretrain:
    input:
        pretrain_targets(),


rule finetune:
    input:
        finetune_targets(),


rule evaluate:
    input:
        evaluate_targets(),


rule tables:
    input:
        tables_targets(),


rule report:
    input:
        report_targets(),


rule audit:
    input:
        audit_targets(),
