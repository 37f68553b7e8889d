package record

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// ring keeps the newest pictures from a key picture on: as many as cover a time,
// and never more than a number of bytes.
type ring struct {
	length time.Duration
	most   int

	units []*stream.Unit
	bytes int
	lost  uint64 // pictures that did not fit
}

func (r *ring) add(u *stream.Unit) {
	if u.Broken || len(r.units) > 0 && r.units[0].Epoch != u.Epoch {
		r.clear()
	}
	if len(r.units) == 0 && !u.Key {
		r.lost++
		return
	}
	r.units = append(r.units, u)
	r.bytes += u.Size()
	for {
		second := r.nextKey()
		switch {
		case second < 0 && r.bytes > r.most:
			// One group alone is too large: pictures without their key are of no use.
			r.lost += uint64(len(r.units))
			r.clear()
			return
		case second > 0 && (r.bytes > r.most || u.At.Sub(r.units[second].At) >= r.length):
			r.drop(second)
		default:
			return
		}
	}
}

// nextKey is the index of the second key picture, -1 if there is none.
func (r *ring) nextKey() int {
	for i := 1; i < len(r.units); i++ {
		if r.units[i].Key {
			return i
		}
	}
	return -1
}

func (r *ring) drop(n int) {
	for _, u := range r.units[:n] {
		r.bytes -= u.Size()
	}
	kept := copy(r.units, r.units[n:])
	clear(r.units[kept:])
	r.units = r.units[:kept]
}

func (r *ring) clear() {
	clear(r.units)
	r.units, r.bytes = r.units[:0], 0
}
