// chat-room: rooms and members, each an actor of its own, all of this one component.
//
// A member is whom a person's client talks to; it asks rooms to let it in, says things there, and keeps what it hears. A
// room knows its members and passes on what one says to all of them, in one order. Inputs stand in README.md.

import { actor, json, now, Reject, request, send, source } from "theater";

const MEMBERS = 1000; // of a room
const HEARD = 200; // messages that a member keeps
const TEXT = 2000; // characters of a message

function check(condition, reason) {
    if (!condition)
        throw new Reject(reason);
}

/** A text that may be said. Whoever is told one checks it: a member may be an actor of another component. */
function checkText(text) {
    check(typeof text === "string" && text !== "" && text.length <= TEXT, `a message has 1 to ${TEXT} characters`);
}

/** Not `in`, which also finds what every object has: an actor may be called `constructor`. */
const isMember = (name, state) => Object.hasOwn(state.members, name);

/** The actor that sent this input; a client is refused. */
function sender() {
    const from = source();
    check(from.kind === "actor", "only a member may say this to a room");
    return from.name;
}

// ---- a room ---------------------------------------------------------------------------------------------------------

const room = {
    join({ display }, state) {
        const name = sender();
        check(typeof display === "string" && display !== "" && display.length <= 64, "a name has 1 to 64 characters");
        check(isMember(name, state) || Object.keys(state.members).length < MEMBERS, "the room is full");
        check(!Object.entries(state.members).some(([other, known]) => other !== name && known === display),
            `there is another ${display} in the room`);
        state.members[name] = display;
        check(isMember(name, state), "nobody is let in by this name"); // `__proto__` is no member of an object
        return { topic: state.topic, members: Object.values(state.members).sort() };
    },

    leave(_, state) {
        const name = sender();
        check(isMember(name, state), "you are not in the room");
        delete state.members[name];
    },

    say({ text }, state) {
        const name = sender();
        check(isMember(name, state), "you are not in the room");
        checkText(text);
        state.said += 1;
        const heard = { number: state.said, from: state.members[name], text, at: now().toISOString() };
        for (const member of Object.keys(state.members))
            send(member, { heard });
        return { number: state.said };
    },

    who: (_, state) => ({ topic: state.topic, members: Object.values(state.members).sort(), said: state.said }),
};

// ---- a member -------------------------------------------------------------------------------------------------------

const member = {
    /** From a client: asks a room to let it in. The room's answer comes to `reply`. */
    join({ room: name }, state) {
        state.asked[request(name, { join: { display: state.display } })] = { room: name, join: true };
    },

    leave({ room: name }, state) {
        check(state.rooms.includes(name), `you are not in ${name}`);
        state.rooms = state.rooms.filter((other) => other !== name);
        send(name, { leave: {} });
    },

    say({ room: name, text }, state) {
        check(state.rooms.includes(name), `you are not in ${name}`);
        checkText(text);
        state.asked[request(name, { say: { text } })] = { room: name, join: false };
    },

    /** From a room. */
    heard(message, state) {
        const from = source();
        check(from.kind === "actor" && state.rooms.includes(from.name), "you are in no such room");
        state.heard.push({ ...message, room: from.name }); // last, so that no room speaks for another
        state.heard.splice(0, state.heard.length - HEARD);
    },

    read: ({ room: name }, state) => state.heard.filter((message) => name === undefined || message.room === name),
    rooms: (_, state) => ({ rooms: state.rooms, refused: state.refused }),
};

/** What a room answered to a request. */
function answered(value, state, { request: id, failed }) {
    const asked = state.asked[id];
    delete state.asked[id];
    check(asked, "this was not asked for");
    if (failed)
        state.refused = `${asked.room}: ${value}`;
    else if (asked.join && !state.rooms.includes(asked.room))
        state.rooms.push(asked.room);
}

// ---- the actor ------------------------------------------------------------------------------------------------------

const kinds = { room, member };

export default actor({
    config: json,
    input: json,

    init(config) {
        const { topic, display } = config ?? {};
        if (typeof topic === "string")
            return { kind: "room", topic, members: {}, said: 0 };
        check(typeof display === "string" && display !== "", 'the configuration is {"topic":"tea"} or {"display":"Anna"}');
        return { kind: "member", display, rooms: [], asked: {}, heard: [], refused: null };
    },

    handle(input, state) {
        const [word, ...others] = Object.keys(input ?? {});
        const known = kinds[state.kind];
        check(word !== undefined && others.length === 0 && Object.hasOwn(known, word),
            `a ${state.kind} knows: ${Object.keys(known).join(", ")}`);
        return known[word](input[word] ?? {}, state);
    },

    reply: answered,

    verify: (state) =>
        state.kind === "room"
            ? Object.keys(state.members).length <= MEMBERS && Number.isSafeInteger(state.said)
            : state.kind === "member" && state.heard.length <= HEARD,
});
