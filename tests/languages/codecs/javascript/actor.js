// A state in CBOR: see codecs.test.

import { actor, cbor, text } from "theater";

export default actor({
    config: text,
    input: text,
    state: cbor,
    init: (title) => ({ title, left: 0, price: 0.5, shelves: {}, note: null, even: [] }),
    handle(input, state) {
        const [name, digits] = input.split(" "), count = Number(digits);
        state.shelves[name] = count;
        state.left -= count;
        state.price = count + 0.5;
        state.note = count > 0 ? name : null;
        state.even.push(count % 2 === 0);
        return String(state.left);
    },
});
