"""The measurement of bench/gpu.py with a small model."""

import re

import pytest

from bench import gpu


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_each_way_of_training_and_generation_has_a_speed(device, capsys):
    if device == "cpu" and gpu.DEVICE.type != "cpu":
        pytest.skip("the measurement uses the GPU")
    arguments = ["--size", "small", "--model", "llama", "--ways", "isolate", "--steps", "2", "--batch-size", "2"]
    gpu.main(gpu.parser().parse_args([*arguments, "--length", "64", "--new-tokens", "8", "--peak", "1"]))
    output = capsys.readouterr().out
    rows = dict(re.findall(r"^(bare|isolate) +(\d+) ", output, re.MULTILINE))
    assert rows.keys() == {"bare", "isolate"} and all(int(speed) > 0 for speed in rows.values())
    assert re.search(r"^generation, transformers: [1-9]\d* tokens/s$", output, re.MULTILINE)


@pytest.mark.parametrize("model", list(gpu.LORA))
def test_model_flops_are_two_per_weight_and_product(model, tmp_path):
    setup = gpu.Setup(tmp_path, model, 1, 1, 16)
    gpu.make_inputs(setup, "small")
    width, inner, layers, rank, head = 64, 128, 2, 64, gpu.ROWS["small"] * 64
    if model == "llama":
        frozen = layers * (4 * width * width + 3 * width * inner)
        adapters = layers * 4 * rank * (width + width)
    else:  # queries, and one head's keys and values; four times the width between the two layers
        attention, between = width + 2 * width // 2, 4 * width
        frozen = layers * (width * attention + width * width + 2 * width * between)
        adapters = layers * rank * ((width + attention) + (width + width) + 2 * (width + between))
    expected = 4 * (frozen + adapters + head) + 2 * (adapters + head) + 12 * layers * width * 16
    assert gpu.flops_per_token(gpu.adapted(setup), layers, width, 16) == expected
