"""Pairs as documents, tokens on disk, and the losses of documents."""

import csv

import pyarrow as pa
import pytest
import torch

from scripts.lib.job import InputError
from scripts.lib.parquet import read_table, write_table
from scripts.lib.training.models import fit_vocabulary, make_model
from scripts.lib.training.token_shards import TokenShards
from scripts.pretrain.pair_documents import DocumentEncoder, PairText, distinct_sources, iter_pairs
from scripts.pretrain.sample import write_sample
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


@pytest.fixture
def sample(tables, tmp_path):
    """All pairs of the tables."""
    path = str(tmp_path / "documents.parquet")
    write_sample(tables, path, "documents", settings())
    return path


def settings(**changes):
    common = {"templates": TEMPLATES, "llvm_tokens": None, "packing": "concat", "context": 64, "seed": 1}
    return {**common, "directions": list(TEMPLATES), "train_documents": None, "validation_documents": None, **changes}


def documents(encoder, source, llvm):
    """The documents of a pair, one for each direction."""
    pair = PairText("C", "perf", "x", source, llvm)
    return encoder.pair_documents([(pair, direction) for direction in TEMPLATES])


def test_a_document_has_both_halves_and_the_index_of_the_second(tokenizer):
    forward, backward = documents(DocumentEncoder(tokenizer, TEMPLATES), "int a;", "define @a")
    assert tokenizer.decode(forward.ids) == "int a;\n<source_to_llvm>\ndefine @a<|endoftext|>"
    assert tokenizer.decode(forward.ids[forward.target :]) == "define @a<|endoftext|>"
    assert tokenizer.decode(backward.ids[backward.target :]) == "int a;<|endoftext|>"


def test_special_tokens_are_recognised_in_templates_only(tokenizer):
    forward, _ = documents(DocumentEncoder(tokenizer, TEMPLATES), "s = '<|endoftext|>';", "; <source_to_llvm>")
    ids = forward.ids.tolist()
    assert ids.count(tokenizer.eos_token_id) == 1
    assert ids.count(tokenizer.convert_tokens_to_ids("<source_to_llvm>")) == 1


@pytest.mark.parametrize("length", [1, 10, 200])
def test_a_long_module_is_truncated_to_its_head(tokenizer, length):
    forward, _ = documents(DocumentEncoder(tokenizer, TEMPLATES, llvm_tokens=10), "int a;", "m" * length)
    assert tokenizer.decode(forward.ids[forward.target : -1]) == "m" * min(10, length)
    assert forward.lost_llvm == pytest.approx(max(0, 1 - 10 / length))


def test_a_tokenizer_without_end_of_text_is_rejected():
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(InputError, match="no end-of-text token"):
        DocumentEncoder(tokenizer, TEMPLATES)


def test_a_source_of_several_variants_counts_once(sample):
    pairs = [pair for pair in distinct_sources(iter_pairs(sample, "validation")) if pair.language == "C"]
    assert [(pair.id, pair.variant) for pair in pairs] == [("C6", "perf"), ("C7", "perf")]


def test_every_token_of_the_training_split_is_written_and_counted(sample, tokenizer, tmp_path):
    write_tokens(sample, tokenizer, tmp_path, settings())
    train = list(TokenShards(tmp_path / "train"))
    text = tokenizer.decode([token for example in train for token in example.input_ids])
    assert text.count("<|endoftext|>") == 3 * 6 * 2
    assert all(f"C program {n}" in text for n in range(6)) and "C program 6" not in text
    rows = statistics(tmp_path)
    assert int(rows["train", "all"]["tokens"]) == sum(len(example.input_ids) for example in train)
    assert (rows["train", "C"]["documents"], rows["validation", "D"]["documents"]) == ("24", "4")
    assert float(rows["train", "all"]["useful_share"]) > 0.95


def statistics(folder):
    """The rows of the table of token counts, by split and language."""
    with (folder / "statistics.csv").open(newline="") as stream:
        return {(row["split"], row["language"]): row for row in csv.DictReader(stream)}


def test_padding_drops_tokens_beyond_the_context(sample, tokenizer, tmp_path):
    write_tokens(sample, tokenizer, tmp_path, settings(packing="pad", context=48))
    assert len(TokenShards(tmp_path / "train")) == 3 * 6 * 2
    row = statistics(tmp_path)["train", "all"]
    assert 0 < float(row["lost_llvm"]) < 1 and int(row["truncated_documents"]) > 0
    assert int(row["tokens"]) == sum(TokenShards(tmp_path / "train").lengths())


@pytest.mark.parametrize("limit", [1, 20, 31, 48, 400])
def test_a_limit_keeps_the_first_tokens_and_states_what_is_lost(tokenizer, limit):
    source, module = "int main() {\n  return 0;\n}", "define i32 @main() {\n  ret i32 0\n}\n" * 4
    whole = documents(DocumentEncoder(tokenizer, TEMPLATES), source, module)
    heads = documents(DocumentEncoder(tokenizer, TEMPLATES, limit=limit), source, module)
    for document, full in zip(heads, whole, strict=True):
        assert document.ids.tolist() == full.ids.tolist()[:limit]
        text = tokenizer.decode(document.ids)
        kept, rest = text.split(f"\n<{document.direction}>\n") if "<" in text else (text, "")
        first, second = (source, module) if document.direction == "source_to_llvm" else (module, source)
        shares = {first: 1 - len(first[: len(kept)]) / len(first), second: 1 - len(second[: len(rest)]) / len(second)}
        assert document.lost_source == pytest.approx(shares[source])
        assert document.lost_llvm == pytest.approx(shares[module])


@pytest.mark.parametrize("change", [{"packing": "pad", "context": 48}, {"llvm_tokens": 3}, {}])
def test_documents_that_lose_text_are_named(sample, tokenizer, tmp_path, change):
    write_tokens(sample, tokenizer, tmp_path, settings(**change))
    totals = {split: row for (split, language), row in statistics(tmp_path).items() if language == "all"}
    lost = read_table(tmp_path / "truncated.parquet").to_pylist()
    for split, row in totals.items():
        documents = [document for document in lost if document["split"] == split]
        assert len(documents) == int(row["truncated_documents"])
        share = sum(document["lost_llvm"] for document in documents) / int(row["documents"])
        assert share == pytest.approx(float(row["lost_llvm"]), abs=1e-5)
    assert bool(lost) == bool(change)
    assert {document["id"] for document in lost} <= {f"{name}{n}" for name in ("C", "D") for n in range(8)}


def texts_of(folder, tokenizer, split="train"):
    """The documents of the training sequences, sorted."""
    ids = [token for example in TokenShards(folder / split) for token in example.input_ids]
    return sorted(tokenizer.decode(ids).split("<|endoftext|>")[:-1])


@pytest.mark.parametrize("limit", [None, 4])
def test_an_ablation_on_source_has_each_program_once(tables, tokenizer, tmp_path, limit):
    changes = settings(documents="source", directions=["source"], train_documents=limit)
    write_sample(tables, tmp_path / "sample.parquet", "documents", changes)
    write_tokens(str(tmp_path / "sample.parquet"), tokenizer, tmp_path, changes)
    texts = texts_of(tmp_path, tokenizer)
    everything = [f"{language} program {n}" for language in "CD" for n in range(6)]
    assert texts == everything if limit is None else (len(texts) == 4 and set(texts) < set(everything))
    assert int(statistics(tmp_path)["train", "all"]["documents"]) == len(texts)
    assert read_table(tmp_path / "truncated.parquet").num_rows == 0


def test_padded_documents_of_source_lose_what_is_beyond_the_context(sample, tokenizer, tmp_path):
    write_tokens(sample, tokenizer, tmp_path, settings(documents="source", packing="pad", context=8))
    assert {len(example.input_ids) for example in TokenShards(tmp_path / "train")} == {8}
    row = statistics(tmp_path)["train", "C"]
    # "C program 0" has 11 tokens, of which 8 are left.
    assert (row["truncated_documents"], float(row["lost_source"])) == ("6", pytest.approx(3 / 11, abs=1e-6))


def test_a_placebo_has_the_same_tokens_and_the_modules_of_other_programs(sample, tokenizer, tmp_path):
    for name in ("own", "shuffled"):
        (tmp_path / name).mkdir()
        write_tokens(sample, tokenizer, tmp_path / name, settings(modules=name))
    own, other = (statistics(tmp_path / name)["train", "all"] for name in ("own", "shuffled"))
    assert own == other
    forward = [text for text in texts_of(tmp_path / "shuffled", tokenizer) if "<source_to_llvm>" in text]
    pairs = [text.split("\n<source_to_llvm>\n") for text in forward]
    # The module of program n says so n + 1 times.
    numbers = [(int(source.split()[-1]), module.count("module") - 1) for source, module in pairs]
    assert len(numbers) == 18 and all(number != other for number, other in numbers)


def test_a_placebo_without_other_programs_is_a_one_line_error(tables, tokenizer, tmp_path):
    rows = read_table(tables[0]).slice(0, 1)
    write_table(tables[0], rows.to_pylist(), SCHEMA)
    write_sample(tables[:1], tmp_path / "sample.parquet", "documents", settings())
    with pytest.raises(InputError, match="no program has another one of its language and variant"):
        write_tokens(str(tmp_path / "sample.parquet"), tokenizer, tmp_path, settings(modules="shuffled"))


def test_padding_needs_a_pad_token(sample, tmp_path):
    tokenizer = extend_tokenizer(tiny_tokenizer(), NEW, None)
    with pytest.raises(InputError, match="needs a pad token"):
        write_tokens(sample, tokenizer, tmp_path, settings(packing="pad"))


def test_tokens_depend_neither_on_the_order_of_the_tables_nor_on_threads(tables, tokenizer, tmp_path):
    for name, order, threads in (("a", tables, 1), ("b", tables[::-1], 2)):
        (tmp_path / name).mkdir()
        write_sample(order, tmp_path / name / "sample.parquet", "documents", settings(train_documents=9))
        sample = str(tmp_path / name / "sample.parquet")
        write_tokens(sample, tokenizer, tmp_path / name, settings(train_documents=9), threads)
    first, second = ((tmp_path / name / "train/000.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


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
