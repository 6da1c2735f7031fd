"""The Python snippets of cards, run as a reader runs them: in the folder they name, offline."""

import os
import re
import subprocess
import sys
from pathlib import Path

from huggingface_hub import DatasetCard, ModelCard

from scripts.lib.hub_license import IDENTIFIERS, OTHER

_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(card: Path) -> list[str]:
    """The blocks of Python in a card."""
    return _PYTHON.findall(card.read_text(encoding="utf-8"))


def run_snippet(code: str, folder: Path) -> str:
    """What a snippet prints in a folder, without a network; warnings of Python are errors."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / ".cache-of-test")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stderr[-3000:]}"
    return done.stdout


def check_metadata(path: Path) -> None:
    """Assert that huggingface_hub reads a card's metadata, and that they have what the hub asks for."""
    kind = DatasetCard if "configs:" in path.read_text(encoding="utf-8") else ModelCard
    # Errors in the metadata are not ignored.
    data = kind.load(path, ignore_metadata_errors=False).data
    licenses = data.license if isinstance(data.license, list) else [data.license]
    assert set(licenses) <= IDENTIFIERS | {OTHER}, path
    assert OTHER not in licenses or (data.license_name and data.license_link), path
    if kind is DatasetCard:
        assert data.configs and data.task_categories, path
        return
    assert data.pipeline_tag == "text-generation", path
    assert path.parent.name == "base" or data.base_model, path
    assert data.library_name == ("peft" if path.with_name("adapter_config.json").exists() else "transformers"), path
    for result in data.eval_results or []:
        assert result.metric_value is not None and result.metric_type and result.dataset_type, path
