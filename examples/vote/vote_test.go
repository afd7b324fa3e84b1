package main

import (
	"testing"
	"time"

	"theater.local/theater"
)

// An assembly of three, with the motion that `handle` is asked about.
func assembly(t *testing.T) *Assembly {
	t.Helper()
	a := &Assembly{}
	if err := a.Init([]byte(`{"chair":"carla","voters":{"anna":1,"ben":2,"carla":1},"quorum":2}`)); err != nil {
		t.Fatal(err)
	}
	say(t, a, "carla", `{"open":{"id":"m","title":"?","choices":["yes","no"],"minutes":10}}`)
	return a
}

func say(t *testing.T, a *Assembly, who, input string) {
	t.Helper()
	theater.Test.Source = theater.Source{Kind: theater.Client, Principal: who}
	if _, err := a.Handle([]byte(input)); err != nil {
		t.Fatalf("%s: %v", input, err)
	}
}

func TestWeightDecides(t *testing.T) {
	a := assembly(t)
	say(t, a, "anna", `{"vote":{"motion":"m","choice":"no"}}`)
	say(t, a, "ben", `{"vote":{"motion":"m","choice":"yes"}}`)
	theater.Test.Time += uint64(10 * time.Minute)
	say(t, a, "anna", `{"close":{"motion":"m"}}`)
	if got := a.Motions["m"].Result; got != "yes" {
		t.Errorf("the result is %q", got)
	}
}

func TestAVoteOfNobodyIsNoState(t *testing.T) {
	a := assembly(t)
	a.Motions["m"].Votes["eve"] = "yes"
	if a.Verify() == nil {
		t.Error("a vote of somebody who has none is taken")
	}
}

func TestNothingStandsBehindAnInput(t *testing.T) {
	a := assembly(t)
	theater.Test.Source = theater.Source{Kind: theater.Client, Principal: "anna"}
	for _, behind := range []string{"}", "]", " {}", "x"} {
		if _, err := a.Handle([]byte(`{"tally":{"motion":"m"}}` + behind)); err == nil {
			t.Errorf("%q behind an input was taken", behind)
		}
	}
	if _, err := a.Handle([]byte("{\"tally\":{\"motion\":\"m\"}}\n")); err != nil {
		t.Error(err)
	}
}
