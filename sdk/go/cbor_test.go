package theater

import (
	"encoding/hex"
	"math"
	"math/big"
	"reflect"
	"testing"
)

type stock struct {
	Title   string            `json:"title"`
	Left    int64             `json:"left"`
	Price   float64           `json:"price"`
	Shelves map[string]uint64 `json:"shelves"`
	Note    *string           `json:"note"`
	Open    []bool            `json:"open"`
}

func aStock() stock {
	return stock{"é<", -5, 1.1, map[string]uint64{"b": 300, "aa": math.MaxUint64, "a": 70000}, nil, []bool{true, false}}
}

func TestAValueInCBORComesBackAndHasOneForm(t *testing.T) {
	state, err := CBOR.Marshal(aStock())
	want := "a6646c65667424646e6f7465f6646f70656e82f5f4657072696365fb3ff199999999999a657469746c6563c3a93c677368656c766573a361611a0001117061621" +
		"9012c6261611bffffffffffffffff"
	if err != nil || hex.EncodeToString(state) != want {
		t.Fatalf("%x %v", state, err)
	}
	var back stock
	if err := CBOR.Unmarshal(state, &back); err != nil || !reflect.DeepEqual(back, aStock()) {
		t.Errorf("%+v %v", back, err)
	}
	for size := range state {
		if CBOR.Unmarshal(state[:size], new(stock)) == nil {
			t.Errorf("the first %d bytes are taken", size)
		}
	}
}

// Values of RFC 8949, appendix A.
func TestNumbersTakeTheShortestForm(t *testing.T) {
	for form, value := range map[string]float64{"00": 0, "f93e00": 1.5, "19ffe0": 65504, "1a000186a0": 100000, "f90001": 5.960464477539063e-8,
		"f90400": 0.00006103515625, "f9c401": -4.00390625, "fb3ff199999999999a": 1.1, "fa47c35040": 100000.5, "3903e7": -1000,
		"1b0020000000000000": 1 << 53, "3bfffffffffffffffe": 0} {
		if form == "3bfffffffffffffffe" {
			bytes, _ := hex.DecodeString(form)
			if CBOR.Unmarshal(bytes, &value) == nil {
				t.Errorf("%s is taken", form)
			}
			continue
		}
		state, err := CBOR.Marshal(value)
		if err != nil || hex.EncodeToString(state) != form {
			t.Errorf("%g is %x, not %s, %v", value, state, form, err)
		}
		var back float64
		if err := CBOR.Unmarshal(state, &back); err != nil || back != value {
			t.Errorf("%s is %g, %v", form, back, err)
		}
	}
}

func TestAnIntegerOfMoreThan64BitsIsRefusedWhereItWouldLoseDigits(t *testing.T) {
	for text, taken := range map[string]bool{"18446744073709551615": true, "18446744073709551616": false, "100000000000000000000": true,
		"-9223372036854775808": true, "-9223372036854775809": false, "123456789012345678901234567890": false} {
		value, _ := new(big.Int).SetString(text, 10)
		state, err := CBOR.Marshal(value)
		if (err == nil) != taken {
			t.Errorf("%s is %x, %v", text, state, err)
		}
		back := new(big.Int)
		if err == nil && (CBOR.Unmarshal(state, back) != nil || back.Cmp(value) != 0) {
			t.Errorf("%s comes back as %s", text, back)
		}
	}
	for _, value := range []any{1e20, -1e19, float32(1.2345679e20), 1e300} {
		if _, err := CBOR.Marshal(value); err != nil {
			t.Errorf("%v: %v", value, err)
		}
	}
}

func TestWhatIsNotDeterministicCBORIsRefused(t *testing.T) {
	// A longer number than need be, keys out of order and twice, a key that is no text, an indefinite length, a tag, bytes, undefined, no
	// UTF-8, something behind it, infinity, no number.
	for _, wrong := range []string{"1801", "a2616201616101", "a2616101616101", "a10101", "9f01ff", "c001", "4101", "f7", "61ff", "0101", "f97c00", "f97e00", "fa7f800000"} {
		bytes, _ := hex.DecodeString(wrong)
		var value any
		if err := CBOR.Unmarshal(bytes, &value); err == nil {
			t.Errorf("%s is taken as %v", wrong, value)
		}
	}
	deep := make([]byte, cborDepth+2)
	for i := range deep {
		deep[i] = 0x81
	}
	var value any
	if CBOR.Unmarshal(append(deep, 1), &value) == nil || CBOR.Unmarshal(append(deep[:cborDepth], 1), &value) != nil {
		t.Error("the bound of nesting")
	}
}
