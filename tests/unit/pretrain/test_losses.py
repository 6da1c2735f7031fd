"""Losses of documents: which ones, in which windows, and how an interrupted job resumes."""

import json
from types import SimpleNamespace

import pytest
import torch

from scripts.lib.parquet import read_table, write_table
from scripts.lib.schemas.training import SAMPLE
from scripts.lib.training.models import make_model, save_model
from scripts.pretrain import losses
from scripts.pretrain.losses import DocumentScorer, stored_rows, validation_documents, write_losses
from scripts.pretrain.pair_documents import DocumentEncoder
from scripts.pretrain.tokens import extend_tokenizer
from tests.support.tiny_pieces import pieces_tokenizer
from tests.support.tiny_tokenizer import tiny_tokenizer
from tests.support.tiny_training import GPT

NEW = ["<source_to_llvm>", "<llvm_to_source>"]
TEMPLATES = {
    "source_to_llvm": "{source}\n<source_to_llvm>\n{llvm}",
    "llvm_to_source": "{llvm}\n<llvm_to_source>\n{source}",
}
MODULE = "define i32 @f() {\n  ret i32 0\n}\n"
SETTINGS = {"seed": 3, "context": 16, "loss_documents": 1, "loss_windows": None}


@pytest.fixture(scope="module")
def tokenizer():
    return extend_tokenizer(tiny_tokenizer(), NEW, "<|pad|>")


@pytest.fixture
def sample(tmp_path):
    """The pairs that are drawn with one document of each language and variant."""
    tables = (("C", "perf"), ("C", "size"), ("D", "perf"))
    rows = [
        {
            "Source_Code": f"{language} program\n" * 4,
            "IR_Original": MODULE * 9,
            "language": language,
            "variant": variant,
            "id": f"{language}7",
            "split": "validation",
        }
        for language, variant in tables
    ]
    write_table(tmp_path / "losses.parquet", rows, SAMPLE.schema)
    return str(tmp_path / "losses.parquet")


def test_validation_documents_are_pairs_in_both_directions_and_sources(sample, tokenizer):
    encoder = DocumentEncoder(tokenizer, TEMPLATES)
    documents = [
        (d.pair.language, d.pair.variant, d.direction) for d in validation_documents(sample, encoder, SETTINGS)
    ]
    pairs = [(d, v, way) for d, v in (("C", "perf"), ("C", "size"), ("D", "perf")) for way in TEMPLATES]
    assert [entry for entry in documents if entry[2] != "source"] == pairs
    assert [entry[0] for entry in documents if entry[2] == "source"] == ["C", "D"]


@pytest.mark.parametrize("make", [tiny_tokenizer, lambda: pieces_tokenizer("prepended blank")])
@pytest.mark.parametrize("windows", [8, 12, 40])
def test_long_documents_lose_the_end_of_their_halves_but_neither_half(sample, make, windows):
    encoder = DocumentEncoder(extend_tokenizer(make(), NEW, "<|pad|>"), TEMPLATES)
    whole = list(validation_documents(sample, encoder, SETTINGS))
    for document, full in zip(
        validation_documents(sample, encoder, {**SETTINGS, "loss_windows": windows}), whole, strict=True
    ):
        assert len(document.ids) <= windows * 16
        if len(full.ids) <= windows * 16 - 8:
            assert document.ids.tolist() == full.ids.tolist()
        assert 0 < document.target < len(document.ids) or document.direction == "source"
        assert full.pair.llvm.startswith(document.pair.llvm) and full.pair.source.startswith(document.pair.source)
        assert document.pair.llvm or document.direction == "source"
        assert document.pair.source


def test_windows_score_every_token_once(tokenizer):
    torch.manual_seed(0)
    model = make_model(GPT, tokenizer).eval()
    ids = list(range(50))
    scorer = DocumentScorer(model, start=256, context=16, batch_size=3)
    losses = scorer.losses(ids)
    assert losses.shape == (50,)
    with torch.no_grad():
        logits = model(torch.tensor([[256, *ids[:15]]])).logits[0].double()
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[:16]), reduction="none")
    assert torch.allclose(losses[:16], expected, atol=1e-5)


@pytest.fixture
def inputs(sample, tokenizer, tmp_path):
    """Files of a job: a sample, a tokenizer and a model."""
    torch.manual_seed(0)
    model = make_model(GPT, tokenizer)
    save_model(model, tokenizer, tmp_path / "model")
    return SimpleNamespace(sample=sample, tokenizer=tmp_path / "model", model=tmp_path / "model")


def job_settings():
    training = {"batch_size": 2, "precision": "auto", "tf32": True, "gpu": False}
    return {**SETTINGS, **training, "templates": TEMPLATES, "llvm_tokens": None, "new_embeddings": "mean"}


def test_an_interrupted_job_scores_only_what_is_missing_and_writes_the_same_bytes(inputs, tmp_path, monkeypatch):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    write_losses(inputs, str(tmp_path / "first.parquet"), job_settings(), tmp_path / "first")
    lines = (tmp_path / "first/rows.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 3 * 2 + 2
    (tmp_path / "second/rows.jsonl").write_bytes(b"".join(lines[:3]) + lines[3][:20])
    scored = []
    original = losses.loss_row
    monkeypatch.setattr(losses, "loss_row", lambda *values: scored.append(values[0]) or original(*values))
    write_losses(inputs, str(tmp_path / "second.parquet"), job_settings(), tmp_path / "second")
    assert len(scored) == len(lines) - 3
    assert (tmp_path / "first.parquet").read_bytes() == (tmp_path / "second.parquet").read_bytes()
    assert read_table(tmp_path / "first.parquet").num_rows == len(lines)


@pytest.mark.parametrize("end", [b"", b'{"a": 1', b"\0\0\0", b'{"a": 2}'])
def test_stored_rows_end_at_the_last_whole_line(tmp_path, end):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 0}\n' + end)
    assert stored_rows(path) == [{"a": 0}]
    assert path.read_bytes() == b'{"a": 0}\n'
    assert stored_rows(tmp_path / "none.jsonl") == []
    assert json.loads(path.read_text()) == {"a": 0}
