"""A canvas and typed drafts over the real socket, with a tiny picture model of random weights."""

import json
import os
import socket
import threading
import time
import unittest

from daemon import Daemon, UnixConnection

FIXTURES = os.path.join(os.path.dirname(__file__), "..", "StableDiffusionTests", "Fixtures", "models")
MODEL = os.path.realpath(os.path.join(FIXTURES, "sd15"))
ROOT = "/inkling/v1/canvases"
SETTINGS = dict(model=MODEL, width=64, height=64, steps=4, seed=42, format="png")


class Events:
    """Server-sent events of a canvas, read on a connection of their own."""

    def __init__(self, daemon, canvas, after=None):
        self.connection = UnixConnection(daemon.socket)
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        self.connection.request("GET", f"{ROOT}/{canvas}/events", headers=headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __iter__(self):
        fields = {}
        while line := self.response.readline():
            line = line.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                if "event" in fields:
                    yield int(fields["id"]), fields["event"], json.loads(fields["data"])
                fields = {}

    def until(self, name, revision=None):
        """All events up to the one of this name (and revision), that one included."""
        seen = []
        for event in self:
            seen.append(event)
            if event[1] == name and revision in (None, event[2].get("revision")):
                return seen
        raise AssertionError(f"the stream ended before {name}: {[event[1] for event in seen]}")


def metrics(daemon):
    connection = UnixConnection(daemon.socket)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


class Canvases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())

    def open(self, **changes):
        status, canvas = self.daemon.request("POST", ROOT, {**SETTINGS, **changes})
        self.assertEqual(status, 201, canvas)
        return canvas["id"]

    def type(self, canvas, text, revision):
        status, newest = self.daemon.request(
            "PUT", f"{ROOT}/{canvas}/prompt", {"text": text, "revision": revision})
        self.assertEqual(status, 202, newest)
        return newest

    def test_the_picture_follows_the_text_and_settles_as_imagine_paints_it(self):
        canvas = self.open()
        with Events(self.daemon, canvas) as events:
            text = "a fox in the snow "
            for end in range(1, len(text) + 1):
                self.type(canvas, text[:end], end)
            seen = events.until("settled", revision=len(text))
        frames = [data for _, name, data in seen if name == "frame"]
        self.assertTrue(frames[-1]["is_settled"])
        self.assertEqual((frames[-1]["width"], frames[-1]["height"]), (64, 64))
        numbers = [number for number, _, _ in seen]
        self.assertEqual(numbers, sorted(set(numbers)))
        status, committed = self.daemon.request("POST", f"{ROOT}/{canvas}/commit", {})
        self.assertEqual(status, 200, committed)
        painted = self.paint(text)
        self.assertEqual(committed["picture"]["sha256"], painted["sha256"])
        self.assertEqual(self.daemon.request("DELETE", f"{ROOT}/{canvas}")[0], 200)

    def paint(self, prompt):
        connection = UnixConnection(self.daemon.socket)
        body = json.dumps({**SETTINGS, "prompt": prompt})
        connection.request("POST", "/inkling/v1/pictures", body, {"Content-Type": "application/json"})
        text = connection.getresponse().read().decode()
        connection.close()
        for block in text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if lines.get("event") == "picture":
                return json.loads(lines["data"])["picture"]
        raise AssertionError(text)

    def test_a_stream_resumes_after_the_last_event_that_was_seen(self):
        canvas = self.open(text="a red fox ")
        with Events(self.daemon, canvas) as events:
            last = events.until("settled")[-1][0]
        self.type(canvas, "a red fox on ice ", 2)
        with Events(self.daemon, canvas, after=last) as events:
            later = events.until("settled", revision=2)
        self.assertTrue(all(number > last for number, _, _ in later))
        self.assertNotIn("canvas", [name for _, name, _ in later])
        self.daemon.request("DELETE", f"{ROOT}/{canvas}")

    def test_a_picture_becomes_a_message_and_an_edit_of_it_a_branch(self):
        _, conversation = self.daemon.request("POST", "/inkling/v1/conversations", {})
        canvas = self.open(text="a fox ", conversation=conversation["id"])
        _, first = self.daemon.request("POST", f"{ROOT}/{canvas}/commit", {})
        self.assertEqual([message["content"] for message in first["messages"]], ["/imagine a fox ", "picture: a fox "])
        self.type(canvas, "a blue fox ", 2)
        edit = {"edits": first["messages"][0]["id"]}
        _, second = self.daemon.request("POST", f"{ROOT}/{canvas}/commit", edit)
        self.assertEqual(second["messages"][0]["sibling_count"], 2)
        status, _ = self.daemon.request("GET", f"/inkling/v1/pictures/{second['picture']['id']}?recipe")
        self.assertEqual(status, 200)
        self.daemon.request("DELETE", f"{ROOT}/{canvas}")

    def test_a_flood_of_texts_keeps_memory_flat_and_health_quick(self):
        canvas = self.open()
        with Events(self.daemon, canvas) as events:
            self.type(canvas, "a fox ", 1)
            events.until("settled", revision=1)
            before = metrics(self.daemon)
            texts, seconds, health = self.flood(canvas, seconds=3)
            events.until("settled", revision=texts + 1)
        after = metrics(self.daemon)
        started = after["inkling_canvas_frames_started_total"] - before["inkling_canvas_frames_started_total"]
        growth = (after["inkling_resident_memory_bytes"] - before["inkling_resident_memory_bytes"]) / 2**20
        health.sort()
        print(
            f"\n{texts / seconds:.0f} texts/s for {seconds:.1f} s: {started:.0f} renders started, {growth:+.1f} MiB, "
            f"health p50 {health[len(health) // 2] * 1e3:.1f} ms, p99 {health[len(health) * 99 // 100] * 1e3:.1f} ms")
        self.assertLess(growth, 32)
        self.assertLess(health[len(health) // 2], 0.05)
        self.assertLess(started, texts / 4)
        self.daemon.request("DELETE", f"{ROOT}/{canvas}")

    def flood(self, canvas, seconds):
        """As many texts as the daemon takes, pipelined; returns their count and how long health took meanwhile."""
        health, done = [], threading.Event()

        def ask():
            connection = UnixConnection(self.daemon.socket)
            while not done.is_set():
                start = time.monotonic()
                connection.request("GET", "/health")
                connection.getresponse().read()
                health.append(time.monotonic() - start)
            connection.close()

        asking = threading.Thread(target=ask)
        asking.start()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(self.daemon.socket)
        replies = sock.makefile("rb")
        begin, count = time.monotonic(), 0
        while time.monotonic() - begin < seconds:
            requests = b""
            for revision in range(count + 2, count + 102):
                body = json.dumps({"text": f"a fox number {revision} ", "revision": revision}).encode()
                requests += (
                    f"PUT {ROOT}/{canvas}/prompt HTTP/1.1\r\nHost: inkling\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n").encode() + body
            sock.sendall(requests)
            for _ in range(100):
                self.assertIn(b" 202 ", replies.readline())
                length = 0
                while (line := replies.readline().strip()) != b"":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                replies.read(length)
            count += 100
        elapsed = time.monotonic() - begin
        done.set()
        asking.join()
        replies.close()
        sock.close()
        return count, elapsed, health


class Drafts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())

    def send(self, conversation, content):
        """Sends a message and returns the event that completed its answer."""
        connection = UnixConnection(self.daemon.socket)
        body = json.dumps({"content": content, "settings": {"max_tokens": 8, "temperature": 0}})
        connection.request(
            "POST", f"/inkling/v1/conversations/{conversation}/messages", body,
            {"Content-Type": "application/json"})
        text = connection.getresponse().read().decode()
        connection.close()
        block = next(block for block in text.split("\n\n") if "event: completed" in block)
        return json.loads(block.split("data: ", 1)[1])

    def evaluated(self):
        return metrics(self.daemon)["inkling_chat_tokens_ahead_total"]

    def test_what_is_typed_is_evaluated_before_it_is_sent_and_changes_nothing(self):
        text = "Please tell me in a few short words what ink was made of in the Middle Ages"
        answers = []
        for types in (True, False):
            _, conversation = self.daemon.request("POST", "/inkling/v1/conversations", {"title": "t"})
            path = f"/inkling/v1/conversations/{conversation['id']}/draft"
            if types:
                before = self.evaluated()
                for end in range(0, len(text) + 1, 5):
                    self.assertEqual(self.daemon.request("PUT", path, {"text": text[:end]})[0], 202)
                # Typing takes its time; the engine, too.
                deadline = time.monotonic() + 60
                while self.evaluated() - before < 15 and time.monotonic() < deadline:
                    time.sleep(0.05)
            answers.append(self.send(conversation["id"], text))
            if types:
                self.assertGreater(metrics(self.daemon)["inkling_chat_tokens_ahead_used_total"], 0)
                # The next answer is to find no cache.
                self.daemon.stop()
                self.daemon.start()
        typed, cold = (answer["message"] for answer in answers)
        self.assertEqual(typed["content"], cold["content"])
        self.assertGreater(typed["usage"]["cached_tokens"], 15)
        self.assertEqual(cold["usage"]["cached_tokens"], 0)


if __name__ == "__main__":
    unittest.main()
