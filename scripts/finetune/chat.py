"""Render conversations with a chat template, as prompts whose last message may be shortened."""

import json
from collections.abc import Sequence
from string import Formatter
from typing import Any

from jinja2.exceptions import TemplateError

from scripts.finetune.conversations import Message
from scripts.lib.job import InputError

# Value of `instruct.chat_template` for the chat template of the model's tokenizer.
TOKENIZER_TEMPLATE = "tokenizer"
# Placeholders of the last message in a rendered template: private-use characters, which no template
# strips or escapes. The first that no message contains is used.
_PLACEHOLDERS = tuple(map(chr, range(0xE000, 0xF900)))
# What the code of a template raises.
_TEMPLATE_ERRORS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
# A chat template of prompts with one field, in the form of transformers: conversations of the user
# and the assistant, each answer followed by the end of text.
_CHAT = (
    "{start}{{% for message in messages %}}"
    "{{% if message['role'] == 'user' %}}{{{{ {before} + message['content'] + {after} }}}}"
    "{{% elif message['role'] == 'assistant' %}}{{{{ message['content'] + eos_token }}}}"
    "{{% else %}}{{{{ raise_exception('only the roles user and assistant are known') }}}}{{% endif %}}{{% endfor %}}"
)


def _automatic_prefix(tokenizer: Any) -> str:
    """The beginning-of-text token if the tokenizer adds it before every text; else empty."""
    ids = tokenizer("a")["input_ids"]
    return tokenizer.bos_token if ids and ids[0] == tokenizer.bos_token_id and tokenizer.bos_token else ""


def render(tokenizer: Any, messages: Sequence[Message], template: str) -> dict[str, str]:
    """A conversation up to an answer as the parts of its prompt: `before`, `instruction` and
    `after`.

    Only `instruction`, the last message, may be shortened; the text of the template around it is
    required. A beginning-of-text token that the tokenizer adds itself is removed.
    template: `TOKENIZER_TEMPLATE`, or the text of a chat template (Jinja, as in transformers).
    Raises `InputError` if there is no template or it fails.
    """
    chat_template = tokenizer.chat_template if template == TOKENIZER_TEMPLATE else template
    if not chat_template:
        raise InputError("the tokenizer has no chat template; set instruct.chat_template to the text of one")
    *earlier, last = messages
    texts = "".join(message["content"] for message in messages)
    placeholder = next((character for character in _PLACEHOLDERS if character not in texts), _PLACEHOLDERS[0])
    try:
        text = tokenizer.apply_chat_template(
            [*earlier, {**last, "content": placeholder}],
            chat_template=chat_template,
            tokenize=False,
            add_generation_prompt=True,
        )
    except _TEMPLATE_ERRORS as error:
        raise InputError(f"instruct.chat_template cannot render a conversation: {error}; correct it") from error
    before, separator, after = text.rpartition(placeholder)
    if not separator:
        raise InputError("instruct.chat_template does not contain the user's message; correct it")
    # A template may repeat the message.
    before = before.replace(placeholder, last["content"])
    return {"before": before.removeprefix(_automatic_prefix(tokenizer)), "instruction": last["content"], "after": after}


def chat_template(tokenizer: Any, prompts: str, template: str | None) -> str | None:
    """The chat template of a tuned model; None for the one that its tokenizer has already.

    prompts: the template of the prompts that it was tuned on, whose only field is the instruction.
    template: `instruct.chat_template`. The result renders a conversation as it was in the tuning,
    including a beginning-of-text token, since rendered conversations get no further tokens.
    """
    if template is not None:
        return None if template == TOKENIZER_TEMPLATE else template
    pieces = [(text, field) for text, field, _, _ in Formatter().parse(prompts)]
    if len([field for _, field in pieces if field]) != 1:
        return None
    index = next(index for index, (_, field) in enumerate(pieces) if field)
    before = "".join(text for text, _ in pieces[: index + 1])
    after = "".join(text for text, _ in pieces[index + 1 :])
    start = "{{ bos_token }}" if _automatic_prefix(tokenizer) else ""
    return _CHAT.format(start=start, before=json.dumps(before), after=json.dumps(after))
