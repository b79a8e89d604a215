"""Answers that must be valid by a JSON schema or a grammar, whatever a small model would rather say."""

import concurrent.futures
import json
import random
import re
import unittest

import jsonschema
import openai

from daemon import Daemon
from openai_client import openai_client

QUESTION = [{"role": "user", "content": "Give me an example as JSON."}]
NAMES = ["name", "age", "city", "tags", "id", "kind", "score", "é", "a b", "note"]
VALIDATOR = jsonschema.Draft202012Validator
PATTERNS = ["^[a-z]{2,6}$", "^(red|green|blue)$", r"^\d{3}-\d{4}$", '^["\\\\]?x+$', "ab"]


class SchemaMaker:
    """Random schemas of all that is enforced, by a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def root(self):
        schema = self.schema(0)
        if self.random.random() < 0.2:
            node = {"type": "object", "properties": {"v": self.schema(2), "next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}}}
            schema = {"type": "object", "properties": {"x": schema, "y": {"$ref": "#/$defs/n"}}, "required": ["y"], "$defs": {"n": node}}
        return schema

    def schema(self, depth):
        leaves = [self.string, self.integer, self.number, self.fixed, self.simple]
        nests = [self.object, self.object, self.array, self.tuple, self.any_of, self.one_of, self.all_of]
        return self.random.choice(leaves if depth >= 3 else nests if depth == 0 else leaves + nests)(depth)

    def simple(self, depth):
        return self.random.choice([{"type": "boolean"}, {"type": "null"}, {"type": ["boolean", "string"]}, {}, {"title": "any"}])

    def string(self, depth):
        low = self.random.randrange(4)
        return self.random.choice([
            {"type": "string"}, {"type": "string", "minLength": low, "maxLength": low + self.random.randrange(8)},
            {"type": "string", "pattern": self.random.choice(PATTERNS)},
            {"type": "string", "format": self.random.choice(["date", "time", "date-time", "uuid", "email", "ipv4", "ipv6", "hostname"])}])

    def bounds(self, make):
        low, high = sorted((make(), make()))
        bounds = {}
        if self.random.random() < 0.7:
            bounds[self.random.choice(["minimum", "exclusiveMinimum"])] = low
        if self.random.random() < 0.7:
            bounds[self.random.choice(["maximum", "exclusiveMaximum"])] = round(high + 2, 3)
        return bounds

    def integer(self, depth):
        return {"type": "integer", **self.bounds(lambda: self.random.randrange(-10 ** self.random.randrange(1, 6), 10 ** self.random.randrange(1, 6)))}

    def number(self, depth):
        return {"type": "number", **self.bounds(lambda: round(self.random.uniform(-100, 100), self.random.randrange(4)))}

    def fixed(self, depth):
        values = ["a", "b\"c", "é\n", 1, -2.5, True, None, {"k": [1, "x"]}, []]
        return self.random.choice([{"const": self.random.choice(values)}, {"enum": self.random.sample(values, 3)}])

    def object(self, depth):
        names = self.random.sample(NAMES, self.random.randrange(4))
        schema = {"type": "object", "properties": {name: self.schema(depth + 1) for name in names}}
        schema["required"] = [name for name in names if self.random.random() < 0.6]
        extra = self.random.random()
        if extra < 0.4:
            schema["additionalProperties"] = False
        elif extra < 0.6:
            schema["additionalProperties"] = self.schema(3)
        return schema

    def array(self, depth):
        low = self.random.randrange(3)
        return {"type": "array", "items": self.schema(depth + 1), "minItems": low, "maxItems": low + self.random.randrange(3)}

    def tuple(self, depth):
        return {"type": "array", "prefixItems": [self.schema(depth + 1), self.schema(depth + 1)], "items": self.random.choice([False, self.schema(3)]), "minItems": 1, "maxItems": 3}

    def any_of(self, depth):
        return {"anyOf": [self.schema(depth + 1), self.schema(depth + 1)], "description": "either"}

    def one_of(self, depth):
        kinds = [self.object(depth + 1) for _ in range(2)]
        for kind, name in zip(kinds, "ab"):
            kind["properties"]["kind"] = {"const": name}
            kind["required"] = [*dict.fromkeys([*kind["required"], "kind"])]
        return self.random.choice([{"oneOf": kinds}, {"oneOf": [self.integer(depth), self.string(depth), {"type": "null"}]}])

    def all_of(self, depth):
        return {"allOf": [{"type": "object", "properties": {"a": self.schema(depth + 1)}, "required": ["a"]},
                          {"properties": {"b": self.schema(3)}}], "required": ["b"]}


class Constraints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.client = cls.enterClassContext(openai_client(cls.daemon))
        cls.model = cls.client.models.list().data[0].id

    def ask(self, **changes):
        settings = dict(model=self.model, messages=QUESTION, temperature=0, max_tokens=48)
        return self.client.chat.completions.create(**{**settings, **changes})

    def answer(self, schema, **changes):
        form = {"type": "json_schema", "json_schema": {"name": "example", "strict": True, "schema": schema}}
        return self.ask(response_format=form, **changes).choices[0]

    def test_answers_are_valid_by_200_random_schemas(self):
        maker = SchemaMaker(6)
        schemas = [maker.root() for _ in range(200)]

        def check(job):
            seed, schema = job
            choice = self.answer(schema, temperature=1, seed=seed, max_tokens=40)
            if choice.finish_reason == "length":
                return 0
            self.assertEqual(choice.finish_reason, "stop")
            try:
                value = json.loads(choice.message.content)
                VALIDATOR(schema, format_checker=VALIDATOR.FORMAT_CHECKER).validate(value)
            except ValueError as error:
                self.fail(f"{choice.message.content!r} by {json.dumps(schema)}: {error}")
            except jsonschema.ValidationError as error:
                self.fail(f"{choice.message.content!r} by {json.dumps(schema)}: {error.message}")
            return 1

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            finished = sum(pool.map(check, enumerate(schemas)))
        self.assertGreater(finished, 100, "most answers must come to their end")

    def test_a_greedy_answer_keeps_to_its_schema(self):
        schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "inhabitants": {"type": "integer"}},
                  "required": ["city", "inhabitants"], "additionalProperties": False}
        question = [{"role": "user", "content": "Tell me about the capital of France."}]
        whole = self.answer(schema, messages=question)
        value = json.loads(whole.message.content)
        jsonschema.validate(value, schema)
        self.assertEqual(whole.finish_reason, "stop")
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        chunks = list(self.ask(messages=question, response_format=form, stream=True))
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks), whole.message.content)
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_json_object_is_one(self):
        choice = self.ask(response_format={"type": "json_object"}, max_tokens=200).choices[0]
        if choice.finish_reason == "stop":
            self.assertIsInstance(json.loads(choice.message.content), dict)
        self.assertTrue(choice.message.content.startswith("{"))

    def test_a_grammar_decides_what_is_said(self):
        answer = self.ask(extra_body={"grammar": 'root ::= ("yes" | "no") "!"'})
        self.assertIn(answer.choices[0].message.content, ("yes!", "no!"))
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        text = self.client.completions.create(
            model=self.model, prompt="Count: 1, 2, 3,", max_tokens=30, temperature=0,
            extra_body={"grammar": 'root ::= (" " [0-9]+ ","){3} " done"'}).choices[0]
        self.assertRegex(text.text, r"^( \d+,){3} done$")

    def test_log_probabilities_are_the_models_own(self):
        choice = self.ask(extra_body={"grammar": 'root ::= "\\u00e9\\u00e9 zebra"'}, logprobs=True, top_logprobs=1).choices[0]
        self.assertEqual(choice.message.content, "éé zebra")
        first = choice.logprobs.content[0]
        self.assertLess(first.logprob, first.top_logprobs[0].logprob, "what the grammar forbids stays the likeliest")

    def test_a_seed_repeats_and_a_stop_string_stops(self):
        grammar = {"grammar": 'root ::= [a-z]{8} " " [a-z]{8}'}
        one, two = (self.ask(temperature=1.3, seed=5, extra_body=grammar).choices[0].message.content for _ in range(2))
        self.assertEqual(one, two)
        self.assertTrue(re.fullmatch("[a-z]{8} [a-z]{8}", one))
        cut = self.ask(temperature=1.3, seed=5, stop=[" "], extra_body=grammar).choices[0]
        self.assertEqual((cut.message.content, cut.finish_reason), (one.split(" ")[0], "stop"))

    def test_what_cannot_be_enforced_is_a_400_that_names_it(self):
        with self.assertRaisesRegex(openai.BadRequestError, "/properties/a/multipleOf"):
            self.answer({"type": "object", "properties": {"a": {"type": "integer", "multipleOf": 7}}})
        with self.assertRaisesRegex(openai.BadRequestError, "line 1, column"):
            self.ask(extra_body={"grammar": "root ::= ("})
        with self.assertRaisesRegex(openai.BadRequestError, "left recursion"):
            self.ask(extra_body={"grammar": 'root ::= root "a" | "b"'})
        rules = "".join(f'r{i} ::= r{i + 1} "a" | r{i + 1} "b"\n' for i in range(20))
        with self.assertRaisesRegex(openai.BadRequestError, "ambiguous"):
            self.ask(extra_body={"grammar": f'root ::= r0\n{rules}r20 ::= "x"\n'})
        self.assertTrue(self.ask(max_tokens=4).choices[0].message.content)


if __name__ == "__main__":
    unittest.main()
