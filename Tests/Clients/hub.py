"""A stand-in for the Hugging Face hub on loopback: one repository, slow enough to be interrupted."""

import hashlib
import http.server
import json
import threading
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves `files` as `owner/name`; content waits while `gate` is closed once `free` bytes were sent."""

    def __init__(self, name, files):
        self.name, self.files = name, files
        self.gate = threading.Event()
        self.gate.set()
        self.free = 0
        self.sent = 0
        self.content_requests = []
        self.tokens = set()
        self.refusal = None

    def __enter__(self):
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                hub.answer(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        path = urllib.parse.unquote(request.path.split("?")[0])
        self.tokens.add(request.headers.get("Authorization"))
        if self.refusal:
            status, headers = self.refusal
            return self.send(request, status, headers, b"")
        if path.startswith(f"/api/models/{self.name}/revision/"):
            return self.send_json(request, {"sha": COMMIT})
        if path.startswith(f"/api/models/{self.name}/tree/"):
            return self.send_json(request, [
                {"type": "file", "path": name, "size": len(data), "oid": "0" * 40,
                 "lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}}
                for name, data in self.files.items()])
        prefix = f"/{self.name}/resolve/{COMMIT}/"
        if path.startswith(prefix) and path[len(prefix):] in self.files:
            return self.send_content(request, self.files[path[len(prefix):]])
        self.send(request, 401, {"X-Error-Code": "RepoNotFound"}, b"")

    def send_json(self, request, value):
        self.send(request, 200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def send(self, request, status, headers, body):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def send_content(self, request, data):
        asked = request.headers.get("Range")
        first, last = 0, len(data) - 1
        if asked:
            first, last = (int(end) for end in asked.removeprefix("bytes=").split("-"))
            last = min(last, len(data) - 1)
        self.content_requests.append((first, last))
        request.send_response(206 if asked else 200)
        request.send_header("Content-Length", str(last - first + 1))
        request.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        request.end_headers()
        for start in range(first, last + 1, 1 << 16):
            if self.sent >= self.free:
                self.gate.wait()
            part = data[start:min(start + (1 << 16), last + 1)]
            try:
                request.wfile.write(part)
            except OSError:
                return
            self.sent += len(part)
