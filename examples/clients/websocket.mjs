#!/usr/bin/env node
// Sends messages to an actor over a WebSocket and follows its chain.
//
//     websocket.mjs HOST:PORT ACTOR INPUT...
//
// Prints the answer to each input, then the elements that these inputs made, as they come. Set THEATER_TOKEN where the
// server wants a token. Browsers, and Node from version 22 on, have the class WebSocket: `connect` is for older ones, and
// for tokens, which that class cannot send.
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";

/** A client's half of RFC 6455 on Node's standard library: text messages that come in one frame, as Theater's do. */
function connect(host, path, token, onMessage) {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString("base64");
    const headers = { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13" };
    if (token) headers.Authorization = `Bearer ${token}`;
    const asked = request(`http://${host}${path}`, { headers });
    asked.on("error", reject);
    asked.on("response", (answer) => reject(new Error(`no WebSocket: ${answer.statusCode}`)));
    asked.on("upgrade", (answer, socket, head) => {
      const wanted = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      if (answer.headers["sec-websocket-accept"] !== wanted) return reject(new Error("no WebSocket"));
      const frame = (opcode, payload) => {
        const size = payload.length;
        const length = size < 126 ? Buffer.from([0x80 | size]) : Buffer.alloc(size < 65536 ? 3 : 9);
        if (size >= 65536) length.writeBigUInt64BE(BigInt(size), 1);
        else if (size >= 126) length.writeUInt16BE(size, 1);
        if (size >= 126) length[0] = 0x80 | (size < 65536 ? 126 : 127);
        const mask = randomBytes(4);
        socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, payload.map((byte, i) => byte ^ mask[i % 4])]));
      };
      let buffer = head;
      const read = () => {
        while (buffer.length >= 2) {
          let size = buffer[1] & 127, at = 2;
          if (size === 126) [size, at] = buffer.length >= 4 ? [buffer.readUInt16BE(2), 4] : [Infinity, 4];
          else if (size === 127) [size, at] = buffer.length >= 10 ? [Number(buffer.readBigUInt64BE(2)), 10] : [Infinity, 10];
          if (buffer.length < at + size) return;
          const opcode = buffer[0] & 15, payload = buffer.subarray(at, at + size);
          buffer = buffer.subarray(at + size);
          if (opcode === 9) frame(10, payload); // a ping wants its pong
          else if (opcode === 8) socket.end();
          else if (opcode === 1) onMessage(JSON.parse(payload));
        }
      };
      socket.on("data", (data) => { buffer = Buffer.concat([buffer, data]); read(); });
      resolve({ send: (message) => frame(1, Buffer.from(JSON.stringify(message))), close: () => socket.end() });
      read();
    });
    asked.end();
  });
}

const [host, actor, ...inputs] = process.argv.slice(2);
if (!inputs.length) {
  console.error("websocket.mjs HOST:PORT ACTOR INPUT...");
  process.exit(2);
}
const answers = new Map(), events = [];
const socket = await connect(host, "/v1/websocket", process.env.THEATER_TOKEN, (message) => {
  if (message.op === "subscribed") inputs.forEach((input, id) => socket.send({ op: "send", id, actor, input }));
  else if (message.op === "answer") answers.set(Number(message.id), message);
  else if (message.op === "event") events.push(message.event);
  else if (message.op === "error") throw new Error(message.message);
  const made = [...answers.values()].filter((answer) => answer.sequence !== undefined).length;
  if (answers.size === inputs.length && events.length >= made) {
    inputs.forEach((input, number) => {
      const answer = answers.get(number);
      console.log(`${input} -> ${answer.status === "ok" ? answer.output : `${answer.status}: ${answer.message}`}`);
    });
    for (const event of events) console.log(`element ${event.sequence} ${event.type} ${event.hash}`);
    socket.close();
  }
});
// Subscribed first, so that the elements of all inputs come; answers and events come as they are durable, in one stream.
socket.send({ op: "subscribe", id: "chain", actor });
