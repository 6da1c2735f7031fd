"""A local server with the part of the Hugging Face hub's interface that creates repositories and
takes commits.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """What the server has received.

    repositories: the request that created each, by type and name. files: content by type, name and path.
    tokens: the tokens of all requests that changed something.
    """

    address: str = ""
    repositories: dict[str, dict[str, object]] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Do not log requests."""

        def answer(self, value: object, status: int = 200) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            for name, text in (("Content-Type", "application/json"), ("Content-Length", str(len(content)))):
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def do_POST(self) -> None:
            body, parts = self.body(), self.path.partition("?")[0].strip("/").split("/")
            hub.tokens.add(self.headers.get("Authorization", ""))
            if parts[1:] == ["validate-yaml"]:
                self.answer({"errors": [], "warnings": []})
            elif parts[1:] == ["repos", "create"]:
                values = json.loads(body)
                kind, owner = values.get("type") or "model", values.get("organization")
                name = f"{owner}/{values['name']}" if owner else values["name"]
                if owner == "refused":
                    self.answer({"error": "You don't have the rights"}, 403)
                    return
                hub.repositories[f"{kind}s/{name}"] = values
                self.answer({"url": f"{hub.address}/{name}"})
            elif parts[4] == "preupload":
                files = json.loads(body)["files"]
                # Real hubs take large files by another protocol, which huggingface_hub tests itself.
                modes = [{"path": item["path"], "uploadMode": "regular", "shouldIgnore": False} for item in files]
                self.answer({"files": modes})
            else:
                received = hub.files.setdefault("/".join(parts[1:4]), {})
                for line in body.splitlines():
                    entry = json.loads(line)
                    if entry["key"] == "file":
                        received[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
                commit = "0123456789" * 4
                self.answer({"commitOid": commit, "commitUrl": f"{hub.address}/{'/'.join(parts[2:4])}/commit/{commit}"})

    return Handler


@contextmanager
def stand_in_hub() -> Iterator[Hub]:
    """Serve an empty hub while the block runs."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
