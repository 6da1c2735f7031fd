"""A plain implementation of drawing and tokenising documents, for comparison: every pair becomes
Python text, whole modules are encoded, and what lies beyond the context is dropped at the end.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.lib.parquet import iter_rows
from scripts.lib.training.token_shards import SHARD_SEQUENCES, write_shard
from scripts.pretrain.draw import draw_documents
from scripts.pretrain.sample import pair_keys, table_name

BATCH = 64


def write_padded_tokens(paths: Sequence[str], tokenizer: Any, output: Path, settings: dict[str, Any]) -> None:
    """Write the training documents that `settings` draw, each in a sequence of its own, as shards."""
    backend, end = tokenizer.backend_tokenizer, tokenizer.eos_token_id
    literals = {}
    for direction, template in settings["templates"].items():
        between = (
            template.removeprefix("{source}").removeprefix("{llvm}").removesuffix("{llvm}").removesuffix("{source}")
        )
        literals[direction] = backend.encode(between, add_special_tokens=False).ids
    keys = pair_keys(paths, "train")
    drawn = draw_documents(keys, "train", settings["directions"], settings["train_documents"], settings["seed"])
    ranks = {key: rank for rank, key in enumerate(drawn)}
    backend.encode_special_tokens = True
    documents: dict[int, list[int]] = {}
    batch: list[tuple[str, str, dict[str, Any]]] = []

    def encode() -> None:
        texts = [row[name] for _, _, row in batch for name in ("Source_Code", "IR_Original")]
        ids = iter(encoding.ids for encoding in backend.encode_batch_fast(texts, add_special_tokens=False))
        for language, variant, row in batch:
            source, llvm = next(ids), next(ids)
            for direction, literal in literals.items():
                halves = (source, llvm) if direction == "source_to_llvm" else (llvm, source)
                document = [*halves[0], *literal, *halves[1], end]
                rank = ranks.get((language, variant, row["id"], direction))
                if rank is not None:
                    documents[rank] = document[: settings["context"]]
        batch.clear()

    wanted = {key[:3] for key in drawn}
    for path in sorted(paths):
        language, variant = table_name(path)
        for row in iter_rows(path, ["id", "split", "Source_Code", "IR_Original"], BATCH):
            if row["split"] == "train" and (language, variant, row["id"]) in wanted:
                batch.append((language, variant, row))
            if len(batch) == BATCH:
                encode()
    encode()
    (output / "train").mkdir(parents=True)
    for number, start in enumerate(range(0, len(documents), SHARD_SEQUENCES)):
        rows = [documents[rank] for rank in range(start, min(start + SHARD_SEQUENCES, len(documents)))]
        write_shard(output / "train" / f"{number:03}.safetensors", rows, [0] * len(rows))
