"""Prompts from the templates of the config, the same in training and evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.token_text import continuation_ids, prefix_ids, text_ids

NO_END = "the tokenizer has no end-of-text token; set `eos_token` in its tokenizer_config.json"
# Of a longer text only the beginning is encoded, at least this many characters and characters a token. Encoding takes
# some 300 bytes of memory a character, and a prompt keeps no more than some thousand tokens.
_ENCODED, _OF_TOKEN = 1 << 20, 256
_NO_OFFSETS = "the tokenizer runs in Python and has no positions of tokens; use a model with a tokenizer.json"


@dataclass(frozen=True)
class PromptSettings:
    """How rows of a tuning set become prompts.

    template: text with `{field}` placeholders that ends where the response begins.
    shorten: the field whose end is cut off when a prompt is too long.
    length: maximum number of tokens of prompt and response together.
    response_tokens: tokens of `length` that a prompt must leave for the response.
    overflow: what happens to a row longer than `length`. `shorten` cuts the field `shorten` so that
    the prompt leaves `response_tokens`; `truncate_right` cuts prompt and response together on the
    right, so a long prompt has no response.
    """

    template: str
    shorten: str
    length: int
    response_tokens: int
    overflow: str = "shorten"

    @property
    def prompt_tokens(self) -> int:
        """Maximum number of tokens of a prompt."""
        return self.length - self.response_tokens


@dataclass(frozen=True)
class Example:
    """Token ids of prompt, response and end of text; the first `masked` ids belong to the prompt
    and carry no loss.
    """

    input_ids: list[int]
    masked: int


def fields_of(template: str) -> list[str]:
    """Names of the placeholders of a template, in order."""
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def fill_template(template: str, row: Mapping[str, str]) -> str:
    """The template with its placeholders replaced by the fields of a row."""
    return template.format_map({name: row[name] for name in fields_of(template)})


def _head(text: str, tokens: int) -> str:
    """As much of a text as is needed for its first `tokens` tokens."""
    return text[: max(_ENCODED, _OF_TOKEN * tokens)]


def _heads(row: Mapping[str, str], template: str, tokens: int) -> dict[str, str]:
    """The fields of a template in a row, each as `_head` gives it."""
    return {name: _head(row[name], tokens) for name in fields_of(template)}


def prompt_ids(tokenizer: Any, prompt: str) -> list[int]:
    """Token ids of a prompt, with the tokens that the tokenizer puts before a text and without
    those after it.
    """
    return [*prefix_ids(tokenizer), *text_ids(tokenizer, prompt)]


def build_prompt(tokenizer: Any, settings: PromptSettings, row: Mapping[str, str]) -> str:
    """The prompt of a row, with its `shorten` field cut so that the prompt has at most
    `prompt_tokens` tokens.

    Generation uses it for every `overflow`, because a prompt without its end asks for nothing.
    Raises `ValueError` when the prompt is too long even without that field, and `InputError` for a
    tokenizer that does not say where its tokens are.
    """
    if not tokenizer.is_fast:
        raise InputError(_NO_OFFSETS)
    fields = _heads(row, settings.template, settings.length)
    whole = fields[settings.shorten]
    offsets = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    remaining = len(offsets)
    while True:
        text = whole if remaining == len(offsets) else whole[: offsets[remaining][0]]
        prompt = fill_template(settings.template, {**fields, settings.shorten: text})
        excess = len(prompt_ids(tokenizer, prompt)) - settings.prompt_tokens
        if excess <= 0:
            return prompt
        if not remaining:
            raise ValueError(f"a prompt without its {settings.shorten} has {excess} tokens more than allowed")
        remaining = max(0, remaining - excess)


def encode_example(tokenizer: Any, settings: PromptSettings, row: Mapping[str, str], response: str) -> Example:
    """Prompt, response and end of text as one training example of at most `length` tokens.

    A response longer than the room after the prompt is cut; only a complete response is followed by
    the end of text. With `truncate_right` the response may be missing: then all ids belong to the
    prompt and carry no loss. Raises `InputError` if the tokenizer has no end of text.
    """
    if tokenizer.eos_token_id is None:
        raise InputError(NO_END)
    if settings.overflow == "truncate_right":
        text = fill_template(settings.template, _heads(row, settings.template, settings.length))
    else:
        text = build_prompt(tokenizer, settings, row)
    prompt = prompt_ids(tokenizer, text)
    answer = [*continuation_ids(tokenizer, text, _head(response, settings.length)), tokenizer.eos_token_id]
    return Example(input_ids=(prompt + answer)[: settings.length], masked=min(len(prompt), settings.length))
