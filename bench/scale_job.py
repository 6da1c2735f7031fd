"""Runs the script of a rule's job in a process of its own, and measures what it used.

Run: python -m bench.scale_job CONFIGFILE RULE NAME=VALUE …, in the working directory of a run. Output:
one JSON object: `cpu_s`, CPU seconds of the script with its processes, without starting Python;
`peak_mb`, peak memory of the process or of its largest child in MB.
"""

import json
import pickle
import resource
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.memory import peak_mb

ROOT = Path(__file__).resolve().parents[1]
# Snakemake plans the job in another process, so that its memory is not measured.
_PLAN = """
import pickle, sys
from pathlib import Path
from scripts.workflow.mock_snakemake import plan
job, script = plan(sys.argv[2], dict(word.split("=", 1) for word in sys.argv[3:]), Path.cwd(), [Path(sys.argv[1])])
sys.stdout.buffer.write(pickle.dumps((job, script)))
"""


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def used_since(start: float) -> dict[str, float]:
    """What this process has used: CPU seconds since `start`, and peak memory in MB."""
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 // 1_000_000
    return {"cpu_s": round(cpu_seconds() - start, 2), "peak_mb": max(peak_mb(), child)}


def planned(arguments: list[str]) -> tuple[Any, Path]:
    """What Snakemake would hand to the script of a rule, and the path of the script."""
    done = subprocess.run([sys.executable, "-c", _PLAN, *arguments], stdout=subprocess.PIPE, check=True)
    job: tuple[Any, Path] = pickle.loads(done.stdout)
    return job


def main() -> None:
    """Run a job in this process."""
    snakemake, script = planned(sys.argv[1:])
    for path in (*snakemake.output, *snakemake.log):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    start = cpu_seconds()
    runpy.run_path(str(script), {"snakemake": snakemake}, run_name="__main__")
    print(json.dumps(used_since(start)))


if __name__ == "__main__":
    main()
