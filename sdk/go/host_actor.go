//go:build wasip1

package theater

import "unsafe"

// The canonical ABI by hand: strings and lists go in as a pointer and a length, and come back in a place that the caller names. A pointer
// is 8 bytes in Go and 4 in WebAssembly, so what comes back is read as numbers.

//go:wasmimport theater:actor/host@0.1.0 log
func importLog(level uint32, message string)

//go:wasmimport theater:actor/host@0.1.0 now
func hostNow() uint64

//go:wasmimport theater:actor/host@0.1.0 random
func importRandom(length uint32, ret unsafe.Pointer)

//go:wasmimport theater:actor/host@0.1.0 self-name
func importName(ret unsafe.Pointer)

//go:wasmimport theater:actor/host@0.1.0 sequence
func hostSequence() uint64

//go:wasmimport theater:actor/host@0.1.0 source
func importSource(ret unsafe.Pointer)

//go:wasmimport theater:actor/host@0.1.0 send
func importSend(to string, payload unsafe.Pointer, size uint32)

//go:wasmimport theater:actor/host@0.1.0 request
func importRequest(to string, payload unsafe.Pointer, size uint32) uint64

func hostLog(level Level, message string) { importLog(uint32(level), message) }

func bytesAt(at, size uint32) []byte {
	if size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(at))), size)
}

func hostRandom(length uint32) []byte {
	var ret [2]uint32
	importRandom(length, unsafe.Pointer(&ret))
	return bytesAt(ret[0], ret[1])
}

func hostName() string {
	var ret [2]uint32
	importName(unsafe.Pointer(&ret))
	return string(bytesAt(ret[0], ret[1]))
}

// The variant: which one it is in the first byte, and what it holds from the eighth, because a reply holds a u64.
func hostSource() Source {
	var ret [3]uint64
	importSource(unsafe.Pointer(&ret))
	words := (*[6]uint32)(unsafe.Pointer(&ret))
	switch source := (Source{Kind: SourceKind(words[0])}); source.Kind {
	case Client:
		if words[2]&0xff != 0 {
			source.Principal = string(bytesAt(words[3], words[4]))
		}
		return source
	case FromActor:
		source.Actor = string(bytesAt(words[2], words[3]))
		return source
	case Reply:
		source.Request, source.Failed = ret[1], words[4]&0xff != 0
		return source
	default:
		return source
	}
}

func hostSend(to string, payload []byte) {
	importSend(to, unsafe.Pointer(unsafe.SliceData(payload)), uint32(len(payload)))
}

func hostRequest(to string, payload []byte) uint64 {
	return importRequest(to, unsafe.Pointer(unsafe.SliceData(payload)), uint32(len(payload)))
}

// What the host asks room for, kept so that the collector does not take it while only the host knows of it.
var rooms [][]byte

// Says to sdk/wasi-stub that the host cannot be called. The runtime asks for the time when the heap grows or a collection begins.
//
//go:wasmimport wasi_snapshot_preview1 theater_placing
func importPlacing(placing uint32)

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, alignment, size uint32) unsafe.Pointer {
	if size == 0 {
		return unsafe.Pointer(uintptr(alignment))
	}
	importPlacing(1)
	// Go aligns what has 8 bytes or more to 8; the host asks for no more.
	room := make([]byte, max(size, 8))
	if oldSize > 0 {
		copy(room, unsafe.Slice((*byte)(old), min(oldSize, size)))
	}
	rooms = append(rooms, room)
	importPlacing(0)
	return unsafe.Pointer(unsafe.SliceData(room))
}

// The result of a call: whether it failed, then pointers and lengths. What they point at is kept beside them.
var (
	lowered [5]uint32
	given   [2][]byte
)

func lower(err error, first, second []byte) unsafe.Pointer {
	lowered[0] = 0
	if err != nil {
		lowered[0] = 1
		first, second = reason(err), nil
	}
	given = [2][]byte{first, second}
	for i, part := range given {
		lowered[1+2*i] = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(part))))
		lowered[2+2*i] = uint32(len(part))
	}
	return unsafe.Pointer(&lowered)
}

//go:wasmexport theater:actor/actor@0.1.0#init
func exportInit(config unsafe.Pointer, size uint32) unsafe.Pointer {
	state, err := Init(unsafe.Slice((*byte)(config), size))
	return lower(err, state, nil)
}

//go:wasmexport theater:actor/actor@0.1.0#handle
func exportHandle(input unsafe.Pointer, inputSize uint32, state unsafe.Pointer, size uint32) unsafe.Pointer {
	output, after, err := Handle(unsafe.Slice((*byte)(input), inputSize), unsafe.Slice((*byte)(state), size))
	return lower(err, output, after)
}

//go:wasmexport theater:actor/actor@0.1.0#verify-state
func exportVerifyState(state unsafe.Pointer, size uint32) uint32 {
	if VerifyState(unsafe.Slice((*byte)(state), size)) {
		return 1
	}
	return 0
}
