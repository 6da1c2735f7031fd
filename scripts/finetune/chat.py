"""Conversations rendered by a chat template, as prompts whose last message may be shortened."""

from collections.abc import Sequence
from typing import Any

from jinja2.exceptions import TemplateError

from scripts.finetune.conversations import Message
from scripts.lib.job import InputError

# Value of `instruct.chat_template` for the template that comes with the model's tokenizer.
OWN = "tokenizer"
# Stands for the last message while a template is rendered: a private character, as no template strips or escapes it.
_HOLE = "\ue000"


def _first_ids(tokenizer: Any) -> str:
    """The text of what a tokenizer puts before every text by itself, if that is its beginning-of-text token."""
    ids = tokenizer("a")["input_ids"]
    return tokenizer.bos_token if ids and ids[0] == tokenizer.bos_token_id and tokenizer.bos_token else ""


def render(tokenizer: Any, messages: Sequence[Message], template: str) -> dict[str, str]:
    """A conversation up to an answer as `before`, `instruction` and `after`, the prompt's parts in order.

    Only `instruction`, the last message, may be shortened: what the template writes around it must stay.
    template: `OWN` for the tokenizer's, or the text of a chat template (Jinja, as in transformers). A beginning-of-text
    token that the tokenizer adds anyway is left out. Raises `InputError` when there is no template or it fails.
    """
    own = tokenizer.chat_template if template == OWN else template
    if not own:
        raise InputError("the tokenizer has no chat template; give the text of one as instruct.chat_template")
    *earlier, last = messages
    try:
        text = tokenizer.apply_chat_template(
            [*earlier, {**last, "content": _HOLE}], chat_template=own, tokenize=False, add_generation_prompt=True
        )
    except TemplateError as error:
        raise InputError(f"instruct.chat_template cannot render a conversation: {error}; correct it") from error
    before, hole, after = text.rpartition(_HOLE)
    if not hole:
        raise InputError("instruct.chat_template leaves out the user's message; correct it")
    return {"before": before.removeprefix(_first_ids(tokenizer)), "instruction": last["content"], "after": after}
