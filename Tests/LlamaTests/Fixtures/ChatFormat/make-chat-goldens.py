#!/usr/bin/env python3
"""Makes goldens.json: chats as the published templates render them, and their ids in small vocabularies.

    pip install jinja2==3.1.6 tokenizers==0.23.3 sentencepiece==0.2.3
    python make-chat-goldens.py FOLDER

FOLDER holds Meta's templates meta-llama-Llama-3.1-8B-Instruct.jinja, meta-llama-Llama-3.2-3B-Instruct.jinja and
meta-llama-Llama-3.3-70B-Instruct.jinja, which are not part of this repository. The templates of SmolLM2 and
TinyLlama (Apache-2.0) stand below; those of Llama 3 and Llama 2 are written after their documentation. Templates
are rendered as Hugging Face transformers does. The vocabularies are the fixtures of TokenizersTests.
"""

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import sentencepiece
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

HERE = Path(__file__).parent
VOCABULARIES = HERE.parents[2] / "TokenizersTests" / "Fixtures"
DATE = "26 Jul 2024"
OTHER_DATE = "03 Nov 2026"

SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CHATML = SMOLLM2.replace("{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n' }}", "")
TINYLLAMA = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' "
    "+ message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
LLAMA2 = (
    "{% set system = '' %}{% if messages[0]['role'] == 'system' %}"
    "{% set system = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' %}{% set messages = messages[1:] %}{% endif %}"
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + ((system if loop.first else '') + message['content']) | trim + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] | trim + ' ' + eos_token }}{% endif %}{% endfor %}"
)

CHATS = {
    "question": [("user", "What is the capital of France?")],
    "system and question": [("system", "You are terse."), ("user", "Who are you?")],
    "conversation": [
        ("system", "You are a helpful assistant."), ("user", "Hi!"), ("assistant", "Hello. How can I help?"),
        ("user", "Tell me a story\nin two lines."), ("assistant", "Once upon a time.\nThe end."), ("user", "Again, please."),
    ],
    "white space": [("system", "  Be brief. \n"), ("user", "\n\n  12 + 30?\t"), ("assistant", " 42\n\n"), ("user", "\u00a0 Why?\u3000\n")],
    "many languages": [("user", "Übersetze: 猫が窓から外を見ています。🚀"), ("assistant", "Die Katze schaut aus dem Fenster."), ("user", "И по-русски?")],
    "empty": [("user", "")],
}
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The \"weather\" in a city, in °C.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}}, "required": ["city"]}}}
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}, "required": []}}}
CALL = {"name": "get_weather", "arguments": {"city": "São Paulo", "days": 2, "exact": True, "more": [1.5, None, {}]}}
# Chats with functions, which the published templates alone have.
TOOL_CHATS = {
    "tools": ([WEATHER, CLOCK], [("system", "Be brief."), ("user", " How is the weather?\n")]),
    "tools without system": ([CLOCK], [("user", "What time is it?")]),
    "call and result": ([WEATHER], [
        ("user", "Weather in São Paulo?"), ("assistant", CALL), ("tool", '{"sky": "blue"}\n'), ("assistant", "Blue."), ("user", "Thanks!")]),
    "result without tools": ([], [("user", "Weather?"), ("assistant", CALL), ("tool", "dry")]),
}
UNFINISHED = {"answered": [("user", "One?"), ("assistant", "Two."), ("user", "Three?"), ("assistant", "Four.")]}


def message(role: str, content) -> dict:
    if isinstance(content, dict):
        return {"role": role, "content": None, "tool_calls": [{"type": "function", "function": content}]}
    return {"role": role, "content": content}


def render(template: str, chat, date: str, opens_answer: bool, bos: str, eos: str, tools=None) -> str:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    # As transformers has it: no HTML, names in their order.
    environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
    return environment.from_string(template).render(
        messages=[message(role, content) for role, content in chat], add_generation_prompt=opens_answer,
        bos_token=bos, eos_token=eos, date_string=date, **({"tools": tools} if tools else {}))


def sentencepiece_ids(processor, text: str) -> list[int]:
    ids = []
    for part in re.split("(<s>|</s>)", text):
        if part:
            ids += [processor.piece_to_id(part)] if part in ("<s>", "</s>") else processor.encode(part)
    return ids


def main() -> None:
    folder = Path(sys.argv[1])
    published = {name: (folder / f"meta-llama-{name}-Instruct.jinja").read_text() for name in ("Llama-3.1-8B", "Llama-3.2-3B", "Llama-3.3-70B")}
    llama3 = Tokenizer.from_file(str(VOCABULARIES / "llama3.json"))
    smollm = Tokenizer.from_file(str(VOCABULARIES / "smollm.json"))
    processor = sentencepiece.SentencePieceProcessor(model_file=str(VOCABULARIES / "sentencepiece.model"))
    fast = lambda tokenizer: lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    spm = lambda text: sentencepiece_ids(processor, text)
    # format, template, vocabulary, its ids, bos, eos, what the sequence begins with beside the template's text
    formats = [(name, text, "llama3", fast(llama3), "<|begin_of_text|>", "<|eot_id|>", []) for name, text in published.items()]
    formats += [
        ("Llama-3", LLAMA3, "llama3", fast(llama3), "<|begin_of_text|>", "<|eot_id|>", []),
        ("SmolLM2", SMOLLM2, "smollm", fast(smollm), "<|im_start|>", "<|im_end|>", []),
        ("ChatML", CHATML, "smollm", fast(smollm), "<|im_start|>", "<|im_end|>", []),
        ("TinyLlama", TINYLLAMA, "sentencepiece", spm, "<s>", "</s>", [1]),
        ("Llama-2", LLAMA2, "sentencepiece", spm, "<s>", "</s>", []),
    ]
    goldens = []
    for name, template, vocabulary, ids, bos, eos, prefix in formats:
        for opens_answer, chats in ((True, CHATS), (False, UNFINISHED)):
            for title, chat in chats.items():
                for date in (DATE, OTHER_DATE) if name.startswith("Llama-3.") and title == "question" else (DATE,):
                    text = render(template, chat, date, opens_answer, bos, eos)
                    goldens.append({
                        "format": name, "chat": title, "vocabulary": vocabulary, "date": date, "opensAnswer": opens_answer,
                        "turns": [{"role": role, "content": content} for role, content in chat],
                        "text": text, "ids": prefix + ids(text),
                    })
    for name, template in published.items():
        for title, (tools, chat) in TOOL_CHATS.items():
            text = render(template, chat, DATE, True, "<|begin_of_text|>", "<|eot_id|>", tools)
            goldens.append({
                "format": name, "chat": title, "vocabulary": "llama3", "date": DATE, "opensAnswer": True,
                "tools": [json.dumps(tool, ensure_ascii=False) for tool in tools],
                "turns": [
                    {"role": role, "content": "", "call": {"name": content["name"], "arguments": json.dumps(content["arguments"], ensure_ascii=False)}}
                    if isinstance(content, dict) else {"role": role, "content": content} for role, content in chat],
                "text": text, "ids": fast(llama3)(text),
            })
    packages = ("jinja2", "tokenizers", "sentencepiece")
    result = {
        "provenance": {"script": "make-chat-goldens.py", **{package: version(package) for package in packages}},
        # Enough of each template to recognise it by: the marks, not the program.
        "marks": {
            "Llama-3": "<|start_header_id|> <|end_header_id|>", "SmolLM2": SMOLLM2, "ChatML": CHATML, "TinyLlama": TINYLLAMA, "Llama-2": "[INST] <<SYS>>",
            **{name: "<|start_header_id|> <|end_header_id|> Cutting Knowledge Date" for name in published},
        },
        "goldens": goldens,
    }
    (HERE / "goldens.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


main()
