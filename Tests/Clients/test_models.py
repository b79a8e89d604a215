"""Models as a person manages them: pulled from a stand-in of the hub on loopback, by the real program."""

import hashlib
import json
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

import ollama
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
            self.assertIn("small-Q4_1: one file, 98 MB, of owner/small at 01234567", done.stderr)
            self.assertIn("100 %: 98 MB of 98 MB", done.stderr)
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

    def test_the_unmodified_ollama_client_pulls_copies_and_deletes(self):
        with Hub("owner/small", {"small-Q4_1.gguf": self.real}) as hub:
            daemon = self.enterContext(Daemon(["--listen", "127.0.0.1:0", "--no-key"], HF_ENDPOINT=hub.endpoint))
            client = ollama.Client(host=daemon.address, timeout=120)
            parts = list(client.pull("hf.co/owner/small:Q4_1", stream=True))
            self.assertEqual(parts[-1].status, "success")
            self.assertEqual(max(part.completed or 0 for part in parts), len(self.real))
            self.assertEqual(client.pull("hf.co/owner/small:Q4_1").status, "success")
        names = lambda: [model.model for model in client.list().models]
        self.assertIn("small-Q4_1:latest", names())
        client.copy("small-Q4_1", "mine")
        self.assertIn("mine:latest", names())
        self.assertEqual(client.generate("mine", "ink", options={"num_predict": 2}).eval_count, 2)
        client.delete("mine")
        client.delete("small-Q4_1")
        self.assertFalse({"mine:latest", "small-Q4_1:latest"} & set(names()))
        with self.assertRaises(ollama.ResponseError) as missing:
            client.delete("small-Q4_1")
        self.assertEqual(missing.exception.status_code, 404)

    def test_control_c_stops_and_the_same_command_goes_on_from_there(self):
        data = random.Random(1).randbytes(60_000_000)
        with Hub("owner/big", {"big-Q8_0.gguf": data}) as hub:
            hub.free = 20_000_000
            hub.gate.clear()
            client = self.spawn(hub, "pull", "owner/big")
            client.expect(r"of 60 MB")
            while hub.sent < hub.free:
                client.expect([r"of 60 MB", pexpect.TIMEOUT], timeout=0.1)
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


    def test_models_are_listed_named_anew_shown_and_deleted(self):
        with Hub("owner/small", {"small-Q4_1.gguf": self.real}) as hub:
            self.assertEqual(self.inkling(hub, "pull", "owner/small", "--quiet").returncode, 0)
            self.assertEqual(self.inkling(hub, "cp", "owner/small", "quick").returncode, 0)
            listed = self.inkling(hub, "ls").stdout
            self.assertRegex(listed, r"(?m)^NAME +KIND +SIZE +FORM +WHERE$")
            self.assertRegex(listed, r"(?m)^small-Q4_1 +chat +9\d MB +Q4_1, context \d+ +inkling$")
            self.assertRegex(listed, r"(?m)^quick +chat +9\d MB .* is small-Q4_1$")
            self.assertRegex(listed, r"(?m)^inkling-scenes +picture .* comes with inkling$")
            answer = self.inkling(hub, "ask", "--model", "quick", "--set", "max_tokens=3", "Hi")
            self.assertEqual(answer.returncode, 0, answer.stderr)
            shown = self.inkling(hub, "show", "quick").stdout
            self.assertRegex(shown, r"(?m)^pulled from +owner/small at 0123456789ab$")
            self.assertRegex(shown, r"(?m)^also called +quick$")
            removed = self.inkling(hub, "rm", "quick", "small-q4_1", stdin=subprocess.DEVNULL)
            self.assertEqual(removed.stdout, "quick is no name any more.\nDeleted small-Q4_1, 98 MB.\n")
            self.assertEqual(os.listdir(self.models), [])
            self.assertNotIn("small", self.inkling(hub, "list").stdout)
            refused = self.inkling(hub, "rm", "inkling-scenes", stdin=subprocess.DEVNULL)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("belongs to the program itself", refused.stderr)

    def test_rm_asks_in_a_terminal(self):
        with Hub("owner/small", {"small-Q4_1.gguf": b"GGUF" * 500}) as hub:
            self.assertEqual(self.inkling(hub, "pull", "owner/small", "--quiet").returncode, 0)
            for answer, names in [("n", ["small-Q4_1.gguf"]), ("y", [])]:
                client = self.spawn(hub, "rm", "small-Q4_1")
                client.expect(r"Delete small-Q4_1 for good\? \[y/N\] ")
                client.sendline(answer)
                client.expect(pexpect.EOF)
                client.close()
                self.assertEqual((client.exitstatus, os.listdir(self.models)), (0, names))

    def test_the_catalogue_has_short_names(self):
        with Hub("bartowski/Llama-3.2-1B-Instruct-GGUF", {"Llama-3.2-1B-Instruct-Q4_K_M.gguf": self.real}) as hub:
            listed = self.inkling(hub, "pull").stdout
            self.assertRegex(listed, r"(?m)^llama3\.2:1b +chat +~808 MB +~1\.3 GB +(fits|too large) +Llama 3\.2 ")
            self.assertRegex(listed, r"(?m)^taesd +decoder ")
            self.assertEqual(self.inkling(hub, "pull", "llama3.2:1b", "--quiet").returncode, 0)
            self.assertRegex(self.inkling(hub, "list", "--available").stdout, r"(?m)^llama3\.2:1b .* here +Llama")
            answer = self.inkling(hub, "ask", "--model", "llama3.2:1b", "--set", "max_tokens=3", "Hi")
            self.assertEqual(answer.returncode, 0, answer.stderr)

    def test_what_ollama_keeps_is_used_where_it_lies(self):
        store = pathlib.Path(self.daemon.home, ".ollama/models")
        digest = hashlib.sha256(self.real).hexdigest()
        (store / "blobs").mkdir(parents=True)
        (store / f"blobs/sha256-{digest}").symlink_to(MODEL)
        manifest = store / "manifests/registry.ollama.ai/library/smollm2/135m"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(json.dumps({"layers": [
            {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(self.real)}]}))
        with Hub("owner/none", {}) as hub:
            self.assertRegex(self.inkling(hub, "list").stdout, r"(?m)^smollm2:135m +chat +9\d MB .* Ollama$")
            answer = self.inkling(hub, "ask", "--model", "smollm2:135m", "--set", "max_tokens=3", "Hi")
            self.assertEqual(answer.returncode, 0, answer.stderr)
            refused = self.inkling(hub, "rm", "smollm2:135m", "--yes")
            self.assertIn("ollama rm smollm2:135m", refused.stderr)
            self.assertTrue(manifest.exists())


if __name__ == "__main__":
    unittest.main()
