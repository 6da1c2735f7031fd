"""Scores of one generation file, with bootstrap intervals over problems."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.evaluate.benchmarks.codexglue import predicted_description
from scripts.evaluate.benchmarks.problems import NOMINAL, Problem
from scripts.evaluate.benchmarks.task import Task, checksums, read_problems
from scripts.evaluate.executions import Execution, read_executions
from scripts.evaluate.generations import Generation, read_generations
from scripts.evaluate.likelihoods import measured_texts, metrics_for
from scripts.evaluate.metrics import (
    TEXT_METRICS,
    ProgramMetric,
    TextMetric,
    program_metrics,
    robust_pass_at_1,
    robust_product,
)
from scripts.evaluate.module_metrics import MODULE_METRICS, Module, read_checks, values_of
from scripts.lib.bootstrap import Sample, interval, ratio_interval
from scripts.lib.files import sha256_file, write_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.scores import KEY
from scripts.lib.scores import Row
from scripts.lib.seeds import seed_for

Values = Mapping[str, float]
Executions = Mapping[str, Sequence[Execution]]


@dataclass(frozen=True)
class Score:
    """One metric in one setting: a value for each problem, from `samples` samples each.

    scale: by what values are multiplied in tables; values from 0 to 1 become percentages.
    baseline: for a relative drop, the values that the drop is relative to; empty otherwise.
    """

    setting: str
    metric: str
    values: Values
    samples: int
    baseline: Values = field(default_factory=dict)
    scale: float = 100.0


def program_scores(executions: Executions, metrics: Iterable[ProgramMetric], setting: str) -> list[Score]:
    """The metrics for which every problem has enough samples."""
    samples = min(map(len, executions.values()))
    return [
        Score(setting, metric.name, {name: metric.compute(rows) for name, rows in executions.items()}, samples)
        for metric in metrics
        if metric.min_samples <= samples
    ]


def _by_perturbation(
    problems: Iterable[Problem], passed: Mapping[str, list[bool]]
) -> dict[str, dict[str, list[list[bool]]]]:
    """Whether samples passed, of shape (seeds, samples), by perturbation and problem."""
    grouped: dict[str, dict[str, list[list[bool]]]] = {}
    for problem in problems:
        if problem.id in passed:
            grouped.setdefault(problem.perturbation, {}).setdefault(problem.group, []).append(passed[problem.id])
    return grouped


def _mean_values(parts: Sequence[Values]) -> Values:
    """Mean over perturbations for each problem that all perturbations have."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: sum(part[name] for part in parts) / len(parts) for name in names}


def robust_scores(problems: Iterable[Problem], passed: Mapping[str, list[bool]], setting: str) -> list[Score]:
    """ReCode's metrics: nominal pass@1, robust pass@1 and its drop relative to the nominal one.

    `passed` has, for each prompt, whether its samples passed. A perturbation's scores have the
    setting `{setting}.{perturbation}`, the means over perturbations `setting` itself.
    """
    grouped = _by_perturbation(problems, passed)
    samples = min(map(len, passed.values()))
    nominal = {name: robust_product(seeds) for name, seeds in grouped.pop(NOMINAL).items()}
    scores = [Score(setting, "nominal_pass@1", nominal, samples)]
    for metric, compute in (("robust_pass@1", robust_pass_at_1), ("robust_pass@1_product", robust_product)):
        parts = {}
        for perturbation, groups in sorted(grouped.items()):
            parts[perturbation] = {name: compute(seeds) for name, seeds in groups.items()}
            scores.append(Score(f"{setting}.{perturbation}", metric, parts[perturbation], samples))
        if parts:
            scores.append(Score(setting, metric, _mean_values(list(parts.values())), samples))
    robust = [score for score in scores if score.metric == "robust_pass@1"]
    return scores + [
        Score(score.setting, "relative_drop", score.values, samples, {name: nominal[name] for name in score.values})
        for score in robust
    ]


def text_scores(
    targets: Mapping[str, str],
    generations: Sequence[Generation],
    metrics: Sequence[TextMetric],
    setting: str,
    prediction_of: Callable[[str], str],
) -> list[Score]:
    """For each problem the means over samples of all metrics.

    `prediction_of` maps a completion to the text that is compared with the problem's target.
    """
    samples = min(len(generation.completions) for generation in generations)
    values: dict[str, dict[str, float]] = {}
    for generation in generations:
        target = generation.target or targets[generation.id]
        predictions = map(prediction_of, generation.completions)
        rows = [{name: v for metric in metrics for name, v in metric(text, target).items()} for text in predictions]
        for name in rows[0]:
            values.setdefault(name, {})[generation.id] = sum(row[name] for row in rows) / len(rows)
    return [Score(setting, name, means, samples) for name, means in values.items()]


def _generated(metric: TextMetric) -> TextMetric:
    """The metric under the name `generated_{name}`."""
    return lambda prediction, target: {f"generated_{name}": v for name, v in metric(prediction, target).items()}


def commit_scores(
    targets: Mapping[str, str], generations: Sequence[Generation], setting: str, teacher_forced: bool
) -> list[Score]:
    """Scores of commit messages.

    The paper compares teacher-forced predictions. Messages that were generated are scored by the
    same metrics, under the names `generated_{metric}`.
    """
    metrics = TEXT_METRICS["commits"]
    if teacher_forced:
        return text_scores(targets, generations, metrics, setting, str)
    return text_scores(targets, generations, [_generated(metric) for metric in metrics], setting, str.strip)


def likelihood_scores(generations: Sequence[Generation], setting: str) -> list[Score]:
    """Scores of texts whose likelihood was measured; raises `InputError` if there are none."""
    problems = measured_texts(generations)
    if not problems:
        raise InputError(f"{setting}: no problem fits in the model's context; leave the task or the model out")
    samples = min(len(measured.nats) for measured in problems.values())
    return [
        Score(
            setting,
            metric.name,
            {name: metric.compute(measured) for name, measured in problems.items()},
            samples,
            scale=metric.scale,
        )
        for metric in metrics_for(problems)
    ]


def module_scores(
    targets: Mapping[str, str],
    generations: Sequence[Generation],
    checks: Mapping[tuple[str, int], Mapping[str, Any]],
    setting: str,
) -> list[Score]:
    """Scores of generated modules; a metric that no problem has is left out."""
    modules = {}
    for generation in generations:
        own = []
        for sample, text in enumerate(generation.completions):
            check = checks[generation.id, sample]
            state = {name: check[name] for name in ("is_valid", "functions", "defined", "run")}
            own.append(Module(text, targets[generation.id], **state))
        modules[generation.id] = own
    samples = min(map(len, modules.values()))
    scores = [Score(setting, metric.name, values_of(metric, modules), samples) for metric in MODULE_METRICS]
    return [score for score in scores if score.values]


def scores_of(
    form: str,
    problems: Sequence[Problem],
    generations: Sequence[Generation],
    executions: Executions | None,
    params: Any,
    checks: Mapping[tuple[str, int], Mapping[str, Any]] | None = None,
) -> list[Score]:
    """All scores of a generation file.

    `executions` is None for benchmarks that compare texts, `checks` for all but those of modules.
    `params` has the rule's `setting`, `pass_at` (the k of pass@k), `compiled`, `teacher_forced` and
    `likelihood`.
    """
    if params.likelihood:
        return likelihood_scores(generations, params.setting)
    if executions is None:
        targets = {problem.id: problem.target for problem in problems}
        if checks is not None:
            return module_scores(targets, generations, checks, params.setting)
        if form == "commits":
            return commit_scores(targets, generations, params.setting, params.teacher_forced)
        return text_scores(targets, generations, TEXT_METRICS[form], params.setting, predicted_description)
    if form == "recode":
        passed = {name: [execution.passed for execution in rows] for name, rows in executions.items()}
        metrics = program_metrics([], params.compiled)
        return robust_scores(problems, passed, params.setting) + program_scores(executions, metrics, params.setting)
    return program_scores(executions, program_metrics(params.pass_at, params.compiled), params.setting)


def row_of(score: Score, key: Mapping[str, str], seed: int) -> Row | None:
    """The row of a metric in `tables/scores.csv`, times its scale.

    None for a relative drop that is not defined, because nothing passed nominally.
    """
    row = {**key, "setting": score.setting, "metric": score.metric}
    names = sorted(score.values)
    sample = Sample.of([score.values[name] for name in names])
    row_seed = seed_for(seed, *(row[name] for name in KEY))
    if score.metric == "relative_drop":
        nominal = Sample.of([score.baseline[name] for name in names])
        if nominal.mean() == 0:
            return None
        value = 1 - sample.mean() / nominal.mean()
        high, low = (1 - ratio for ratio in ratio_interval(sample, nominal, row_seed))
    else:
        value = sample.mean()
        low, high = interval(sample, row_seed)
    bounds = {"value": score.scale * value, "ci_low": score.scale * low, "ci_high": score.scale * high}
    return {**row, **bounds, "problems": len(names), "samples": score.samples}


def score_file(scores: Sequence[Score], key: Mapping[str, str], seed: int) -> dict[str, Any]:
    """Content of a score file: `rows` of the long table, and `per_problem` by setting and metric.

    `key` has the row's columns that are the same for the whole file.
    """
    rows = [row for score in scores if (row := row_of(score, key, seed)) is not None]
    per_problem: dict[str, dict[str, Values]] = {}
    for score in scores:
        if score.metric != "relative_drop":
            scaled = {name: score.scale * value for name, value in score.values.items()}
            per_problem.setdefault(score.setting, {})[score.metric] = scaled
    return {"rows": rows, "per_problem": per_problem}


def generation_summary(generations: Sequence[Generation]) -> dict[str, Any]:
    """The engine, its version, and how many completions ended for which reason."""
    reasons = Counter(reason for generation in generations for reason in generation.finish_reasons)
    return {"engine": generations[0].engine, "version": generations[0].version, "finish_reasons": dict(reasons)}


def unsolved(executions: Executions | None) -> list[str]:
    """Ids of the prompts of which no sample passed, sorted; empty where texts are compared."""
    return sorted(name for name, rows in (executions or {}).items() if not any(row.passed for row in rows))


if __name__ == "__main__":
    with job() as snakemake:
        files, params = snakemake.input, snakemake.params
        task = Task(**params.task, rows=files.rows, references=files.references)
        generations = read_generations(files.generations)
        executions = read_executions(files.executions) if files.get("executions") else None
        checks = read_checks(files.modules) if files.get("modules") else None
        scores = scores_of(params.task["form"], read_problems(task), generations, executions, params, checks)
        content = score_file(scores, params.key, params.seed)
        inputs = {**checksums([*files.rows, *files.references]), "generations": sha256_file(files.generations)}
        about = {"failures": unsolved(executions), "generation": generation_summary(generations), "inputs": inputs}
        write_json(snakemake.output[0], {**content, **about})
