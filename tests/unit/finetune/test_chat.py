"""Conversations rendered by a chat template, as prompts that can be shortened."""

import pytest

from scripts.finetune.chat import TOKENIZER_TEMPLATE, chat_template, render
from scripts.finetune.instruct import read_instructions, rendered
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings, build_prompt, encode_example
from tests.support.tiny_pieces import prefixing_tokenizer
from tests.support.tiny_tokenizer import tiny_tokenizer

TURNS = "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</s>{% endfor %}"
MARKED = TURNS + "{% if add_generation_prompt %}<assistant>{% endif %}"
PAPER = "{% for m in messages %}### Instruction:\n{{ m.content }}\n\n### Response:\n{% endfor %}"
ASKED = [
    {"role": "user", "content": "first {x}"},
    {"role": "assistant", "content": "yes"},
    {"role": "user", "content": "then"},
]


def prompt(fields, length=400):
    settings = PromptSettings("{before}{instruction}{after}", "instruction", length, 10)
    return build_prompt(tiny_tokenizer(), settings, fields)


def test_the_template_of_the_tokenizer_renders_the_conversation():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = MARKED
    conversation = "<user>first {x}</s><assistant>yes</s><user>then</s><assistant>"
    assert prompt(render(tokenizer, ASKED, TOKENIZER_TEMPLATE)) == conversation


def test_a_template_of_the_config_renders_the_prompts_of_the_paper():
    fields = render(tiny_tokenizer(), [{"role": "user", "content": " add two {numbers} "}], PAPER)
    assert prompt(fields) == "### Instruction:\n add two {numbers} \n\n### Response:\n"


def test_a_long_message_is_shortened_without_the_text_of_the_template():
    fields = render(tiny_tokenizer(), [*ASKED[:2], {"role": "user", "content": "x" * 500}], MARKED)
    text = prompt(fields, 100)
    assert len(text) == 90
    assert text.startswith("<user>first {x}</s><assistant>yes</s><user>xx")
    assert text.endswith("xx</s><assistant>")


def test_a_first_token_that_the_tokenizer_adds_is_not_repeated():
    tokenizer = tiny_tokenizer()
    plain = render(tokenizer, ASKED, "{{ bos_token }}" + MARKED)
    assert plain["before"].startswith(tokenizer.bos_token)

    class Adding:
        bos_token, bos_token_id = tokenizer.bos_token, tokenizer.bos_token_id
        apply_chat_template = tokenizer.apply_chat_template

        def __call__(self, text):
            return {"input_ids": [self.bos_token_id, *tokenizer(text)["input_ids"]]}

    assert render(Adding(), ASKED, "{{ bos_token }}" + MARKED)["before"].startswith("<user>")


ERRORS = {
    "the tokenizer has no chat template": TOKENIZER_TEMPLATE,
    "cannot render a conversation: roles must alternate": "{{ raise_exception('roles must alternate') }}",
    "cannot render": "{% for m in messages %}",
    "does not contain the user's message": "hello",
    "cannot render a conversation: can only concatenate str": "{{ 'a' + 5 }}",
    "cannot render a conversation: division by zero": "{{ 1 / 0 }}",
}


@pytest.mark.parametrize(("message", "template"), ERRORS.items())
def test_a_template_that_fails_is_a_one_line_error(message, template):
    with pytest.raises(InputError, match=message) as error:
        render(tiny_tokenizer(), ASKED, template)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["hi", "a \ue000 b", "\ue000\ue001"])
def test_a_template_may_repeat_the_message_whatever_characters_it_has(text):
    template = "{% for m in messages %}{{ m.content }}|{% endfor %}{{ messages[-1].content }}>"
    messages = [{"role": "user", "content": "\ue000"}, {"role": "user", "content": text}]
    parts = render(tiny_tokenizer(), messages, template)
    assert parts == {"before": f"\ue000|{text}|", "instruction": text, "after": ">"}


def test_instructions_are_conversations_of_one_message_for_a_template():
    rows = [({"instruction": "do", "output": "done"}, "done")]
    assert rendered(rows, None, None, "rows.jsonl") == rows
    assert rendered([({**rows[0][0], "messages": None}, "done")], None, None, "rows.jsonl")
    ((fields, output),) = rendered(rows, tiny_tokenizer(), PAPER, "rows.jsonl")
    assert (fields["instruction"], output) == ("do", "done")


def test_conversations_without_a_template_are_rejected():
    with pytest.raises(InputError, match=r"set instruct\.chat_template"):
        rendered([({"messages": ASKED}, "ok")], None, None, "rows.jsonl")


def test_the_error_about_a_conversation_that_the_template_refuses_has_file_and_row():
    template = "{% if messages[0].role != 'user' %}{{ raise_exception('roles must alternate') }}{% endif %}" + PAPER
    rows = [({"messages": [{"role": role, "content": "a"}]}, "ok") for role in ("user", "assistant")]
    with pytest.raises(InputError, match=r"rows\.jsonl, row 2: .*roles must alternate"):
        rendered(rows, tiny_tokenizer(), template, "rows.jsonl")


@pytest.mark.parametrize("messages", ["0", "false", "{}", '""', '"text"', "[1]"])
def test_messages_that_are_no_list_of_objects_have_file_and_line(tmp_path, messages):
    path = tmp_path / "train.jsonl"
    path.write_text(f'\n{{"instruction": "a", "messages": {messages}, "output": "b"}}\n')
    with pytest.raises(InputError, match=r"train\.jsonl, line 2: .*'messages'"):
        read_instructions(str(path))


@pytest.mark.parametrize("row", ['{"instruction": "a"}', '{"output": "a"}', '{"messages": [], "output": "a"}', "[1]"])
def test_the_error_about_an_invalid_row_has_file_and_line(tmp_path, row):
    path = tmp_path / "train.jsonl"
    path.write_text('{"instruction": "a", "output": "b"}\n' + row + "\n")
    with pytest.raises(InputError, match=r"train\.jsonl, line 2(?: lacks|: a JSON list)"):
        read_instructions(str(path))


@pytest.mark.parametrize("prefixed", [False, True])
def test_a_tuned_models_chat_template_renders_what_it_was_tuned_on(prefixed):
    tokenizer = prefixing_tokenizer() if prefixed else tiny_tokenizer()
    prompts = '### "Instruction" {{x}}:\n{instruction}\n\n### Response:\n'
    settings = PromptSettings(prompts, "instruction", 100, 20)
    row = {"instruction": "Add {two} numbers: 'é'\n"}
    example = encode_example(tokenizer, settings, row, "a + b")
    messages = [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": "a + b"}]
    template = chat_template(tokenizer, prompts, None)
    text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False)
    assert tokenizer(text, add_special_tokens=False)["input_ids"] == example.input_ids
    asked = tokenizer.apply_chat_template(
        messages[:1], chat_template=template, tokenize=False, add_generation_prompt=True
    )
    assert tokenizer(asked, add_special_tokens=False)["input_ids"] == example.input_ids[: example.masked]


def test_the_chat_template_of_the_config_is_kept_and_that_of_a_tokenizer_left():
    assert chat_template(tiny_tokenizer(), "{before}{instruction}{after}", PAPER) == PAPER
    assert chat_template(tiny_tokenizer(), "{before}{instruction}{after}", "tokenizer") is None
