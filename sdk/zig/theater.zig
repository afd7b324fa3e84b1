//! What an actor in Zig imports: `const theater = @import("theater");`.
//!
//! An actor is three functions over bytes, in the root file:
//!
//!     pub fn init(config: []const u8) theater.Error![]u8                              the first state
//!     pub fn handle(input: []const u8, state: []u8) theater.Error!theater.Turn       output and new state
//!     pub fn verifyState(state: []const u8) bool
//!
//!     comptime {
//!         theater.actor(@This());
//!     }
//!
//! What to know:
//!
//!   1. The state is the only memory: each turn runs in a fresh instance, and what was allocated is gone after it. So nothing is freed.
//!   2. `handle` may change the state in place and return it. If it rejects, or traps, the state stays as it was before the turn.
//!   3. `return theater.reject("why")` refuses the input. A panic ends the turn as a rejection too, and with
//!
//!          pub const panic = theater.panic;
//!
//!      in the root file the actor's log says which. What the language checks in safe builds alone is not checked: `theater build` builds small.
//!   4. A turn sees only what the chain holds: the functions below answer the same when it is run again by somebody else.
const std = @import("std");

pub const Error = error{ Rejected, OutOfMemory };

/// What `handle` gives.
pub const Turn = struct { output: []const u8, state: []u8 };

var reason: []const u8 = "";

/// Refuses the input with a reason, which is UTF-8.
pub fn reject(why: []const u8) Error {
    reason = why;
    return Error.Rejected;
}

/// Refuses the input with parts of text, one after the other.
pub fn rejectParts(parts: []const []const u8) Error {
    reason = join(parts);
    return Error.Rejected;
}

/// The parts, one after the other.
pub fn join(parts: []const []const u8) []u8 {
    var size: usize = 0;
    for (parts) |part| size += part.len;
    const room = alloc(size);
    var at: usize = 0;
    for (parts) |part| {
        @memcpy(room[at..][0..part.len], part);
        at += part.len;
    }
    return room;
}

// ---- memory ---------------------------------------------------------------------------------------------

extern var __heap_base: u8;
/// Where what was placed last ends; 0: nothing was placed.
var end: usize = 0;

fn take(until: u64) void {
    const have = @as(u64, @wasmMemorySize(0)) * 65536;
    // Not up to 4 GiB, which no address says.
    if (until > std.math.maxInt(u32)) @trap();
    if (until > have and @wasmMemoryGrow(0, @intCast((until - have + 65535) / 65536)) < 0) @trap();
    end = @intCast(until);
}

fn place(size: usize) usize {
    if (end == 0) end = @intFromPtr(&__heap_base);
    const at = (@as(u64, end) + 15) & ~@as(u64, 15);
    take(at + size);
    return @intCast(at);
}

/// Bytes of the turn, zero, aligned to 16. Out of memory ends the turn.
pub fn alloc(size: usize) []u8 {
    if (size == 0) return &.{};
    const pointer: [*]u8 = @ptrFromInt(place(size));
    return pointer[0..size];
}

/// The same bytes with another size: what is new is zero. The last that was allocated grows where it is.
pub fn resize(bytes: []u8, size: usize) []u8 {
    if (size <= bytes.len) return bytes[0..size];
    // Only up to the very end: what was cut off before is not zero, and may still be in use.
    if (bytes.len > 0 and @intFromPtr(bytes.ptr) + bytes.len == end) {
        take(@as(u64, end) + (size - bytes.len));
        return bytes.ptr[0..size];
    }
    const larger = alloc(size);
    @memcpy(larger[0..bytes.len], bytes);
    return larger;
}

fn reallocate(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) ?[*]u8 {
    _ = alignment; // every place is aligned to 16
    if (size == 0) return @ptrFromInt(16);
    const room = alloc(size);
    if (old_size > 0) @memcpy(room[0..@min(old_size, size)], old.?[0..@min(old_size, size)]);
    return room.ptr;
}

// ---- the host -------------------------------------------------------------------------------------------

const Bytes = extern struct { data: [*]u8, size: usize };
const module = "theater:actor/host@0.1.0";

const host = struct {
    const log = @extern(*const fn (u32, [*]const u8, usize) callconv(.c) void, .{ .name = "log", .library_name = module });
    const now = @extern(*const fn () callconv(.c) u64, .{ .name = "now", .library_name = module });
    const random = @extern(*const fn (u32, *Bytes) callconv(.c) void, .{ .name = "random", .library_name = module });
    const selfName = @extern(*const fn (*Bytes) callconv(.c) void, .{ .name = "self-name", .library_name = module });
    const sequence = @extern(*const fn () callconv(.c) u64, .{ .name = "sequence", .library_name = module });
    const source = @extern(*const fn (*Lifted) callconv(.c) void, .{ .name = "source", .library_name = module });
    const send = @extern(*const fn ([*]const u8, usize, [*]const u8, usize) callconv(.c) void, .{ .name = "send", .library_name = module });
    const request = @extern(*const fn ([*]const u8, usize, [*]const u8, usize) callconv(.c) u64, .{ .name = "request", .library_name = module });
};

/// The canonical ABI of input-source: a discriminant, and its payload at 8 because a reply holds a u64.
const Lifted = extern struct { kind: u8 align(8), words: [4]u32 align(8) };

pub const Level = enum(u32) { trace, debug, info, warn, err };

/// A line for whoever operates the actor; it stands in the chain as an effect, also when the turn is rejected. UTF-8.
pub fn log(level: Level, text: []const u8) void {
    host.log(@intFromEnum(level), text.ptr, text.len);
}

/// What a root file makes its `panic`, so that the log says why the turn ended.
pub const panic = std.debug.FullPanic(struct {
    fn call(message: []const u8, _: ?usize) noreturn {
        log(.err, message);
        @trap();
    }
}.call);

/// The turn's time: nanoseconds since the Unix epoch. It does not move within a turn and never goes back.
pub fn now() u64 {
    return host.now();
}

/// The next bytes of the turn's random stream, at most 65,536 in a turn. Whoever has the chain can compute them: they are no secret.
pub fn random(length: u32) []u8 {
    var ret: Bytes = undefined;
    host.random(length, &ret);
    return ret.data[0..ret.size];
}

/// This actor's name.
pub fn selfName() []const u8 {
    var ret: Bytes = undefined;
    host.selfName(&ret);
    return ret.data[0..ret.size];
}

/// The sequence number of the element that this turn will become.
pub fn sequence() u64 {
    return host.sequence();
}

/// Where the input of this turn came from.
pub const Source = union(enum) {
    /// The configuration, in `init`.
    genesis,
    /// A client, with its principal if it was authenticated; an upgrade too.
    client: ?[]const u8,
    /// Another actor's `send` or `request`.
    actor: []const u8,
    /// The answer to this actor's own `request`. Failed: the input is the reason, as text.
    reply: struct { request: u64, failed: bool },
};

fn textAt(data: u32, size: u32) []const u8 {
    const pointer: [*]const u8 = @ptrFromInt(data);
    return pointer[0..size];
}

/// Who sent the input of this turn.
pub fn source() Source {
    var lifted: Lifted = undefined;
    host.source(&lifted);
    const words = lifted.words;
    return switch (lifted.kind) {
        0 => .genesis,
        1 => .{ .client = if (words[0] & 0xff == 0) null else textAt(words[1], words[2]) },
        2 => .{ .actor = textAt(words[0], words[1]) },
        else => .{ .reply = .{ .request = @as(u64, words[1]) << 32 | words[0], .failed = words[2] & 0xff != 0 } },
    };
}

/// Sends a message when this turn is committed; delivered exactly once, and in order for each pair of actors.
pub fn send(to: []const u8, payload: []const u8) void {
    host.send(to.ptr, to.len, payload.ptr, payload.len);
}

/// As `send`, but the target's output, or why it rejected, comes back as a later input, as a reply with this id.
pub fn request(to: []const u8, payload: []const u8) u64 {
    return host.request(to.ptr, to.len, payload.ptr, payload.len);
}

// ---- the actor ------------------------------------------------------------------------------------------

/// The canonical ABI of both results: a discriminant, then pointers and lengths.
const Lowered = extern struct { failed: u32, first: ?[*]const u8, first_size: usize, second: ?[*]const u8, second_size: usize };
var lowered: Lowered = undefined;

fn failure() *const Lowered {
    lowered = .{ .failed = 1, .first = reason.ptr, .first_size = reason.len, .second = null, .second_size = 0 };
    return &lowered;
}

/// Exports the three functions of a namespace under the names of the world.
pub fn actor(comptime Actor: type) void {
    const exports = struct {
        fn init(config: [*]const u8, size: usize) callconv(.c) *const Lowered {
            const state = Actor.init(config[0..size]) catch return failure();
            lowered = .{ .failed = 0, .first = state.ptr, .first_size = state.len, .second = null, .second_size = 0 };
            return &lowered;
        }
        fn handle(input: [*]const u8, input_size: usize, state: [*]u8, size: usize) callconv(.c) *const Lowered {
            const turn = Actor.handle(input[0..input_size], state[0..size]) catch return failure();
            lowered = .{ .failed = 0, .first = turn.output.ptr, .first_size = turn.output.len, .second = turn.state.ptr, .second_size = turn.state.len };
            return &lowered;
        }
        fn verifyState(state: [*]const u8, size: usize) callconv(.c) bool {
            return Actor.verifyState(state[0..size]);
        }
    };
    @export(&exports.init, .{ .name = "theater:actor/actor@0.1.0#init" });
    @export(&exports.handle, .{ .name = "theater:actor/actor@0.1.0#handle" });
    @export(&exports.verifyState, .{ .name = "theater:actor/actor@0.1.0#verify-state" });
    @export(&reallocate, .{ .name = "cabi_realloc" });
}
