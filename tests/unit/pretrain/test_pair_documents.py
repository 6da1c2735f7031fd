"""Pairs as documents, tokens on disk, and the losses of documents."""

import csv

import pyarrow as pa
import pytest
import torch

from scripts.lib.job import InputError
from scripts.lib.parquet import read_table, write_table
from scripts.lib.training.models import fit_vocabulary, make_model
from scripts.lib.training.token_shards import TokenShards
from scripts.pretrain.losses import DocumentScorer, validation_documents
from scripts.pretrain.pair_documents import DocumentEncoder, PairText, distinct_sources, iter_pairs
from scripts.pretrain.tokens import extend_tokenizer, write_tokens
from tests.support.tiny_tokenizer import tiny_tokenizer
from tests.support.tiny_training import GPT

NEW = ["<source_to_llvm>", "<llvm_to_source>"]
TEMPLATES = {
    "source_to_llvm": "{source}\n<source_to_llvm>\n{llvm}",
    "llvm_to_source": "{llvm}\n<llvm_to_source>\n{source}",
}
SCHEMA = pa.schema([(name, pa.string()) for name in ("Source_Code", "IR_Original", "id", "split")])


@pytest.fixture(scope="module")
def tokenizer():
    return extend_tokenizer(tiny_tokenizer(), NEW, "<|pad|>")


@pytest.fixture
def tables(tmp_path):
    """Two variants of C and one of D: eight pairs each, the last two for validation; the sources of
    C are shared.
    """
    paths = []
    for language, variant in (("C", "perf"), ("C", "size"), ("D", "perf")):
        rows = [
            {
                "Source_Code": f"{language} program {n}",
                "IR_Original": f"{variant} module " * (n + 1),
                "id": f"{language}{n}",
                "split": "train" if n < 6 else "validation",
            }
            for n in range(8)
        ]
        paths.append(str(tmp_path / "pairs" / language / f"{variant}.parquet"))
        write_table(paths[-1], rows, SCHEMA)
    return paths


def settings(**changes):
    common = {"templates": TEMPLATES, "llvm_tokens": None, "packing": "concat", "context": 64, "seed": 1}
    return {**common, "train_documents": None, "validation_documents": None, **changes}


def test_a_document_has_both_halves_and_the_index_of_the_second(tokenizer):
    pair = PairText("C", "perf", "x", "int a;", "define @a")
    forward, backward = DocumentEncoder(tokenizer, TEMPLATES).pair_documents([pair])
    assert tokenizer.decode(forward.ids) == "int a;\n<source_to_llvm>\ndefine @a<|endoftext|>"
    assert tokenizer.decode(forward.ids[forward.target :]) == "define @a<|endoftext|>"
    assert tokenizer.decode(backward.ids[backward.target :]) == "int a;<|endoftext|>"


def test_special_tokens_are_recognised_in_templates_only(tokenizer):
    pair = PairText("C", "perf", "x", "s = '<|endoftext|>';", "; <source_to_llvm>")
    forward, _ = DocumentEncoder(tokenizer, TEMPLATES).pair_documents([pair])
    assert forward.ids.count(tokenizer.eos_token_id) == 1
    assert forward.ids.count(tokenizer.convert_tokens_to_ids("<source_to_llvm>")) == 1


@pytest.mark.parametrize("length", [1, 10, 200])
def test_a_long_module_is_truncated_to_its_head(tokenizer, length):
    pair = PairText("C", "perf", "x", "int a;", "m" * length)
    forward, _ = DocumentEncoder(tokenizer, TEMPLATES, llvm_tokens=10).pair_documents([pair])
    assert tokenizer.decode(forward.ids[forward.target : -1]) == "m" * min(10, length)
    assert forward.lost == pytest.approx(max(0, 1 - 10 / length))


def test_a_tokenizer_without_end_of_text_is_rejected():
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(InputError, match="no end-of-text token"):
        DocumentEncoder(tokenizer, TEMPLATES)


def test_a_source_of_several_variants_counts_once(tables):
    assert [pair.id for pair in distinct_sources(tables[:2], "validation")] == ["C6", "C7"]
    assert [pair.variant for pair in iter_pairs(tables[1], "train", {"C2"})] == ["size"]


def test_every_token_of_the_training_split_is_written_and_counted(tables, tokenizer, tmp_path):
    write_tokens(tables, tokenizer, tmp_path, settings())
    train = list(TokenShards(tmp_path / "train"))
    text = tokenizer.decode([token for example in train for token in example.input_ids])
    assert text.count("<|endoftext|>") == 3 * 6 * 2
    assert all(f"C program {n}" in text for n in range(6)) and "C program 6" not in text
    with (tmp_path / "statistics.csv").open(newline="") as stream:
        rows = {(row["split"], row["language"]): row for row in csv.DictReader(stream)}
    assert int(rows["train", "all"]["tokens"]) == sum(len(example.input_ids) for example in train)
    assert (rows["train", "C"]["documents"], rows["validation", "D"]["documents"]) == ("24", "4")
    assert float(rows["train", "all"]["useful_share"]) > 0.95


def test_padding_drops_tokens_beyond_the_context(tables, tokenizer, tmp_path):
    write_tokens(tables, tokenizer, tmp_path, settings(packing="pad", context=48))
    assert len(TokenShards(tmp_path / "train")) == 3 * 6 * 2
    with (tmp_path / "statistics.csv").open(newline="") as stream:
        row = next(row for row in csv.DictReader(stream) if row["language"] == "all")
    assert int(row["lost_tokens"]) > 0 and int(row["truncated_documents"]) > 0


@pytest.mark.parametrize("change", [{"packing": "pad", "context": 48}, {"llvm_tokens": 3}, {}])
def test_documents_that_lose_text_are_named(tables, tokenizer, tmp_path, change):
    write_tokens(tables, tokenizer, tmp_path, settings(**change))
    with (tmp_path / "statistics.csv").open(newline="") as stream:
        totals = {row["split"]: row for row in csv.DictReader(stream) if row["language"] == "all"}
    lost = read_table(tmp_path / "truncated.parquet").to_pylist()
    for split, row in totals.items():
        documents = [document for document in lost if document["split"] == split]
        assert len(documents) == int(row["truncated_documents"])
        assert sum(document["lost_tokens"] for document in documents) == int(row["lost_tokens"])
    assert bool(lost) == bool(change)
    assert {document["id"] for document in lost} <= {f"{name}{n}" for name in ("C", "D") for n in range(8)}


def test_padding_needs_a_pad_token(tables, tmp_path):
    tokenizer = extend_tokenizer(tiny_tokenizer(), NEW, None)
    with pytest.raises(InputError, match="needs a pad token"):
        write_tokens(tables, tokenizer, tmp_path, settings(packing="pad"))


def test_tokens_do_not_depend_on_the_order_of_the_tables(tables, tokenizer, tmp_path):
    for name, order in (("a", tables), ("b", tables[::-1])):
        (tmp_path / name).mkdir()
        write_tokens(order, tokenizer, tmp_path / name, settings(train_documents=9))
    first, second = ((tmp_path / name / "train/000.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_validation_documents_are_pairs_in_both_directions_and_sources(tables, tokenizer):
    encoder = DocumentEncoder(tokenizer, TEMPLATES)
    documents = [(d.pair.language, d.pair.variant, d.direction) for d in validation_documents(tables, encoder, 1, 3)]
    pairs = [(d, v, way) for d, v in (("C", "perf"), ("C", "size"), ("D", "perf")) for way in TEMPLATES]
    assert [entry for entry in documents if entry[2] != "source"] == pairs
    assert [entry[0] for entry in documents if entry[2] == "source"] == ["C", "D"]


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


@pytest.mark.parametrize("tied", [True, False])
def test_new_rows_start_at_the_mean_of_the_known_ones(tokenizer, tied):
    torch.manual_seed(0)
    model = make_model({**GPT, "tie_word_embeddings": tied}, tiny_tokenizer())
    before = model.get_input_embeddings().weight.detach().clone()
    fit_vocabulary(model, 257, tokenizer, "mean")
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        assert layer.weight.shape[0] == len(tokenizer) == 260
        mean = layer.weight[:257].mean(dim=0).expand(3, -1)
        assert torch.allclose(layer.weight[257:], mean, atol=1e-6)
    assert torch.equal(model.get_input_embeddings().weight[:257], before)


def test_rows_initialised_by_the_library_differ_from_the_mean(tokenizer):
    torch.manual_seed(0)
    model = fit_vocabulary(make_model(GPT, tiny_tokenizer()), 257, tokenizer, "library")
    rows = model.get_input_embeddings().weight
    assert rows.shape[0] == 260
    assert not torch.allclose(rows[257:], rows[:257].mean(dim=0).expand(3, -1), atol=1e-9)
