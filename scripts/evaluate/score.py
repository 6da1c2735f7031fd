"""Scores of one generation file, with bootstrap intervals over problems."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.evaluate.benchmarks.codexglue import described
from scripts.evaluate.benchmarks.problems import NOMINAL, Problem
from scripts.evaluate.benchmarks.task import Task, checksums, read_problems
from scripts.evaluate.executions import compiles, passes
from scripts.evaluate.generations import Generation, read_generations
from scripts.evaluate.metrics import pass_at_k, robust_pass_at_1, robust_product, rouge, sentence_bleu
from scripts.lib.bootstrap import Sample, interval, ratio_interval
from scripts.lib.files import sha256_file, write_json
from scripts.lib.job import job
from scripts.lib.scores import KEY, Row
from scripts.lib.seeds import seed_for

Values = Mapping[str, float]


@dataclass(frozen=True)
class Scored:
    """One metric in one setting: a value between 0 and 1 for each problem, from `samples` samples each.

    `against`: for a relative drop, the values that it is a drop from.
    """

    setting: str
    metric: str
    values: Values
    samples: int
    against: Values = field(default_factory=dict)


def pass_scores(passed: Mapping[str, Sequence[bool]], ks: Iterable[int], setting: str) -> list[Scored]:
    """pass@k for every k that there are enough samples for."""
    samples = min(map(len, passed.values()))
    return [
        Scored(setting, f"pass@{k}", {name: pass_at_k(len(own), sum(own), k) for name, own in passed.items()}, samples)
        for k in ks
        if k <= samples
    ]


def compile_score(compiled: Mapping[str, Sequence[bool]], setting: str) -> Scored:
    """compiles@1: for each problem the share of samples that compile, whatever their tests say."""
    samples = min(map(len, compiled.values()))
    return Scored(setting, "compiles@1", {name: sum(own) / len(own) for name, own in compiled.items()}, samples)


def _by_perturbation(
    problems: Iterable[Problem], passed: Mapping[str, list[bool]]
) -> dict[str, dict[str, list[list[bool]]]]:
    """Perturbation -> problem -> samples of each seed."""
    found: dict[str, dict[str, list[list[bool]]]] = {}
    for problem in problems:
        if problem.id in passed:
            found.setdefault(problem.perturbation, {}).setdefault(problem.group, []).append(passed[problem.id])
    return found


def _mean_over(parts: Sequence[Values]) -> Values:
    """The mean over perturbations, for each problem; only what all perturbations have."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: sum(part[name] for part in parts) / len(parts) for name in names}


def robust_scores(problems: Iterable[Problem], passed: Mapping[str, list[bool]], setting: str) -> list[Scored]:
    """Robust pass@1 of each perturbation and, in `setting` itself, their mean; both beside the nominal pass@1."""
    grouped = _by_perturbation(problems, passed)
    samples = min(map(len, passed.values()))
    nominal = {name: robust_product(seeds) for name, seeds in grouped.pop(NOMINAL).items()}
    found = [Scored(setting, "nominal_pass@1", nominal, samples)]
    for metric, measure in (("robust_pass@1", robust_pass_at_1), ("robust_pass@1_product", robust_product)):
        parts = {}
        for perturbation, seeds in sorted(grouped.items()):
            parts[perturbation] = {name: measure(own) for name, own in seeds.items()}
            found.append(Scored(f"{setting}.{perturbation}", metric, parts[perturbation], samples))
        if parts:
            found.append(Scored(setting, metric, _mean_over(list(parts.values())), samples))
    robust = [scored for scored in found if scored.metric == "robust_pass@1"]
    return found + [
        Scored(scored.setting, "relative_drop", scored.values, samples, {name: nominal[name] for name in scored.values})
        for scored in robust
    ]


def text_scores(
    targets: Mapping[str, str], generations: Sequence[Generation], measure: Callable[[str, str], Values], setting: str
) -> list[Scored]:
    """Means over samples of what `measure(prediction, reference)` says, for each of its metrics."""
    samples = min(len(generation.completions) for generation in generations)
    values: dict[str, dict[str, float]] = {}
    for generation in generations:
        target = generation.target or targets[generation.id]
        each = [measure(completion, target) for completion in generation.completions]
        for metric in each[0]:
            mean = sum(own[metric] for own in each) / len(each)
            values.setdefault(metric, {})[generation.id] = mean
    return [Scored(setting, metric, own, samples) for metric, own in values.items()]


def bleu_of(completion: str, target: str) -> Values:
    """BLEU of a description."""
    return {"bleu": sentence_bleu(described(completion), target)}


def generated_rouge(completion: str, target: str) -> Values:
    """ROUGE of a generated message, under names of their own: the paper's are of teacher-forced ones."""
    return {f"generated_{kind}": value for kind, value in rouge(completion.strip(), target).items()}


def row_of(scored: Scored, key: Mapping[str, str], seed: int) -> Row | None:
    """The row of a metric, times 100; None where a relative drop is not defined because nothing passed nominally."""
    row = {**key, "setting": scored.setting, "metric": scored.metric}
    names = sorted(scored.values)
    sample = Sample.of([scored.values[name] for name in names])
    own_seed = seed_for(seed, *(row[name] for name in KEY))
    if scored.metric == "relative_drop":
        nominal = Sample.of([scored.against[name] for name in names])
        if nominal.mean() == 0:
            return None
        value = 1 - sample.mean() / nominal.mean()
        high, low = (1 - ratio for ratio in ratio_interval(sample, nominal, own_seed))
    else:
        value = sample.mean()
        low, high = interval(sample, own_seed)
    bounds = {"value": 100 * value, "ci_low": 100 * low, "ci_high": 100 * high}
    return {**row, **bounds, "problems": len(names), "samples": scored.samples}


def score_file(scores: Sequence[Scored], key: Mapping[str, str], seed: int) -> dict[str, Any]:
    """`rows` of the long table, and values of single problems by setting and metric."""
    rows = [row for scored in scores if (row := row_of(scored, key, seed)) is not None]
    single: dict[str, dict[str, Values]] = {}
    for scored in scores:
        if scored.metric != "relative_drop":
            own = {name: 100 * value for name, value in scored.values.items()}
            single.setdefault(scored.setting, {})[scored.metric] = own
    return {"rows": rows, "per_problem": single}


def scores_of(
    form: str, problems: Sequence[Problem], generations: Sequence[Generation], executed: str | None, params: Any
) -> list[Scored]:
    """Scores of a generation file; `executed` is the table of its executions, None where texts are compared."""
    if executed is None:
        targets = {problem.id: problem.target for problem in problems}
        measures = {"codexglue": bleu_of, "commits": rouge if params.teacher_forced else generated_rouge}
        return text_scores(targets, generations, measures[form], params.setting)
    if form == "recode":
        return robust_scores(problems, passes(executed), params.setting)
    return pass_scores(passes(executed), params.pass_at, params.setting)


def counts(generations: Sequence[Generation]) -> dict[str, Any]:
    """What is known of how the texts came about."""
    reasons = Counter(reason for generation in generations for reason in generation.finish_reasons)
    return {"engine": generations[0].engine, "version": generations[0].version, "finish_reasons": dict(reasons)}


def failures(executed: str | None) -> list[str]:
    """Prompts none of whose samples passed, by name."""
    return [] if executed is None else sorted(name for name, own in passes(executed).items() if not any(own))


if __name__ == "__main__":
    with job() as snakemake:
        files, params = snakemake.input, snakemake.params
        executed = files.get("executions")
        task = Task(**params.task, rows=files.rows, references=files.references)
        generations = read_generations(files.generations)
        scores = scores_of(params.task["form"], read_problems(task), generations, executed, params)
        if params.compiled:
            scores.append(compile_score(compiles(executed), params.setting))
        content = score_file(scores, params.key, params.seed)
        inputs = {**checksums([*files.rows, *files.references]), "generations": sha256_file(files.generations)}
        about = {"failures": failures(executed), "generation": counts(generations), "inputs": inputs}
        write_json(snakemake.output[0], {**content, **about})
