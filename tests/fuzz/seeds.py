#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets, made of the published vectors: seeds.py FOLDER."""

import json
from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/independent"))
import cbor  # noqa: E402


def put_texts(put):
    put("json", "values", b'{"a":[1,-0,18446744073709551615,1.5e3,true,false,null],"\\u00e9\\ud83d\\ude00":"\\n\\"x","base64":"AAE="}')
    put("json", "deep", b"[" * 40 + b"]" * 40)
    put("json", "cut", b'{"a":"\\ud83d')
    put("json", "empty", b" {} ")
    token = b"tok-0123456789abcdef write 1700000000000000000 " + b"0f" * 32
    put("tokens", "two", token + b" of a service\n" + token.replace(b"write", b"read") + "é\n".encode())
    put("tokens", "cut", token)
    put("tokens", "zero", token + b" a\0b\n")
    put("script", "all", b"""# a conversation
case counting
config tea coffee
at 2026-01-01T00:00:00.5Z
from client anna
> vote tea
< 1
? result
=> bank {"hold":5}
-> bank x
log info counted
state tea=1
root """ + b"5" * 64 + b"""
fuel 457
at +10s
from reply 65537
>:hex 00ff
!:string "two\\nlines"
<:json {"b":1, "a":[2]}
""")
    put("script", "bad", b">:hex 0\n<:nothing\n")


def put_server(put):
    host = b"Host: localhost\r\n"
    put("http", "get", b"GET /v1/actors?limit=2 HTTP/1.1\r\n" + host + b"\r\n")
    put("http", "two", (b"GET /v1/version HTTP/1.1\r\n" + host + b"\r\n") * 2)
    put("http", "message", b"POST /v1/actors/a/messages HTTP/1.1\r\n" + host + b"Content-Length: 3\r\nIdempotency-Key: k\r\n\r\ninc")
    put("http", "chunks", b"POST /v1/actors/a/messages/stream HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n3\r\ninc\r\n0\r\n\r\n")
    put("http", "trailers", b"POST /v1/nothing HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n3\r\ninc\r\n0\r\nName: value\r\n\r\n")
    put("http", "start", b"POST /v1/actors HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\nContent-Length: 41\r\n\r\n"
        b'{"name":"a","component":{"base64":"AGE="}}')
    put("http", "path", b"GET /v1/actors/%41%2e%2F/elements/9?x=%zz&from=+ HTTP/1.0\r\n\r\n")
    put("http", "smuggle", b"POST /v1/drain HTTP/1.1\r\n" + host + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    put("http", "other", b"HEAD / HTTP/1.1\r\n" + host + b"Accept-Encoding: gzip\r\nIf-None-Match: \"x\"\r\n\r\n")
    put("http", "none", b"\x16\x03\x01\x02\x00")
    text = b'{"op":"query","id":2,"actor":"a","input":"get"}'
    put("websocket", "text", bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    put("websocket", "parts", bytes([0x01, 0x81, 1, 2, 3, 4]) + b"z" + bytes([0x89, 0x80, 0, 0, 0, 0]) + bytes([0x80, 0x81, 0, 0, 0, 0]) + b"}")
    put("websocket", "close", bytes([0x88, 0x82, 0, 0, 0, 0, 3, 232]))
    put("websocket", "long", bytes([0x82, 0x80 | 127, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]))
    put("websocket", "unmasked", bytes([0x81, 2]) + b"{}")
    put("commands", "all", b"""{"op":"send","id":1,"actor":"counter","input":"inc","key":"k"}
{"op":"query","id":"q","actor":"counter","input":{"base64":"AAE="}}
{"op":"subscribe","id":"s","from":0}
{"op":"subscribe","id":"t","actor":"a","from":18446744073709551615}
{"op":"unsubscribe","id":"s"}
""")
    put("commands", "bad", b'{"op":1}\n[]\n{"op":"send"\n\n{"op":"subscribe","id":"' + b"x" * 100 + b'"}')


def main():
    folder, vectors = Path(sys.argv[1]), json.loads((ROOT / "tests/vectors/vectors.json").read_text())

    def put(target, name, data):
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)

    for number, turn in enumerate(vectors["chain"]):
        put("element", f"vector-{number}", bytes.fromhex(turn["element"]))
        put("effects", f"vector-{number}", bytes([number, 0]) + bytes.fromhex(turn["effects"]))
        fields = cbor.item(bytes.fromhex(turn["element"]))[0]
        if fields[3] == 2:
            put("rejection", f"vector-{number}", bytes.fromhex(turn["output"]))
        if fields[3] in (0, 3):
            put("descriptor", f"vector-{number}", bytes.fromhex(turn["input"]))
    for number, case in enumerate(vectors["refused_as_element_1"]):
        put("element", f"refused-{number}", bytes.fromhex(case["element"]))
    note, key = vectors["checkpoint"]["note"], vectors["checkpoint"]["verifier_key"]
    put("checkpoint", "vector", note.encode())
    put("key", "vector", key.encode())
    bundle = bytes.fromhex(vectors["bundle"])
    put("bundle", "vector", bundle)
    put("relinked", "vector", bundle)
    put("segment", "nothing", b"")
    put("segment", "header", bytes([3, 0, 7, 0]))
    put("segment", "cut", bytes([200, 0, 0, 255]))
    put("manifest", "full", b"name: ledger\ncomponent: build/ledger.wasm\nconfig: '{\"start\":41}'\nlimits:\n  fuel: 1000\n  memory: 64MiB\n")
    put("manifest", "file", b"name: a.b\ncomponent: x\nconfig-file: y\n")
    put("manifest", "bad", b"name: [a\n- : {\n")
    put_texts(put)
    put_server(put)


if __name__ == "__main__":
    main()
