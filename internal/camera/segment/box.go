package segment

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// ErrForm is returned for bytes that are not as this package writes them.
var ErrForm = errors.New("not a recorded segment")

// Scale is the number of ticks of a second in all files.
const Scale = 90000

// Ticks is a duration in the scale of the files.
func Ticks(d time.Duration) int64 {
	return int64(math.Round(float64(d) * Scale / float64(time.Second)))
}

// Duration is the time that ticks take.
func Duration(ticks int64) time.Duration {
	return time.Duration(ticks/Scale)*time.Second + time.Duration(ticks%Scale)*time.Second/Scale
}

// box is one box inside a slice: its type, and what is behind its head.
type box struct {
	kind string
	body []byte
	size int
}

// next reads the box at the start of b.
func next(b []byte) (box, error) {
	if len(b) < 8 {
		return box{}, ErrForm
	}
	size := int(binary.BigEndian.Uint32(b))
	if size < 8 || size > len(b) {
		return box{}, ErrForm
	}
	return box{kind: string(b[4:8]), body: b[8:size], size: size}, nil
}

// find follows a path of boxes, each inside the one before, and returns the
// whole of the last one with its head.
func find(b []byte, path ...string) ([]byte, error) {
	for {
		x, err := next(b)
		if err != nil {
			return nil, err
		}
		if x.kind != path[0] {
			b = b[x.size:]
			continue
		}
		if path = path[1:]; len(path) == 0 {
			return b[:x.size], nil
		}
		b = x.body
	}
}

// open begins a box; the caller closes it when its content is there.
func open(dst []byte, kind string) (b []byte, at int) {
	at = len(dst)
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, kind...), at
}

func shut(b []byte, at int) { binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at)) }

func u16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }
func u32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
func u64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// ntpEpoch is how many seconds NTP counts from before Unix does.
const ntpEpoch = 2208988800

// toNTP is a time as prft carries it. Its seconds begin again in 2036.
func toNTP(t time.Time) uint64 {
	return uint64(uint32(t.Unix()+ntpEpoch))<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

func fromNTP(v uint64) time.Time {
	seconds := int64(v >> 32)
	if seconds < ntpEpoch { // this format is younger than 1970: the count began again
		seconds += 1 << 32
	}
	nanos := ((v&math.MaxUint32)*uint64(time.Second) + 1<<31) >> 32
	return time.Unix(seconds-ntpEpoch, int64(nanos)).UTC()
}
