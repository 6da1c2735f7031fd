"""The number formats of models are those of the training, on GPUs whatever the weights are stored in."""

import pytest
import torch

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
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)]
)
def test_a_chosen_precision_is_the_type_of_the_weights_on_a_gpu(precision, dtype):
    assert weight_dtype(precision, gpu=True) == dtype
    assert weight_dtype(precision, gpu=False) == torch.float32


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
