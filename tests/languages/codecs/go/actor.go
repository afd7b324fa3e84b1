// A state in CBOR: see codecs.test.
package main

import (
	"fmt"
	"strconv"

	"theater.local/theater"
)

// Stock is the state.
type Stock struct {
	Title   string            `json:"title"`
	Left    int64             `json:"left"`
	Price   float64           `json:"price"`
	Shelves map[string]uint64 `json:"shelves"`
	Note    *string           `json:"note"`
	Even    []bool            `json:"even"`
}

func (s *Stock) Init(config []byte) error {
	*s = Stock{Title: string(config), Price: 0.5, Shelves: map[string]uint64{}, Even: []bool{}}
	return nil
}

func (s *Stock) Handle(input []byte) ([]byte, error) {
	var name string
	var count uint64
	if _, err := fmt.Sscanf(string(input), "%s %d", &name, &count); err != nil {
		return nil, err
	}
	s.Shelves[name] = count
	s.Left -= int64(count)
	s.Price = float64(count) + 0.5
	s.Note = nil
	if count > 0 {
		s.Note = &name
	}
	s.Even = append(s.Even, count%2 == 0)
	return strconv.AppendInt(nil, s.Left, 10), nil
}

func init() { theater.Register[Stock](theater.CBOR) }

func main() {}
