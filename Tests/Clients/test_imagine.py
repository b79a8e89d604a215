"""Pictures as a person paints them: in a pseudo-terminal, in pipes, and interrupted."""

import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import zlib

import pexpect

from daemon import BIN, Daemon

# A tiny model with random weights: what it paints is noise, but painted by every part of the engine.
MODEL = pathlib.Path(__file__).parents[1] / "StableDiffusionTests/Fixtures/models/sd15"


def png(path_or_bytes):
    """Width, height and text chunks of a PNG file whose checksums are right."""
    data = path_or_bytes if isinstance(path_or_bytes, bytes) else pathlib.Path(path_or_bytes).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:16]
    at, chunks = 8, []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks.append((kind, body))
        at += 12 + length
    assert chunks[-1][0] == b"IEND"
    width, height = struct.unpack(">II", chunks[0][1][:8])
    return width, height, b"\n".join(body for kind, body in chunks if kind in (b"tEXt", b"iTXt"))


def samples(data):
    """The bytes of a PNG file's pixels: 8 bits, RGB, not interlaced."""
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, *rest = struct.unpack(">IIBBBBB", body)
            assert rest == [8, 2, 0, 0, 0], rest
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    rows, size, above, result = zlib.decompress(packed), 3 * width, bytes(3 * width), bytearray()
    for y in range(height):
        kind, row = rows[y * (size + 1)], bytearray(rows[y * (size + 1) + 1:(y + 1) * (size + 1)])
        for x in range(size):
            left, up = row[x - 3] if x >= 3 else 0, above[x]
            corner = above[x - 3] if x >= 3 else 0
            nearest = min((left, up, corner), key=lambda v: abs(left + up - corner - v))
            row[x] = (row[x] + (0, left, up, (left + up) // 2, nearest)[kind]) % 256
        result += row
        above = row
    return result


class Imagine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ["INKLING_PICTURE_MODEL"] = str(MODEL)
        cls.addClassCleanup(os.environ.pop, "INKLING_PICTURE_MODEL")
        cls.daemon = cls.enterClassContext(Daemon())

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def imagine(self, *arguments, command=("imagine", "--size", "64", "--steps", "4"), **options):
        """Runs the client to its end, in this test's folder."""
        return subprocess.run(
            [f"{BIN}/inkling", *command, *arguments], capture_output=True, cwd=self.folder,
            env=self.daemon.environment, timeout=120, **options)

    def spawn(self, *arguments):
        environment = dict(self.daemon.environment, TERM="xterm-256color")
        client = pexpect.spawn(
            f"{BIN}/inkling", ["imagine", *arguments], env=environment, encoding="utf-8", cwd=self.folder,
            dimensions=(24, 80), timeout=60)
        self.addCleanup(client.close, force=True)
        return client

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def waits_for_idle(self):
        """Returns once the daemon has no client any more: its next answer comes at once."""
        self.assertEqual(self.imagine("idle", "-o", "/dev/null", "--quiet").returncode, 0)

    def test_a_name_is_made_from_the_prompt_and_the_seed(self):
        done = self.imagine("A fox, reading", "--seed", "7")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout, b"a-fox-reading-7.png\n")
        width, height, texts = png(self.folder / "a-fox-reading-7.png")
        self.assertEqual((width, height), (64, 64))
        self.assertIn(b"A fox, reading", texts)
        self.assertIn(b"trainedAlgorithmicMedia", texts)

    def test_the_same_seed_paints_the_same_picture_under_another_name(self):
        self.imagine("fox", "--seed", "7")
        done = self.imagine("fox", "--seed", "7")
        self.assertEqual(done.stdout, b"fox-7-2.png\n")
        self.assertIn(b"fox-7.png is there already", done.stderr)
        first, second = ((self.folder / name).read_bytes() for name in ("fox-7.png", "fox-7-2.png"))
        self.assertEqual(first, second)

    def test_the_prompt_and_the_picture_go_through_pipes(self):
        done = self.imagine("-o", "-", "--size", "64x96", input=b"a fox\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(png(done.stdout)[:2], (64, 96))
        self.assertRegex(done.stderr.decode(), r"\A64×96  .*seed \d+.*\n\Z")
        self.assertEqual(self.names(), [])

    def test_without_metadata_the_prompt_is_left_out(self):
        done = self.imagine("secretfox", "-o", "x.png", "--no-metadata")
        self.assertEqual(done.returncode, 0, done.stderr)
        texts = png(self.folder / "x.png")[2]
        self.assertNotIn(b"secretfox", texts)
        self.assertIn(b"trainedAlgorithmicMedia", texts)

    def test_webp_by_its_ending(self):
        self.assertEqual(self.imagine("fox", "-o", "x.webp", "--quality", "80").returncode, 0)
        data = (self.folder / "x.webp").read_bytes()
        self.assertEqual((data[:4], data[8:12]), (b"RIFF", b"WEBP"))

    def test_several_pictures_and_their_recipes_as_json(self):
        done = self.imagine("fox", "-n", "2", "-o", "x.png", "--seed", "7", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual([entry["path"] for entry in report["pictures"]], ["x-1.png", "x-2.png"])
        self.assertEqual([entry["picture"]["recipe"]["seed"] for entry in report["pictures"]], [7, 8])
        self.assertEqual(report["finish"], "stop")
        self.assertEqual(self.names(), ["x-1.png", "x-2.png"])

    def test_a_picture_begins_with_another(self):
        self.imagine("fox", "-o", "start.png")
        self.imagine("fox", "-o", "mask.png")
        done = self.imagine(
            "snow", "--init", "start.png", "--strength", "0.5", "--mask", "mask.png", "-o", "out.png", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        recipe = json.loads(done.stdout)["pictures"][0]["picture"]["recipe"]
        self.assertEqual(recipe["strength"], 0.5)
        self.assertEqual(len(recipe["init_image"]), 64)

    def test_mistakes_are_answered_with_sentences(self):
        for arguments, status, sentence in [
            (["fox", "--scheduler", "eula"], 1, "eula"),
            (["fox", "--size", "7x7"], 1, "7"),
            (["fox", "--size", "big"], 64, "512x768"),
            (["fox", "--model", "no-such-model"], 1, "no-such-model"),
            (["fox", "--init", "none.png"], 1, "none.png"),
            (["fox", "-o", "none/fox.png"], 1, "none"),
            (["fox", "-o", "fox.jpg"], 64, ".png or .webp"),
            (["fox", "-o", "/dev/full"], 1, "No space left"),
            ([" "], 64, "prompt"),
        ]:
            with self.subTest(arguments):
                done = self.imagine(*arguments)
                self.assertEqual((done.returncode, done.stdout), (status, b""), done.stderr)
                self.assertRegex(done.stderr.decode(), r"\Ainkling: [^\n]+\n\Z")
                self.assertIn(sentence, done.stderr.decode())
                self.assertEqual(self.names(), [])

    def test_a_person_sees_progress_and_the_result(self):
        client = self.spawn("a fox", "--size", "64", "--steps", "4", "-o", "fox.png", "--graphics", "none")
        client.expect(r"step (\d)/\1")
        client.expect(r"fox\.png  64×64  [\d.]+ kB  seed \d+  [\d.]+ s\r\n")
        client.expect(pexpect.EOF)
        client.close()
        self.assertEqual(client.exitstatus, 0)

    def test_control_c_stops_the_work_and_keeps_what_is_finished(self):
        client = self.spawn("a fox", "--size", "64", "--steps", "100", "-n", "10", "-o", "fox.png", "--json")
        while "fox-01.png" not in self.names():
            self.assertTrue(client.isalive())
            time.sleep(0.005)
        client.sendintr()
        client.expect(pexpect.EOF)
        client.close()
        self.assertEqual(client.exitstatus, 130)
        report = json.loads(client.before[client.before.index('{"'):].splitlines()[0])
        self.assertEqual(report["finish"], "cancelled")
        self.assertEqual([entry["path"] for entry in report["pictures"]], self.names())
        for name in self.names():
            png(self.folder / name)
        self.waits_for_idle()

    def test_a_killed_daemon_is_explained_and_started_anew(self):
        client = self.spawn("a fox", "--size", "128", "--steps", "900", "--seed", "5", "-o", "fox.png")
        client.expect(r"step \d+/\d+")
        self.daemon.process.send_signal(signal.SIGKILL)
        client.expect("closed the connection")
        client.expect("--seed 5")
        client.expect(pexpect.EOF)
        client.close()
        self.daemon.process.wait()
        self.daemon.stop()
        self.assertEqual(client.exitstatus, 1)
        self.assertEqual(self.names(), [])
        self.daemon.start()

    def test_finished_pictures_can_be_had_again(self):
        self.imagine("a lighthouse", "--seed", "9", "-o", "x.png")
        listed = self.imagine(command=("pictures",))
        self.assertRegex(listed.stdout.decode(), r"(?m)^\S+  .*64×64  a lighthouse$")
        saved = self.imagine("last", command=("pictures", "save"))
        self.assertEqual(saved.stdout, b"a-lighthouse-9.png\n", saved.stderr)
        self.assertEqual(
            (self.folder / "a-lighthouse-9.png").read_bytes(), (self.folder / "x.png").read_bytes())
        shown = self.imagine("last", command=("pictures", "show"))
        self.assertRegex(shown.stdout.decode(), r"(?m)^prompt +a lighthouse$")
        erased = self.imagine("last", command=("pictures", "delete"))
        self.assertEqual(erased.returncode, 0, erased.stderr)
        self.assertNotIn(b"a lighthouse", self.imagine(command=("pictures",)).stdout)

    def test_a_private_picture_is_not_kept(self):
        done = self.imagine("a secret", "--private", "-o", "x.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b"a secret", self.imagine(command=("pictures",)).stdout)


class OutOfTheBox(unittest.TestCase):
    """Nothing is configured: the model that lies in Assets paints."""

    def test_a_fox_in_the_snow_at_night(self):
        fixtures = pathlib.Path(__file__).parents[1] / "StableDiffusionTests/Fixtures"
        golden = json.loads((fixtures / "shipped.json").read_text())[0]
        # The steps are the model's own.
        expected = (fixtures / "shipped.rgb").read_bytes()[:128 * 128 * 3]
        with tempfile.TemporaryDirectory() as folder, Daemon() as daemon:
            self.assertNotIn("INKLING_PICTURE_MODEL", daemon.environment)
            done = subprocess.run(
                [f"{BIN}/inkling", "imagine", golden["prompt"], "-o", "fox.png", "--seed", str(golden["seed"])],
                capture_output=True, cwd=folder, env=daemon.environment, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            data = pathlib.Path(folder, "fox.png").read_bytes()
        self.assertEqual(png(data)[:2], (128, 128))
        error = sum((a - b) ** 2 for a, b in zip(samples(data), expected)) / len(expected)
        self.assertLess(error, 255 ** 2 / 10 ** 4, "less than 40 dB")


if __name__ == "__main__":
    unittest.main()
