// Asks AssemblyScript's library, and the host, for what no chain holds by itself. A clock or a random number of the library's is not among
// it: they import functions that no actor has, and the component is refused.
import * as theater from "../.theater/assemblyscript/theater";

function source(): string {
  const source = theater.source(), name = source.name;
  if (source.from == theater.From.Client) return name ? "client " + name : "client";
  if (source.from == theater.From.Actor) return "actor " + name!;
  return source.from == theater.From.Reply ? "reply " + source.request.toString() + " " + source.failed.toString() : "genesis";
}

function order(): string {
  const map = new Map<string, i32>();
  map.set("b", 1);
  map.set("a", 2);
  map.set("c", 3);
  return map.keys().join(" ");
}

function same(a: Uint8Array, b: Uint8Array): bool {
  for (let i = 0; i < a.length; i++) if (a[i] != b[i]) return false;
  return true;
}

function init(config: Uint8Array): theater.Result {
  return theater.start(new Uint8Array(0));
}

function handle(input: Uint8Array, state: Uint8Array): theater.Result {
  const text = theater.textOf(input);
  if (text == "hash") return theater.reply(order(), state);
  if (text == "host") {
    const other = !same(theater.random(8), theater.random(8));
    return theater.reply(theater.now().toString() + " " + theater.random(4).length.toString() + " " + other.toString(), state);
  }
  if (text == "source") return theater.reply(source() + " " + theater.name() + " " + theater.sequence().toString(), state);
  if (text == "throw") throw new Error("on purpose");
  if (text != "send") return theater.reject("no such probe");
  theater.log(theater.Level.Warn, "sending");
  theater.send("other", theater.bytesOf("a message"));
  return theater.reply(theater.request("other", theater.bytesOf("a request")).toString(), state);
}

function verifyState(state: Uint8Array): bool {
  return true;
}

theater.actor(init, handle, verifyState);
export { theater_init, theater_handle, theater_verify_state, theater_realloc } from "../.theater/assemblyscript/theater";
