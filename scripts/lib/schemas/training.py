"""Tables that describe training: tokens, learning curves and validation losses."""

import pyarrow as pa

from scripts.lib.schemas.pairs import Split
from scripts.lib.schemas.sources import ID, LANGUAGE, VARIANT
from scripts.lib.schemas.table import Column, Table, text

# Direction of a validation document that is a source alone; the others are keys of
# `pretrain.templates`.
PLAIN_SOURCE = "source"

SAMPLE = Table(
    "Sampled pairs",
    "sample/{purpose}.parquet",
    "One row for each pair that is drawn for a purpose: `documents` for training and its validation loss, `losses` for "
    "the comparison of losses. Sorted by `language` and `variant`, then in the order of the pairs.",
    (
        text("Source_Code", "the program"),
        text("IR_Original", "its module in textual LLVM IR"),
        LANGUAGE,
        VARIANT,
        ID,
        text("split", "part of the data set", Split),
    ),
)

TOKEN_STATISTICS = Table(
    "Statistics of tokens",
    "tokens/{model}/statistics.csv",
    "One row for each split and language of the training sequences, and one of `all` languages a split.",
    (
        text("split", "part of the data set", Split),
        text("language", "language, or `all`"),
        Column("documents", pa.int64(), "pairs in one direction"),
        Column("truncated_documents", pa.int64(), "documents of which some text is not trained on"),
        Column("lost_source", pa.float64(), "mean share of the sources' text that is cut off at the context"),
        Column("lost_llvm", pa.float64(), "mean share of the modules' text that is cut off, there or by `llvm_tokens`"),
        Column("tokens", pa.int64(), "tokens of the documents in training sequences", "tokens"),
        Column(
            "useful_share",
            pa.float64(),
            "share of tokens among the positions of all sequences; of the language's own where documents are padded",
        ),
    ),
)

TRUNCATED_DOCUMENTS = Table(
    "Truncated documents",
    "tokens/{model}/truncated.parquet",
    "One row for each document of the training sequences of which some text is not trained on, sorted by `split`, "
    "`language` and `variant`, then in the order of the pairs.",
    (
        text("split", "part of the data set", Split),
        LANGUAGE,
        VARIANT,
        ID,
        text("direction", "key of `pretrain.templates`"),
        Column("tokens", pa.int64(), "tokens of the document in training sequences", "tokens"),
        Column("lost_source", pa.float64(), "share of the source's text that is cut off at the context"),
        Column("lost_llvm", pa.float64(), "share of the module's text that is cut off, there or by `llvm_tokens`"),
    ),
)

CURVE = Table(
    "Learning curve",
    "models/{model}/curves/{training}.csv",
    "One row for each step of a training that was reported, in the order of steps; values that a step lacks are empty.",
    (
        Column("step", pa.int64(), "optimiser steps so far"),
        Column("learning_rate", pa.float64(), "learning rate of the step"),
        Column("train_loss", pa.float64(), "mean training loss since the last report", "nats per token"),
        Column("validation_loss", pa.float64(), "loss on the validation sequences", "nats per token"),
        Column("validation_accuracy", pa.float64(), "share of the validation tokens that are predicted correctly"),
    ),
)

LOSSES = Table(
    "Validation losses",
    "models/{model}/losses/{checkpoint}.parquet",
    "One row for each validation document, in the order of `direction`, `language`, `variant` and `id`.",
    (
        Column("id", pa.string(), ID.description, nullable=False),
        Column("language", pa.string(), LANGUAGE.description, nullable=False),
        Column("variant", pa.string(), f"{VARIANT.description}; null for a source alone"),
        Column("direction", pa.string(), "key of `pretrain.templates`, or `source` for a source alone", nullable=False),
        Column("tokens", pa.int64(), "tokens that `loss` is the mean of", "tokens", nullable=False),
        Column("loss", pa.float64(), "mean loss of the translated half of a pair", "nats per token", nullable=False),
        Column("document_tokens", pa.int64(), "tokens of the whole document", "tokens", nullable=False),
        Column("document_loss", pa.float64(), "mean loss of the whole document", "nats per token", nullable=False),
    ),
)
