"""One reader for all IR: what it takes out, what it repairs, what it refuses."""

import base64
import time

import pytest
from llvmlite import binding

from scripts.lib.constant_expressions import with_usual_spacing
from scripts.lib.llvm import PARTS, InvalidIRError, defines, neutral, verified, without_attributes

PLAIN = """; ModuleID = '/home/someone/a.c'
source_filename = "/home/someone/a.c"
target triple = "x86_64-pc-linux-gnu"

define i32 @f(i32 %x) #0 {
entry:
  %y = add i32 %x, 1
  ret i32 %y
}

attributes #0 = { nounwind "target-cpu"="skylake" "target-features"="+avx2" "tune-cpu"="generic" }

!llvm.module.flags = !{!0}
!llvm.ident = !{!1}

!0 = !{i32 1, !"wchar_size", i32 4}
!1 = !{!"Debian clang version 19.1.7"}
"""
TYPED = """
define i32 @f(i32* %p) {
  %v = load i32, i32* %p
  ret i32 %v
}
"""
DEBUG = """
define i32 @f(i32 %x) !dbg !4 {
entry:
    #dbg_value(i32 %x, !8, !DIExpression(), !9)
  br label %body, !dbg !9
body:
  ret i32 %x, !dbg !9
}
!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2, !3}
!0 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1, producer: "clang", emissionKind: FullDebug)
!1 = !DIFile(filename: "a.c", directory: "/home/someone")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = !{i32 1, !"wchar_size", i32 4}
!4 = distinct !DISubprogram(name: "f", file: !1, line: 1, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!5 = !DISubroutineType(types: !6)
!6 = !{null, !7}
!7 = !DIBasicType(name: "int", size: 32, encoding: DW_ATE_signed)
!8 = !DILocalVariable(name: "x", arg: 1, scope: !4, file: !1, line: 1, type: !7)
!9 = !DILocation(line: 1, column: 1, scope: !4)
"""


def test_what_tells_of_a_machine_goes():
    text = verified(PLAIN)
    for word in ("someone", "skylake", "avx2", "clang", "ModuleID", "source_filename"):
        assert word not in text
    assert "wchar_size" in text
    assert "%y = add i32 %x, 1" in text


@pytest.mark.parametrize(("part", "word"), [("identifiers", "/home/someone/a.c"), ("cpu", "skylake")])
def test_each_part_can_be_left_in(part, word):
    assert word in verified(PLAIN, [other for other in PARTS if other != part])


def test_normalised_text_stays_as_it_is():
    text = verified(PLAIN)
    assert verified(text) == text


def test_typed_pointers_are_printed_as_ptr():
    assert "load i32, ptr %p" in verified(TYPED)
    assert "i32* %p" in verified(TYPED, [part for part in PARTS if part != "reprint"])


def test_debug_information_goes_and_block_labels_stay():
    text = verified(DEBUG)
    for word in ("!dbg", "DILocation", "#dbg_value", "someone", "Debug Info Version"):
        assert word not in text
    assert "entry:" in text
    assert "body:" in text
    assert "wchar_size" in text
    assert "DILocation" in verified(DEBUG, [part for part in PARTS if part != "debug"])


def test_an_attribute_group_of_nothing_but_the_cpu_stays_valid():
    text = 'define void @f() #0 {\n  ret void\n}\nattributes #0 = { "target-cpu"="znver4" }\n'
    assert "znver4" not in verified(text)


def test_look_alikes_in_strings_are_left_alone():
    text = '@s = constant [35 x i8] c"attributes #0 = { \\22target-cpu\\22=\\22x\\22}"\n'
    assert verified(text).count("target-cpu") == 1


@pytest.mark.parametrize(
    ("product", "value"),
    [
        ("mul (i64 ptrtoint (ptr getelementptr (i8, ptr null, i32 1) to i64), i64 9)", 9),
        ("mul (i64 ptrtoint (ptr getelementptr (double, ptr null, i32 1) to i64), i64 3)", 24),
        ("mul (i64 ptrtoint (ptr getelementptr ([6 x i32], ptr null, i32 1) to i64), i64 2)", 48),
        ("mul (i64 mul (i64 ptrtoint (ptr getelementptr (i8, ptr null, i32 1) to i64), i64 4), i64 5)", 20),
    ],
)
def test_products_of_sizes_are_worked_out(product, value):
    assert f"@n = constant i64 {value}\n" in verified(f"@n = constant i64 {product}\n")


def test_products_of_unknown_sizes_are_not_guessed():
    text = "mul (i64 ptrtoint (ptr getelementptr (%t, ptr null, i32 1) to i64), i64 2)"
    assert neutral(text, PARTS) == text
    with pytest.raises(InvalidIRError, match="mul constexprs are no longer supported"):
        verified(f"%t = type {{ i8, i64 }}\n@n = constant i64 {text}\n")


@pytest.mark.parametrize("name", ["@x", '@".str.9.(a, \\22b"'])
def test_a_marked_address_of_swift_is_read(name):
    address = f"i64 sub (i64 ptrtoint (ptr {name} to i64), i64 32)"
    text = f"{name} = constant i8 1\n@s = constant ptr inttoptr (i64 %s ({address}, i64 %d) to ptr)\n"
    assert f"add ({address}, i64 -9223372036854775808)" in verified(text % ("or", -(1 << 63)))
    with pytest.raises(InvalidIRError, match="or constexprs are no longer supported"):
        verified(text % ("or", 3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("define i32 @f( {", "expected"),
        ("define i32 @f() {\n  ret i64 0\n}\n", "value doesn't match function result type"),
        ("define i32 @f() {\n  %a = add i32 %b, 1\n  %b = add i32 1, 1\n  ret i32 %a\n}\n", "does not dominate"),
    ],
)
def test_invalid_modules_are_refused_in_one_line(text, message):
    with pytest.raises(InvalidIRError, match=message) as caught:
        verified(text)
    assert "\n" not in str(caught.value)


def test_names_do_not_depend_on_what_was_read_before():
    text = "%t = type { i32 }\n@g = global %t zeroinitializer\n"
    first = verified(text)
    verified("%t = type { i64, i64 }\n@g = global %t zeroinitializer\n")
    assert verified(text) == first


def test_the_pipeline_for_size_is_run():
    loop = "define i32 @f() {\n  %p = alloca i32\n  store i32 3, ptr %p\n  %v = load i32, ptr %p\n  ret i32 %v\n}\n"
    text = verified(f'target triple = "x86_64-pc-linux-gnu"\n{loop}', for_size=True)
    assert "alloca" not in text
    assert "ret i32 3" in text
    assert "minsize" in text


def test_attributes_are_dropped_from_groups_only():
    text = b'@s = constant [8 x i8] c"minsize "\nattributes #0 = { minsize mustprogress optsize "a"="b" }\n'
    dropped = without_attributes(text, ["minsize", "optsize"])
    assert dropped == b'@s = constant [8 x i8] c"minsize "\nattributes #0 = { mustprogress "a"="b" }\n'


def test_groups_that_become_empty_go_with_their_uses():
    text = b"""declare void @g()
define void @f() #0 {
  call void @g() #1
  ret void
}
attributes #0 = { minsize nounwind }
attributes #1 = { minsize optsize }
"""
    dropped = without_attributes(text, ["minsize", "optsize"]).decode()
    assert "call void @g()\n" in dropped
    assert "define void @f() #0 {" in dropped
    assert "nounwind" in verified(dropped)


def test_a_module_of_which_no_part_is_normalised_stays_as_it_is_to_the_byte():
    assert verified(PLAIN, []) == PLAIN
    assert verified(PLAIN) != PLAIN


def test_a_module_in_a_form_that_the_reader_needs_repaired_stays_as_it_is_too():
    size = "mul (i64 ptrtoint (ptr getelementptr (i8, ptr null, i32 1) to i64), i64 3)"
    published = f"define i64 @f() {{\n  %r = add i64 1, {size}\n  ret i64 %r\n}}\n"
    assert verified(published, []) == published


LAYOUT = (
    'target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"\n'
    "%t = type { i8, i64 }\n"
)
SIZE = "ptrtoint (ptr getelementptr (float, ptr null, i32 1) to i64)"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (f"mul (i64 {SIZE}, i64 -3)", "-12"),
        (f"mul nuw nsw (i64 mul (i64 {SIZE}, i64 3), i64 mul (i64 2, i64 2))", "48"),
        ("shl (i64 1, i64 shl (i64 1, i64 2))", "16"),
        ("or (i64 and (i64 13, i64 6), i64 lshr (i64 -1, i64 63))", "5"),
        ("sext (i32 trunc (i64 mul (i64 1431655766, i64 -3) to i32) to i64)", "-2"),
        ("zext (i1 icmp ugt (i64 mul (i64 2, i64 2), i64 1) to i64)", "1"),
        ("select (i1 icmp eq (i64 3, i64 4), i64 5, i64 6)", "6"),
        ("udiv (i64 7, i64 2)", "3"),
        ("srem (i64 -7, i64 4)", "-3"),
        ("mul (i64 ptrtoint (ptr getelementptr (%t, ptr null, i32 3) to i64), i64 2)", "96"),
        ("mul (i64 ptrtoint (ptr getelementptr ({ i8, x86_fp80 }, ptr null, i32 0, i32 1) to i64), i64 4)", "64"),
        ("mul (i64 ptrtoint (ptr getelementptr ([3 x <{ i8, i16 }>], ptr null, i32 1) to i64), i64 1)", "9"),
        ("sub (i64 0, i64 mul (i64 4, i64 5))", "-20"),
        # No operand is an integer.
        ("fptosi (double 2.5 to i64)", "2"),
        ("fptoui (float fptrunc (double 7.0 to float) to i64)", "7"),
        ("fptosi (half 0xH4500 to i64)", "5"),
        # Operations that LLVM removed in version 15.
        ("fptosi (double fadd (double 1.5, double fneg (double 4.0)) to i64)", "-2"),
        ("bitcast (double fmul (double 1.0, double 2.0) to i64)", "4611686018427387904"),
        ("zext (i1 fcmp true (float 1.0, float 2.0) to i64)", "1"),
        ("extractvalue ({ i8, [2 x i64] } { i8 1, [2 x i64] [i64 5, i64 6] }, 1, 1)", "6"),
        ("extractvalue (<{ i64 }> insertvalue (<{ i64 }> <{ i64 5 }>, i64 mul (i64 2, i64 4), 0), 0)", "8"),
        # Vectors, and pointers with parentheses in their types.
        ("extractelement (<2 x i64> mul (<2 x i64> <i64 2, i64 3>, <2 x i64> <i64 4, i64 5>), i32 1)", "15"),
        (
            "extractelement (<2 x i64> zext (<2 x i1> icmp ult (<2 x i64> <i64 2, i64 9>, <2 x i64> <i64 4, i64 5>) "
            "to <2 x i64>), i32 0)",
            "1",
        ),
        (
            "mul (i64 ptrtoint (void (i8*, i32)** getelementptr (void (i8*, i32)*, void (i8*, i32)** null, i32 1) "
            "to i64), i64 3)",
            "24",
        ),
        (
            "mul (i64 ptrtoint (i32 addrspace(1)* getelementptr (i32, i32 addrspace(1)* null, i32 1) to i64), i64 3)",
            "12",
        ),
        # Spaced as no compiler does.
        (f"mul(i64 {SIZE}, i64 3)", "12"),
        ("mul nuw  nsw( i64 2 ,i64\t3 )", "6"),
        ("sdiv exact\n(i64 6, ; six, or sdiv (\n i64 2)", "3"),
        ("add(i64 mul(i64 2, i64 3), i64 1)", "7"),
    ],
)
def test_dropped_constant_expressions_are_folded_by_the_layout(expression, value):
    text = verified(f"{LAYOUT}@n = constant i64 {expression}\n@use = global %t zeroinitializer\n")
    assert f"@n = constant i64 {value}\n" in text


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("<2 x i1> icmp eq (<2 x i32> <i32 1, i32 1>, <2 x i32> <i32 1, i32 2>)", "<i1 true, i1 false>"),
        ("<4 x i32> zext (<4 x i8> zeroinitializer to <4 x i32>)", "zeroinitializer"),
        (
            "<2 x double> uitofp (<2 x i32> <i32 1, i32 2> to <2 x double>)",
            "<double 1.000000e+00, double 2.000000e+00>",
        ),
        ("<2 x i64> shl (<2 x i64> <i64 1, i64 1>, <2 x i64> <i64 3, i64 3>)", "splat (i64 8)"),
        ("i128 mul (i128 4, i128 5)", "20"),
    ],
)
def test_arithmetic_needs_no_layout(constant, value):
    assert verified(f"@n = constant {constant}\n").rstrip().endswith(f" {value}")


def test_what_can_be_folded_inside_of_what_cannot_is():
    text = verified(
        f"{LAYOUT}@g = global i8 0\n@n = constant i64 add (i64 ptrtoint (ptr @g to i64), i64 mul (i64 {SIZE}, i64 5))\n"
    )
    assert "add (i64 ptrtoint (ptr @g to i64), i64 20)" in text


@pytest.mark.parametrize(
    "expression", ["mul (i64 ptrtoint (ptr @g to i64), i64 2)", "udiv (i64 1, i64 0)", "shl (i64 1, i64 64)"]
)
def test_what_has_no_exact_value_is_left_to_the_reader(expression):
    with pytest.raises(InvalidIRError, match="no longer supported"):
        verified(f"{LAYOUT}@g = global i8 0\n@n = constant i64 {expression}\n")


@pytest.mark.parametrize(
    "line",
    [
        '@s = constant [21 x i8] c"a mul (i64 2, i64 3)\\0A"',
        'module asm "# or (i64 sub (i64 ptrtoint (ptr @x to i64), i64 1), i64 -9223372036854775808)"',
        '@"a mul (i64 2, i64 3)" = global i8 0',
        '!llvm.x = !{!0}\n!0 = !{!"zext (i32 shl (i32 1, i32 2) to i64)"}',
        '@s = constant [16 x i8] c"mul(i64 2,i64 3)"',
        '@"and(i64 1, i64 2)" = global i8 0',
        'module asm "# fadd(double 1.0, double 2.0)"',
        "declare void @mul(i64, i64)",
    ],
)
def test_strings_names_and_assembly_are_no_expressions(line):
    text = f"{LAYOUT}@n = constant i64 mul (i64 2, i64 3)\n{line}\n"
    assert line in neutral(text, PARTS)
    assert "@n = constant i64 6\n" in verified(text)
    assert line.splitlines()[-1] in verified(text.replace("mul (i64 2, i64 3)", "mul(i64 2, i64 3)", 1))


def test_lines_inside_of_strings_are_no_lines_of_the_module():
    content = "\nsource_filename = x\n!llvm.ident = !{!0}\nmul (i64 2, i64 3)\n"
    text = f'@s = constant [{len(content)} x i8] c"{content}"\n'
    read = verified(text)
    assert "source_filename" in read
    assert "!llvm.ident" in read
    assert "mul (i64 2, i64 3)" in read


@pytest.mark.parametrize(
    "text",
    [
        "@n = constant i64 " + "mul (i64 1, i64 " * 30_000 + "1" + ")" * 30_000 + "\n",
        "@n = constant i64 " + "mul (i64 1, i64 " * 30_000 + "\n",
        "@n = constant i64 mul (i64 1, i64 2)\n" * 10_000,
        '@s = constant [9 x i8] c"' + "mul (i64 1, i64 " * 60_000 + '"\n',
        'define void @f() "target-cpu"=' * 30_000,
        "!llvm.ident = !{\n" * 30_000,
        "attributes #0 = {" * 30_000 + ' "target-cpu"="x"',
    ],
    ids=["nested", "never closed", "many", "in a string", "attributes without end", "metadata", "groups"],
)
def test_work_on_hostile_text_is_linear(text):
    started = time.process_time()
    neutral(with_usual_spacing(text), PARTS)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "; nothing\n",
        'target triple = "x86_64-pc-linux-gnu"\n',
        "%t = type { i8 }\n",
        'module asm ""\n',
        'source_filename = "\nmodule asm x"\n',
        "$a = comdat any\n",
        "declare void @llvm.dbg.value(metadata, metadata, metadata)\n",
        "declare ptr @llvm.stacksave.p0()\ndeclare void @llvm.stackrestore.p0(ptr)\n",
    ],
)
def test_a_module_of_nothing_is_invalid(text):
    with pytest.raises(InvalidIRError, match="empty"):
        verified(text)


def test_a_module_of_assembly_or_declarations_is_not_empty():
    assert "module asm" in verified('module asm "nop"\n')
    assert "module asm" in verified('  module  asm "nop"\n')
    assert "@a = alias" in verified("@a = alias i8, inttoptr (i64 5 to ptr)\n")
    assert "declare" in verified("declare void @f()\n")
    assert "declare" in verified("declare void @llvm()\ndeclare ptr @llvm.stacksave.p0()\n")


def test_a_function_is_defined_by_a_module_with_its_body():
    text = "define void @f() {\n  call void @g()\n  ret void\n}\ndeclare void @g()\n@h = global i8 0\n"
    module = binding.parse_assembly(text, context=binding.create_context())
    bitcode = base64.b64encode(module.as_bitcode()).decode()
    assert [defines(bitcode, name) for name in ("f", "g", "h", "missing", "")] == [True, False, False, False, False]
    assert not defines(base64.b64encode(b"no bitcode, but f").decode(), "f")


@pytest.mark.parametrize(
    "text",
    [
        'define void @f() "target-cpu"="znver4" "tune-cpu" = "znver4" nounwind {\n  ret void\n}\n',
        "declare void @g()\n"
        'define void @f() {\n  call void @g() "target-features"="+avx2,+znver4" nounwind\n  ret void\n}\n',
        'define void @f() #0 {\n  ret void\n}\nattributes #0 = { nounwind "target-cpu" = "znver4" }\n',
        'define void @f() #0 "target-cpu"="znver4" {\n  ret void\n}\nattributes #0 = { "tune-cpu"="znver4" }\n',
        'define void @f() #0 {\n  ret void\n}\nattributes #0 = {"target-cpu"="znver4" "tune-cpu"="znver4"}\n',
        'define void @f() #0 {\n  ret void\n}\nattributes #0 = { "target-cpu" = "znver4" }\n',
        'define void @f() #0 {\n  ret void\n}\n  attributes #0={\n  "target-cpu"="znver4"\n}\n',
        'define void @f() "target-cpu"\n="znver4" {\n  ret void\n}\n',
    ],
)
def test_the_cpu_goes_wherever_it_stands(text):
    assert "znver4" not in verified(text)
    assert "znver4" in verified(text, [part for part in PARTS if part != "cpu"])


def test_a_cpu_is_removed_even_where_its_name_is_escaped():
    text = 'define void @f() #0 {\n  ret void\n}\nattributes #0 = { "target\\2Dcpu"="znver4" }\n'
    assert "znver4" not in verified(text)


@pytest.mark.parametrize(
    "lines",
    [
        '!llvm.ident = !{!0}\n!0 = !{!"clang 19"}\n',
        '!0 = !{!"clang 19"}\n!llvm.ident=!{!0}',
        '  !llvm.ident  =  !{ !0 }\n!0 = distinct !{!"clang 19"}\n',
        '!llvm.ident = !{!0,\n  !1}\n!0 = !{!"clang 19"}\n!1 = !{!"clang 18"}\n',
        '!llvm\\2ecommandline\n= !{!0}\n!0 = !{!"clang 19"}\n',
        '!llvm.dbg.cu = !{!0}\n!llvm.module.flags=!{!2}\n!2=!{i32 2,!"Debug Info Version",i32 3}\n'
        '!0 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1, producer: "clang 19")\n'
        '!1 = !DIFile(filename: "a.c", directory: "/home")\n',
    ],
)
def test_the_compiler_and_debug_information_are_removed_in_every_spelling(lines):
    assert "clang" not in verified(f"define void @f() {{\n  ret void\n}}\n{lines}")


def test_what_only_looks_like_a_cpu_stays():
    text = (
        '@s = constant [12 x i8] c"\\22target-cpu\\22"\n!a = !{!0}\n!0 = !{!"target-cpu"}\n'
        'define void @f() "about"="target-cpu" {\n  ret void\n}\n'
    )
    assert verified(text).count("target-cpu") == 3


@pytest.mark.parametrize("parts", [PARTS, []], ids=["normalised", "as it is"])
@pytest.mark.parametrize("after", ["\0", "\0define void @g() { ret void }\n", "; \0\n", "\n\0no module"])
def test_a_module_with_a_nul_is_invalid_and_not_cut_there(parts, after):
    with pytest.raises(InvalidIRError, match="NUL"):
        verified("define void @f() {\n  ret void\n}\n" + after, parts)
