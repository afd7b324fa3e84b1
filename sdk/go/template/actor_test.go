package main

import "testing"

// `go test` runs the methods on the machine itself; `theater test` runs the component.
func TestVotesAreCounted(t *testing.T) {
	var poll Poll
	if err := poll.Init([]byte("tea coffee")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2"} {
		if got, err := poll.Handle([]byte("vote tea")); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if _, err := poll.Handle([]byte("vote wine")); err == nil {
		t.Error("a vote for what is no choice was counted")
	}
}
