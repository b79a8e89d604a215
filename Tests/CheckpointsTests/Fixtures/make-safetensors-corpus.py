#!/usr/bin/env python3
"""Writes safetensors-corpus.json: small files with the verdict of Hugging Face's `safetensors` crate on each.

    pip install safetensors==0.8.0 && python make-safetensors-corpus.py

"crate" is the crate's verdict, "stricter" names the rule of ours by which a file that the crate accepts is refused.
"""
import json
import pathlib
import struct

import safetensors


def file(header, data=b"", length=None):
    header = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def entries(**tensors):
    return json.dumps(tensors)


F32 = lambda shape, begin, end: tensor("F32", shape, begin, end)
ZEROS = bytes(8)
cases = {
    "empty": (file("{}"), None),
    "padded": (file("{}   "), None),
    "one tensor": (file(entries(a=F32([2], 0, 8)), ZEROS), None),
    "scalar": (file(entries(a=F32([], 0, 4)), bytes(4)), None),
    "empty tensor": (file(entries(a=F32([0, 3], 0, 0))), None),
    "metadata": (file(json.dumps({"__metadata__": {"k": "v"}, "a": F32([2], 0, 8)}), ZEROS), None),
    "unsorted": (file(entries(b=F32([1], 4, 8), a=F32([1], 0, 4)), ZEROS), None),
    "escaped name": (file(b'{"\\u0061":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', ZEROS), None),
    "short file": (b"\x02\0\0\0\0\0\0", None),
    "no header": (file("", length=0), None),
    "claim of 100 MB": (file("{", length=100_000_000), None),
    "claim of 2^64 - 1": (file("{}", length=2**64 - 1), None),
    "array": (file("[]"), None),
    "null": (file("null"), None),
    "malformed": (file('{"a":}'), None),
    "no UTF-8": (file(b'{"\xff":{}}'), None),
    "metadata number": (file('{"__metadata__":{"k":1}}'), None),
    "missing dtype": (file('{"a":{"shape":[],"data_offsets":[0,4]}}', bytes(4)), None),
    "unknown dtype": (file(entries(a=tensor("Q4", [2], 0, 8)), ZEROS), None),
    "negative": (file(entries(a=F32([-1], 0, 4)), bytes(4)), None),
    "fraction": (file(entries(a=F32([1.5], 0, 4)), bytes(4)), None),
    "product wraps": (file(entries(a=F32([2**32, 2**32], 0, 0))), None),
    "bytes wrap": (file(entries(a=F32([2**62], 0, 0))), None),
    "backwards": (file(entries(a=F32([1], 4, 0)), bytes(4)), None),
    "size differs": (file(entries(a=F32([1], 0, 8)), ZEROS), None),
    "hole": (file(entries(a=F32([1], 0, 4), b=F32([1], 8, 12)), bytes(12)), None),
    "overlap": (file(entries(a=F32([2], 0, 8), b=F32([1], 4, 8)), ZEROS), None),
    "too short": (file(entries(a=F32([2], 0, 8)), bytes(7)), None),
    "too long": (file(entries(a=F32([2], 0, 8)), bytes(9)), None),
    "trailing zip": (file("{}", b"PK\x03\x04"), None),
    "leading space": (file(" {}"), "the header begins with {"),
    "trailing newline": (file("{}\n"), "only spaces follow the object"),
    "duplicate name": (
        file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],'
             '"data_offsets":[0,8]}}', ZEROS), "no name occurs twice"),
    "nine dimensions": (file(entries(a=F32([1] * 9, 0, 4)), bytes(4)), "at most 8 dimensions"),
    "long name": (file(entries(**{"n" * 513: F32([2], 0, 8)}), ZEROS), "names of at most 512 bytes"),
    "empty name": (file(entries(**{"": F32([2], 0, 8)}), ZEROS), "no empty names"),
    "unknown key": (
        file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}', ZEROS),
        "only dtype, shape and data_offsets"),
}
corpus = []
for name, (contents, stricter) in cases.items():
    try:
        safetensors.deserialize(contents)
        accepted = True
    except Exception:
        accepted = False
    if stricter and not accepted:
        stricter = None
    corpus.append({"name": name, "hex": contents.hex(), "crate": accepted, "stricter": stricter})
    print("accepted" if accepted else "refused ", name, "; ours: " + stricter if stricter else "")
out = pathlib.Path(__file__).with_name("safetensors-corpus.json")
out.write_text(json.dumps({"safetensors": safetensors.__version__, "cases": corpus}, indent=1) + "\n")
