"""Conversations of a data set as tuning rows: one per answer, with the preceding messages."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.json_lines import is_text, text_of

Message = dict[str, str]
# Maximum number of characters of the rows of one conversation, in which messages are repeated; each
# message has about as many in addition to its text.
_MOST_CHARACTERS = 256 << 20
_REST_OF_MESSAGE = 40
# Roles in data sets with the keys `from` and `value`, as roles of the keys `role` and `content`.
_ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant"}


def _message(entry: Any) -> Message:
    """One message as `role` and `content`; raises `ValueError` for another format."""
    fields: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
    keys = ("from", "value") if "from" in fields else ("role", "content")
    role, content = (fields.get(key) for key in keys)
    if not isinstance(role, str) or not isinstance(content, str):
        raise ValueError("a message lacks the texts `role` and `content`, or `from` and `value`")
    if not is_text(role + content):
        raise ValueError("a message is not valid text (unpaired surrogate)")
    return {"role": _ROLES.get(role.lower(), role.lower()), "content": content}


def turns(conversation: Any) -> list[dict[str, Any]]:
    """For each answer of the assistant to a user: the preceding `messages` and its text as
    `output`.

    conversation: a list of messages, each with `role` and `content`, or with `from` and `value`.
    Raises `ValueError` for another format, and for a conversation that is too long to repeat what
    precedes each answer.
    """
    if not isinstance(conversation, Sequence) or isinstance(conversation, str):
        raise ValueError(f"a conversation is not a list of messages but {type(conversation).__name__}")
    messages = [_message(entry) for entry in conversation]
    answers = [
        position
        for position, message in enumerate(messages)
        if position and message["role"] == "assistant" and messages[position - 1]["role"] == "user"
    ]
    lengths = list(accumulate(len(message["content"]) + _REST_OF_MESSAGE for message in messages))
    characters = sum(lengths[position] for position in answers)
    if characters > _MOST_CHARACTERS:
        repeated = f"with what precedes them, its {len(answers)} answers have {characters} characters"
        raise ValueError(f"a conversation of {len(messages)} messages is too long ({repeated}); divide or remove it")
    return [{"messages": messages[:position], "output": messages[position]["content"]} for position in answers]


def checked_messages(messages: Any, where: str) -> None:
    """Raise `InputError` unless this is a list of messages with `role` and `content`.

    where: file and line, with which the error begins.
    """
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        raise InputError(f"{where}: the field 'messages' is not a list of objects; fix or remove the line")
    for number, message in enumerate(messages, start=1):
        for field in ("role", "content"):
            text_of(message, field, f"{where}, message {number}")
