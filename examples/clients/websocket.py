#!/usr/bin/env python3
"""Sends messages to an actor over a WebSocket and follows its chain, with nothing but Python's standard library.

    websocket.py HOST:PORT ACTOR INPUT...

Prints the answer to each input, then the elements that these inputs made, as they come. Set THEATER_TOKEN where the server wants a token.
Programs that have a WebSocket library at hand need only `connect`, `send` and `receive` of it in the place of the class.
"""

import base64
import hashlib
import json
import os
import socket
import struct
import sys


class WebSocket:
    """RFC 6455, a client's half: text messages that come in one frame, as Theater's do."""

    def __init__(self, host, port, path, token=None):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        status = self.stream.readline().decode().strip()
        headers = dict(line.decode().strip().lower().split(": ", 1) for line in iter(self.stream.readline, b"\r\n"))
        wanted = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        if " 101 " not in status or headers.get("sec-websocket-accept") != wanted.lower():
            raise ConnectionError(f"no WebSocket: {status}")

    def frame(self, opcode, payload):
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack(">H", size) if size < 65536 \
            else bytes([0xFF]) + struct.pack(">Q", size)
        mask = os.urandom(4)
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def send(self, **message):
        self.frame(1, json.dumps(message).encode())

    def receive(self):
        while True:
            first, size = self.stream.read(2)
            if size == 126:
                size = struct.unpack(">H", self.stream.read(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.stream.read(8))[0]
            payload = self.stream.read(size)
            if first & 15 == 9:  # a ping wants its pong
                self.frame(10, payload)
            elif first & 15 == 8:
                raise ConnectionError(f"the server closed: {payload[2:].decode()}")
            elif first & 15 == 1:
                return json.loads(payload)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    host, _, port = sys.argv[1].rpartition(":")
    actor, inputs = sys.argv[2], sys.argv[3:]
    socket = WebSocket(host, int(port), "/v1/websocket", os.environ.get("THEATER_TOKEN"))
    # Subscribed first, so that the elements of all inputs come; answers and events come as they are durable, in one stream.
    socket.send(op="subscribe", id="chain", actor=actor)
    message = socket.receive()
    if message["op"] != "subscribed":
        sys.exit(message["message"])
    for number, text in enumerate(inputs):
        socket.send(op="send", id=number, actor=actor, input=text)
    answers, events = {}, []
    while len(answers) < len(inputs) or len(events) < sum("sequence" in answer for answer in answers.values()):
        message = socket.receive()
        if message["op"] == "answer":
            answers[int(message["id"])] = message
        elif message["op"] == "event":
            events.append(message["event"])
        elif message["op"] == "error":
            sys.exit(message["message"])
    for number, text in enumerate(inputs):
        answer = answers[number]
        print(f"{text} -> {answer['output'] if answer['status'] == 'ok' else answer['status'] + ': ' + answer['message']}")
    for event in events:
        print(f"element {event['sequence']} {event['type']} {event['hash']}")


if __name__ == "__main__":
    main()
