"""Prompts fit their length, and examples mask them."""

from dataclasses import replace

import pytest

from scripts.lib.prompts import PromptSettings, build_prompt, encode_example, fields_of
from tests.support.tiny_tokenizer import tiny_tokenizer

TEMPLATE = "### Diff:\n{diff}\n\n### Message:\n"


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_tokenizer()


def settings(length: int, response: int) -> PromptSettings:
    return PromptSettings(template=TEMPLATE, shorten="diff", length=length, response_tokens=response)


def test_fields_of_a_template_in_order():
    assert fields_of("{a} and {b}: ") == ["a", "b"]


def test_a_short_prompt_is_the_template_filled(tokenizer):
    prompt = build_prompt(tokenizer, settings(200, 20), {"diff": "{x} + 1", "message": "unused"})
    assert prompt == "### Diff:\n{x} + 1\n\n### Message:\n"


@pytest.mark.parametrize("length", [40, 60, 97])
def test_a_long_prompt_loses_the_end_of_its_field_alone(tokenizer, length):
    diff = "\n".join(f"+ line {number} of the chänge" for number in range(100))
    prompt = build_prompt(tokenizer, settings(length, 10), {"diff": diff})
    tokens = len(tokenizer(prompt)["input_ids"])
    assert length - 10 - 3 <= tokens <= length - 10
    assert prompt.startswith("### Diff:\n+ lin") and prompt.endswith("\n\n### Message:\n")
    assert diff.startswith(prompt.removeprefix("### Diff:\n").removesuffix("\n\n### Message:\n"))


def test_a_template_without_room_is_an_error(tokenizer):
    with pytest.raises(ValueError, match="without its diff"):
        build_prompt(tokenizer, settings(12, 10), {"diff": "+ 1"})


def test_an_example_masks_the_prompt_and_ends_in_end_of_text(tokenizer):
    row = {"diff": "+ x = 1"}
    example = encode_example(tokenizer, settings(200, 20), row, "Set x")
    prompt = tokenizer(build_prompt(tokenizer, settings(200, 20), row))["input_ids"]
    assert example.input_ids[: example.masked] == prompt
    assert tokenizer.decode(example.input_ids[example.masked : -1]) == "Set x"
    assert example.input_ids[-1] == tokenizer.eos_token_id


def test_a_long_response_is_cut_and_gets_no_end_of_text(tokenizer):
    example = encode_example(tokenizer, settings(40, 10), {"diff": "+ 1"}, "many words " * 50)
    assert len(example.input_ids) == 40
    assert example.input_ids[-1] != tokenizer.eos_token_id


@pytest.mark.parametrize(("diff", "message"), [("+ 1", "Set x"), ("+ 1", "a long message " * 20), ("+ x\n" * 40, "m")])
def test_truncation_on_the_right_keeps_the_head_of_prompt_and_response(tokenizer, diff, message):
    cut = replace(settings(60, 20), overflow="truncate_right")
    whole = [*tokenizer(TEMPLATE.format(diff=diff) + message)["input_ids"], tokenizer.eos_token_id]
    example = encode_example(tokenizer, cut, {"diff": diff}, message)
    assert example.input_ids == whole[:60]
    assert example.masked == min(60, len(tokenizer(TEMPLATE.format(diff=diff))["input_ids"]))


def test_a_long_diff_loses_its_message_with_truncation_and_keeps_it_with_shortening(tokenizer):
    row = {"diff": "\n".join(f"+ line {number}" for number in range(60))}
    lost = encode_example(tokenizer, replace(settings(60, 20), overflow="truncate_right"), row, "Add lines")
    assert lost.masked == len(lost.input_ids) == 60
    kept = encode_example(tokenizer, settings(60, 20), row, "Add lines")
    assert tokenizer.decode(kept.input_ids[kept.masked : -1]) == "Add lines"


def test_a_prompt_for_generation_keeps_its_end_whatever_training_cuts(tokenizer):
    cut = replace(settings(60, 20), overflow="truncate_right")
    assert build_prompt(tokenizer, cut, {"diff": "+ x\n" * 40}).endswith("\n\n### Message:\n")


class Recording:
    """A tokenizer that remembers the length of the longest text that it has encoded."""

    def __init__(self, tokenizer):
        self.tokenizer, self.longest = tokenizer, 0

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def __call__(self, text, **options):
        self.longest = max(self.longest, len(text))
        return self.tokenizer(text, **options)


@pytest.mark.parametrize("overflow", ["shorten", "truncate_right"])
def test_of_a_huge_field_and_response_only_the_beginning_is_encoded(tokenizer, overflow):
    text = "".join(f"+ line {number}\n" for number in range(400_000))
    cut, recording = replace(settings(100, 20), overflow=overflow), Recording(tokenizer)
    example = encode_example(recording, cut, {"diff": text}, text)
    assert recording.longest < 3 << 20 < len(text)
    assert example == encode_example(tokenizer, cut, {"diff": text[:10_000]}, text[:10_000])
