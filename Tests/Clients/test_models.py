"""Models as a person manages them: pulled from a stand-in of the hub on loopback, by the real program."""

import json
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

import pexpect

from daemon import BIN, MODEL, Daemon
from hub import Hub


class Models(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.real = pathlib.Path(MODEL).read_bytes()

    def setUp(self):
        self.daemon = self.enterContext(Daemon())
        self.models = pathlib.Path(self.daemon.home, "data/inkling/models")

    def environment(self, hub):
        return dict(self.daemon.environment, HF_ENDPOINT=hub.endpoint, HF_TOKEN="secret", TERM="xterm-256color")

    def inkling(self, hub, *arguments, **options):
        return subprocess.run(
            [f"{BIN}/inkling", *arguments], env=self.environment(hub), capture_output=True, text=True, timeout=120,
            **options)

    def spawn(self, hub, *arguments):
        client = pexpect.spawn(
            f"{BIN}/inkling", list(arguments), env=self.environment(hub), encoding="utf-8", dimensions=(24, 100),
            timeout=60)
        self.addCleanup(client.close, force=True)
        return client

    def test_a_pulled_model_answers(self):
        with Hub("owner/small", {"small-Q4_1.gguf": self.real, "README.md": b"x"}) as hub:
            done = self.inkling(hub, "pull", "hf.co/owner/small:Q4_1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, f"small-Q4_1 is here: {self.models}/small-Q4_1.gguf\n")
            self.assertIn("small-Q4_1: one file, 94 MB, of owner/small at 01234567", done.stderr)
            self.assertIn("100 %: 94 MB of 94 MB", done.stderr)
            self.assertEqual((self.models / "small-Q4_1.gguf").read_bytes(), self.real)
            self.assertEqual(hub.tokens, {"Bearer secret"})
            again = self.inkling(hub, "pull", "owner/small", "--json")
            events = [json.loads(line) for line in again.stdout.splitlines()]
            self.assertEqual([event["event"] for event in events], ["planned", "completed"])
            self.assertTrue(events[-1]["was_there"])
            offline = self.inkling(hub, "pull", "owner/small", "--offline")
            self.assertEqual(offline.returncode, 0, offline.stderr)
        status, answer = self.daemon.request(
            "POST", "/v1/completions", {"model": "small-Q4_1", "prompt": "ink", "max_tokens": 2})
        self.assertEqual(status, 200, answer)

    def test_control_c_stops_and_the_same_command_goes_on_from_there(self):
        data = random.Random(1).randbytes(60_000_000)
        with Hub("owner/big", {"big-Q8_0.gguf": data}) as hub:
            hub.free = 20_000_000
            hub.gate.clear()
            client = self.spawn(hub, "pull", "owner/big")
            client.expect(r"\d+ MB of 60 MB")
            while hub.sent < hub.free:
                client.expect(r"MB of 60 MB")
            client.sendintr()
            client.expect("the same command goes on from here")
            client.expect(pexpect.EOF)
            client.close()
            self.assertEqual(client.exitstatus, 130)
            self.assertEqual(os.listdir(self.models), [])
            hub.gate.set()
            # The daemon is another one, as after a restart of the machine.
            self.daemon.stop()
            self.daemon.start()
            first = len(hub.content_requests)
            client = self.spawn(hub, "pull", "owner/big")
            client.expect("big-Q8_0 is here")
            client.expect(pexpect.EOF)
            client.close()
            self.assertEqual(client.exitstatus, 0)
            self.assertEqual((self.models / "big-Q8_0.gguf").read_bytes(), data)
            again = sum(last - start + 1 for start, last in hub.content_requests[first:])
            self.assertLess(again, 50_000_000)

    def test_mistakes_are_answered_with_sentences(self):
        with Hub("owner/small", {"small-Q4_1.gguf": b"x" * 2000}) as hub:
            for arguments, words in [
                (["owner/none"], "no repository owner/none"),
                (["nothing"], "no model of a hub"),
                (["owner/small:Q9_9"], "Q9_9"),
                (["owner/small", "--name", "a/b"], "no name"),
            ]:
                with self.subTest(arguments):
                    done = self.inkling(hub, "pull", *arguments)
                    self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
                    self.assertRegex(done.stderr, r"\Ainkling: [^\n]+\n\Z")
                    self.assertIn(words, done.stderr)
            hub.refusal = (429, {"Retry-After": "3600"})
            done = self.inkling(hub, "pull", "owner/small")
            self.assertIn("pull again in 3600 seconds", done.stderr)


if __name__ == "__main__":
    unittest.main()
