"""Draws the figures of the documentation: `python docs/images/draw.py` writes every `*.svg` of this folder.

A figure is a list of boxes and arrows on a grid; one unit of the grid is 10 pixels.
"""

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).parent
UNIT = 10
FILLS = {"step": "#dce9f7", "file": "#fdf3d8", "outside": "#eeeeee", "guard": "#e2f2df"}


@dataclass(frozen=True)
class Box:
    """A rectangle with lines of text; the first line is bold. `kind` selects the colour."""

    name: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    kind: str = "step"
    top: bool = False  # text begins at the upper edge, because other boxes lie inside

    def svg(self) -> str:
        x, y, width, height = (UNIT * value for value in (self.x, self.y, self.width, self.height))
        first = y + 16 if self.top else y + height / 2 - 7.5 * (len(self.lines) - 1) + 4
        texts = [
            f'<text x="{x + width / 2:g}" y="{first + 15 * row:g}"{_weight(row)}>{escape(line)}</text>'
            for row, line in enumerate(self.lines)
        ]
        rectangle = (
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" fill="{FILLS[self.kind]}"/>'
        )
        return "\n".join([rectangle, *texts])

    def side(self, name: str) -> tuple[float, float]:
        """The middle of the side `left`, `right`, `top` or `bottom`, in pixels."""
        x, y = self.x + self.width / 2, self.y + self.height / 2
        points = {
            "left": (self.x, y),
            "right": (self.x + self.width, y),
            "top": (x, self.y),
            "bottom": (x, self.y + self.height),
        }
        return UNIT * points[name][0], UNIT * points[name][1]


@dataclass(frozen=True)
class Arrow:
    """A straight arrow from a side of one box to a side of another, with an optional label at its middle."""

    start: str
    end: str
    sides: tuple[str, str] = ("right", "left")
    label: str = ""

    def svg(self, boxes: dict[str, Box]) -> str:
        (x1, y1), (x2, y2) = boxes[self.start].side(self.sides[0]), boxes[self.end].side(self.sides[1])
        line = f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" marker-end="url(#head)"/>'
        if not self.label:
            return line
        # Next to a vertical arrow, above any other.
        x, y, anchor = (x1 + 6, (y1 + y2) / 2, "start") if x1 == x2 else ((x1 + x2) / 2, (y1 + y2) / 2 - 5, "middle")
        style = f'class="label" style="text-anchor: {anchor}"'
        return f'{line}\n<text x="{x:g}" y="{y:g}" {style}>{escape(self.label)}</text>'


def _weight(row: int) -> str:
    return ' class="head"' if row == 0 else ""


def picture(title: str, width: float, height: float, boxes: list[Box], arrows: list[Arrow]) -> str:
    """The text of an SVG file of `width` times `height` units; `title` is what screen readers read."""
    by_name = {box.name: box for box in boxes}
    parts = [box.svg() for box in boxes] + [arrow.svg(by_name) for arrow in arrows]
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {UNIT * width:g} {UNIT * height:g}" role="img">
<title>{escape(title)}</title>
<style>
text {{ font: 12px sans-serif; text-anchor: middle; fill: #1b1b1b; }}
.head {{ font-weight: bold; }}
.label {{ font-size: 11px; fill: #444; }}
rect {{ stroke: #5b6b7b; }}
line {{ stroke: #44525f; stroke-width: 1.5; }}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0L8 4L0 8z" fill="#44525f"/></marker></defs>
<rect x="0" y="0" width="{UNIT * width:g}" height="{UNIT * height:g}" fill="#fff" style="stroke: none"/>
{chr(10).join(parts)}
</svg>
"""


def pipeline() -> str:
    """The stages in the order in which they run, with what each hands to the next."""
    stages = [
        ("sources", "read, decode,", "drop exact copies"),
        ("compile", "to LLVM IR, twice,", "in a sandbox; verify"),
        ("dedup", "near-duplicates by", "MinHash, verified"),
        ("pairs", "source and IR joined,", "decontaminated"),
        ("pretrain", "continued pre-training,", "both directions"),
        ("finetune", "on instructions, on", "commit messages"),
        ("evaluate", "generate, execute", "in a sandbox, score"),
        ("tables", "the paper's tables,", "figures, report"),
    ]
    boxes = [
        Box(lines[0], 1 + 24 * (number % 4), 1 + 12 * (number // 4), 19, 7, lines)
        for number, lines in enumerate(stages)
    ]
    names = [box.name for box in boxes]
    arrows = [Arrow(start, end) for start, end in pairwise(names) if start != "pairs"]
    text = picture("The stages: " + ", ".join(names), 93, 21, boxes, arrows)
    # From the end of the first row to the start of the second.
    (x1, y1), (x2, _) = boxes[3].side("bottom"), boxes[4].side("top")
    path = f'<path d="M{x1:g} {y1:g}v25H{x2:g}v25" class="bend" marker-end="url(#head)"/>'
    style = ".bend { fill: none; stroke: #44525f; stroke-width: 1.5; }\n</style>"
    return text.replace("</style>", style).replace("</svg>", f"{path}\n</svg>")


def data_flow() -> str:
    """Rules (blue) and the files (yellow) in which they meet."""
    files = [
        ("corpus", 1, 1, ("corpus", "folder, tables or hub"), "outside"),
        ("sources", 1, 9, ("sources/", "{language}/{shard}.parquet"), "file"),
        ("ir", 1, 17, ("ir/", "{language}/{shard}.parquet"), "file"),
        ("dedup", 31, 17, ("dedup/", "{language}/clusters.parquet"), "file"),
        ("pairs", 31, 25, ("pairs/", "{language}/{variant}.parquet"), "file"),
        ("tokens", 31, 33, ("tokens/{model}/", "packed sequences"), "file"),
        ("model", 61, 1, ("base model", "made here, folder or hub"), "outside"),
        ("base", 61, 9, ("models/{model}/base/", "weights and tokenizer"), "file"),
        ("ircoder", 61, 33, ("models/{model}/ircoder/", "base and adapter merged"), "file"),
        ("tuned", 61, 41, ("models/{model}/…-instruct/", "and …-commits-{language}/"), "file"),
        ("generations", 91, 33, ("generations/", "completions"), "file"),
        ("executions", 91, 41, ("executions/", "what each program did"), "file"),
        ("scores", 91, 49, ("scores/", "one file a cell"), "file"),
        ("benchmark", 91, 25, ("benchmark data", "samples, folder or hub"), "outside"),
        ("tables", 61, 49, ("tables/, figures/", "scores.csv, main.md"), "file"),
        ("report", 31, 49, ("report.html, provenance/", "what made what"), "file"),
    ]
    boxes = [Box(name, x, y, 23, 4.5, lines, kind) for name, x, y, lines, kind in files]
    down = ("bottom", "top")
    arrows = [
        Arrow("corpus", "sources", down, "read"),
        Arrow("sources", "ir", down, "compile"),
        Arrow("sources", "dedup", ("right", "top"), "sign, cluster"),
        Arrow("ir", "pairs", ("right", "left"), "join"),
        Arrow("dedup", "pairs", down, "filter"),
        Arrow("pairs", "tokens", down, "pack"),
        Arrow("model", "base", down, "train or import"),
        Arrow("base", "ircoder", down, "continued pre-training"),
        Arrow("tokens", "ircoder", ("right", "left"), ""),
        Arrow("ircoder", "tuned", down, "tune"),
        Arrow("ircoder", "generations", ("right", "left"), "generate"),
        Arrow("tuned", "generations", ("right", "left"), ""),
        Arrow("benchmark", "generations", down, "prompts"),
        Arrow("generations", "executions", down, "execute"),
        Arrow("executions", "scores", down, "score"),
        Arrow("scores", "tables", ("left", "right"), ""),
        Arrow("tables", "report", ("left", "right"), ""),
    ]
    return picture("The files in which the stages meet", 115, 55, boxes, arrows)


def sandbox() -> str:
    """The processes of the sandbox, each inside the one that started it."""
    boxes = [
        Box("worker", 1, 1, 22, 30, ("worker of a job", "user of the run, or root"), "outside", top=True),
        Box("watch", 3, 8, 18, 6, ("supervise", "watches CPU, memory,", "size and time")),
        Box("kill", 3, 18, 18, 6, ("isolation", "own code on untrusted", "text, in a filter")),
        Box(
            "session",
            28,
            1,
            64,
            30,
            ("bubblewrap session: user, mount, network, IPC and host name spaces",),
            "guard",
            True,
        ),
        Box("init", 30, 8, 18, 10, ("init", "under a seccomp filter;", "starts each run")),
        Box("run", 54, 5, 36, 24, ("a run: new name spaces, empty folders in memory",), "file", True),
        Box("first", 56, 9, 14, 8, ("first process", "kills and reaps", "all others")),
        Box("program", 74, 9, 14, 8, ("program", "no capabilities,", "kernel's limits")),
        Box("children", 74, 20, 14, 6, ("its children",)),
    ]
    arrows = [
        Arrow("watch", "init", label="request"),
        Arrow("init", "first", label=""),
        Arrow("first", "program"),
        Arrow("program", "children", ("bottom", "top")),
    ]
    return picture("The processes of the sandbox", 93, 32, boxes, arrows)


def reruns() -> str:
    """What decides whether Snakemake runs a job again."""
    boxes = [
        Box("config", 1, 1, 24, 6, ("config values", "only those that the rule", "names in its params"), "file"),
        Box("script", 1, 10, 24, 6, ("script of the rule", "scripts/<stage>/<rule>.py"), "file"),
        Box("library", 1, 19, 24, 6, ("modules it imports", "scripts/lib/…, also", "through other modules"), "file"),
        Box("content", 1, 28, 24, 6, ("content of the input", "hash of a shard,", "not its age"), "file"),
        Box("hash", 35, 14, 20, 6, ("code hash", "params: code=code(…)"), "guard"),
        Box("params", 63, 14, 20, 6, ("the job's params", "kept by Snakemake", "with its outputs")),
        Box("again", 91, 14, 20, 6, ("params differ?", "run the job again,", "then what reads it"), "guard"),
    ]
    arrows = [
        Arrow("script", "hash"),
        Arrow("library", "hash"),
        Arrow("config", "params", ("right", "top")),
        Arrow("content", "params", ("right", "bottom")),
        Arrow("hash", "params"),
        Arrow("params", "again"),
    ]
    return picture("What decides whether a job runs again", 112, 35, boxes, arrows)


def badge(label: str, value: str) -> str:
    """A static badge; letters are about seven pixels wide."""
    left, right = (7 * len(text) + 14 for text in (label, value))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img">
<title>{escape(label)}: {escape(value)}</title>
<style>text {{ font: 11px sans-serif; text-anchor: middle; fill: #fff; }}</style>
<rect width="{left + right}" height="20" rx="3" fill="#2f6f9f"/>
<path d="M3 0h{left - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#555"/>
<text x="{left / 2:g}" y="14">{escape(label)}</text>
<text x="{left + right / 2:g}" y="14">{escape(value)}</text>
</svg>
"""


FIGURES = {
    "pipeline": pipeline,
    "data-flow": data_flow,
    "sandbox": sandbox,
    "reruns": reruns,
    "license": lambda: badge("license", "Apache-2.0"),
    "python": lambda: badge("python", "3.11+"),
    "snakemake": lambda: badge("snakemake", "9.27+"),
}

if __name__ == "__main__":
    for name, draw in FIGURES.items():
        (FOLDER / f"{name}.svg").write_text(draw(), encoding="utf-8")
