"""Constant expressions of older LLVM become instructions, and the module computes the same."""

import ctypes

import pytest
from llvmlite import binding

from scripts.lib.hoisted_expressions import with_instructions
from scripts.lib.llvm import verified
from tests.support.cpu_time import assert_linear

DECLARED = "@weak = extern_weak global i8\n@other = extern_weak global i8\ndeclare i32 @f(i32 (i32*, void (i8*)*)*)\n"
THREAD = "declare extern_weak i32 @key(i32*, void (i8*)*)\n"
COMPARED = "icmp ne (i8* @weak, i8* null)"
TYPED = "icmp ne (i32 (i32*, void (i8*)*)* @key, i32 (i32*, void (i8*)*)* null)"
# Instructions of a function that returns i32, and its value where both symbols are absent.
BODIES = {
    "branch": (f"  br i1 {COMPARED}, label %a, label %b\na:\n  ret i32 1\nb:\n  ret i32 2", 2),
    "pointers to functions": (f"  br i1 {TYPED}, label %a, label %b\na:\n  ret i32 1\nb:\n  ret i32 2", 2),
    "nested": (f"  ret i32 add (i32 zext (i1 {COMPARED} to i32), i32 select (i1 {COMPARED}, i32 5, i32 7))", 7),
    "casts": ("  ret i32 trunc (i64 mul (i64 add (i64 ptrtoint (i8* @weak to i64), i64 3), i64 5) to i32)", 15),
    "address": (
        f"  %p = ptrtoint i8* getelementptr (i8, i8* null, i64 zext (i1 xor (i1 {COMPARED}, i1 true) to i64)) to i64\n"
        "  %r = trunc i64 %p to i32\n  ret i32 %r",
        1,
    ),
    "phi": (
        "  br i1 %x, label %a, label %b\na:\n  br label %b\nb:\n"
        f"  %r = phi i1 [ {COMPARED}, %a ], [ icmp eq (i8* @weak, i8* @other), %0 ]\n"
        "  %s = zext i1 %r to i32\n  ret i32 %s",
        1,
    ),
    "switch": (
        f"  switch i32 select (i1 {COMPARED}, i32 4, i32 6), label %a [\n    i32 6, label %b\n  ]\n"
        "a:\n  ret i32 1\nb:\n  ret i32 2",
        2,
    ),
    "names that are taken": (f"  %constant.0 = add i32 1, zext (i1 {COMPARED} to i32)\n  ret i32 %constant.0", 1),
    "vector": (
        "  %v = extractelement <2 x i32> <i32 3, i32 4>, i32 zext (i1 icmp eq (i8* @weak, i8* null) to i32)\n"
        "  ret i32 %v",
        4,
    ),
}


def value_of(module: str) -> int:
    """What the function `run` of a module returns."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine()
    with binding.parse_assembly(module) as parsed, binding.create_mcjit_compiler(parsed, machine) as engine:
        engine.finalize_object()
        return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_bool)(engine.get_function_address("run"))(False)


@pytest.mark.parametrize(("body", "value"), BODIES.values(), ids=BODIES)
def test_expressions_in_instructions_are_computed_before_them(body, value):
    normal = verified(f"{DECLARED}{THREAD}define i32 @run(i1 %x) {{\n{body}\n}}\n")
    assert with_instructions(normal) == normal
    assert value_of(normal) == value


def test_an_expression_of_an_invoke_is_computed_before_it():
    body = (
        "  %r = invoke i32 @g(i1 true)\n          to label %a unwind label %b\na:\n  ret i32 %r\nb:\n"
        "  %l = landingpad { i8*, i32 }\n          cleanup\n  resume { i8*, i32 } %l"
    ).replace("i1 true", f"i1 {COMPARED}")
    head = "define i32 @run(i1 %x) personality i32 (...)* @p {\n"
    normal = verified(f"{DECLARED}declare i32 @p(...)\ndeclare i32 @g(i1)\n{head}{body}\n}}\n")
    assert "\n  %constant.0 = icmp ne ptr @weak, null\n  %r = invoke i32 @g(i1 %constant.0)\n" in normal


UNCHANGED = {
    "an instruction": "  %c = icmp eq void (i8*)* %f, null",
    "a string": '  call void asm "icmp eq (i8* @a, i8* null)", ""()',
    "a comment": "  ret void ; mul (i64 1, i64 2)",
    "a name": '  call void @"icmp eq ("(i8* null)',
    "a readable expression": "  ret i64 add (i64 ptrtoint (i8* @weak to i64), i64 1)",
    "never closed": "  br i1 icmp ne (i8* @weak, label %a",
}


@pytest.mark.parametrize("line", UNCHANGED.values(), ids=UNCHANGED)
def test_other_text_stays(line):
    text = f"define void @run(void (i8*)* %f) {{\n{line}\n}}\n"
    assert with_instructions(text) == text


def test_an_expression_outside_functions_stays():
    text = f"{DECLARED}@flag = global i1 {COMPARED}\ndefine void @run() {{\n  ret void\n}}\n"
    assert with_instructions(text) == text


HOSTILE = {
    "nested": lambda n: "zext (i1 " * n + "true" + " to i1)" * n,
    "nested and readable": lambda n: (
        "add (i64 " * n + "zext (i1 icmp eq (i8* @weak, i8* null) to i64)" + ", i64 1)" * n
    ),
    "in a row": lambda n: ", ".join(["i1 icmp eq (i8* @weak, i8* null)"] * n),
    "parentheses": lambda n: "icmp eq (" + "(" * n + ")" * n,
    "never closed": lambda n: "icmp eq (" * n,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_work_is_linear_in_the_text(text):
    assert_linear(with_instructions, lambda n: f"define void @run() {{\n  call void @g({text(n)})\n}}\n")


def test_the_work_is_linear_in_the_lines_of_one_instruction():
    line = "    i64 mul (i64 ptrtoint (i8* @weak to i64), i64 3)\n"
    assert_linear(
        with_instructions, lambda n: f"define void @run() {{\n  switch i64 0, label %a [\n{line * n}  ]\n}}\n"
    )


def test_new_names_differ_from_all_names_of_the_text():
    body = "  call void @g(i1 icmp eq (i8* @weak, i8* null))\n"
    text = f"define void @run(i1 %constant.0, i1 %constant___.1) {{\n{body}}}\n"
    assert "  %constant____.0 = icmp eq i8* @weak, null\n" in with_instructions(text)
