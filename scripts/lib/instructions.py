"""The error message of a run that needs instructions and has none."""

NO_INSTRUCTIONS = (
    "neither instruct.data nor instruct.dataset is set; set instruct.data to a folder with train.jsonl and "
    "validation.jsonl, or instruct.dataset to a data set of the hub (docs/reference/training.md)"
)
