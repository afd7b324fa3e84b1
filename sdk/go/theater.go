// Package theater is what an actor for Theater is written with.
//
// An actor is a type: how it begins, what it does with an input, and how it is kept between turns.
//
//	package main
//
//	import (
//		"errors"
//		"strconv"
//
//		"theater.local/theater"
//	)
//
//	type Counter struct{ Count uint64 }
//
//	func (c *Counter) Init(config []byte) error { return nil }
//
//	func (c *Counter) Handle(input []byte) ([]byte, error) {
//		if string(input) != "add" {
//			return nil, errors.New("say: add")
//		}
//		c.Count++
//		return strconv.AppendUint(nil, c.Count, 10), nil
//	}
//
//	func init() { theater.Register[Counter](theater.JSON) }
//
//	func main() {}
//
// What to know:
//
//  1. The state is the only memory: each turn runs in a fresh instance, and a package's variables are as they were after its init
//     functions. Those run once, when the actor is built: there is no turn then, and calling the host from them fails the build.
//  2. An error, a panic, spent fuel or memory ends the turn as a rejection: the state stays as it was before it, and what was sent in it is
//     dropped. What was logged stays.
//  3. A turn sees only what the chain holds. time.Now is the turn's time and crypto/rand the turn's random stream. The functions of
//     math/rand that use the shared generator were seeded when the actor was built, and give the same numbers in every turn: take [Rand].
//  4. The order of a map is the same when the turn is run again, but another build may have another. The codecs of this package sort, so a
//     state may hold maps.
//  5. Goroutines, channels and sync work, on one thread; all that a turn needs must be done when Handle returns. Nothing can be waited for
//     but another goroutine: time does not move, so time.Sleep and timers never end, which ends the turn.
//
// On the machine itself the same package works with a [TestHost] in the host's place, so `go test` tries an actor's methods.
package theater

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
)

// Actor is what an actor does. Its methods are called on a pointer to its state, which a [Codec] reads and writes.
type Actor interface {
	// Init makes the first state of the zero value, from the configuration.
	Init(config []byte) error

	// Handle is one turn: it changes the state and gives the output. After an error the state is as it was; the error's text is why the
	// input is rejected.
	Handle(input []byte) (output []byte, err error)
}

// Verifier is an actor that looks at each new state before it is kept. An error refuses the state, and with it the turn; its text goes to
// the actor's log.
type Verifier interface {
	Verify() error
}

// Codec says how a state becomes bytes. The same value must give the same bytes, always.
type Codec interface {
	Marshal(value any) ([]byte, error)
	Unmarshal(state []byte, value any) error
}

// Binary is the codec of a type with its own form: encoding.BinaryMarshaler and encoding.BinaryUnmarshaler. UnmarshalBinary may keep the
// bytes that it is given and change them, and MarshalBinary may give them back, so that a large state is worked on where it lies.
var Binary Codec = binaryCodec{}

type binaryCodec struct{}

func (binaryCodec) Marshal(value any) ([]byte, error) {
	own, ok := value.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("%T has no MarshalBinary", value)
	}
	return own.MarshalBinary()
}

func (binaryCodec) Unmarshal(state []byte, value any) error {
	own, ok := value.(encoding.BinaryUnmarshaler)
	if !ok {
		return fmt.Errorf("%T has no UnmarshalBinary", value)
	}
	return own.UnmarshalBinary(state)
}

// The actor of this program, and the last state that it gave in this instance.
var (
	makeActor func() Actor
	codec     Codec
	last      []byte
)

// Register makes T the actor of this program, whose state is kept by a codec. It is called once, in an init function: main is not run.
func Register[T any, P interface {
	*T
	Actor
}](by Codec) {
	if makeActor != nil {
		panic("theater: an actor is registered already")
	}
	makeActor, codec = func() Actor { return P(new(T)) }, by
	warm()
}

// What a codec learns about a type, as encoding/json does, is learnt while the actor is built: it is in the memory with which each turn
// begins. A zero value that cannot be written only means that there is nothing to learn now.
func warm() {
	defer func() { _ = recover() }()
	if state, err := codec.Marshal(makeActor()); err == nil {
		_ = codec.Unmarshal(state, makeActor())
	}
}

// Init gives the first state of the registered actor, as the host would ask for it.
func Init(config []byte) (state []byte, err error) {
	defer caught(&err)
	actor := makeActor()
	if err := actor.Init(config); err != nil {
		return nil, err
	}
	return keep(actor)
}

// Handle runs one turn of the registered actor, as the host would.
func Handle(input, state []byte) (output, after []byte, err error) {
	defer caught(&err)
	actor := makeActor()
	if err := codec.Unmarshal(state, actor); err != nil {
		return nil, nil, fmt.Errorf("the state cannot be read: %w", err)
	}
	if output, err = actor.Handle(input); err != nil {
		return nil, nil, err
	}
	after, err = keep(actor)
	return output, after, err
}

// VerifyState says whether bytes are a state of the registered actor.
func VerifyState(state []byte) (valid bool) {
	var err error
	defer func() { valid = valid && err == nil }()
	defer caught(&err)
	actor := makeActor()
	verifier, verifies := actor.(Verifier)
	// What was just written need not be read again to know that it can be.
	if !verifies && last != nil && bytes.Equal(last, state) {
		return true
	}
	if err := codec.Unmarshal(state, actor); err != nil {
		Log(Warn, "the state is not valid: "+err.Error())
		return false
	}
	if verifies {
		if refusal := verifier.Verify(); refusal != nil {
			Log(Warn, "the state is not valid: "+refusal.Error())
			return false
		}
	}
	return true
}

func keep(actor Actor) ([]byte, error) {
	state, err := codec.Marshal(actor)
	if err != nil {
		return nil, fmt.Errorf("the state cannot be kept: %w", err)
	}
	last = state
	return state, nil
}

// A panic becomes a rejection with its text, and its stack stands in the actor's log: the instance ends with the turn, so nothing that is
// half done stays.
func caught(err *error) {
	if thrown := recover(); thrown != nil {
		message := fmt.Sprint("panic: ", thrown)
		Log(Error, message+"\n"+stack())
		*err = errors.New(message)
	}
}
