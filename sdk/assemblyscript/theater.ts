// What an actor in AssemblyScript imports: `import * as theater from "../.theater/assemblyscript/theater";`.
//
// An actor is three functions over bytes, in assembly/index.ts, which also hands on the SDK's own exports:
//
//     function init(config: Uint8Array): theater.Result
//     function handle(input: Uint8Array, state: Uint8Array): theater.Result
//     function verifyState(state: Uint8Array): bool
//
//     theater.actor(init, handle, verifyState);
//     export { theater_init, theater_handle, theater_verify_state, theater_realloc } from "../.theater/assemblyscript/theater";
//
// What to know:
//
//   1. The state is the only memory: each turn runs in a fresh instance, and what was allocated is gone after it.
//   2. `handle` may change the state in place and return it. If it rejects, or traps, the state stays as it was before the turn. What is
//      thrown cannot be caught: it ends the turn, and the actor's log says why and where.
//   3. A turn sees only what the chain holds: the functions below answer the same when it is run again by somebody else. `Date.now` and
//      `Math.random` do not compile to anything that could be run: the component would be refused.

@external("theater:actor/host@0.1.0", "log")
declare function hostLog(level: u32, text: usize, size: usize): void;
@external("theater:actor/host@0.1.0", "now")
declare function hostNow(): u64;
@external("theater:actor/host@0.1.0", "random")
declare function hostRandom(length: u32, ret: usize): void;
@external("theater:actor/host@0.1.0", "self-name")
declare function hostSelfName(ret: usize): void;
@external("theater:actor/host@0.1.0", "sequence")
declare function hostSequence(): u64;
@external("theater:actor/host@0.1.0", "source")
declare function hostSource(ret: usize): void;
@external("theater:actor/host@0.1.0", "send")
declare function hostSend(to: usize, toSize: usize, payload: usize, size: usize): void;
@external("theater:actor/host@0.1.0", "request")
declare function hostRequest(to: usize, toSize: usize, payload: usize, size: usize): u64;

// ---- bytes ----------------------------------------------------------------------------------------------

/** The UTF-8 of a text. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

/** The text that UTF-8 means. */
export function textOf(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

/** A copy of what the runtime placed in memory. */
function taken(data: usize, size: usize): Uint8Array {
  const bytes = new Uint8Array(<i32>size);
  memory.copy(bytes.dataStart, data, size);
  return bytes;
}

// Where the host writes the pointer and length of an answer, or a source.
const area = memory.data(24, 8);

function answer(): Uint8Array {
  return taken(load<u32>(area), load<u32>(area, 4));
}

// ---- the host -------------------------------------------------------------------------------------------

export enum Level { Trace, Debug, Info, Warn, Error }

/** A line for whoever operates the actor; it stands in the chain as an effect, also when the turn is rejected. */
export function log(level: Level, text: string): void {
  const bytes = bytesOf(text);
  hostLog(level, bytes.dataStart, bytes.length);
}

/** Called by the compiled code (asc --use abort=) for what is thrown and for what the language checks. */
export function aborted(message: string | null, file: string | null, line: u32, column: u32): void {
  const why = message === null ? "abort" : message;
  const place = file === null ? "" : " (" + file + ":" + line.toString() + ":" + column.toString() + ")";
  log(Level.Error, why + place);
  unreachable();
}

/** The turn's time: nanoseconds since the Unix epoch. It does not move within a turn and never goes back. */
export function now(): u64 {
  return hostNow();
}

/** The next bytes of the turn's random stream, at most 65,536 in a turn. Whoever has the chain can compute them: they are no secret. */
export function random(length: u32): Uint8Array {
  hostRandom(length, area);
  return answer();
}

/** This actor's name. */
export function name(): string {
  hostSelfName(area);
  return textOf(answer());
}

/** The sequence number of the element that this turn will become. */
export function sequence(): u64 {
  return hostSequence();
}

export enum From { Genesis, Client, Actor, Reply }

/** Where the input of this turn came from. */
export class Source {
  /** Of a client: its principal, null when it was not authenticated. Of an actor: its name. */
  name: string | null = null;
  /** Of a reply: what `request` returned. */
  request: u64 = 0;
  /** Of a reply: the input is the reason of a rejection, as text. */
  failed: bool = false;
  constructor(public from: From) {}
}

/** Who sent the input of this turn. */
export function source(): Source {
  hostSource(area);
  const source = new Source(<From>load<u8>(area));
  if (source.from == From.Client && load<u8>(area, 8)) source.name = textOf(taken(load<u32>(area, 12), load<u32>(area, 16)));
  if (source.from == From.Actor) source.name = textOf(taken(load<u32>(area, 8), load<u32>(area, 12)));
  if (source.from == From.Reply) {
    source.request = load<u64>(area, 8);
    source.failed = load<u8>(area, 16) != 0;
  }
  return source;
}

/** Sends a message when this turn is committed; delivered exactly once, and in order for each pair of actors. */
export function send(to: string, payload: Uint8Array): void {
  const target = bytesOf(to);
  hostSend(target.dataStart, target.length, payload.dataStart, payload.length);
}

/** As `send`, but the target's output, or why it rejected, comes back as a later input, as a reply with this id. */
export function request(to: string, payload: Uint8Array): u64 {
  const target = bytesOf(to);
  return hostRequest(target.dataStart, target.length, payload.dataStart, payload.length);
}

// ---- the actor ------------------------------------------------------------------------------------------

/** What `init` and `handle` return. Made by the functions below. */
export class Result {
  constructor(public rejected: bool, public output: Uint8Array, public state: Uint8Array) {}
}

/** `init`: the first state. */
export function start(state: Uint8Array): Result {
  return new Result(false, new Uint8Array(0), state);
}

/** `handle`: the output and the new state. */
export function reply(output: string, state: Uint8Array): Result {
  return new Result(false, bytesOf(output), state);
}

/** The same with an output that is no text. */
export function replyBytes(output: Uint8Array, state: Uint8Array): Result {
  return new Result(false, output, state);
}

/** Either: the input is refused, and why. The state stays as it was; messages sent in this turn are dropped. */
export function reject(why: string): Result {
  return new Result(true, bytesOf(why), new Uint8Array(0));
}

let initFunction: (config: Uint8Array) => Result = (config: Uint8Array): Result => reject("theater.actor was not called");
let handleFunction: (input: Uint8Array, state: Uint8Array) => Result = (input: Uint8Array, state: Uint8Array): Result =>
  reject("theater.actor was not called");
let verifyFunction: (state: Uint8Array) => bool = (state: Uint8Array): bool => false;

/** Names the three functions. Called once, at the top level of assembly/index.ts. */
export function actor(
  init: (config: Uint8Array) => Result,
  handle: (input: Uint8Array, state: Uint8Array) => Result,
  verify: (state: Uint8Array) => bool,
): void {
  initFunction = init;
  handleFunction = handle;
  verifyFunction = verify;
}

// The canonical ABI of both results: a discriminant, padded to four bytes, then pointers and lengths.
const lowered = memory.data(20, 8);

function lower(result: Result, both: bool): usize {
  const first = both || result.rejected ? result.output : result.state;
  store<u32>(lowered, result.rejected ? 1 : 0);
  store<u32>(lowered, first.dataStart, 4);
  store<u32>(lowered, first.length, 8);
  store<u32>(lowered, result.state.dataStart, 12);
  store<u32>(lowered, result.state.length, 16);
  return lowered;
}

export function theater_init(config: usize, size: usize): usize {
  return lower(initFunction(taken(config, size)), false);
}

export function theater_handle(input: usize, inputSize: usize, state: usize, size: usize): usize {
  return lower(handleFunction(taken(input, inputSize), taken(state, size)), true);
}

export function theater_verify_state(state: usize, size: usize): bool {
  return verifyFunction(taken(state, size));
}

export function theater_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  const room = heap.alloc(size);
  if (oldSize) memory.copy(room, old, min(oldSize, size));
  return room;
}
