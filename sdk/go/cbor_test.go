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

// encoding/json writes the shortest text that gives a float back, which from 2^53 on may be that of another integer.
func TestALargeFloatIsTheIntegerThatItIs(t *testing.T) {
	type pair struct {
		Float float64
		Other any
	}
	for form, value := range map[string]any{"1b1000000000000000": float64(1 << 60), "1b1000000000000078": uint64(1152921504606847096),
		"1b1000000000000018": uint64(1152921504606847000), "3b0fffffffffffffff": -float64(1 << 60), "1b8000000000000000": float32(1 << 63),
		"1bfffffffffffff800": float64(math.MaxUint64 - 2047), "fa5f800000": float64(1 << 64), "1b016345785d8a0000": 1e17} {
		state, err := CBOR.Marshal(value)
		if err != nil || hex.EncodeToString(state) != form {
			t.Errorf("%v is %x, not %s, %v", value, state, form, err)
		}
		back := reflect.New(reflect.TypeOf(value))
		if err := CBOR.Unmarshal(state, back.Interface()); err != nil || back.Elem().Interface() != value {
			t.Errorf("%v comes back as %v, %v", value, back.Elem(), err)
		}
	}
	state, err := CBOR.Marshal([]any{pair{1 << 60, float64(1 << 60)}, map[string]*float64{"a": new(float64)}, big.NewInt(1 << 60)})
	if want := "83a265466c6f61741b1000000000000000654f746865721b1000000000000000a16161001b1000000000000000"; err != nil ||
		hex.EncodeToString(state) != want {
		t.Errorf("%x %v", state, err)
	}
	// One text, two integers.
	for _, other := range []any{uint64(1152921504606847000), big.NewInt(1152921504606847000), []int64{1152921504606847000}} {
		if state, err := CBOR.Marshal(pair{1 << 60, other}); err == nil {
			t.Errorf("%x is written for 2^60 beside %v", state, other)
		}
	}
}

func TestWhatIsNotDeterministicCBORIsRefused(t *testing.T) {
	// A longer number than need be, keys out of order and twice, a key that is no text, an indefinite length, a tag, bytes, undefined, no
	// UTF-8, something behind it, infinity, no number, longer floats than need be.
	for _, wrong := range []string{"1801", "a2616201616101", "a2616101616101", "a10101", "9f01ff", "c001", "4101", "f7", "61ff", "0101", "f97c00", "f97e00", "fa7f800000",
		"fa3fc00000", "fb3ff8000000000000", "fb40f86a0000000000"} {
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
