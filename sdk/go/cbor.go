package theater

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CBOR is the codec of deterministic CBOR (RFC 8949, section 4.2.1): as JSON, with its tags of fields, and smaller. A number without a
// fraction is an integer where it fits into 64 bits.
var CBOR Codec = cborCodec{}

type cborCodec struct{}

// How deep a value may nest.
const cborDepth = 128

var errCBOR = errors.New("this is not deterministic CBOR")

func (cborCodec) Marshal(value any) ([]byte, error) {
	text, err := JSON.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return nil, err
	}
	return (&cborWriter{whole: value, plain: plain}).value(nil, plain, 0)
}

func (cborCodec) Unmarshal(state []byte, value any) error {
	reader := cborReader{rest: state}
	text, err := reader.value(nil, 0)
	if err != nil {
		return err
	}
	if len(reader.rest) > 0 {
		return errCBOR
	}
	return JSON.Unmarshal(text, value)
}

// ---- writing ------------------------------------------------------------------------------------------------------------------

func putHead(out []byte, major byte, value uint64) []byte {
	major <<= 5
	switch {
	case value < 24:
		return append(out, major|byte(value))
	case value <= math.MaxUint8:
		return append(out, major|24, byte(value))
	case value <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(out, major|25), uint16(value))
	case value <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(out, major|26), uint32(value))
	default:
		return binary.BigEndian.AppendUint64(append(out, major|27), value)
	}
}

// The half-precision form of a value that has one exactly.
func half(value float64) (uint16, bool) {
	bits := math.Float64bits(value)
	sign, exponent, fraction := uint16(bits>>48&0x8000), int(bits>>52&0x7ff)-1023, bits&(1<<52-1)
	switch {
	case exponent == -1023 && fraction == 0:
		return sign, true
	case exponent >= -14 && exponent <= 15 && fraction&(1<<42-1) == 0:
		return sign | uint16(exponent+15)<<10 | uint16(fraction>>42), true
	case exponent >= -24 && exponent < -14:
		// Without a leading one: the fraction stands further right.
		shift, whole := 42+(-14-exponent), fraction|1<<52
		return sign | uint16(whole>>shift), whole&(1<<shift-1) == 0
	}
	return 0, false
}

func putFloat(out []byte, value float64) []byte {
	if short, ok := half(value); ok {
		return binary.BigEndian.AppendUint16(append(out, 0xf9), short)
	}
	if single := float32(value); float64(single) == value {
		return binary.BigEndian.AppendUint32(append(out, 0xfa), math.Float32bits(single))
	}
	return binary.BigEndian.AppendUint64(append(out, 0xfb), math.Float64bits(value))
}

// Writes what encoding/json has made of a value.
type cborWriter struct {
	whole, plain any
	floats       map[string][]float64 // those of the value that count below, by their texts; nil until they are asked for
}

// Whether a float has this text and is another integer than it says: 2^60 is 1152921504606847000 in JSON, the shortest text that gives it
// back. An integer may have that text too; which of them it is, only the value knows.
func isAmbiguous(text string) bool {
	return strings.HasSuffix(text, "0") && (isRounded(text, 64) || isRounded(text, 32))
}

func isRounded(text string, bits int) bool {
	value, err := strconv.ParseFloat(text, bits)
	return err == nil && math.Abs(value) < 1<<64 && strconv.FormatFloat(value, 'f', -1, bits) == text &&
		strconv.FormatFloat(value, 'f', 0, 64) != text
}

// The integer that an ambiguous text stands for.
func (w *cborWriter) exact(text string) (string, error) {
	if w.floats == nil {
		w.floats = make(map[string][]float64)
		w.find(reflect.ValueOf(w.whole))
	}
	floats := w.floats[text]
	switch {
	case len(floats) == 0:
		return text, nil
	case len(floats) < occurrences(w.plain, text):
		return "", fmt.Errorf("a float and an integer of the value are both %s in JSON: they cannot be told apart", text)
	default:
		return strconv.FormatFloat(floats[0], 'f', 0, 64), nil
	}
}

func occurrences(plain any, text string) (count int) {
	switch plain := plain.(type) {
	case json.Number:
		if plain.String() == text {
			return 1
		}
	case []any:
		for _, item := range plain {
			count += occurrences(item, text)
		}
	case map[string]any:
		for _, member := range plain {
			count += occurrences(member, text)
		}
	}
	return count
}

// Collects the floats in what encoding/json looks at, which has an end. What writes itself says what it means.
func (w *cborWriter) find(value reflect.Value) {
	if !value.IsValid() || writesItself(value) {
		return
	}
	switch value.Kind() {
	case reflect.Float32, reflect.Float64:
		number, bits := value.Float(), value.Type().Bits()
		if text := strconv.FormatFloat(number, 'f', -1, bits); isRounded(text, bits) {
			w.floats[text] = append(w.floats[text], number)
		}
	case reflect.Pointer, reflect.Interface:
		w.find(value.Elem())
	case reflect.Slice, reflect.Array:
		for i := range value.Len() {
			w.find(value.Index(i))
		}
	case reflect.Map:
		for members := value.MapRange(); members.Next(); {
			w.find(members.Value())
		}
	case reflect.Struct:
		for i := range value.NumField() {
			field := value.Type().Field(i)
			if field.Tag.Get("json") != "-" && (field.IsExported() || field.Anonymous) {
				w.find(value.Field(i))
			}
		}
	}
}

func writesItself(value reflect.Value) bool {
	kind := value.Type()
	if value.CanAddr() {
		kind = reflect.PointerTo(kind)
	}
	return kind.Implements(reflect.TypeFor[json.Marshaler]()) || kind.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

func (w *cborWriter) number(out []byte, number json.Number) ([]byte, error) {
	text := number.String()
	if strings.Trim(text, "-0123456789") == "" && isAmbiguous(text) {
		var err error
		if text, err = w.exact(text); err != nil {
			return nil, err
		}
	}
	if value, err := strconv.ParseUint(text, 10, 64); err == nil {
		return putHead(out, 0, value), nil
	}
	if value, err := strconv.ParseInt(text, 10, 64); err == nil && value < 0 {
		return putHead(out, 1, uint64(^value)), nil
	}
	value, err := number.Float64()
	if err != nil {
		return nil, err
	}
	// A float of that size stands there without a fraction too; what it does not give back is an integer that would lose digits.
	if strings.Trim(text, "-0123456789") == "" {
		if back, err := json.Marshal(value); err != nil || string(back) != text {
			return nil, errors.New("an integer of more than 64 bits has no place in CBOR")
		}
	}
	return putFloat(out, value), nil
}

func putText(out []byte, text string) []byte {
	return append(putHead(out, 3, uint64(len(text))), text...)
}

func (w *cborWriter) value(out []byte, value any, depth int) ([]byte, error) {
	if depth > cborDepth {
		return nil, errors.New("the value is nested too deep for CBOR")
	}
	var err error
	switch value := value.(type) {
	case nil:
		return append(out, 0xf6), nil
	case bool:
		if value {
			return append(out, 0xf5), nil
		}
		return append(out, 0xf4), nil
	case json.Number:
		return w.number(out, value)
	case string:
		return putText(out, value), nil
	case []any:
		out = putHead(out, 4, uint64(len(value)))
		for _, item := range value {
			if out, err = w.value(out, item, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	default:
		return w.members(out, value.(map[string]any), depth)
	}
}

// Keys stand in the order of their encodings: shorter ones first.
func (w *cborWriter) members(out []byte, members map[string]any, depth int) ([]byte, error) {
	keys := make([]string, 0, len(members))
	for key := range members {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	out = putHead(out, 5, uint64(len(keys)))
	var err error
	for _, key := range keys {
		if out, err = w.value(putText(out, key), members[key], depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ---- reading ------------------------------------------------------------------------------------------------------------------

// Reads CBOR and writes the JSON that means the same, for encoding/json to read.
type cborReader struct{ rest []byte }

func (r *cborReader) take(size uint64) ([]byte, error) {
	if size > uint64(len(r.rest)) {
		return nil, errCBOR
	}
	part := r.rest[:size]
	r.rest = r.rest[size:]
	return part, nil
}

// The argument of a head, in its shortest form.
func (r *cborReader) argument(info byte) (uint64, error) {
	if info < 24 {
		return uint64(info), nil
	}
	if info > 27 {
		return 0, errCBOR
	}
	part, err := r.take(1 << (info - 24))
	if err != nil {
		return 0, err
	}
	var value uint64
	for _, digit := range part {
		value = value<<8 | uint64(digit)
	}
	if least := []uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24]; value < least {
		return 0, errCBOR
	}
	return value, nil
}

func fromHalf(bits uint16) float64 {
	fraction := float64(bits & 0x3ff)
	value := fraction * 0x1p-24
	switch exponent := int(bits >> 10 & 31); exponent {
	case 0:
	case 31:
		return math.Inf(1) // or what is no number: neither has a place in JSON
	default:
		value = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits&0x8000 != 0 {
		return -value
	}
	return value
}

func (r *cborReader) simple(out []byte, info byte) ([]byte, error) {
	var value float64
	var part []byte
	switch info {
	case 20:
		return append(out, "false"...), nil
	case 21:
		return append(out, "true"...), nil
	case 22:
		return append(out, "null"...), nil
	case 25, 26, 27:
		var err error
		part, err = r.take(1 << (info - 24))
		switch {
		case err != nil:
			return nil, err
		case info == 25:
			value = fromHalf(binary.BigEndian.Uint16(part))
		case info == 26:
			value = float64(math.Float32frombits(binary.BigEndian.Uint32(part)))
		default:
			value = math.Float64frombits(binary.BigEndian.Uint64(part))
		}
	default:
		return nil, errCBOR
	}
	shortest := putFloat(nil, value)
	if text, err := json.Marshal(value); err == nil && bytes.Equal(shortest[1:], part) {
		return append(out, text...), nil
	}
	return nil, errCBOR
}

func (r *cborReader) text(out []byte, size uint64) ([]byte, string, error) {
	part, err := r.take(size)
	if err != nil || !utf8.Valid(part) {
		return nil, "", errCBOR
	}
	text, err := JSON.Marshal(string(part))
	return append(out, text...), string(part), err
}

func (r *cborReader) items(out []byte, count uint64, depth int) ([]byte, error) {
	out = append(out, '[')
	var err error
	for i := range count {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = r.value(out, depth); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func (r *cborReader) members(out []byte, count uint64, depth int) ([]byte, error) {
	out = append(out, '{')
	last := ""
	for i := range count {
		if i > 0 {
			out = append(out, ',')
		}
		head, err := r.take(1)
		if err != nil || head[0]>>5 != 3 {
			return nil, errCBOR
		}
		size, err := r.argument(head[0] & 31)
		if err != nil {
			return nil, err
		}
		var key string
		if out, key, err = r.text(out, size); err != nil {
			return nil, err
		}
		if i > 0 && (len(key) < len(last) || len(key) == len(last) && key <= last) {
			return nil, errCBOR
		}
		last = key
		if out, err = r.value(append(out, ':'), depth); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func (r *cborReader) value(out []byte, depth int) ([]byte, error) {
	head, err := r.take(1)
	if err != nil || depth > cborDepth {
		return nil, errCBOR
	}
	major, info := head[0]>>5, head[0]&31
	if major == 7 {
		return r.simple(out, info)
	}
	count, err := r.argument(info)
	if err != nil {
		return nil, err
	}
	switch major {
	case 0:
		return strconv.AppendUint(out, count, 10), nil
	case 1:
		if count > math.MaxInt64 {
			return nil, errCBOR
		}
		return strconv.AppendInt(out, ^int64(count), 10), nil
	case 3:
		out, _, err = r.text(out, count)
		return out, err
	case 4:
		return r.items(out, count, depth+1)
	case 5:
		return r.members(out, count, depth+1)
	default:
		return nil, errCBOR
	}
}
