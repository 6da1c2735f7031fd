"""IRCoder, reproduced: programs in, result tables out. Every stage is a rule file and a folder of scripts of the same name."""

import sys

from snakemake.utils import min_version

min_version("9.27")

sys.path.insert(0, workflow.basedir)

from scripts.workflow.summary import note_results
from scripts.workflow.config import prepare
from scripts.workflow.recovery import check_writable, hold_folder, mark_run, mend_times
from scripts.workflow.requirements import refuse, warn_at_exit
from scripts.workflow.results_lock import hold_results


configfile: f"{workflow.basedir}/config/config.yaml"


mark_run()


onstart:
    hold_folder()
    check_writable(RESULTS)
    refuse(workflow, config, MODELS)
    hold_results(RESULTS)
    mend_times(RESULTS)


ROOT = workflow.basedir
LANGUAGES, MODELS, RUNNERS, BENCHMARKS = prepare(config, ROOT)
RESULTS = config["results_dir"]
if workflow.is_main_process:
    note_results(RESULTS)
    warn_at_exit(workflow, config, MODELS)


wildcard_constraints:
    language="[A-Za-z+-]+",
    shard="[0-9]+",
    variant="perf|size",
    model="[a-z0-9.-]+",


include: "rules/common/base.smk"
include: "rules/common/sources.smk"
include: "rules/sources.smk"
include: "rules/common/compile.smk"
include: "rules/compile.smk"
include: "rules/common/dedup.smk"
include: "rules/dedup.smk"
include: "rules/common/pairs.smk"
include: "rules/pairs.smk"
include: "rules/common/pretrain.smk"
include: "rules/common/checkpoints.smk"
include: "rules/pretrain.smk"
include: "rules/common/finetune.smk"
include: "rules/finetune.smk"
include: "rules/common/evaluate.smk"
include: "rules/evaluate.smk"
include: "rules/common/tables.smk"
include: "rules/tables.smk"
include: "rules/common/provenance.smk"
include: "rules/provenance.smk"


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
