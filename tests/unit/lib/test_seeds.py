"""Seeds: stable, distinct, uniform."""

from scripts.lib.seeds import seed_for, unit_for


def test_a_seed_hangs_on_all_its_names():
    assert seed_for(484, "a", 1) == seed_for(484, "a", 1)
    names = [(484, "a", 1), (485, "a", 1), (484, "a", 2), (484, "a1"), (484, "1", "a")]
    seeds = {seed_for(*each) for each in names}
    assert len(seeds) == len(names)
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_units_are_uniform():
    units = [unit_for(484, name) for name in range(10_000)]
    assert all(0 <= unit < 1 for unit in units)
    for decile in range(10):
        share = sum(decile / 10 <= unit < (decile + 1) / 10 for unit in units) / len(units)
        assert 0.08 < share < 0.12
