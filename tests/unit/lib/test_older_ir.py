"""Modules of older versions of LLVM and of other systems are read like those of today."""

import time

import pytest

from scripts.lib.llvm import PARTS, InvalidIRError, neutral, verified
from tests.support.cpu_time import assert_linear
from tests.unit.lib.test_llvm import DEBUG, PLAIN

TABLE = "@v = constant { [3 x ptr] } zeroinitializer\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Clang 18 and 13, constructors of a class with virtual functions.
        (
            "define ptr @f() {\n"
            "  ret ptr getelementptr inbounds ({ [3 x ptr] }, ptr @v, i32 0, inrange i32 0, i32 2)\n}\n",
            "ret ptr getelementptr inbounds ({ [3 x ptr] }, ptr @v, i32 0, i32 0, i32 2)",
        ),
        (
            "define void @f(i32 (...)*** %p) {\n"
            "  store i32 (...)** bitcast (i8** getelementptr inbounds ({ [3 x i8*] }, { [3 x i8*] }* @v, i64 0, "
            "inrange i32 0, i64 2) to i32 (...)**), i32 (...)*** %p, align 8\n  ret void\n}\n",
            "store ptr getelementptr inbounds ({ [3 x ptr] }, ptr @v, i64 0, i32 0, i64 2), ptr %p",
        ),
        (
            "define double @f(double %x) {\n  %a = bitcast double %x to x86_mmx\n"
            "  %b = bitcast x86_mmx %a to double\n  ret double %b\n}\n",
            "%b = bitcast <1 x i64> %a to double",
        ),
        (
            "define void @f() {\n  br label %x86_mmx\nx86_mmx:\n  ret void\n}\n",
            "br label %x86_mmx\n\nx86_mmx:",
        ),
        ("%S = type { i64 }\ndeclare void @f(%S* noalias sret align 8, i32)\n", "sret(%S) align 8, i32)"),
        ("declare void @f(i32, { i64, [2 x i8] }* nocapture sret)\n", "sret({ i64, [2 x i8] })"),
        ('%"a, (b" = type { i64 }\ndeclare void @f(%"a, (b"* dereferenceable(8) byval)\n', 'byval(%"a, (b")'),
        ("%S = type { i64 }\ndeclare void @f(%S addrspace(5)* byval align 8)\n", "byval(%S) align 8"),
        ("declare void @f(i32 (i8*)** inalloca)\n", "inalloca(ptr)"),
        ("$g = comdat noduplicates\n@g = global i8 0, comdat\n", "$g = comdat nodeduplicate\n"),
        (
            "define i32 @f(i32* %p, [2 x i32]* %q) {\n"
            '  %r = call i32 asm sideeffect "addl $2, $0 # (\\22*m", "=*m,=&r,r,*m,~{cc},~{dirflag}"'
            "(i32* nonnull %p, i32 1, [2 x i32]* getelementptr ([2 x i32], [2 x i32]* null, i64 1)) #1, !srcloc !0\n"
            "  ret i32 %r\n}\nattributes #1 = { nounwind }\n!0 = !{i64 1}\n",
            "(ptr nonnull elementtype(i32) %p, i32 1, ptr elementtype([2 x i32]) getelementptr",
        ),
    ],
)
def test_forms_of_older_versions_are_read(old, new):
    assert new in verified(f"{TABLE}{old}")
    assert verified(f"{TABLE}{old}", []) == f"{TABLE}{old}"


GOTO = """
define i32 @f(i32 %%x, i32* %%p) {
  %s asm sideeffect "testl $0, $0; jne ${1:l}; # (", "%s"(%s) #1
          to label %%a [label %%b, label %%c], !srcloc !2
a:
  ret i32 1
b:
  ret i32 2
c:
  ret i32 3
}
attributes #1 = { nounwind }
!2 = !{i32 1}
"""
LABELS = "i8* blockaddress(@f, %b), i8* blockaddress(@f, %c)"


@pytest.mark.parametrize(
    ("result", "constraints", "operands", "new"),
    [
        ("callbr void", "r,X,X,~{flags}", f"i32 %x, {LABELS}", '"r,!i,!i,~{flags}"(i32 %x)'),
        ("callbr void", "i,i", LABELS, '"!i,!i"()'),
        ("%r = callbr i32", "=r,*m,i,i,~{cc}", f"i32* %p, {LABELS}", '"=r,*m,!i,!i,~{cc}"(ptr elementtype(i32) %p)'),
        ("callbr void", "i,X,X", f"i8* blockaddress(@f, %a), {LABELS}", '"i,!i,!i"(ptr blockaddress(@f, %a))'),
        ("callbr void", "r,!i,!i", "i32 %x", '"r,!i,!i"(i32 %x)'),
    ],
)
def test_labels_of_assembly_are_no_operands(result, constraints, operands, new):
    assert new in verified(GOTO % (result, constraints, operands))


def test_a_range_of_todays_form_stays():
    address = "getelementptr inbounds inrange(-16, 8) ({ [3 x ptr] }, ptr @v, i32 0, i32 0, i32 2)"
    assert "inrange(-16, 8)" in verified(f"{TABLE}@p = global ptr {address}\n")


@pytest.mark.parametrize(
    "line",
    [
        '@s = constant [25 x i8] c"a, inrange i32 0, x86_mmx "',
        '@"x86_mmx , sret , inrange i32, comdat noduplicates" = global i8 0',
        "define i8 @x86_mmx(i8 %x86_mmx) {",
        "declare void @f(ptr sret(i8), ptr byval(i8)) ; i8* sret , x86_mmx",
    ],
)
def test_look_alikes_stay(line):
    assert line in neutral(f"{line}\n", PARTS)


def test_an_attribute_without_a_typed_pointer_is_left_to_the_reader():
    with pytest.raises(InvalidIRError):
        verified("declare void @f(ptr sret)\n")


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
@pytest.mark.parametrize("module", [PLAIN, DEBUG], ids=["plain", "debug"])
def test_line_ends_do_not_matter(module, line_end):
    assert verified(module.replace("\n", line_end)) == verified(module)
    assert verified("\ufeff" + module.replace("\n", line_end)) == verified(module)


def test_a_carriage_return_in_a_string_stays():
    assert 'c"a\\0D\\0Ab"' in verified('@s = constant [4 x i8] c"a\r\nb"\r\n')


@pytest.mark.parametrize(
    "text",
    [
        ")" * 16 + "* sret ",
        "%S* sret ",
        '"' * 7 + "* sret ",
        "\r;" * 9,
        'asm "", "*m"((',
        'x asm "", "*m"(',
        'callbr asm "", "i"(',
    ],
)
def test_work_on_hostile_text_is_linear(text):
    started = time.process_time()
    neutral(text * 5_000, PARTS)
    assert time.process_time() - started < 5


HOSTILE = {
    "words after asm": lambda n: " asm" * n,
    "calls that never end": lambda n: ' asm "", "*m"(' * n,
    "calls in calls": lambda n: ' asm "", "*m"(' * n + ")" * n,
    "operations in a row": lambda n: " (i64 " + " mul" * n + "1",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_work_is_linear_in_the_text(text):
    assert_linear(lambda module: neutral(module, PARTS), text)
