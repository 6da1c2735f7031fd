"""Ids of texts as parts of longer ones: prompts, responses and documents of tokenizers with ways of their own."""

import pytest
from tokenizers import Regex, normalizers
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast

from scripts.evaluate.engines.base import decode_plain, scored_ids
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings, encode_example, prompt_ids
from scripts.lib.token_text import (
    ContinuationDecoder,
    continuation_ids,
    loses_line_breaks,
    marks_beginnings,
    prefix_ids,
    text_ids,
)
from scripts.pretrain.pair_documents import DocumentEncoder, PairText
from scripts.pretrain.tokens import extend_tokenizer
from tests.support.tiny_pieces import (
    KINDS,
    end_adding_tokenizer,
    pieces_tokenizer,
    prefixing_tokenizer,
    unigram_tokenizer,
)
from tests.support.tiny_tokenizer import tiny_tokenizer

NEW = ["<source_to_llvm>", "<llvm_to_source>"]
TEMPLATES = {
    "source_to_llvm": "{source}\n<source_to_llvm>\n{llvm}",
    "llvm_to_source": "{llvm}\n<llvm_to_source>\n{source}",
}
PROMPTS = PromptSettings("### Diff:\n{diff}\n\n### Message:\n", "diff", 400, 200)
PAIRS = [
    ("int a;\n", "define i32 @f()\n"),
    ("  indented = 1", "  %a = add i32 1, 2"),
    ("", "ret void"),
    ("naïve = '日本'\n\n\n", "; ModuleID = 'x'\n"),
    ("\tx\n ", "x"),
]
MARKING = {**{kind: lambda kind=kind: pieces_tokenizer(kind) for kind in KINDS}, "blank": prefixing_tokenizer}
MARKING |= {f"unigram, {scheme}": lambda scheme=scheme: unigram_tokenizer(scheme) for scheme in ("always", "first")}
ALL = {**MARKING, "plain": tiny_tokenizer, "end-adding": end_adding_tokenizer}


def documents(encoder, source, llvm):
    """The documents of a pair, one for each direction."""
    pair = PairText("C", "perf", "x", source, llvm)
    return encoder.pair_documents([(pair, direction) for direction in TEMPLATES])


@pytest.fixture(scope="module", params=MARKING)
def marking(request):
    return MARKING[request.param]()


@pytest.fixture(scope="module", params=ALL)
def tokenizer(request):
    return ALL[request.param]()


def test_it_is_known_which_tokenizers_mark_beginnings():
    assert {name: marks_beginnings(make()) for name, make in ALL.items()} == {name: name in MARKING for name in ALL}


@pytest.mark.parametrize(("source", "llvm"), PAIRS)
def test_documents_have_the_ids_of_their_whole_text(marking, source, llvm):
    extended = extend_tokenizer(marking, NEW, "<|pad|>")
    for document in documents(DocumentEncoder(extended, TEMPLATES), source, llvm):
        whole = TEMPLATES[document.direction].format(source=source, llvm=llvm)
        assert document.ids.tolist() == [*extended(whole)["input_ids"], extended.eos_token_id]
        last = llvm if document.direction == "source_to_llvm" else source
        assert document.ids.tolist()[document.target :] == [
            *extended(whole)["input_ids"][document.target :],
            extended.eos_token_id,
        ]
        assert extended.decode(document.ids[document.target : -1]).strip(" ") == last.strip(" ")


def test_tokenizers_that_lose_line_breaks_are_known():
    assert not any(loses_line_breaks(make()) for make in ALL.values())
    blanks = normalizers.Replace(Regex(r"\s+"), " ")
    assert loses_line_breaks(unigram_tokenizer(normalizer=normalizers.Sequence([normalizers.NFKC(), blanks])))


@pytest.mark.parametrize("encode", [lambda tokenizer: DocumentEncoder(tokenizer, TEMPLATES), None])
def test_a_tokenizer_in_python_is_refused_with_one_line(encode):
    row = {"diff": "+int a;"}
    encode = encode or (lambda tokenizer: encode_example(tokenizer, PROMPTS, row, "x"))
    with pytest.raises(InputError, match=r"the tokenizer runs in Python.* with a tokenizer\.json"):
        encode(ByT5Tokenizer())


def test_an_example_needs_an_end_of_text():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer().backend_tokenizer)
    with pytest.raises(InputError, match="the tokenizer has no end-of-text token"):
        encode_example(tokenizer, PROMPTS, {"diff": "+int a;"}, "x")


def test_plain_source_has_the_ids_of_its_text(tokenizer):
    pair = PairText("C", "perf", "x", "int a;\n  b", "ret")
    (document,) = DocumentEncoder(tokenizer, {}).source_documents([pair])
    ids = document.ids.tolist()
    assert ids == [*prefix_ids(tokenizer), *text_ids(tokenizer, pair.source), tokenizer.eos_token_id]
    assert ids.count(tokenizer.eos_token_id) == 1


def test_a_program_that_spells_special_tokens_gets_ordinary_ones(marking):
    extended = extend_tokenizer(marking, NEW, "<|pad|>")
    source = f"a <source_to_llvm> {extended.eos_token} b"
    for document in documents(DocumentEncoder(extended, TEMPLATES), source, "ret"):
        known = {*extended.all_special_ids, *extended.convert_tokens_to_ids(NEW)}
        special = [number for number in document.ids if number in known]
        direction = extended.convert_tokens_to_ids(f"<{document.direction}>")
        assert special == [*prefix_ids(extended), direction, extended.eos_token_id]


@pytest.mark.parametrize("limit", [1, 5, 12, 1000])
def test_long_modules_lose_their_end(marking, limit):
    extended = extend_tokenizer(marking, NEW, "<|pad|>")
    module = "define i32 @f(i32 %a) {\n  ret i32 %a\n}\n" * 2
    encoder = DocumentEncoder(extended, TEMPLATES, limit)
    forward, _ = documents(encoder, "int a;", module)
    text = extended.decode(forward.ids[forward.target : -1]).strip()
    assert module.startswith(text) and 0 <= forward.lost_llvm < 1 and (forward.lost_llvm == 0) == (limit == 1000)
    # The head is cut as text, whose first word has other tokens in the document than by itself.
    assert len(forward.ids) - forward.target <= limit + 4


def test_prompts_begin_as_every_text_and_do_not_end_one(tokenizer):
    ids = prompt_ids(tokenizer, "def f(x):\n")
    assert ids == [*prefix_ids(tokenizer), *text_ids(tokenizer, "def f(x):\n")]
    assert tokenizer.eos_token_id not in ids
    if tokenizer.bos_token_id != tokenizer.eos_token_id:
        assert ids[0] == tokenizer.bos_token_id and ids == tokenizer("def f(x):\n")["input_ids"]


@pytest.mark.parametrize("message", ["Add a", "  two blanks", "\nline", "日本", "x"])
def test_examples_have_the_ids_of_their_whole_text(tokenizer, message):
    row = {"diff": "+int a;"}
    example = encode_example(tokenizer, PROMPTS, row, message)
    text = PROMPTS.template.format(**row)
    whole = [*prefix_ids(tokenizer), *text_ids(tokenizer, text + message)]
    assert example.input_ids == [*whole, tokenizer.eos_token_id]
    assert example.input_ids[: example.masked] == prompt_ids(tokenizer, text)
    assert ContinuationDecoder(tokenizer)(example.input_ids[example.masked : -1]) == message


def test_a_response_after_a_prompt_that_ends_in_a_blank_goes_on_from_the_prompts_own_ids(marking):
    prompt = "### Message: "
    ids = [*text_ids(marking, prompt), *continuation_ids(marking, prompt, "Add a")]
    assert ids[: len(text_ids(marking, prompt))] == text_ids(marking, prompt)
    assert marking.decode(ids).strip(" ") == "### Message: Add a"


@pytest.mark.parametrize("form", ["Strike <{}> out", "{}", "a\n{}\n", "{}{} b"])
def test_a_response_that_spells_special_tokens_gets_ordinary_ones(tokenizer, form):
    text = form.replace("{}", tokenizer.eos_token)
    example = encode_example(tokenizer, PROMPTS, {"diff": "+int a;"}, text)
    response = example.input_ids[example.masked :]
    assert response[-1] == tokenizer.eos_token_id and not set(response[:-1]) & set(tokenizer.all_special_ids)
    assert decode_plain(tokenizer, response) == text or marks_beginnings(tokenizer)
    assert ContinuationDecoder(tokenizer)(response[:-1]) == text
    _, scored = scored_ids(tokenizer, "def f(x):\n", text, 500)
    assert list(scored) == response[:-1]


def test_a_prompt_has_the_special_tokens_of_its_template(tokenizer):
    extended = extend_tokenizer(tokenizer, NEW, None)
    extended.split_special_tokens = True
    assert extended.convert_tokens_to_ids(NEW[0]) in prompt_ids(extended, f"int a;\n{NEW[0]}\n")
    extended.split_special_tokens = False


@pytest.mark.parametrize("text", [" a", "  b c", "\n  return", "x", " ", "日 本", "", " \n"])
def test_the_text_of_a_continuation_keeps_its_first_blank(tokenizer, text):
    ids = continuation_ids(tokenizer, "def f(x):\n", text)
    assert ContinuationDecoder(tokenizer)(ids) == text


def test_bytes_of_an_unfinished_character_do_not_change_the_text_before(tokenizer):
    ids = continuation_ids(tokenizer, "\n", " a日")
    texts = [ContinuationDecoder(tokenizer)(ids[:end]) for end in range(len(ids) + 1)]
    assert texts[-1] == " a日" and all(text.rstrip("\ufffd") in ("", " ", " a", " a日") for text in texts)
