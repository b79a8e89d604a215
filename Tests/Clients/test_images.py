"""The unmodified openai client painting over the daemon's socket, with a tiny model of random weights."""

import base64
import json
import os
import struct
import unittest
import zlib

import openai

from daemon import Daemon, UnixConnection
from openai_client import openai_client

FIXTURES = os.path.join(os.path.dirname(__file__), "..", "StableDiffusionTests", "Fixtures", "models")
MODEL = os.path.realpath(os.path.join(FIXTURES, "sd15"))


def png_size(file):
    """Width and height of a PNG file, whose IHDR chunk comes first."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n", file[:16]
    return struct.unpack(">II", file[16:24])


def png(alpha=255, size=64):
    """A PNG file of a grey square whose upper half has this alpha."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes([90, 120, 150, alpha if y < size // 2 else 255]) * size for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.client = cls.enterClassContext(openai_client(cls.daemon))

    def paint(self, extra=None, **changes):
        settings = dict(model=MODEL, prompt="a fox reading a newspaper", size="64x64")
        return self.client.images.generate(
            **{**settings, **changes}, extra_body={"seed": 42, "steps": 4, **(extra or {})})

    def file(self, image):
        return base64.b64decode(image.b64_json)

    def test_pictures_come_whole(self):
        answer = self.paint(n=2)
        self.assertEqual([png_size(self.file(image)) for image in answer.data], [(64, 64)] * 2)
        self.assertNotEqual(answer.data[0].b64_json, answer.data[1].b64_json)
        self.assertEqual([image.seed for image in answer.data], [42, 43])
        self.assertEqual((answer.size, answer.output_format), ("64x64", "png"))
        self.assertGreater(answer.usage.input_tokens, 4)
        self.assertEqual(answer.usage.total_tokens, answer.usage.input_tokens)

    def test_the_same_request_gives_the_same_bytes(self):
        first, again, other = self.paint(), self.paint(), self.paint(extra={"seed": 7})
        self.assertEqual(first.data[0].b64_json, again.data[0].b64_json)
        self.assertNotEqual(first.data[0].b64_json, other.data[0].b64_json)

    def test_a_stream_has_partial_pictures_and_the_same_picture(self):
        events = list(self.paint(stream=True, partial_images=3))
        *partial, completed = events
        self.assertEqual([event.type for event in partial], ["image_generation.partial_image"] * 3)
        self.assertEqual([event.partial_image_index for event in partial], [0, 1, 2])
        self.assertEqual(completed.type, "image_generation.completed")
        self.assertEqual({png_size(self.file(event)) for event in events}, {(64, 64)})
        self.assertEqual(completed.b64_json, self.paint().data[0].b64_json)
        self.assertGreater(completed.usage.input_tokens_details.text_tokens, 4)
        self.assertEqual(len({event.b64_json for event in events}), 4)

    def test_webp_and_urls(self):
        answer = self.paint(output_format="webp", output_compression=80, response_format="url")
        head, data = answer.data[0].url.split(",")
        self.assertEqual(head, "data:image/webp;base64")
        file = base64.b64decode(data)
        self.assertEqual((file[:4], file[8:12]), (b"RIFF", b"WEBP"))

    def test_a_picture_is_the_start_of_another(self):
        start = self.paint().data[0].b64_json
        near = self.paint(extra={"init_image": start, "strength": 0.25, "seed": 1}).data[0]
        self.assertEqual(png_size(self.file(near)), (64, 64))
        self.assertNotEqual(near.b64_json, start)

    def edit(self, extra=None, **changes):
        settings = dict(model=MODEL, prompt="a fox reading a newspaper", image=png())
        return self.client.images.edit(
            **{**settings, **changes}, extra_body={"seed": 42, "steps": 4, **(extra or {})})

    def recipe(self, image):
        status, record = self.daemon.request("GET", f"/inkling/v1/pictures/{image.id}?recipe")
        self.assertEqual(status, 200)
        return record["recipe"]

    def test_an_edit_is_within_a_mask_or_begins_with_the_whole_picture(self):
        plain = self.edit(size="64x64", response_format="b64_json").data[0]
        self.assertEqual(png_size(self.file(plain)), (64, 64))
        self.assertNotIn("mask", self.recipe(plain))
        self.assertEqual((self.recipe(plain)["seed"], self.recipe(plain)["steps"]), (42, 4))
        masked = self.edit(mask=png(alpha=0)).data[0]
        self.assertEqual(self.recipe(masked)["mask_channel"], "alpha")
        self.assertEqual(self.recipe(masked)["strength"], 1)
        self.assertNotEqual(masked.b64_json, plain.b64_json)
        # The picture's own transparency is a mask, here the same one.
        own = self.edit(image=("a.png", png(alpha=0), "image/png")).data[0]
        self.assertEqual(own.b64_json, masked.b64_json)
        listed = self.edit(image=[png()], extra={"strength": 0.25}).data[0]
        self.assertEqual(self.recipe(listed)["strength"], 0.25)

    def test_an_edit_streams_under_its_own_names(self):
        *partial, completed = list(self.edit(stream=True, partial_images=2, mask=png(alpha=0)))
        self.assertEqual([event.type for event in partial], ["image_edit.partial_image"] * 2)
        self.assertEqual([event.partial_image_index for event in partial], [0, 1])
        self.assertEqual(completed.type, "image_edit.completed")
        self.assertEqual(completed.b64_json, self.edit(mask=png(alpha=0)).data[0].b64_json)
        self.assertGreater(completed.usage.input_tokens, 4)

    def test_edits_that_cannot_be_made_name_the_field(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.edit(image=[png(), png()])
        self.assertEqual(caught.exception.param, "image")
        with self.assertRaisesRegex(openai.BadRequestError, "transparent"):
            self.edit(mask=png())
        with self.assertRaisesRegex(openai.BadRequestError, "PNG or WebP"):
            self.edit(image=b"GIF89a")

    def test_variations_are_of_the_picture_alone(self):
        answer = self.client.images.create_variation(
            image=png(), model=MODEL, n=2, size="64x64", response_format="b64_json",
            extra_body={"steps": 4, "seed": 1})
        self.assertEqual([png_size(self.file(image)) for image in answer.data], [(64, 64)] * 2)
        self.assertNotEqual(answer.data[0].b64_json, answer.data[1].b64_json)
        recipe = self.recipe(answer.data[0])
        self.assertEqual((recipe["prompt"], recipe["strength"], recipe["seed"]), ("", 0.5, 1))

    def test_a_file_says_how_it_was_made(self):
        file = self.file(self.paint(extra={"negative_prompt": "blurry", "guidance_scale": 5}).data[0])
        for text in (b"a fox reading a newspaper", b"Negative prompt: blurry", b"Steps: 4", b"CFG scale: 5", b"Seed: 42",
                     b"Inkling", b"trainedAlgorithmicMedia"):
            self.assertIn(text, file)

    def test_arguments_inside_the_prompt_count(self):
        hidden = '<sd_cpp_extra_args>{"seed": 42, "sample_params": {"sample_steps": 4}}</sd_cpp_extra_args>'
        answer = self.client.images.generate(
            model=MODEL, prompt="a fox reading a newspaper " + hidden, size="64x64")
        self.assertEqual(answer.data[0].b64_json, self.paint().data[0].b64_json)

    def test_a_picture_can_be_had_again(self):
        image = self.paint().data[0]
        connection = UnixConnection(self.daemon.socket)
        self.addCleanup(connection.close)
        connection.request("GET", f"/inkling/v1/pictures/{image.id}")
        response = connection.getresponse()
        self.assertEqual(response.getheader("Content-Type"), "image/png")
        self.assertEqual(response.read(), self.file(image))
        status, record = self.daemon.request("GET", f"/inkling/v1/pictures/{image.id}?recipe")
        self.assertEqual((status, record["recipe"]["seed"]), (200, 42))
        self.assertEqual(self.daemon.request("DELETE", f"/inkling/v1/pictures/{image.id}")[0], 200)
        self.assertEqual(self.daemon.request("GET", f"/inkling/v1/pictures/{image.id}")[0], 404)

    def test_errors_name_what_is_wrong(self):
        with self.assertRaisesRegex(openai.NotFoundError, "dall-e-3"):
            self.paint(model="dall-e-3")
        with self.assertRaisesRegex(openai.BadRequestError, "multiples of"):
            self.paint(size="60x64")
        with self.assertRaisesRegex(openai.BadRequestError, "jpeg"):
            self.paint(output_format="jpeg")
        with self.assertRaises(openai.BadRequestError) as caught:
            self.paint(extra={"steps": 0})
        self.assertEqual(caught.exception.param, "steps")
        with self.assertRaisesRegex(openai.BadRequestError, "init_image"):
            self.paint(extra={"init_image": base64.b64encode(b"no picture").decode()})

    def test_a_client_that_leaves_frees_the_engine(self):
        stream = self.paint(stream=True, partial_images=1, extra={"steps": 900})
        stream.close()
        connection = UnixConnection(self.daemon.socket)
        body = json.dumps({"model": MODEL, "prompt": "p", "size": "512x512", "steps": 900})
        connection.request("POST", "/v1/images/generations", body, {"Content-Type": "application/json"})
        connection.close()
        self.assertEqual(len(self.paint().data), 1)


if __name__ == "__main__":
    unittest.main()
