"""Prompts from the config's templates, the same for training and for evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from scripts.lib.token_text import continuation_ids, prefix_ids, text_ids


@dataclass(frozen=True)
class PromptSettings:
    """How the rows of a tuning set become prompts.

    template: text with `{field}` placeholders that ends where the response begins.
    shorten: the field that is cut at its end when a prompt is too long.
    length: tokens of prompt and response together, at most.
    response_tokens: tokens of `length` that a prompt must leave to the response.
    overflow: what becomes of a row that is longer than `length`. `shorten` cuts the field `shorten` so that the prompt
    leaves `response_tokens`; `truncate_right` cuts prompt and response together on the right, so that a long prompt
    loses its response.
    """

    template: str
    shorten: str
    length: int
    response_tokens: int
    overflow: str = "shorten"

    @property
    def prompt_tokens(self) -> int:
        """Tokens that a prompt may have."""
        return self.length - self.response_tokens


@dataclass(frozen=True)
class Example:
    """Token ids of prompt, response and end of text; the first `masked` ids are the prompt's and carry no loss."""

    input_ids: list[int]
    masked: int


def fields_of(template: str) -> list[str]:
    """Names of a template's placeholders in their order."""
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def fill_template(template: str, row: Mapping[str, str]) -> str:
    """The template with the row's fields in place of its placeholders."""
    return template.format_map({name: row[name] for name in fields_of(template)})


def prompt_ids(tokenizer: Any, prompt: str) -> list[int]:
    """Token ids of a prompt, with what the tokenizer puts before every text and without what it puts after one."""
    return [*prefix_ids(tokenizer), *text_ids(tokenizer, prompt)]


def build_prompt(tokenizer: Any, settings: PromptSettings, row: Mapping[str, str]) -> str:
    """The prompt of one row, its `shorten` field cut so that the prompt has at most `prompt_tokens` tokens.

    Generation uses it whatever `overflow` is: a prompt that lost its end asks for nothing. Raises `ValueError` when the
    prompt is too long even without that field.
    """
    fields = {name: row[name] for name in fields_of(settings.template)}
    whole = fields[settings.shorten]
    # A token spans at least one byte, so a text this short need not be cut before its first count.
    offsets = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    kept = len(offsets)
    while True:
        text = whole if kept == len(offsets) else whole[: offsets[kept][0]]
        prompt = fill_template(settings.template, {**fields, settings.shorten: text})
        excess = len(prompt_ids(tokenizer, prompt)) - settings.prompt_tokens
        if excess <= 0:
            return prompt
        if not kept:
            raise ValueError(f"a prompt without its {settings.shorten} has {excess} tokens more than allowed")
        kept = max(0, kept - excess)


def encode_example(tokenizer: Any, settings: PromptSettings, row: Mapping[str, str], response: str) -> Example:
    """Prompt, response and end of text as one training example of at most `length` tokens.

    A response too long for what the prompt leaves is cut; the end of text follows a whole one only. With
    `truncate_right` nothing of the response may be left: then every id is the prompt's and carries no loss.
    """
    whole = settings.overflow == "truncate_right"
    text = fill_template(settings.template, row) if whole else build_prompt(tokenizer, settings, row)
    prompt = prompt_ids(tokenizer, text)
    answer = [*continuation_ids(tokenizer, text, response), tokenizer.eos_token_id]
    return Example(input_ids=(prompt + answer)[: settings.length], masked=min(len(prompt), settings.length))
