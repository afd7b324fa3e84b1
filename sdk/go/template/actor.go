// {{name}}: counts votes.
//
// The configuration is the list of choices, separated by spaces. Inputs: "vote CHOICE", "result".
package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"theater.local/theater"
)

// Poll is the state, which is all that an actor remembers. It is kept as JSON.
type Poll struct {
	Choices []Choice
}

type Choice struct {
	Name  string
	Votes uint64
}

// Init makes the first state.
func (p *Poll) Init(config []byte) error {
	for _, name := range strings.Fields(string(config)) {
		p.Choices = append(p.Choices, Choice{Name: name})
	}
	if len(p.Choices) == 0 {
		return errors.New("no choice is configured")
	}
	return nil
}

// Handle is one turn: the output, or why the input is rejected. After an error the state is as it was before.
func (p *Poll) Handle(input []byte) ([]byte, error) {
	text := string(input)
	if text == "result" {
		return p.result(), nil
	}
	name, votes := strings.CutPrefix(text, "vote ")
	if !votes {
		return nil, errors.New("say: vote CHOICE, or: result")
	}
	for i := range p.Choices {
		if choice := &p.Choices[i]; choice.Name == name {
			choice.Votes++
			return strconv.AppendUint(nil, choice.Votes, 10), nil
		}
	}
	return nil, errors.New("there is no such choice")
}

func (p *Poll) result() []byte {
	var parts []string
	for _, choice := range p.Choices {
		parts = append(parts, fmt.Sprintf("%s=%d", choice.Name, choice.Votes))
	}
	return []byte(strings.Join(parts, " "))
}

// Verify is asked of every new state before it is kept: an error rejects the turn.
func (p *Poll) Verify() error {
	if len(p.Choices) == 0 {
		return errors.New("there is no choice")
	}
	return nil
}

func init() { theater.Register[Poll](theater.JSON) }

func main() {}
