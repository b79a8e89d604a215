"""The daemon's long jobs as a person starts them: `inkling quantize` and `inkling doctor`."""

import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import time
import unittest

from daemon import BIN, Daemon

FIXTURES = pathlib.Path(__file__).parent.parent / "LlamaTests" / "Fixtures"


class JobsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.models = pathlib.Path(cls.daemon.home, "data/inkling/models")

    def inkling(self, *arguments, environment=None, **settings):
        return subprocess.run(
            [f"{BIN}/inkling", *arguments], env=environment or self.daemon.environment, capture_output=True, text=True,
            timeout=120, **settings)

    def test_a_directory_becomes_a_file_that_answers(self):
        made = self.inkling("quantize", str(FIXTURES / "tied"), "q8_0", "--name", "tied-small")
        self.assertEqual(made.returncode, 0, made.stderr)
        sizes, path = made.stdout.splitlines()
        self.assertRegex(sizes, r"^\d.* kB → \d.* kB \(\d+ %, Q8_0\) in ")
        self.assertEqual(path, str(self.models / "tied-small.gguf"))
        self.assertIn("tied-small", self.inkling("models").stdout)
        status, answer = self.daemon.request(
            "POST", "/v1/completions", {"model": "tied-small", "prompt": "the", "max_tokens": 4})
        self.assertEqual(status, 200, answer)
        again = self.inkling("quantize", str(FIXTURES / "tied"), "q8_0", "--name", "tied-small")
        self.assertEqual(again.returncode, 1)
        self.assertIn("there already", again.stderr)

    def test_output_is_a_path_and_json_is_for_programs(self):
        made = self.inkling(
            "quantize", str(FIXTURES / "wide-heads-f16.gguf"), "-o", "here.gguf", "--json", cwd=self.daemon.home)
        self.assertEqual(made.returncode, 0, made.stderr)
        report = json.loads(made.stdout)
        self.assertEqual(report["type"], "Q4_K_M")
        self.assertEqual(report["path"], os.path.realpath(f"{self.daemon.home}/here.gguf"))
        self.assertEqual(os.path.getsize(report["path"]), report["bytes"])

    def test_what_cannot_be_done_is_said(self):
        for arguments, code, words in [
            (["quantize", "/nowhere"], 1, "no model at"),
            (["quantize", str(FIXTURES / "q4_0.gguf")], 1, "quantised already"),
            (["quantize", str(FIXTURES / "tied"), "q5"], 1, "Q4_K_M"),
            (["quantize", str(FIXTURES / "tied"), "-o", "a.gguf", "--name", "b"], 64, "one of them"),
        ]:
            failed = self.inkling(*arguments)
            self.assertEqual(failed.returncode, code, failed.stderr)
            self.assertIn(words, failed.stderr)

    def test_a_bar_is_drawn_over_and_control_c_leaves_nothing(self):
        source = pathlib.Path(self.daemon.home, "large.gguf")
        write_large_model(source)
        before = sorted(self.models.iterdir()) if self.models.exists() else []
        main, terminal = pty.openpty()
        process = subprocess.Popen(
            [f"{BIN}/inkling", "quantize", str(source), "Q6_K"], env=dict(self.daemon.environment, TERM="xterm"),
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True)
        os.close(terminal)
        seen = b""
        deadline = time.monotonic() + 60
        while b" %" not in seen and time.monotonic() < deadline:
            if select.select([main], [], [], 1)[0]:
                seen += os.read(main, 4096)
        self.assertIn(b" %", seen, seen)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), 130)
        os.close(main)
        self.assertEqual(sorted(self.models.iterdir()) if self.models.exists() else [], before)

    def test_doctor_looks_at_everything(self):
        told = self.inkling("doctor", "--json")
        report = json.loads(told.stdout)
        areas = [finding["area"] for finding in report["findings"]]
        for area in ["configuration", "folders", "daemon", "processor", "memory", "bandwidth", "compute", "disk",
                     "history", "chat", "pictures", "estimates"]:
            self.assertIn(area, areas)
        self.assertEqual(told.returncode, 1 if report["failures"] else 0)
        found = {finding["area"]: finding for finding in report["findings"]}
        self.assertNotEqual(found["chat"]["grade"], "fail", found["chat"])
        self.assertNotEqual(found["pictures"]["grade"], "fail", found["pictures"])
        self.assertGreater(found["chat"]["figures"]["decode_tokens_per_second"], 0)
        self.assertGreater(found["pictures"]["figures"]["step_seconds"], 0)
        table = self.inkling("doctor")
        self.assertRegex(table.stdout, r"(?m)^(ok|warn) +processor ")
        self.assertRegex(table.stdout, r"(?m)^guess +estimates ")

    def test_doctor_says_where_the_configuration_is_wrong(self):
        home = pathlib.Path(self.daemon.home, "other")
        (home / ".config/inkling").mkdir(parents=True)
        (home / ".config/inkling/config.toml").write_text("[server]\nqueue_depth = \"many\"\n")
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        told = self.inkling("doctor", environment=environment)
        self.assertEqual(told.returncode, 1)
        self.assertRegex(told.stdout, r"(?m)^FAIL +configuration +.*config.toml:2:\d+: .*server.queue_depth")
        self.assertRegex(told.stdout, r"(?m)^FAIL +daemon ")


def write_large_model(path):
    """A model of 200 MB whose weights are holes in the file, so large that somebody can change their mind."""
    import struct

    def text(value):
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    def key(name, kind, value):
        return text(name) + struct.pack("<I", kind) + value

    vocabulary, hidden, ffn, layers, heads = 1000, 1024, 8192, 4, 8
    number = lambda value: struct.pack("<I", value)
    keys = [
        key("general.architecture", 8, text("llama")), key("llama.context_length", 4, number(64)),
        key("llama.embedding_length", 4, number(hidden)), key("llama.block_count", 4, number(layers)),
        key("llama.feed_forward_length", 4, number(ffn)), key("llama.attention.head_count", 4, number(heads)),
        key("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
    ]
    tensors = [("token_embd.weight", (hidden, vocabulary)), ("output_norm.weight", (hidden,))]
    for layer in range(layers):
        block = f"blk.{layer}."
        tensors += [(block + "attn_norm.weight", (hidden,)), (block + "ffn_norm.weight", (hidden,))]
        tensors += [(block + f"attn_{name}.weight", (hidden, hidden)) for name in ("q", "k", "v", "output")]
        tensors += [(block + f"ffn_{name}.weight", (hidden, ffn)) for name in ("gate", "up")]
        tensors.append((block + "ffn_down.weight", (ffn, hidden)))
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys)
    offset = 0
    for name, shape in tensors:
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", d) for d in shape)
        header += struct.pack("<IQ", 1, offset)
        offset += (size + 31) // 32 * 32
    header += bytes(-len(header) % 32)
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(len(header) + offset)


if __name__ == "__main__":
    unittest.main()
