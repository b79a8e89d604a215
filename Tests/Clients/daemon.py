"""A real inklingd for the client tests: its own folders, the real default model, ended by its process id."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = os.environ["INKLING_BIN"]
MODEL = os.environ["INKLING_TEST_MODEL"]


def with_default_signals():
    """What a terminal's shell does before it starts a program, whatever the tests were told to ignore."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class UnixConnection(http.client.HTTPConnection):
    """Plain HTTP over the daemon's socket."""

    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """Starts the daemon on entry; on exit ends it and removes its folders."""

    def __init__(self, arguments=(), **variables):
        self.arguments = arguments
        self.variables = variables

    def __enter__(self):
        # A Unix socket's path may have 107 bytes: keep the folder's name short.
        self.home = tempfile.mkdtemp(prefix="ink-")
        self.environment = dict(
            os.environ, HOME=self.home, XDG_RUNTIME_DIR=f"{self.home}/run", XDG_DATA_HOME=f"{self.home}/data",
            XDG_STATE_HOME=f"{self.home}/state", XDG_CONFIG_HOME=f"{self.home}/config",
            XDG_CACHE_HOME=f"{self.home}/cache", INKLING_CHAT_MODEL=MODEL,
            **self.variables)
        os.mkdir(f"{self.home}/run", 0o700)
        self.socket = f"{self.home}/run/inkling/inkling.sock"
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.stop_clients_own()
        shutil.rmtree(self.home)

    def start(self):
        self.process = subprocess.Popen(
            [f"{BIN}/inklingd", *self.arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.request("GET", "/health")
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"inklingd did not start: {self.process.stderr.read1().decode()}")
                time.sleep(0.02)

    @property
    def address(self):
        """Where it listens beside the socket, as it prints it."""
        if not hasattr(self, "listens_at"):
            self.listens_at = self.process.stdout.readline().decode().strip()
        return self.listens_at

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process.stderr.close()

    def stop_clients_own(self):
        """Ends a daemon that a client has started on this socket, when it found ours gone."""
        try:
            _, health = self.request("GET", "/health")
            os.kill(health["pid"], signal.SIGTERM)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                self.request("GET", "/health")
                time.sleep(0.02)
        except (OSError, http.client.HTTPException):
            pass

    def kill(self):
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process.stderr.close()

    def request(self, method, path, body=None):
        """Returns the status and the decoded JSON body."""
        connection = UnixConnection(self.socket)
        try:
            data = json.dumps(body).encode() if body is not None else None
            connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()
