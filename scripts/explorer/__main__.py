"""Opens the database of a run in a browser: `python -m scripts.explorer DATABASE`.

The page is for this machine only, and the database is never written.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from datasette.cli import cli

from scripts.explorer.metadata import NAME, metadata

HERE = Path(__file__).parent
SETTINGS = {
    "sql_time_limit_ms": 10_000,
    "facet_time_limit_ms": 1000,
    "max_returned_rows": 2000,
    "suggest_facets": "off",
    "truncate_cells_html": 200,
}


def arguments(database: Path, port: int, described: Path) -> list[str]:
    """The arguments of datasette's command line; `described` is the file of metadata."""
    settings = [part for name, value in SETTINGS.items() for part in ("--setting", name, str(value))]
    folders = ["--template-dir", str(HERE / "templates"), "--plugins-dir", str(HERE / "plugins")]
    return [
        *("serve", "--immutable", str(database), "--host", "127.0.0.1", "--port", str(port)),
        *("--metadata", str(described), "--static", f"static-explorer:{HERE / 'static'}", *folders, *settings),
    ]


def main() -> None:
    """Command line: the database, and the port."""
    parser = argparse.ArgumentParser(prog="python -m scripts.explorer", description="Open a run in a browser.")
    parser.add_argument("database", type=Path, help="the run's database, results/provenance/run.sqlite")
    parser.add_argument("--port", type=int, default=8001, help="port on this machine (default: 8001)")
    chosen = parser.parse_args()
    if not chosen.database.is_file() or chosen.database.stem != NAME:
        sys.exit(
            f"error: {chosen.database} is not the database of a run; "
            "finish a run with `make run`, or name its provenance/run.sqlite"
        )
    with tempfile.TemporaryDirectory() as folder:
        described = Path(folder, "metadata.json")
        described.write_text(json.dumps(metadata()), encoding="utf-8")
        print(f"http://127.0.0.1:{chosen.port}/ (end with Ctrl-C)", flush=True)
        cli(arguments(chosen.database, chosen.port, described))


if __name__ == "__main__":
    main()
