"""OpenAI's responses, which know those before them, by the unmodified openai client."""

import base64
import json
import unittest

import jsonschema
import openai

from daemon import Daemon
from openai_client import openai_client
from test_images import MODEL as PAINTER, png_size

WEATHER = {
    "type": "function", "name": "get_weather", "description": "The weather in a city.", "strict": True, "parameters": {
        "type": "object", "properties": {"city": {"type": "string", "maxLength": 30}},
        "required": ["city"], "additionalProperties": False}}
FORCED = {"type": "function", "name": "get_weather"}
PAINTING = {"type": "image_generation", "model": PAINTER, "size": "64x64", "seed": 42, "steps": 4}


class Responses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.client = cls.enterClassContext(openai_client(cls.daemon))
        cls.model = cls.client.models.list().data[0].id
        status, tokens = cls.daemon.request("POST", "/tokenize", {"content": '"'})
        assert status == 200
        (cls.quote,) = tokens["tokens"]

    def ask(self, input="What is the capital of France?", **changes):
        settings = dict(input=input, temperature=0, max_output_tokens=16)
        return self.client.responses.create(**{**settings, **changes})

    def test_an_answer_is_the_same_whole_and_streamed(self):
        whole = self.ask()
        self.assertTrue(whole.output_text)
        self.assertEqual(whole.object, "response")
        self.assertIn(whole.status, ("completed", "incomplete"))
        self.assertEqual(whole.usage.total_tokens, whole.usage.input_tokens + whole.usage.output_tokens)
        self.assertEqual(whole.usage.output_tokens_details.reasoning_tokens, 0)
        events = list(self.ask(stream=True))
        self.assertEqual([event.sequence_number for event in events], list(range(len(events))))
        self.assertEqual([event.type for event in events[:2]], ["response.created", "response.in_progress"])
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        self.assertEqual("".join(deltas), whole.output_text)
        last = events[-1].response
        self.assertEqual(last.output_text, whole.output_text)
        self.assertEqual(set(last.to_dict()), set(whole.to_dict()))
        self.assertEqual(last.status, whole.status)

    def test_the_clients_own_stream_puts_the_answer_together(self):
        # Its accumulators follow items and parts by their places, and refuse what doesn't fit together.
        with self.client.responses.stream(
                model=self.model, input="What is the capital of France?", temperature=0, max_output_tokens=100,
                extra_body={"stop": ["."]}) as stream:
            snapshots = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
        self.assertEqual(snapshots[-1], final.output_text)
        self.assertEqual(final.status, "completed")

    def test_an_answer_that_is_cut_off_is_incomplete(self):
        answer = self.ask("Count to a hundred.", max_output_tokens=4)
        self.assertEqual(answer.status, "incomplete")
        self.assertEqual(answer.incomplete_details.reason, "max_output_tokens")
        self.assertEqual(answer.usage.output_tokens, 4)

    def test_a_response_follows_another_and_its_instructions_do_not(self):
        first = self.ask("My name is Ada.", instructions="You are a pirate. " * 8, metadata={"topic": "names"})
        self.assertEqual(first.metadata, {"topic": "names"})
        alone = self.ask("What is my name?")
        second = self.ask("What is my name?", previous_response_id=first.id)
        self.assertEqual(second.previous_response_id, first.id)
        self.assertIsNone(second.instructions)
        # The same said at once has as many tokens.
        spelled = self.ask([
            {"role": "user", "content": "My name is Ada."}, *[item.to_dict() for item in first.output],
            {"role": "user", "content": "What is my name?"}])
        self.assertEqual(second.usage.input_tokens, spelled.usage.input_tokens)
        self.assertGreater(second.usage.input_tokens, alone.usage.input_tokens)
        self.assertEqual(second.output_text, spelled.output_text)
        third = self.ask("And yours?", previous_response_id=second.id)
        self.assertGreater(third.usage.input_tokens, second.usage.input_tokens)

    def test_responses_outlive_the_daemon(self):
        with Daemon() as daemon, openai_client(daemon) as client:
            first = client.responses.create(input="My name is Ada.", max_output_tokens=4)
            daemon.stop()
            daemon.start()
            status, kept = daemon.request("GET", f"/v1/responses/{first.id}")
            self.assertEqual((status, kept["id"]), (200, first.id))
            self.assertEqual(kept["output"][0]["content"][0]["text"], first.output_text)

    def test_a_function_that_is_named_is_called_and_its_result_is_read(self):
        answer = self.ask(tools=[WEATHER], tool_choice=FORCED, max_output_tokens=60)
        (call,) = answer.output
        self.assertEqual((call.type, call.name, call.status), ("function_call", "get_weather", "completed"))
        jsonschema.validate(json.loads(call.arguments), WEATHER["parameters"])
        self.assertTrue(call.call_id)
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "It rains frogs."}
        told = self.ask([result], previous_response_id=answer.id, tools=[WEATHER], tool_choice="none")
        self.assertTrue(told.output_text)
        untold = self.ask([{**result, "output": ""}], previous_response_id=answer.id, tools=[WEATHER], tool_choice="none")
        self.assertGreater(told.usage.input_tokens, untold.usage.input_tokens)
        events = list(self.ask(tools=[WEATHER], tool_choice=FORCED, max_output_tokens=60, stream=True))
        pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
        self.assertGreater(len(pieces), 2)
        self.assertEqual("".join(pieces), call.arguments)
        (done,) = [event for event in events if event.type == "response.function_call_arguments.done"]
        self.assertEqual(done.arguments, call.arguments)

    def test_a_schema_is_kept_to(self):
        schema = {
            "type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"],
            "additionalProperties": False}
        answer = self.ask(
            text={"format": {"type": "json_schema", "name": "capital", "strict": True, "schema": schema}},
            max_output_tokens=40)
        jsonschema.validate(json.loads(answer.output_text), schema)
        self.assertEqual(answer.text.format.name, "capital")

    def paint(self, tool=PAINTING, **changes):
        # A small model finds no end; what is likeliest now is the quotation mark behind the prompt.
        settings = dict(
            tools=[tool], tool_choice={"type": "image_generation"}, max_output_tokens=100,
            extra_body={"logit_bias": {str(self.quote): 100}})
        return self.ask("Paint a fox reading a newspaper.", **{**settings, **changes})

    def test_a_picture_is_painted_on_the_way(self):
        events = list(self.paint({**PAINTING, "partial_images": 2}, stream=True))
        kind = "response.image_generation_call."
        names = [event.type.removeprefix(kind) for event in events if event.type.startswith(kind)]
        self.assertEqual(names, ["in_progress", "generating", "partial_image", "partial_image", "completed"])
        partial = [event for event in events if event.type == kind + "partial_image"]
        self.assertEqual([event.partial_image_index for event in partial], [0, 1])
        final = events[-1].response
        self.assertEqual(final.status, "completed")
        (picture,) = final.output
        self.assertEqual((picture.type, picture.status), ("image_generation_call", "completed"))
        self.assertTrue(picture.revised_prompt)
        for data in [picture.result, *[event.partial_image_b64 for event in partial]]:
            self.assertEqual(png_size(base64.b64decode(data)), (64, 64))
        # It is kept with its response, and as the user's picture.
        kept = self.client.responses.retrieve(final.id)
        self.assertEqual(kept.output[0].result, picture.result)
        identifier = picture.id.removeprefix("ig_")
        status, record = self.daemon.request("GET", f"/inkling/v1/pictures/{identifier}?recipe=true")
        self.assertEqual((status, record["recipe"]["prompt"]), (200, picture.revised_prompt))
        after = self.ask("What did you paint?", previous_response_id=final.id)
        sent = self.ask([
            {"role": "user", "content": "Paint a fox reading a newspaper."},
            {"type": "image_generation_call", "id": picture.id},
            {"role": "user", "content": "What did you paint?"}])
        self.assertEqual(after.usage.input_tokens, sent.usage.input_tokens)
        self.assertEqual(self.daemon.request("DELETE", f"/inkling/v1/pictures/{identifier}")[0], 200)
        self.assertIsNone(self.client.responses.retrieve(final.id).output[0].result)

    def test_the_default_picture_model_paints_where_none_is_named(self):
        (picture,) = self.paint({"type": "image_generation"}).output
        self.assertEqual(picture.status, "completed")
        self.assertEqual(base64.b64decode(picture.result)[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(picture.output_format, "png")

    def test_items_are_listed_and_responses_deleted(self):
        answer = self.ask([
            {"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}])
        items = list(self.client.responses.input_items.list(answer.id, order="asc", limit=1))
        self.assertEqual([item.role for item in items], ["developer", "user"], "the client asks for page after page")
        self.assertEqual(items[1].content[0].text, "Hi")
        newest = self.client.responses.input_items.list(answer.id).data
        self.assertEqual([item.id for item in newest], [item.id for item in reversed(items)])
        with self.assertRaises(openai.BadRequestError):
            self.client.responses.cancel(answer.id)
        self.client.responses.delete(answer.id)
        for call in (self.client.responses.retrieve, self.client.responses.delete, self.client.responses.input_items.list):
            with self.assertRaises(openai.NotFoundError):
                call(answer.id)

    def test_what_is_not_stored_is_not_there(self):
        answer = self.ask(store=False)
        self.assertFalse(answer.store)
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.retrieve(answer.id)
        with self.assertRaises(openai.BadRequestError) as caught:
            self.ask(previous_response_id=answer.id)
        self.assertEqual((caught.exception.code, caught.exception.param), ("previous_response_not_found", "previous_response_id"))

    def test_responses_are_no_conversations(self):
        self.ask()
        status, body = self.daemon.request("GET", "/inkling/v1/conversations")
        self.assertEqual((status, body["conversations"]), (200, []))

    def test_errors_name_the_field(self):
        picture = {"role": "user", "content": [{"type": "input_image", "image_url": "data:,", "detail": "auto"}]}
        for changes, parameter in [
                (dict(background=True), "background"), (dict(conversation="conv_1"), "conversation"),
                (dict(tools=[{"type": "web_search"}]), "tools[0].type"),
                (dict(tools=[{"type": "image_generation", "background": "transparent"}]), "tools[0].background"),
                (dict(input=[picture]), "input[0].content[0].type"),
                (dict(text={"format": {"type": "json_schema", "name": "n"}}), "text.format.schema")]:
            for stream in (False, True):
                with self.assertRaises(openai.BadRequestError) as caught:
                    self.ask(**changes, stream=stream)
                self.assertEqual(caught.exception.param, parameter)


if __name__ == "__main__":
    unittest.main()
