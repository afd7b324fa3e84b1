// {{name}}: counts votes.
//
// The configuration is the list of choices, separated by spaces. Inputs: "vote CHOICE", "result".
//
// The state, which is all that an actor remembers: a line for each choice, with its votes.
import * as theater from "../.theater/assemblyscript/theater";

class Choice {
  constructor(public name: string, public votes: u64) {}
}

function read(state: Uint8Array): Choice[] {
  const choices: Choice[] = [];
  const lines = theater.textOf(state).split("\n");
  for (let i = 0; i + 1 < lines.length; i++) {
    const parts = lines[i].split(" ");
    choices.push(new Choice(parts[0], U64.parseInt(parts[1])));
  }
  return choices;
}

function write(choices: Choice[]): Uint8Array {
  let text = "";
  for (let i = 0; i < choices.length; i++) text += choices[i].name + " " + choices[i].votes.toString() + "\n";
  return theater.bytesOf(text);
}

/** Makes the first state. */
function init(config: Uint8Array): theater.Result {
  const choices: Choice[] = [];
  const words = theater.textOf(config).split(" ");
  for (let i = 0; i < words.length; i++) if (words[i].length) choices.push(new Choice(words[i], 0));
  return choices.length ? theater.start(write(choices)) : theater.reject("no choice is configured");
}

/** One turn: the output and the new state, or why the input is rejected. */
function handle(input: Uint8Array, state: Uint8Array): theater.Result {
  const text = theater.textOf(input), choices = read(state);
  if (text == "result") {
    const counts: string[] = [];
    for (let i = 0; i < choices.length; i++) counts.push(choices[i].name + "=" + choices[i].votes.toString());
    return theater.reply(counts.join(" "), state);
  }
  if (!text.startsWith("vote ")) return theater.reject("say: vote CHOICE, or: result");
  const name = text.substring(5);
  for (let i = 0; i < choices.length; i++) {
    if (choices[i].name != name) continue;
    choices[i].votes++;
    return theater.reply(choices[i].votes.toString(), write(choices));
  }
  return theater.reject("there is no such choice");
}

/** Asked of every new state before it is kept: a turn whose state is not valid is rejected. */
function verifyState(state: Uint8Array): bool {
  return state.length > 0;
}

theater.actor(init, handle, verifyState);
export { theater_init, theater_handle, theater_verify_state, theater_realloc } from "../.theater/assemblyscript/theater";
