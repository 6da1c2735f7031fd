"""Exceptions of a Ruby program: tests may expect them; the others give the program its verdict."""

# ruff: noqa: E501  (programs are not wrapped)

import pytest
import yaml

from tests.support.judging import judge_of
from tests.support.paths import ROOT

TABLES = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
TESTS = "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_it\n    candidate = method(:twice)\n    {}\n  end\nend\n"
# A function that raises an exception, with a test that expects it, and one that fails.
EXPECTED = {
    "class": ('raise ArgumentError, "low" if n < 0\n  x * n', "assert_raise(ArgumentError) { candidate.call('a', -1) }", "assert_raise(TypeError) { candidate.call('a', -1) }"),
    "message": ('raise KeyError, "low"', "assert_equal('low', assert_raise(KeyError) { candidate.call('a', 1) }.message)", "assert_equal('high', assert_raise(KeyError) { candidate.call('a', 1) }.message)"),
    "of a statement": ("x + n", "assert_raise(TypeError) { candidate.call('a', 1) }", "candidate.call('a', 1)"),
    "division": ("n / 0", "begin; candidate.call('a', 1); rescue ZeroDivisionError => e; assert_equal('divided by 0', e.message); end", "assert_nothing_raised { candidate.call('a', 1) }"),
    "own class": ('raise Low, "low"\nend\nclass Low < StandardError', "begin; candidate.call('a', 1); flunk; rescue => e; assert(!e.nil?); end", "candidate.call('a', 1)"),
    "another one": ('raise ArgumentError, "low" if n < 0\n  nil + 1', "assert_raise(NoMethodError) { candidate.call('a', 1) }", "assert_raise(ArgumentError) { candidate.call('a', -1) }; candidate.call('a', 1)"),
    "exit": ("exit", "", "begin; candidate.call('a', 1); rescue => e; end"),
    "end of the process": ("exit!", "", "begin; candidate.call('a', 1); rescue Exception => e; end"),
    "failure of test-unit": ("raise Test::Unit::AssertionFailedError, 'a'\nend\nmodule Test; module Unit; class AssertionFailedError < StandardError; end; end", "", "candidate.call('a', 1)"),
    "omission of test-unit": ("raise Test::Unit::OmittedError, 'a'\nend\nmodule Test; module Unit; class OmittedError < StandardError; end; end", "", "candidate.call('a', 1)"),
    "message without a text": ("raise Class.new(ArgumentError) { def message = exit!(0); def self.name = 'KeyError' }", "", "candidate.call('a', 1)"),
}  # fmt: skip


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """The verdict on a function with this body, by this test."""
    judge_completion = judge_of(TABLES, tmp_path_factory.mktemp)
    return lambda body, test: judge_completion(
        "ruby", "def twice(x, n)\n", f"  {body}\nend\n", TESTS.replace("{}", test)
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_ruby_tests_may_expect_exceptions_of_the_program(judge, name):
    body, right, wrong = EXPECTED[name]
    assert not right or judge(body, right).status == "passed"
    assert judge(body, wrong).status in ("wrong", "runtime_error")


@pytest.mark.parametrize("kind, status", [("ArgumentError", "runtime_error"), ("NoMemoryError", "memory_limit")])
def test_exceptions_that_ruby_tests_do_not_expect_are_those_of_the_program(judge, kind, status):
    verdict = judge(f"raise {kind}, 'low'", "candidate.call('a', 1)")
    assert (verdict.status, verdict.detail, verdict.message) == (status, kind, kind)
