"""What the tests for GPUs need: Python packages, and an NVIDIA GPU where they are marked `gpu`.

`make gpu-test` runs them in `.venv`. On a machine with an installation of its own,
`python -m pytest tests/gpu` needs the packages below and no network.
"""

import importlib.util
from collections.abc import Iterator

import pytest

# bitsandbytes, flash_attn and vllm are tested where they are installed.
PACKAGES = (
    *("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors"),
    *("numpy", "psutil", "pyarrow", "tqdm"),
)
MISSING = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
if MISSING:
    raise pytest.UsageError(f"tests/gpu needs the Python packages {', '.join(PACKAGES)}; missing: {', '.join(MISSING)}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `gpu` before their fixtures run; pytest prints one line for all of them."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("tests marked gpu need an NVIDIA GPU and a build of PyTorch with CUDA")


@pytest.fixture(autouse=True)
def own_matmul_precision() -> Iterator[None]:
    """Restore the precision of float32 products after each test; trainings set it for the whole process."""
    import torch

    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)
