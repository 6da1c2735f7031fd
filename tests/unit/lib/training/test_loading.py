"""Model folders that are damaged, incomplete or unsuitable: one line, never random weights or a traceback."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.training.loading import load_model
from scripts.lib.training.models import save_model
from scripts.pretrain.import_base import load_base, load_gguf
from tests.support.tiny_families import family_model
from tests.support.tiny_tokenizer import tiny_tokenizer

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same model in one file, and in several."""
    root = tmp_path_factory.mktemp("models")
    save_model(family_model("llama"), tiny_tokenizer(), root / "whole")
    (root / "whole/weights.sha256").unlink()
    family_model("llama").save_pretrained(root / "sharded", max_shard_size="20KB")
    tiny_tokenizer().save_pretrained(root / "sharded")
    return root


def changed(name, **values):
    """A change of a JSON file; `...` removes a key."""

    def change(folder):
        content = {**read_json(folder / name), **values}
        Path(folder, name).write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))

    return change


def weights(select):
    """A change of the names and tensors in model.safetensors."""

    def change(folder):
        path = folder / "model.safetensors"
        save_file(dict(select(*item) for item in load_file(path).items() if select(*item)), path, {"format": "pt"})

    return change


def written(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def shard(folder):
    return sorted(folder.glob("model-*.safetensors"))[1]


FAULTS = {
    "a missing shard": ("sharded", lambda folder: shard(folder).unlink(), "the model cannot be loaded .*model-00002"),
    "a shard that was not fetched": (
        "sharded",
        lambda folder: shard(folder).write_bytes(POINTER),
        r"the model cannot be loaded \(SafetensorError",
    ),
    "no index": ("sharded", lambda folder: (folder / "model.safetensors.index.json").unlink(), "no file named model"),
    "a broken index": ("sharded", written("model.safetensors.index.json", b"{"), "the model cannot be loaded"),
    "weights that were not fetched": ("whole", written("model.safetensors", POINTER), "the model cannot be loaded"),
    "empty weights": ("whole", written("model.safetensors", b""), "the model cannot be loaded"),
    "half of the weights": (
        "whole",
        weights(lambda name, tensor: () if "layers.1" in name else (name, tensor)),
        "9 weights of the model are missing, such as model.layers.1",
    ),
    "weights of other names": (
        "whole",
        weights(lambda name, tensor: (f"module.{name}", tensor)),
        r"weights of the model are missing, such as lm_head.*; its files have module\.lm_head",
    ),
    "more layers than weights": ("whole", changed("config.json", num_hidden_layers=3), "9 weights .* are missing"),
    "other sizes": ("whole", changed("config.json", hidden_size=64), "the model cannot be loaded"),
    "an empty config": ("whole", written("config.json", b""), "the model cannot be loaded"),
    "no type": ("whole", changed("config.json", model_type=...), "the model cannot be loaded"),
    "an unknown type": ("whole", changed("config.json", model_type="fancy"), "the model cannot be loaded"),
    "an encoder and decoder": ("whole", changed("config.json", model_type="t5"), "the model cannot be loaded"),
    "a limit that is text": ("whole", changed("config.json", max_position_embeddings="64"), "cannot be loaded"),
    "an unknown scaling": ("whole", changed("config.json", rope_scaling={"type": "fancy"}), "cannot be loaded"),
    "an empty tokenizer": ("whole", written("tokenizer.json", b""), "the tokenizer cannot be loaded"),
    "no tokenizer": ("whole", lambda folder: (folder / "tokenizer.json").unlink(), "the tokenizer cannot be loaded"),
    "broken settings": ("whole", written("generation_config.json", b"{"), r"generation_config\.json is damaged"),
    "a list of settings": ("whole", written("generation_config.json", b"[]"), "json: not a JSON object"),
    "an end that is text": ("whole", changed("generation_config.json", eos_token_id="</s>"), "eos_token_id is '</s>'"),
    "nested ends": ("whole", changed("generation_config.json", eos_token_id=[[2]]), r"eos_token_id is \[\[2\]\]"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_a_model_folder_is_one_line(folders, tmp_path, case):
    source, fault, message = FAULTS[case]
    shutil.copytree(folders / source, tmp_path / "model")
    fault(tmp_path / "model")
    with pytest.raises(InputError, match=message) as caught:
        load_base({"source": "folder", "path": "model"}, str(tmp_path), offline=True)
    assert str(caught.value).startswith(str(tmp_path / "model")) and "\n" not in str(caught.value)


def test_shards_and_weights_that_nobody_needs_are_loaded(folders, tmp_path):
    shutil.copytree(folders / "whole", tmp_path / "model")
    path = tmp_path / "model/model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "model.rotary_emb.inv_freq": tensors["model.norm.weight"].clone()}, path, {"format": "pt"})
    for folder in (tmp_path / "model", folders / "sharded"):
        assert all((value == tensors[name]).all() for name, value in load_model(folder).state_dict().items())


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\x00\x00\x00" + b"\xff" * 40, POINTER])
def test_a_damaged_gguf_file_is_one_line(tmp_path, content):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"model\.gguf: the GGUF file cannot be loaded"):
        load_gguf(path)
