"""Bootstrap intervals: known limits, pairing, weights, reproducibility."""

import math

import numpy as np
import pytest

from scripts.lib.bootstrap import Sample, hierarchical_interval, interval, paired_interval


def test_interval_of_equal_values_is_a_point():
    assert interval(Sample.of([3.0] * 20), 1) == (3.0, 3.0)


def test_interval_agrees_with_the_normal_approximation():
    values = np.random.default_rng(0).normal(50, 10, 400)
    low, high = interval(Sample.of(values), 7)
    reach = 1.96 * values.std() / math.sqrt(400)
    assert low == pytest.approx(values.mean() - reach, abs=0.15)
    assert high == pytest.approx(values.mean() + reach, abs=0.15)


def test_same_seed_same_interval_and_another_seed_another():
    sample = Sample.of(range(30))
    assert interval(sample, 5) == interval(sample, 5) != interval(sample, 6)


def test_pairing_removes_what_both_share():
    generator = np.random.default_rng(3)
    hardness = generator.normal(0, 100, 200)
    base, tuned = Sample.of(hardness), Sample.of(hardness + 1 + generator.normal(0, 0.1, 200))
    low, high = paired_interval(base, tuned, 1)
    assert 0.9 < low < 1 < high < 1.1


def test_weights_make_the_mean_that_of_the_parts():
    whole, weighted = Sample.of([1.0, 1.0, 1.0, 5.0]), Sample.of([1.0, 5.0], [3, 1])
    assert weighted.mean() == whole.mean() == 2.0


def test_transform_is_applied_to_means():
    low, high = interval(Sample.of([0.0, 1.0, 2.0]), 2)
    assert interval(Sample.of([0.0, 1.0, 2.0]), 2, np.exp) == pytest.approx((math.exp(low), math.exp(high)), rel=0.02)


def test_blocks_of_resamples_do_not_change_their_number():
    low, high = interval(Sample.of(np.arange(3_000.0)), 1)
    assert low < 1499.5 < high


@pytest.mark.parametrize(("values", "weights"), [([], None), ([1.0, 2.0], [1.0]), ([[1.0]], None)])
def test_malformed_samples_are_refused(values, weights):
    with pytest.raises(ValueError, match="a sample needs"):
        Sample.of(values, weights)


def test_samples_of_different_lengths_are_not_paired():
    with pytest.raises(ValueError, match="not paired"):
        paired_interval(Sample.of([1.0]), Sample.of([1.0, 2.0]), 0)


def test_an_interval_over_seeds_and_problems_has_the_variance_of_both():
    generator = np.random.default_rng(11)
    seeds, problems, of_seed, of_noise = 60, 300, 2.0, 5.0
    hardness = generator.normal(0, 100, problems)
    shifts, noise = generator.normal(0, 1, (seeds, 1)), generator.normal(0, of_noise, (seeds, problems))
    shifts = of_seed * (shifts - shifts.mean()) / shifts.std()
    trained = [Sample.of(row) for row in hardness + 3 + shifts + noise]
    low, high = hierarchical_interval([Sample.of(hardness)], trained, 1)
    # A difference between the mean over trainings and the base, which has no seed; the difficulty of
    # a problem cancels out.
    expected = math.sqrt(of_seed**2 / seeds + of_noise**2 / (seeds * problems))
    assert (high - low) / (2 * 1.96) == pytest.approx(expected, rel=0.15)
    assert low < 3 < high
    alone = paired_interval(Sample.of(hardness), Sample.of(np.mean([one.values for one in trained], axis=0)), 1)
    assert alone[1] - alone[0] < (high - low) / 3


def test_an_interval_of_two_sides_with_seeds_has_the_variances_of_both():
    generator = np.random.default_rng(5)
    sides = [[Sample.of(np.full(50, value)) for value in generator.normal(0, 1, 80)] for _ in range(2)]
    low, high = hierarchical_interval(*sides, 1)
    assert (high - low) / (2 * 1.96) == pytest.approx(math.sqrt(2 / 80), rel=0.2)


def test_an_interval_over_one_training_is_that_over_problems():
    generator = np.random.default_rng(2)
    first, second = Sample.of(generator.normal(0, 1, 30)), Sample.of(generator.normal(1, 1, 30))
    assert hierarchical_interval([first], [second], 9, np.exp) == paired_interval(first, second, 9, np.exp)


def test_trainings_of_different_problems_are_not_paired():
    with pytest.raises(ValueError, match="not paired"):
        hierarchical_interval([Sample.of([1.0])], [Sample.of([1.0, 2.0])], 0)
