// vote: motions on which a known group votes, by weight, until each is closed; with tallies that anyone can check.
//
// Who votes is who sent the input: the client's principal, which stands on the chain, and which no input can claim. README.md has the inputs.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"theater.local/theater"
)

const (
	motionsMax = 1000
	titleMax   = 200
)

// Assembly is the state: who may vote, and what about. It is kept as JSON; maps stand in it by the order of their keys.
type Assembly struct {
	Chair   string             `json:"chair"`
	Voters  map[string]uint64  `json:"voters"`
	Quorum  uint64             `json:"quorum"`
	Motions map[string]*Motion `json:"motions"`
}

// Motion is one question, and what was answered so far.
type Motion struct {
	Title   string            `json:"title"`
	Choices []string          `json:"choices"`
	Closes  time.Time         `json:"closes"`
	Votes   map[string]string `json:"votes"` // voter -> choice
	Result  string            `json:"result,omitempty"`
}

// Request is an input: one of its members is there.
type Request struct {
	Open *struct {
		ID      string   `json:"id"`
		Title   string   `json:"title"`
		Choices []string `json:"choices"`
		Minutes uint64   `json:"minutes"`
	} `json:"open"`
	Vote *struct {
		Motion string `json:"motion"`
		Choice string `json:"choice"`
	} `json:"vote"`
	Close *struct {
		Motion string `json:"motion"`
	} `json:"close"`
	Tally *struct {
		Motion string `json:"motion"`
	} `json:"tally"`
}

// Tally is what is answered of a motion.
type Tally struct {
	Motion string            `json:"motion"`
	Title  string            `json:"title"`
	Counts map[string]uint64 `json:"counts"`
	Voted  uint64            `json:"voted"`
	Of     uint64            `json:"of"`
	Open   bool              `json:"open"`
	Result string            `json:"result,omitempty"`
}

// Reads one JSON value, and no member that is not known: a misspelt one would count for nothing.
func read(text []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil {
		return err
	}
	// Not More, which asks for another value only: a stray brace would pass.
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something stands behind the input")
	}
	return nil
}

// Init reads {"chair":"carla","voters":{"anna":1,"ben":2},"quorum":2}.
func (a *Assembly) Init(config []byte) error {
	if err := read(config, a); err != nil {
		return fmt.Errorf("the configuration: %w", err)
	}
	if a.Motions != nil {
		return errors.New("the configuration: motions are opened by inputs")
	}
	a.Motions = map[string]*Motion{}
	return a.Verify()
}

// Handle is one request.
func (a *Assembly) Handle(input []byte) ([]byte, error) {
	var request Request
	if err := read(input, &request); err != nil {
		return nil, err
	}
	from := theater.From()
	if from.Kind != theater.Client {
		return nil, errors.New("only people vote")
	}
	var id string
	var err error
	switch {
	case request.Open != nil:
		id, err = request.Open.ID, a.open(from.Principal, &request)
	case request.Vote != nil:
		id, err = request.Vote.Motion, a.vote(from.Principal, request.Vote.Motion, request.Vote.Choice)
	case request.Close != nil:
		id, err = request.Close.Motion, a.close(from.Principal, request.Close.Motion)
	case request.Tally != nil:
		id = request.Tally.Motion
	default:
		return nil, errors.New("say open, vote, close or tally")
	}
	if err != nil {
		return nil, err
	}
	tally, err := a.tally(id)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tally)
}

func (a *Assembly) motion(id string) (*Motion, error) {
	motion, ok := a.Motions[id]
	if !ok {
		return nil, fmt.Errorf("there is no motion %q", id)
	}
	return motion, nil
}

// The weight of all who may vote.
func (a *Assembly) weight() (sum uint64) {
	for _, weight := range a.Voters {
		sum += weight
	}
	return sum
}

func (a *Assembly) open(who string, request *Request) error {
	open := request.Open
	_, there := a.Motions[open.ID]
	switch {
	case who != a.Chair:
		return errors.New("only the chair opens a motion")
	case there:
		return fmt.Errorf("motion %q was opened before", open.ID)
	case open.ID == "" || open.Title == "" || len(open.ID)+len(open.Title) > titleMax:
		return fmt.Errorf("a motion has an id and a title, of %d bytes at most", titleMax)
	case open.Minutes < 1 || open.Minutes > 60*24*366:
		return errors.New("a motion is open for 1 minute to a year")
	case len(a.Motions) == motionsMax:
		return fmt.Errorf("there are %d motions already", motionsMax)
	}
	a.Motions[open.ID] = &Motion{
		Title:   open.Title,
		Choices: open.Choices,
		Closes:  theater.Now().Add(time.Duration(open.Minutes) * time.Minute),
		Votes:   map[string]string{},
	}
	return a.Motions[open.ID].verify(a)
}

// A vote may be changed as long as the motion is open; the last one counts.
func (a *Assembly) vote(who, id, choice string) error {
	motion, err := a.motion(id)
	switch {
	case err != nil:
		return err
	case who == "":
		return errors.New("a vote needs a name: who are you?")
	case a.Voters[who] == 0:
		return fmt.Errorf("%s has no vote", who)
	case !motion.open():
		return errors.New("the motion is closed")
	case !motion.has(choice):
		return fmt.Errorf("%q is none of the choices %q", choice, motion.Choices)
	}
	motion.Votes[who] = choice
	return nil
}

// Closing writes the result down. The chair may close a motion before its time when all have voted; afterwards anyone may.
func (a *Assembly) close(who, id string) error {
	motion, err := a.motion(id)
	if err != nil {
		return err
	}
	tally, err := a.tally(id)
	switch {
	case err != nil:
		return err
	case motion.Result != "":
		return errors.New("the motion is closed")
	case motion.open() && (who != a.Chair || tally.Voted < tally.Of):
		return fmt.Errorf("the motion is open until %s, or until all have voted", motion.Closes.Format(time.RFC3339))
	}
	motion.Result = tally.decide(motion, a.Quorum)
	theater.Log(theater.Info, fmt.Sprintf("motion %s: %s", id, motion.Result))
	return nil
}

func (a *Assembly) tally(id string) (*Tally, error) {
	motion, err := a.motion(id)
	if err != nil {
		return nil, err
	}
	tally := &Tally{Motion: id, Title: motion.Title, Counts: map[string]uint64{}, Of: a.weight(), Open: motion.open(), Result: motion.Result}
	for _, choice := range motion.Choices {
		tally.Counts[choice] = 0
	}
	for voter, choice := range motion.Votes {
		tally.Counts[choice] += a.Voters[voter]
		tally.Voted += a.Voters[voter]
	}
	return tally, nil
}

// The choice with more than half of what was cast, when enough was cast.
func (t *Tally) decide(motion *Motion, quorum uint64) string {
	if t.Voted < quorum {
		return "no quorum"
	}
	for _, choice := range motion.Choices {
		if 2*t.Counts[choice] > t.Voted {
			return choice
		}
	}
	return "no majority"
}

func (m *Motion) open() bool { return m.Result == "" && theater.Now().Before(m.Closes) }

func (m *Motion) has(choice string) bool {
	for _, one := range m.Choices {
		if one == choice {
			return true
		}
	}
	return false
}

func (m *Motion) verify(a *Assembly) error {
	if len(m.Choices) < 2 || len(m.Choices) > 20 {
		return errors.New("a motion has 2 to 20 choices")
	}
	for i, choice := range m.Choices {
		if choice == "" || (&Motion{Choices: m.Choices[:i]}).has(choice) {
			return errors.New("a choice is empty, or there twice")
		}
	}
	for voter, choice := range m.Votes {
		if a.Voters[voter] == 0 || !m.has(choice) {
			return fmt.Errorf("a vote of %q for %q", voter, choice)
		}
	}
	return nil
}

// Verify is asked of every new state: each vote is of a voter, for a choice.
func (a *Assembly) Verify() error {
	if a.Chair == "" || len(a.Voters) == 0 || len(a.Voters) > 10000 {
		return errors.New("an assembly has a chair and 1 to 10,000 voters")
	}
	for voter, weight := range a.Voters {
		if voter == "" || weight < 1 || weight > 1e9 {
			return errors.New("a voter has a name and a weight of 1 to 1,000,000,000")
		}
	}
	for id, motion := range a.Motions {
		if motion == nil {
			return fmt.Errorf("motion %q is nothing", id)
		}
		if err := motion.verify(a); err != nil {
			return fmt.Errorf("motion %q: %w", id, err)
		}
	}
	return nil
}

func init() { theater.Register[Assembly](theater.JSON) }

func main() {}
