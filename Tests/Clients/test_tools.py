"""Functions that a model calls, by the unmodified openai client."""

import json
import unittest

import jsonschema
import openai

from daemon import Daemon
from openai_client import openai_client

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather in a city.", "parameters": {
        "type": "object", "properties": {"city": {"type": "string", "maxLength": 30}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"], "additionalProperties": False}}}
CLOCK = {"type": "function", "function": {"name": "get_time"}}
QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.client = cls.enterClassContext(openai_client(cls.daemon))
        cls.model = cls.client.models.list().data[0].id

    def ask(self, **changes):
        settings = dict(model=self.model, messages=QUESTION, tools=[WEATHER, CLOCK], temperature=0, max_tokens=80)
        return self.client.chat.completions.create(**{**settings, **changes})

    def check(self, call):
        self.assertEqual(call.type, "function")
        self.assertEqual(call.function.name, "get_weather")
        jsonschema.validate(json.loads(call.function.arguments), WEATHER["function"]["parameters"])

    def test_a_named_function_is_called_with_valid_arguments(self):
        choice = self.ask(tool_choice={"type": "function", "function": {"name": "get_weather"}}).choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        self.assertIsNone(choice.message.content)
        (call,) = choice.message.tool_calls
        self.check(call)

    def test_a_required_call_is_one_of_the_functions(self):
        for seed in range(6):
            choice = self.ask(tool_choice="required", temperature=1.5, seed=seed).choices[0]
            if choice.finish_reason == "length":
                continue
            (call,) = choice.message.tool_calls
            if call.function.name == "get_time":
                self.assertEqual(call.function.arguments, "{}")
            else:
                self.check(call)

    def test_a_streamed_call_says_the_same_piece_by_piece(self):
        choice = {"type": "function", "function": {"name": "get_weather"}}
        whole = self.ask(tool_choice=choice).choices[0].message.tool_calls[0]
        chunks = list(self.ask(tool_choice=choice, stream=True))
        self.assertEqual(chunks[-1].choices[0].finish_reason, "tool_calls")
        self.assertTrue(all(not chunk.choices[0].delta.content for chunk in chunks))
        pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or []]
        self.assertEqual({piece.index for piece in pieces}, {0})
        self.assertTrue(pieces[0].id.startswith("call_"))
        self.assertEqual(pieces[0].function.name, "get_weather")
        self.assertTrue(all(piece.id is None and piece.function.name is None for piece in pieces[1:]))
        self.assertGreater(len(pieces), 3)
        self.assertEqual("".join(piece.function.arguments for piece in pieces), whole.function.arguments)

    def test_a_result_goes_back_into_the_conversation(self):
        call = self.ask(tool_choice={"type": "function", "function": {"name": "get_weather"}}).choices[0].message
        result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "The sky is green and it rains frogs."}
        messages = [*QUESTION, call.model_dump(exclude_none=True), result]
        answer = self.ask(messages=messages, tool_choice="none", max_tokens=40).choices[0]
        self.assertTrue(answer.message.content)
        self.assertIsNone(answer.message.tool_calls)
        told = self.ask(messages=messages, tool_choice="none", max_tokens=1).usage.prompt_tokens
        untold = self.ask(messages=messages[:2] + [{**result, "content": ""}], tool_choice="none", max_tokens=1).usage.prompt_tokens
        self.assertGreater(told, untold, "the model reads what the function returned")

    def test_without_a_call_the_answer_is_text(self):
        choice = self.ask(messages=[{"role": "user", "content": "Say hello."}], tool_choice="none").choices[0]
        self.assertTrue(choice.message.content)
        self.assertIsNone(choice.message.tool_calls)

    def test_a_call_of_the_models_own_accord_has_valid_arguments(self):
        # Earlier calls whose arguments are wrong by the schema invite another one.
        messages = []
        for number, city in enumerate(("Rome", "Oslo", "Cairo", "Lima")):
            call = {"id": f"call_{number}", "type": "function",
                    "function": {"name": "get_weather", "arguments": json.dumps({"town": city, "days": 3})}}
            messages += [{"role": "user", "content": f"What is the weather in {city}?"},
                         {"role": "assistant", "content": None, "tool_calls": [call]},
                         {"role": "tool", "tool_call_id": f"call_{number}", "content": "Sunny."},
                         {"role": "assistant", "content": "It is sunny."}]
        answers = [self.ask(messages=messages + QUESTION, temperature=temperature, seed=seed).choices[0]
                   for seed, temperature in enumerate((0, 0.7, 0.7, 1, 1, 1))]
        called = [answer for answer in answers if answer.finish_reason == "tool_calls"]
        self.assertTrue(called, "the model calls at least once")
        for answer in called:
            for call in answer.message.tool_calls:
                if call.function.name == "get_weather":
                    self.check(call)

    def test_a_schema_that_cannot_be_enforced_is_no_obstacle_to_auto(self):
        odd = {"type": "function", "function": {"name": "odd", "parameters": {"type": "object", "properties": {"a": {"not": {}}}}}}
        self.assertIn(self.ask(tools=[odd, WEATHER], max_tokens=8).choices[0].finish_reason, ("stop", "length", "tool_calls"))

    def test_errors_name_the_field(self):
        with self.assertRaisesRegex(openai.BadRequestError, "tool_choice"):
            self.ask(tool_choice={"type": "function", "function": {"name": "nobody"}})
        bad = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"not": {}}}}}}
        with self.assertRaisesRegex(openai.BadRequestError, "/properties/a/not"):
            self.ask(tools=[bad], tool_choice="required")


if __name__ == "__main__":
    unittest.main()
