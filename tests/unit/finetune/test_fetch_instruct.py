"""Instructions from a data set of the hub: columns, conversations, splits and one-line errors."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.finetune.conversations import turns
from scripts.finetune.fetch_instruct import COLUMNS, examples
from tests.support.fake_hub import REVISION, fake_hub, hub_environment

# Runs in a separate process, because the hub's client reads its address when it is imported.
FETCH = """
import json, sys
from scripts.finetune.fetch_instruct import with_defaults, splits
from scripts.lib.job import InputError
for dataset in json.load(sys.stdin):
    try:
        print(json.dumps(splits(with_defaults(dataset), 484)))
    except InputError as error:
        print(json.dumps(str(error)))
"""


def parquet(rows: list[dict]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


def lines(rows: list[object]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def talk(number: int) -> list[dict[str, str]]:
    exchange = [{"role": "user", "content": f"question {number}"}, {"role": "assistant", "content": f"answer {number}"}]
    return [{"role": "system", "content": "be brief"}, *exchange, *exchange]


PLAIN = [{"prompt": f"ask {n}", "extra": f"with {n}" if n % 2 else None, "reply": f"say {n}"} for n in range(400)]
DATASETS = {
    "owner/plain": {"data/train-0.parquet": parquet(PLAIN[:250]), "data/train-1.parquet": parquet(PLAIN[250:])},
    "owner/chat": {
        "data/train_sft-0.parquet": parquet([{"messages": talk(n)} for n in range(6)]),
        "data/test_sft-0.parquet": parquet([{"messages": talk(n)} for n in range(10, 12)]),
    },
    "owner/shared": {"all.json": json.dumps([{"conversations": [{"from": "human", "value": "q"}]}]).encode()},
    "owner/faulty": {
        "train.jsonl": lines([{"instruction": "a", "output": "b"}, {"instruction": "a", "output": ["b"]}]),
        "null.jsonl": lines([{"instruction": None, "output": "b"}]),
        "list.jsonl": lines([["a", "b"]]),
        "list.json": json.dumps([["a", "b"]]).encode(),
        "chat.jsonl": lines([{"messages": "text"}]),
        "cut.jsonl": b'{"instruction": "a", "out',
        "cut.json": b'[{"instruction": "a", "out',
        "half.jsonl": b'{"instruction": "\\ud800", "output": "b"}',
        "half-chat.jsonl": b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
    },
}


@pytest.fixture(scope="module")
def hub():
    """The data sets above."""
    with fake_hub(DATASETS) as address:
        yield address


def fetched(address: str, home: Path, *datasets: dict) -> list:
    """Training and validation rows of each data set, or the error message."""
    complete = [{"revision": REVISION, "columns": {}, **dataset} for dataset in datasets]
    command = [sys.executable, "-c", FETCH]
    environment = hub_environment(address, home)
    result = subprocess.run(
        command, env=environment, input=json.dumps(complete), capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in result.stdout.splitlines()]


PLAIN_COLUMNS = {"instruction": "prompt", "input": "extra", "output": "reply"}


def test_columns_are_renamed_and_a_share_is_drawn_for_validation(hub, tmp_path):
    dataset = {"id": "owner/plain", "columns": PLAIN_COLUMNS, "validation_share": 0.1}
    first, again, larger = fetched(hub, tmp_path, dataset, dataset, {**dataset, "validation_share": 0.2})
    rows = {row["instruction"]: row["output"] for row in first["train"] + first["validation"]}
    assert len(rows) == 400
    assert (rows["ask 0"], rows["ask 1\n\nwith 1"]) == ("say 0", "say 1")
    assert 20 <= len(first["validation"]) <= 60
    assert first == again
    drawn = [row["instruction"] for row in first["validation"]]
    assert set(drawn) <= {row["instruction"] for row in larger["validation"]}


def test_conversations_of_two_splits_are_one_row_per_answer(hub, tmp_path):
    dataset = {"id": "owner/chat", "columns": {"messages": "messages"}}
    (splits,) = fetched(hub, tmp_path, {**dataset, "split": "train_sft", "validation_split": "test_sft"})
    assert (len(splits["train"]), len(splits["validation"])) == (12, 4)
    first, second = splits["train"][:2]
    assert (first["output"], len(first["messages"]), len(second["messages"])) == ("answer 0", 2, 4)
    assert splits["validation"][0]["messages"][1] == {"role": "user", "content": "question 10"}


ERRORS = {
    "owner/faulty, train.jsonl, row 2: the column 'output' has the type list, not text": {"files": "{split}.jsonl"},
    "owner/faulty, null.jsonl, row 1: the column 'instruction' has the type NoneType, not text": {
        "files": "null.jsonl"
    },
    "list.jsonl, line 1: a JSON list, not an object": {"files": "list.jsonl"},
    "owner/faulty, list.json, row 1: the row is list, not an object": {"files": "list.json"},
    "row 1: a conversation is not a list of messages but str": {
        "files": "chat.jsonl",
        "columns": {"messages": "messages"},
    },
    "cut.jsonl, line 1: not JSON": {"files": "cut.jsonl"},
    "cut.json: not JSON": {"files": "cut.json"},
    "half.jsonl, row 1: the column 'instruction' is not valid text": {"files": "half.jsonl"},
    "half-chat.jsonl, row 1: a message is not valid text": {
        "files": "half-chat.jsonl",
        "columns": {"messages": "messages"},
    },
    "has no file like data/dev-*.parquet; correct `files` in instruct.dataset": {"split": "dev"},
    "row 1: there is no column 'question'": {"files": "train.jsonl", "columns": {"instruction": "question"}},
    "owner/faulty has no revision": {"revision": ""},
    "owner/gated is gated; accept its terms on the hub and set HF_TOKEN": {"id": "owner/gated"},
    "owner/shared has no train rows": {
        "id": "owner/shared",
        "files": "all.json",
        "columns": {"messages": "conversations"},
    },
}


def test_errors_are_one_line(hub, tmp_path):
    errors = fetched(hub, tmp_path, *({"id": "owner/faulty", **changes} for changes in ERRORS.values()))
    for message, error in zip(ERRORS, errors, strict=True):
        assert message in error


def test_messages_with_from_and_value_have_the_usual_roles():
    messages = [("system", "s"), ("human", "h"), ("gpt", "g"), ("human", "h2"), ("gpt", "g2")]
    first, second = turns([{"from": role, "value": text} for role, text in messages])
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "user"]
    assert (first["output"], second["output"]) == ("g", "g2")


ODD = [None, "text", [1], [{"role": "user"}], [{"role": "user", "content": None}], [{"from": "human", "content": "x"}]]


@pytest.mark.parametrize("conversation", ODD)
def test_a_conversation_of_another_format_is_an_error(conversation):
    with pytest.raises(ValueError, match=r"conversation is not a list|a message lacks the texts"):
        turns(conversation)


def test_an_answer_without_a_question_is_not_a_row():
    assert turns([{"role": "assistant", "content": "hello"}]) == []
    assert turns([{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]) == []


def test_an_empty_input_adds_nothing():
    columns = {**COLUMNS, "input": "input"}
    for value in ("", None):
        row = {"instruction": "do", "input": value, "output": "done"}
        assert examples(row, columns) == [{"instruction": "do", "output": "done"}]


def test_a_conversation_whose_rows_would_be_far_too_long_is_an_error():
    messages = [{"role": ("user", "assistant")[number % 2], "content": "x"} for number in range(20_000)]
    with pytest.raises(ValueError, match="a conversation of 20000 messages is too long"):
        turns(messages)
    assert len(turns(messages[:1000])) == 500
