"""Follows a page of docs/how-to/ literally, in a copy of the project.

Of the fenced blocks of a page,
- `sh` is executed by bash in the copy's root and must succeed,
- a block with a `title` is the text of that file; where the project has the file, it is appended,
- `diff` changes the file that it names, and its old lines must occur there exactly once,
- `console` shows what needs more than a test has (a hub, a cluster, results of a long run), and is not executed.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT
from tests.workflow.conftest import snakemake_environment

FENCE = re.compile(r"^```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.M | re.S)
# At the root of a project: results, environments and what tools write.
LEFT_OUT = shutil.ignore_patterns(".*", "results*", "cache", "checkpoints", "site")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is the text of (or none), and its text."""

    kind: str
    title: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(**match.groupdict()) for match in FENCE.finditer(page.read_text(encoding="utf-8"))]


def copy_project(folder: Path) -> Path:
    """A copy of the project without results, with the same Python environment."""

    def left_out(parent: str, names: list[str]) -> set[str]:
        return LEFT_OUT(parent, names) if Path(parent) == ROOT else {"__pycache__"}

    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    return folder


def apply_diff(project: Path, text: str) -> None:
    """Replace the lines of a diff that begin with a blank or `-` by those that begin with a blank or `+`."""
    head, body = text.split("\n@@\n")
    name = re.search(r"^\+\+\+ b/(.*)$", head, re.M)
    assert name, f"no file named in the diff:\n{text}"
    path = project / name[1]
    lines = body.splitlines()
    old = "\n".join(line[1:] for line in lines if line[:1] in ("", " ", "-"))
    new = "\n".join(line[1:] for line in lines if line[:1] in ("", " ", "+"))
    content = path.read_text(encoding="utf-8")
    assert content.count(old) == 1, f"{name[1]} has these lines {content.count(old)} times:\n{old}"
    path.write_text(content.replace(old, new), encoding="utf-8")


class Follower:
    """A copy of the project in which pages are followed."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.tracked = {path for path in project.rglob("*") if path.is_file()}

    def write(self, title: str, text: str) -> None:
        """Append to a file of the project, or write a file of the reader's."""
        path = self.project / title
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if path in self.tracked else ""
        gap = "\n\n" if before and path.suffix == ".py" else ""
        path.write_text(before + gap + text, encoding="utf-8")

    def execute(self, text: str, timeout: float) -> str:
        """Run a block by bash, every line of which must succeed; return what it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.project,
            env=snakemake_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode} of\n{text}\n{done.stdout[-5000:]}"
        return done.stdout

    def follow(self, page: Path, timeout: float = 900) -> str:
        """Do what a page says, block by block; return everything that its commands printed."""
        printed = []
        for block in blocks(page):
            if block.title:
                self.write(block.title, block.text)
            elif block.kind == "diff":
                apply_diff(self.project, block.text)
            elif block.kind == "sh":
                printed.append(self.execute(block.text, timeout))
        return "\n".join(printed)
