"""How to use a model: the snippets of model cards, which run without a network in the folder that
they name.
"""

import json
from collections.abc import Mapping
from string import Formatter

from scripts.lib.escape import markdown_block

# The line of a snippet that names the model, which publishing replaces.
FOLDER = "folder = {}  # or the name of the repository on the hub"
_IMPORTS = "from transformers import AutoModelForCausalLM, AutoTokenizer"
_ADAPTER_IMPORTS = "from peft import AutoPeftModelForCausalLM\nfrom transformers import AutoTokenizer"
_PLAIN_MODEL, _ADAPTER_MODEL = "AutoModelForCausalLM.from_pretrained", "AutoPeftModelForCausalLM.from_pretrained"
_GENERATE = """{imports}

{folder}
tokenizer = AutoTokenizer.from_pretrained(folder)
model = {model}.from_pretrained(folder)
{inputs}
tokens = model.generate(**inputs, max_new_tokens=32)
print(tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :]))
"""
_INPUTS = """prompt = {prompt}
inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)"""
_CHAT_INPUTS = """messages = {prompt}
options = {{"return_dict": True, "return_tensors": "pt", "tokenizer_kwargs": {{"return_token_type_ids": False}}}}
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, **options)"""
_EXAMPLES = {
    "source": "int main() {\n  return 0;\n}\n",
    "llvm": "define i32 @main() {\n  ret i32 0\n}\n",
    "instruction": "Write a Python function that adds two numbers.",
    "diff": "-    return a - b\n+    return a + b\n",
}


def _prompt(template: str, target: str | None = None) -> str:
    """The template up to the field `target`, or to its end, with examples in its other fields."""
    text = ""
    for literal, field, _, _ in Formatter().parse(template):
        text += literal
        if field is None:
            continue
        if field == target:
            break
        text += _EXAMPLES.get(field, f"<{field}>")
    return text


def _snippet(form: str, **values: str) -> str:
    """A snippet as a block of Markdown."""
    return markdown_block(form.format(**values).rstrip("\n"), "python")


def _folder(folder: str) -> str:
    return FOLDER.format(json.dumps(folder, ensure_ascii=False))


def _adapter_snippet(folder: str, inputs: str, prompt: str) -> str:
    """A snippet that loads an adapter; `inputs`: the lines that encode the prompt, a Python literal."""
    values = {"folder": _folder(folder), "inputs": inputs.format(prompt=prompt)}
    return _snippet(_GENERATE, imports=_ADAPTER_IMPORTS, model="AutoPeftModelForCausalLM", **values)


def pair_usage(templates: Mapping[str, str], folder: str) -> str:
    """How to use an adapter in `folder` that was trained on both directions of pairs.

    templates: by direction, such as `source_to_llvm`; each ends with the field to be generated.
    """
    blocks = ["It was trained on these documents, each followed by the end of text:"]
    for direction, template in templates.items():
        blocks += [f"`{direction}`", markdown_block(json.dumps(template, ensure_ascii=False), "json")]
    direction, template = next(iter(templates.items()))
    target = [field for _, field, _, _ in Formatter().parse(template) if field][-1]
    prompt = json.dumps(_prompt(template, target), ensure_ascii=False)
    snippet = _adapter_snippet(folder, _INPUTS, prompt)
    return "\n\n".join([*blocks, f"A prompt ends where generation begins, here of `{direction}`:", snippet])


def source_usage(folder: str) -> str:
    """How to use an adapter in `folder` that was trained on plain source code."""
    return code_usage(folder).replace(_IMPORTS, _ADAPTER_IMPORTS).replace(_PLAIN_MODEL, _ADAPTER_MODEL)


def merged_usage(text: str, folder: str) -> str:
    """The text of an adapter's card for the model that it was merged into."""
    text = text.replace(_ADAPTER_IMPORTS, _IMPORTS).replace("AutoPeftModelForCausalLM", "AutoModelForCausalLM")
    before, start, after = text.partition(FOLDER.partition("{}")[0])
    return f"{before}{_folder(folder)}\n{after.partition(chr(10))[2]}" if start else text


def code_usage(folder: str) -> str:
    """How to use a model of plain source code."""
    prompt = json.dumps("def add(a, b):\n")
    inputs = _INPUTS.format(prompt=prompt)
    return _snippet(_GENERATE, imports=_IMPORTS, model="AutoModelForCausalLM", folder=_folder(folder), inputs=inputs)


def tuned_usage(template: str, folder: str, chat: bool) -> str:
    """How to use an adapter in `folder` that was tuned on prompts of a template.

    chat: whether its tokenizer has a chat template, which renders such prompts.
    """
    messages = [{"role": "user", "content": _EXAMPLES["instruction"]}]
    prompt = json.dumps(messages if chat else _prompt(template), ensure_ascii=False)
    parts = ["It was tuned on prompts of this template, each followed by the response and the end of text:"]
    parts.append(markdown_block(json.dumps(template, ensure_ascii=False), "json"))
    if chat:
        parts.append("The chat template of the tokenizer renders a conversation in the same way:")
    return "\n\n".join([*parts, _adapter_snippet(folder, _CHAT_INPUTS if chat else _INPUTS, prompt)])
