package theater

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// JSON is the codec of encoding/json: readable, with fields in the order of the type and maps in the order of their keys. A field that the
// type does not have makes a state unreadable, so that no field of another version gets lost unseen.
var JSON Codec = jsonCodec{}

type jsonCodec struct{}

func (jsonCodec) Marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func (jsonCodec) Unmarshal(state []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(state))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something stands behind the state")
	}
	return nil
}
