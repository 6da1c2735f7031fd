"""Interpreted languages of the table: values reach the tests, forgeries do not pass, references pass."""

import shutil
import time

import pytest

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.execute import verdicts
from scripts.evaluate.prepare_runner import prepare
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import Prelude, composer
from scripts.workflow.validation import read_yaml, validate
from tests.support.paths import ROOT

RUNNERS = read_yaml(ROOT / "config" / "runners.yaml")
TASKS = {"lua": "lua", "js": "javascript"}
COMMANDS = {"lua": "lua5.4", "javascript": "node"}
PROMPTS = {"lua": "local function answer(x)\n", "javascript": "function answer(x){\n"}
TESTS = {
    "lua": "lu = require('luaunit')\nfunction test_answer()\n{}\nend\nos.exit(lu.LuaUnit.run())",
    "javascript": "const assert = require('node:assert');\nfunction test() {{\n{}\n}}\ntest();",
}


def runner_of(name, tmp_path_factory, **limits):
    if shutil.which(COMMANDS[name]) is None:
        pytest.skip(f"{COMMANDS[name]} is not installed")
    table = RUNNERS[name]
    table = {**table, "limits": {"execute": {**table["limits"]["execute"], **limits}}}
    settings = {"mode": "bubblewrap", "wall_factor": 8, "scale": 1, "shared": str(tmp_path_factory.mktemp("shared"))}
    return make_runner(name, table, settings)


@pytest.fixture(scope="module")
def runners(tmp_path_factory):
    """Runners by name, with limits that are soon reached; made when they are asked for."""
    known = {}

    def runner(name):
        if name not in known:
            known[name] = runner_of(name, tmp_path_factory, seconds=2, memory_mb=400)
        return known[name]

    return runner


def verdict_of(runner, name, body, test):
    problem = Problem("p", "p", "", Stop(), PROMPTS[name], TESTS[name].format(test))
    program = composer(RUNNERS[name])(Prelude(), problem, body + ("\nend\n" if name == "lua" else "\n}\n"))
    return runner.judge(program)


@pytest.mark.parametrize("task", TASKS)
def test_references_pass_and_empty_completions_do_not(task, tmp_path_factory):
    name = TASKS[task]
    runner, compose = runner_of(name, tmp_path_factory), composer(RUNNERS[name])
    folder = ROOT / "resources/benchmarks/multipl-e"
    rows, references = f"{folder}/humaneval-{task}-reworded.jsonl", f"{folder}/references/humaneval-{task}.jsonl"
    problems = read_problems(Task("multipl-e", task, [rows], [references]))
    assert len(problems) == 4
    solved = [compose(Prelude(), problem, problem.solution) for problem in problems]
    empty = [compose(Prelude(), problem, "") for problem in problems]
    found = verdicts(runner, [*solved, *empty], workers=2)
    assert [found[program.digest].status for program in solved] == ["passed"] * 4
    assert "passed" not in [found[program.digest].status for program in empty]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_runner_distinguishes_the_programs_of_its_self_test(name, tmp_path):
    if shutil.which(COMMANDS[name]) is None:
        pytest.skip(f"{COMMANDS[name]} is not installed")
    probe = prepare(name, RUNNERS[name], {"mode": "bubblewrap", "wall_factor": 8}, str(tmp_path / "shared"))
    assert probe["version"].startswith(("lua 5.4", "node "))


VALUES = {
    "lua": {
        "{1, {k = 'v'}, 2.5, true}": "lu.assertEquals(answer(), {1, {k = 'v'}, 2.5, true})",
        "x == nil": "lu.assertEquals(answer(nil), true)",
        "1, nil, 'three'": "local a, b, c = answer(); assert(a == 1 and b == nil and c == 'three')",
        "'\\0\\255'": "lu.assertEquals(answer(), '\\0\\255')",
        "3": "lu.assertEquals(answer(), 3.0)",
        "math.type(x)": "lu.assertEquals(answer(1.0), 'float')",
    },
    "javascript": {
        "[1, {k: 'v'}, 2.5, true, null]": "assert.deepEqual(answer(), [1, {k: 'v'}, 2.5, true, null]);",
        "undefined": "assert.deepEqual(answer(), undefined);",
        "[NaN, -0, 10n, Infinity]": "assert.deepStrictEqual(answer(), [NaN, -0, 10n, Infinity]);",
        "new Map([[1, new Set([x])]])": "assert.deepEqual(answer('é'), new Map([[1, new Set(['é'])]]));",
        "require('node:path').join('a', x)": "assert.deepEqual(answer('b'), 'a/b');",
    },
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in VALUES.items() for value in values])
def test_values_reach_the_tests(runners, name, value):
    verdict = verdict_of(runners(name), name, f"return {value}", VALUES[name][value])
    assert verdict.status == "passed", verdict


# Statements of JavaScript programs with tests that pass when node runs both as one file, and with tests that fail then.
AS_IN_NODE = {
    "exported function": ("return x + 1;\n}\nmodule.exports = answer;\nfunction other() {", "answer(1) === 2", ""),
    "exported names": ("return x + 1;\n}\nexports.answer = answer;\nfunction other() {", "answer(1) === 2", ""),
    "main program": (
        "return main;\n}\nlet main = require.main === module && __filename.slice(-10);\nfunction other() {",
        "answer(1) === 'program.js'",
        "",
    ),
    "match": ("return x.match(/b/);", "answer('ab').index === 1", "assert.deepEqual(answer('ab'), ['b'])"),
    "holes": (
        "const y = new Array(2); y[1] = 3; return y;",
        "assert.deepEqual(answer(0), [, 3])",
        "assert.deepEqual(answer(0), [undefined, 3])",
    ),
    "class of arrays": (
        "return class extends Array {}.from([1]);",
        "assert.deepEqual(answer(0), [1])",
        "assert.deepStrictEqual(answer(0), [1])",
    ),
    "invalid date": ("return new Date('no');", "isNaN(answer(0))", "assert.deepEqual(answer(0), new Date(0))"),
    "class": (
        "return new (class { a = 1; })();",
        "assert.deepEqual(answer(0), {a: 1})",
        "assert.deepStrictEqual(answer(0), {a: 1})",
    ),
    "two classes": (
        "return x ? new Pair() : new Other();\n}\nclass Pair {}\nclass Other {\n}\nfunction other() {",
        "assert.deepStrictEqual(answer(1), answer(1))",
        "assert.deepStrictEqual(answer(1), answer(0))",
    ),
    "no prototype": (
        "return Object.create(null);",
        "assert.deepStrictEqual(answer(0), Object.create(null))",
        "assert.deepStrictEqual(answer(0), {})",
    ),
    "map with a property": (
        "return Object.assign(new Map([[1, 2]]), {a: 1});",
        "answer(0) !== null",
        "assert.deepEqual(answer(0), new Map([[1, 2]]))",
    ),
    "property named by a symbol": (
        "return {[Symbol('a')]: 1};",
        "answer(0) !== null",
        "assert.deepStrictEqual(answer(0), {})",
    ),
    "expected error": (
        "if (x < 0) throw new RangeError('low'); return x;",
        "assert.throws(() => answer(-1), {name: 'RangeError', message: 'low'}); assert(answer(1) === 1)",
        "assert.throws(() => answer(-1), TypeError)",
    ),
    "expected error of a class": (
        "throw Object.assign(new Error('low'), {name: 'Low'});",
        "assert.throws(() => answer(-1), {name: 'Low'})",
        "answer(1)",
    ),
    "expected value": (
        "throw 'low';",
        "try { answer(1); assert(false) } catch (e) { assert(e === 'low') }",
        "answer(1)",
    ),
    "expected exit": ("process.exit(0);", "", "assert.throws(() => answer(1))"),
}


@pytest.mark.parametrize("name", AS_IN_NODE)
def test_javascript_gets_the_verdict_of_node(runners, name):
    body, right, wrong = AS_IN_NODE[name]
    for test, passes in ((right, True), (wrong, False)):
        if test:
            check = test if "assert" in test or not passes else f"assert({test})"
            verdict = verdict_of(runners("javascript"), "javascript", body, check)
            assert (verdict.status == "passed") == passes, (test, verdict)


# Statements of Lua programs with tests that pass when lua runs both as one file, and with tests that fail then.
AS_IN_LUA = {
    "expected error": (
        "if x < 0 then error('low', 0) end return x",
        "local good, value = pcall(answer, -1); assert(not good and value == 'low' and answer(1) == 1)",
        "local good, value = pcall(answer, -1); assert(good, value)",
    ),
    "error of a statement": (
        "return x .. nil",
        "local good, value = pcall(answer, 'a'); assert(not good and value:find('concatenate'))",
        "answer('a')",
    ),
    "expected value": (
        "error({code = 2})",
        "local _, value = pcall(answer); lu.assertEquals(value, {code = 2})",
        "local _, value = pcall(answer); lu.assertEquals(value, {code = 3})",
    ),
    "caught assertion": (
        "return 1",
        "local good, value = pcall(function() assert(answer() == 2, 'two') end); assert(not good and value == 'two')",
        "pcall(function() assert(answer() == 2) end); assert(answer() == 2)",
    ),
    "value of an assertion": (
        "return 1",
        "assert(select(2, assert(answer(), 'kept')) == 'kept')",
        "assert(not answer())",
    ),
    "expected exit": ("os.exit(0)", "", "pcall(answer)"),
    "exit after an expected error": ("if x then os.exit(0) end error('low')", "", "pcall(answer); pcall(answer, 1)"),
}


@pytest.mark.parametrize("name", AS_IN_LUA)
def test_lua_gets_the_verdict_of_lua(runners, name):
    body, right, wrong = AS_IN_LUA[name]
    for test, passes in ((right, True), (wrong, False)):
        verdict = verdict_of(runners("lua"), "lua", body, test) if test else None
        assert verdict is None or (verdict.status == "passed") == passes, (test, verdict)


@pytest.mark.parametrize(
    "test, status",
    [
        ("answer(1)", "runtime_error"),
        ("assert(false)", "wrong"),
        ("error('a')", "wrong"),
        ("pcall(answer, 1)", "passed"),
    ],
)
def test_lua_failures_in_a_test_have_their_status(runners, test, status):
    assert verdict_of(runners("lua"), "lua", "error('low')", test).status == status


FORGERIES = {
    "lua": {
        "ends before the tests": "os.exit(0)",
        "is equal to everything": "return setmetatable({}, {__eq = function() return true end})",
        "replaces the tests' functions": "assert = print; lu = nil; os.exit = print; package.loaded.luaunit = {}",
        "method of all texts": "getmetatable('').__index = function() return 8431 end\nreturn 'x'",
        "almost equal": "return 8431 + 0.0000001",
        "prints a verdict": "for _, name in ipairs({'passed', '0 passed'}) do io.stdout:write(name) end",
        "searches for the nonce": (
            "for _, name in ipairs({'nonce', 'tests', '/work-folder/nonce', '/proc/1/cwd/nonce'}) do\n"
            "  local file = io.open(name)\n  if file then return 8431 end\nend"
        ),
        "writes to its own requests": (
            "local file = io.open('/opt/pipes/requests', 'r+b')\nfile:write(('x'):rep(100))\nfile:flush()"
        ),
        "answers nonsense": "local file = io.open('/opt/pipes/replies', 'r+b')\nfile:write('{{{{{{{{{{')\nfile:close()",
    },
    "javascript": {
        "ends before the tests": "process.exit(0);",
        "is equal to everything": "return {valueOf: () => 8431, [Symbol.toPrimitive]: () => 8431};",
        "replaces the tests' functions": "require('node:assert').deepEqual = () => {}; Object.is = () => true;",
        "boxed number": "return new Number(8431);",
        "proxy": "return new Proxy(function () {}, {get: () => 8431, apply: () => 8431});",
        "own codec": "globalThis.JSON = {stringify: () => '8431', parse: () => 8431}; return 1;",
        "prints a verdict": "console.log('passed');",
        "searches for the nonce": (
            "for (const name of ['nonce', 'tests', '/work-folder/nonce', '/proc/1/cwd/nonce'])\n"
            "  if (require('node:fs').existsSync(name)) return 8431;"
        ),
        "pollutes prototypes": "Object.prototype.toJSON = () => 8431; return {};",
        "answers nonsense": (
            "const fs = require('node:fs');\nfs.writeSync(fs.openSync('/opt/pipes/replies', 'r+'), '{'.repeat(64));"
        ),
    },
}


@pytest.mark.parametrize("name, way", [(name, way) for name, ways in FORGERIES.items() for way in ways])
def test_forgeries_do_not_pass(runners, name, way):
    test = {"lua": "lu.assertEquals(answer(1), 8431)", "javascript": "assert.deepEqual(answer(1), 8431);"}[name]
    assert verdict_of(runners(name), name, FORGERIES[name][way], test).status != "passed"


# Programs that answer a call themselves, with the message in which the harness reports an error.
FORGED_REPLIES = {
    "lua": (
        "local text = function(content) return 's' .. string.pack('>s8', content) end\n"
        "local body = text('fault') .. 'i' .. string.pack('>i8', 3) .. text('{}') .. text('a') .. text('a')\n"
        "local file = io.open('/opt/pipes/replies', 'r+b')\nfile:write(string.pack('>s8', body))\nfile:flush()"
    ),
    "javascript": (
        "const fs = require('node:fs'), data = Buffer.from(JSON.stringify({{fault: '{}', name: 'a', text: 'a'}}));\n"
        "const head = Buffer.alloc(4); head.writeUInt32BE(data.length);\n"
        "fs.writeSync(fs.openSync('/opt/pipes/replies', 'r+'), Buffer.concat([head, data]));"
    ),
}
FORGED_STATUSES = ["passed", "timeout", "wrong", "killed", "passed or not, in a text of many words " * 9]


@pytest.mark.parametrize("status", FORGED_STATUSES, ids=["passed", "timeout", "wrong", "killed", "long text"])
@pytest.mark.parametrize("name", FORGED_REPLIES)
def test_programs_choose_no_status_for_their_errors(runners, name, status):
    test = {"lua": "lu.assertEquals(answer(1), 8431)", "javascript": "assert.deepEqual(answer(1), 8431);"}[name]
    verdict = verdict_of(runners(name), name, FORGED_REPLIES[name].format(status), test)
    assert verdict.status == "runtime_error"
    assert verdict.detail in ("error", "other_exception")


LIMITS = {
    ("lua", "while true do end"): "timeout",
    ("javascript", "for (;;) {}"): "timeout",
    ("lua", "return ('x'):rep(1 << 30)"): "memory_limit",
    ("javascript", "const t = []; for (;;) t.push(Buffer.alloc(50000000, 1));"): "memory_limit",
    ("lua", "for n = 1, 300000 do print('some text') end return 8431"): "passed",
    ("javascript", "for (let n = 0; n < 30000; n++) console.log('some text'); return 8431;"): "passed",
}


@pytest.mark.parametrize("name, body", LIMITS)
def test_limits_hold_for_programs(runners, name, body):
    test = {"lua": "lu.assertEquals(answer(1), 8431)", "javascript": "assert.deepEqual(answer(1), 8431);"}[name]
    started = time.monotonic()
    assert verdict_of(runners(name), name, body, test).status == LIMITS[name, body]
    assert time.monotonic() - started < 30


def test_a_compiled_language_needs_an_entry_only(tmp_path):
    """C by the defaults of the table: one file, compiled with the sentinel."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    table = {
        "kind": "compiled",
        "env": "execute",
        "apt": ["gcc"],
        "frontends": [
            {"name": "gcc", "tools": {"cc": {"programs": ["gcc"], "version": ["--version"], "pattern": r"(\d+\.\d+)"}}}
        ],
        "program": "program.c",
        "prepare": ["compiled.sh"],
        "compile": [["cc", "{shared}/sentinel.o", "program.c", "-Wl,--wrap=main", "-o", "program"]],
        "failed_test": "Assertion .* failed",
        "out_of_memory": "(?!)",
        "limits": {step: RUNNERS["cpp"]["limits"][step] for step in ("compile", "execute")},
        "self_test": {
            "entry_point": "twice",
            "context": "#include <assert.h>\n#include <stdlib.h>\nint twice(int x) {\n",
            "tests": "}\nint main(void) { assert(twice(4) == 8); }\n",
            "completions": {
                "passed": ["    return 2 * x;"],
                "wrong": ["    return x + 3;", "    exit(0);"],
                "compile_error": ["    return 2 *;"],
                "runtime_error": ["    exit(1);"],
            },
        },
    }
    validate({"c": table}, "runners", ROOT, "the table")
    assert prepare("c", table, {"mode": "bubblewrap", "wall_factor": 8}, str(tmp_path / "shared"))["runner"] == "c"
