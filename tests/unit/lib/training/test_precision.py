"""The number formats of models are those of the training, on GPUs whatever the weights are stored in."""

from functools import partial

import pytest
import torch

from scripts.lib.native_bf16 import has_native_bf16
from scripts.lib.training import precision
from scripts.lib.training.precision import matrix_precision, use_tf32, weight_dtype


@pytest.fixture(params=[True, False])
def has_bf16(request, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: request.param)
    return request.param


def test_auto_is_bf16_on_a_gpu_that_has_it_and_never_on_a_cpu(has_bf16):
    assert matrix_precision("auto", gpu=True) == ("bf16" if has_bf16 else "fp32")
    assert matrix_precision("auto", gpu=False) == "fp32"
    assert weight_dtype("auto", gpu=True) == (torch.bfloat16 if has_bf16 else torch.float32)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("flags\t\t: fpu avx512_bf16 clzero\n", "bf16"),
        ("flags\t\t: amx_bf16\n", "bf16"),
        ("Features\t: fp asimd i8mm bf16\n", "bf16"),
        ("flags\t\t: fpu avx2 avx512f\n", "fp32"),
        ("model name\t: bf16x\n", "fp32"),
    ],
)
def test_native_precision_follows_the_instructions_of_the_cpu(tmp_path, monkeypatch, description, expected):
    (tmp_path / "cpuinfo").write_text(description)
    monkeypatch.setattr(precision, "has_native_bf16", partial(has_native_bf16, cpuinfo=tmp_path / "cpuinfo"))
    assert matrix_precision("native", gpu=False) == expected
    assert weight_dtype("native", gpu=False) == torch.float32


def test_a_system_without_a_description_of_its_cpu_has_no_native_bf16(tmp_path):
    assert not has_native_bf16(False, tmp_path / "cpuinfo")


@pytest.mark.parametrize(
    ("chosen", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)]
)
def test_a_chosen_precision_is_the_type_of_the_weights_on_a_gpu(chosen, dtype):
    assert weight_dtype(chosen, gpu=True) == dtype
    assert weight_dtype(chosen, gpu=False) == torch.float32


def test_float32_matrices_are_multiplied_as_tf32_where_the_training_does_so():
    before = torch.get_float32_matmul_precision()
    try:
        for tf32, expected in ((True, "high"), (False, "highest")):
            use_tf32(tf32, gpu=True)
            assert torch.get_float32_matmul_precision() == expected
        torch.set_float32_matmul_precision("medium")
        use_tf32(True, gpu=False)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
