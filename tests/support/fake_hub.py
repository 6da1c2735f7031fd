"""A local server with the part of the Hugging Face hub's interface that lists and fetches files."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
REVISION = "0123456789" * 4
BRANCHES = ("main", "refs/convert/parquet")
# How the hub answers for these data sets: HTTP status and error code.
REFUSED = {"owner/gated": (403, "GatedRepo"), "owner/missing": (404, "RepoNotFound")}


def _handler(datasets: Mapping[str, Mapping[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    """A request handler for `datasets`: the content of each file, by data set and path."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

        def answer(self) -> None:
            parts = unquote(self.path.partition("?")[0]).strip("/").split("/")
            parts = parts[1:] if parts[0] == "api" else parts
            # A request without revision means the default branch.
            dataset, (action, revision, *path) = "/".join(parts[1:3]), parts[3:] or ["revision", "main"]
            if (branch := "/".join([revision, *path])) in BRANCHES:
                revision = branch
            if dataset in REFUSED:
                self.send(REFUSED[dataset][0], b"", {"X-Error-Code": REFUSED[dataset][1]})
            elif not REVISION.startswith(revision) and revision not in BRANCHES:
                self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})
            elif action == "revision":
                answer = {"id": dataset, "sha": REVISION}
                self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
            elif action == "tree":
                files = [
                    {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for name, content in datasets[dataset].items()
                ]
                self.send(200, json.dumps(files).encode(), {"Content-Type": "application/json"})
            else:
                content = datasets[dataset]["/".join(path)]
                headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": REVISION}
                self.send(200, content, headers)

        def send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

    return Handler


def hub_environment(address: str, home: Path) -> dict[str, str]:
    """The environment of a process that uses the hub at `address`, with its cache below `home`."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("HF_HUB_OFFLINE", "HF_TOKEN")}
    hub = {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    return {**inherited, **hub, "PYTHONPATH": str(ROOT)}


@contextmanager
def fake_hub(datasets: Mapping[str, Mapping[str, bytes]]) -> Iterator[str]:
    """Serve data sets while the block runs; yields the address for HF_ENDPOINT.

    All data sets, and models of any name, have the revision `REVISION`, which requests may abbreviate.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(datasets))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
