// Asks Go's library, and the host, for what no chain holds by itself.
package main

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"log"
	"math/rand"
	randv2 "math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"theater.local/theater"
)

// Probe is the state: what was seen when it was asked for first.
type Probe struct {
	Seen map[string]string
}

// What a package's variables hold is made when the actor is built.
var built = time.Now().UTC()

func (p *Probe) Init(config []byte) error {
	p.Seen = map[string]string{}
	return nil
}

// Whether something is as it was when it was asked for first.
func (p *Probe) again(name string, value any) string {
	text := fmt.Sprint(value)
	before, seen := p.Seen[name]
	p.Seen[name] = text
	switch {
	case !seen:
		return "first"
	case before == text:
		return "the same"
	default:
		return "another"
	}
}

func order() (keys []int) {
	numbers := map[int]bool{}
	for n := range 50 {
		numbers[n] = true
	}
	for n := range numbers {
		keys = append(keys, n)
	}
	return keys
}

// Works on many goroutines, which all end before the turn does.
func together() int {
	var group sync.WaitGroup
	var lock sync.Mutex
	sum, numbers := 0, make(chan int)
	for range 4 {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range numbers {
				lock.Lock()
				sum += n
				lock.Unlock()
			}
		}()
	}
	for n := range 100 {
		numbers <- n
	}
	close(numbers)
	group.Wait()
	return sum
}

func sixteen() []byte {
	bytes := make([]byte, 16)
	crand.Read(bytes)
	return bytes
}

func (p *Probe) library(input string) (string, error) {
	switch input {
	case "clock":
		start := time.Now()
		return fmt.Sprint(start.UTC(), " ", time.Since(start), " ", theater.Now().Equal(start)), nil
	case "built":
		return built.Format(time.RFC3339), nil
	case "sleep":
		time.Sleep(time.Millisecond)
		return "slept", nil
	case "deadlock":
		<-make(chan int)
		return "", nil
	case "math/rand":
		return p.again(input, rand.Int63()), nil
	case "math/rand/v2":
		return p.again(input, randv2.Uint64()), nil
	case "crypto/rand":
		return p.again(input, sixteen()), nil
	case "theater.Rand":
		return p.again(input, theater.Rand().Uint64()), nil
	case "seed":
		return fmt.Sprint(rand.New(rand.NewSource(7)).Intn(1000000)), nil
	case "order":
		return p.again(input, order()), nil
	case "goroutines":
		return fmt.Sprint(together()), nil
	case "file":
		_, err := os.ReadFile("/etc/hostname")
		return fmt.Sprint(err != nil, " ", len(os.Environ()), " ", len(os.Args)), nil
	case "grow":
		// Room for a state of any size, in which the runtime may grow its heap and begin a collection, which look at the clock.
		before := len(p.Seen["large"])
		p.Seen["large"] = strings.Repeat("x", max(1000, before*3))
		return fmt.Sprint(before), nil
	case "garbage":
		for range 200 {
			_ = append(make([]byte, 1<<18), 1)
		}
		return "collected", nil
	}
	return "", errors.New("no such probe")
}

func source() string {
	from := theater.From()
	switch from.Kind {
	case theater.Client:
		return "client " + from.Principal
	case theater.FromActor:
		return "actor " + from.Actor
	case theater.Reply:
		return fmt.Sprint("reply ", from.Request, " ", from.Failed)
	}
	return "genesis"
}

func (p *Probe) Handle(input []byte) ([]byte, error) {
	text := string(input)
	switch text {
	case "host":
		text = fmt.Sprint(theater.Now().UnixNano(), " ", len(theater.Random(4)), " ", string(theater.Random(8)) != string(theater.Random(8)))
	case "source":
		text = fmt.Sprint(source(), " ", theater.Name(), " ", theater.Sequence())
	case "send":
		theater.Log(theater.Warn, "sending")
		theater.Send("other", []byte("a message"))
		text = fmt.Sprint(theater.Request("other", []byte("a request")))
	case "print":
		fmt.Println("printed")
		log.SetFlags(0)
		log.Println("logged")
	case "panic":
		var none map[string]int
		none["a"] = 1
	case "broken":
		return nil, errors.New("not \xff text")
	case "empty":
		return nil, nil
	default:
		var err error
		if text, err = p.library(text); err != nil {
			return nil, err
		}
	}
	return []byte(text), nil
}

func init() { theater.Register[Probe](theater.JSON) }

func main() {}
