// {{name}}: counts votes.
//
// The configuration is the list of choices, separated by spaces. Inputs: "vote CHOICE", "result".

import { actor, Reject, text } from "theater";

/** All that the actor remembers. It is kept as JSON with sorted members. */
type State = { choice: string; votes: number }[];

export default actor<State, string, string>({
    config: text,
    input: text,

    /** Makes the first state. */
    init(config) {
        const choices = config.split(" ").filter((choice) => choice !== "");
        if (choices.length === 0)
            throw new Reject("no choice is configured");
        return choices.map((choice) => ({ choice, votes: 0 }));
    },

    /** One turn: changes the state and returns the output, or throws why the input is rejected. */
    handle(input, state) {
        const [word, choice] = input.split(" ");
        if (word === "result")
            return state.map(({ choice, votes }) => `${choice}=${votes}`).join(" ");
        if (word !== "vote")
            throw new Reject("say: vote CHOICE, or: result");
        const found = state.find((entry) => entry.choice === choice);
        if (!found)
            throw new Reject("there is no such choice");
        found.votes += 1;
        return String(found.votes);
    },

    /** Asked of every new state before it is kept: a turn whose state is not valid is rejected. */
    verify: (state) => state.length > 0 && state.every(({ votes }) => Number.isInteger(votes) && votes >= 0),
});
