package theater

import (
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"
)

// Level of a log line.
type Level uint8

const (
	Trace Level = iota
	Debug
	Info
	Warn
	Error
)

// Log writes a line for whoever operates the actor. It stands on the chain as an effect of the turn, also when the turn is rejected.
// What is not UTF-8 is replaced. What is printed by fmt is logged too (Info), as is what goes to standard error (Warn).
func Log(level Level, message string) { hostLog(level, strings.ToValidUTF8(message, "\uFFFD")) }

// Now is the turn's time, in UTC. It does not move within a turn and never goes back. time.Now gives the same.
func Now() time.Time { return time.Unix(0, int64(hostNow())).UTC() }

// Random gives the next bytes of the turn's random stream, at most 65,536 in a turn, more ends it. Whoever has the chain can compute them:
// they are no secret.
func Random(length int) []byte {
	if length < 0 || length > 65536 {
		panic("theater: at most 65536 random bytes in a turn")
	}
	return hostRandom(uint32(length))
}

// Rand makes a generator that is seeded by 32 bytes of the turn's random stream.
func Rand() *rand.Rand {
	return rand.New(rand.NewChaCha8([32]byte(Random(32))))
}

// Name is this actor's name.
func Name() string { return hostName() }

// Sequence is the sequence number of the element that this turn will become.
func Sequence() uint64 { return hostSequence() }

// SourceKind says what sort of sender an input has.
type SourceKind uint8

const (
	Genesis   SourceKind = iota // the configuration, in Init
	Client                      // a client; an upgrade too
	FromActor                   // another actor's Send or Request
	Reply                       // the answer to this actor's own Request
)

// Source is where the input of a turn came from.
type Source struct {
	Kind      SourceKind
	Principal string // of a client that was authenticated; "" otherwise
	Actor     string // the other actor's name
	Request   uint64 // the id of the request that this answers
	Failed    bool   // it was rejected, and the input is why, as text
}

// From says who sent the input of this turn.
func From() Source { return hostSource() }

// Send sends a message when this turn is committed; delivered exactly once, and in order for each pair of actors. A name that is none, or
// a payload over the limit, ends the turn.
func Send(to string, payload []byte) { hostSend(to, payload) }

// Request does as Send, but the target's output, or why it rejected, comes back as a later input: a Reply with this id.
func Request(to string, payload []byte) uint64 { return hostRequest(to, payload) }

// The calls between a panic and its recovery say nothing to the reader.
func stack() string {
	text := string(debug.Stack())
	if at := strings.Index(text, "\npanic("); at >= 0 {
		text = text[at+1:]
		for range 2 {
			if end := strings.IndexByte(text, '\n'); end >= 0 {
				text = text[end+1:]
			}
		}
	}
	return strings.TrimRight(text, "\n")
}

// The text of a rejection, which is UTF-8.
func reason(err error) []byte { return []byte(strings.ToValidUTF8(err.Error(), "\uFFFD")) }
