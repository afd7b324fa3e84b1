//go:build !wasip1

package theater

import "math/rand/v2"

// TestHost stands in the host's place when an actor's methods run on the machine itself, in `go test`. Set what a turn should see, and look
// at what it did.
type TestHost struct {
	Time   uint64 // nanoseconds since the Unix epoch
	Seed   uint64 // of the random stream
	Self   string // the actor's name
	Number uint64 // of the element
	Source Source

	Logged []Logged
	Sent   []Sent

	stream *rand.ChaCha8
}

// Logged is a line that an actor logged.
type Logged struct {
	Level   Level
	Message string
}

// Sent is a message that an actor sent.
type Sent struct {
	To      string
	Payload []byte
	Request uint64 // 0 for a Send
}

// Test is the host that the functions of this package ask.
var Test = &TestHost{Time: 1767225600000000000, Self: "test", Number: 1, Source: Source{Kind: Client}}

func hostLog(level Level, message string) { Test.Logged = append(Test.Logged, Logged{level, message}) }
func hostNow() uint64                     { return Test.Time }
func hostName() string                    { return Test.Self }
func hostSequence() uint64                { return Test.Number }
func hostSource() Source                  { return Test.Source }

func hostRandom(length uint32) []byte {
	if Test.stream == nil {
		var seed [32]byte
		for i := range 8 {
			seed[i] = byte(Test.Seed >> (8 * i))
		}
		Test.stream = rand.NewChaCha8(seed)
	}
	out := make([]byte, length)
	Test.stream.Read(out)
	return out
}

func hostSend(to string, payload []byte) {
	Test.Sent = append(Test.Sent, Sent{To: to, Payload: append([]byte(nil), payload...)})
}

func hostRequest(to string, payload []byte) uint64 {
	place := uint64(1)
	for _, sent := range Test.Sent {
		if sent.Request>>16 == Test.Number {
			place++
		}
	}
	id := Test.Number<<16 + place
	Test.Sent = append(Test.Sent, Sent{To: to, Payload: append([]byte(nil), payload...), Request: id})
	return id
}
