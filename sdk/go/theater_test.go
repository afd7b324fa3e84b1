package theater

import (
	"errors"
	"strings"
	"testing"
)

type counter struct {
	Count map[string]int
}

func (c *counter) Init(config []byte) error {
	c.Count = map[string]int{"b": 0, "a": 0}
	return nil
}

func (c *counter) Handle(input []byte) ([]byte, error) {
	c.Count[string(input)]++
	switch string(input) {
	case "panic":
		panic("on purpose")
	case "error":
		return nil, errors.New("refused")
	}
	Request("other", input)
	return input, nil
}

func (c *counter) Verify() error {
	if c.Count["z"] > 0 {
		return errors.New("no z")
	}
	return nil
}

func init() { Register[counter](JSON) }

func TestAStateIsKeptAndHasOneForm(t *testing.T) {
	state, err := Init(nil)
	if err != nil || string(state) != `{"Count":{"a":0,"b":0}}` {
		t.Fatalf("%s %v", state, err)
	}
	output, after, err := Handle([]byte("a"), state)
	if err != nil || string(output) != "a" || string(after) != `{"Count":{"a":1,"b":0}}` || !VerifyState(after) {
		t.Fatalf("%s %s %v", output, after, err)
	}
	if sent := Test.Sent[len(Test.Sent)-1]; sent.To != "other" || sent.Request != Test.Number<<16+uint64(len(Test.Sent)) {
		t.Errorf("sent %+v", sent)
	}
}

func TestAnErrorAndAPanicReject(t *testing.T) {
	state, _ := Init(nil)
	if _, _, err := Handle([]byte("error"), state); err == nil || err.Error() != "refused" {
		t.Errorf("%v", err)
	}
	_, _, err := Handle([]byte("panic"), state)
	logged := Test.Logged[len(Test.Logged)-1]
	if err == nil || err.Error() != "panic: on purpose" || logged.Level != Error || !strings.Contains(logged.Message, "Handle") {
		t.Errorf("%v, logged %+v", err, logged)
	}
}

func TestWhatIsNoStateIsRefused(t *testing.T) {
	for _, wrong := range []string{"", "{", `{"Count":{}}x`, `{"Other":1}`, `{"Count":{"z":1}}`} {
		if VerifyState([]byte(wrong)) {
			t.Errorf("%s is taken", wrong)
		}
		if logged := Test.Logged[len(Test.Logged)-1]; logged.Level != Warn || !strings.HasPrefix(logged.Message, "the state is not valid: ") {
			t.Errorf("%s: logged %+v", wrong, logged)
		}
	}
	if _, _, err := Handle([]byte("a"), []byte("{")); err == nil {
		t.Error("a turn on what is no state")
	}
}

func TestRandomNumbersFollowTheStream(t *testing.T) {
	Test = &TestHost{Seed: 1}
	first := Rand().Uint64()
	if first == Rand().Uint64() {
		t.Error("two generators of one turn are the same")
	}
	Test = &TestHost{Seed: 1}
	if first != Rand().Uint64() {
		t.Error("the same stream gives other numbers")
	}
}
