"""Whether this machine multiplies matrices of bfloat16 natively.

Elsewhere torch emulates them, which is slower than float32.
"""

from pathlib import Path

# As Linux names them, for x86 and ARM.
_CPU_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def has_native_bf16(gpu: bool, cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the GPU or, without one, the CPU that Linux describes in `cpuinfo` has such products."""
    if gpu:
        import torch

        return torch.cuda.is_bf16_supported(including_emulation=False)
    if not cpuinfo.exists():
        return False
    return not _CPU_FLAGS.isdisjoint(cpuinfo.read_text(errors="replace").split())
