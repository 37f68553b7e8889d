package record

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// ring keeps the newest pictures from a key picture on: as many as cover a time,
// and never more than a number of bytes.
//
// Groups that are whole lie outside the collected heap: what is kept of a hundred
// cameras would otherwise double the memory of the process.
type ring struct {
	length time.Duration
	most   int

	groups []group        // whole
	units  []*stream.Unit // of the group that grows
	grows  int            // its bytes
	bytes  int            // of all
	lost   uint64         // pictures that did not fit
}

// group is a key picture and those that need it.
type group struct {
	units  []*stream.Unit
	memory []byte
}

func (r *ring) add(u *stream.Unit) {
	if u.Broken || len(r.units) > 0 && r.units[0].Epoch != u.Epoch {
		r.clear()
	}
	switch {
	case u.Key && len(r.units) > 0:
		r.seal()
	case !u.Key && len(r.units) == 0:
		r.lost++
		return
	}
	r.units = append(r.units, u)
	r.grows += u.Size()
	r.bytes += u.Size()
	for len(r.groups) > 0 {
		second := r.units[0]
		if len(r.groups) > 1 {
			second = r.groups[1].units[0]
		}
		if r.bytes <= r.most && u.At.Sub(second.At) < r.length {
			return
		}
		r.bytes -= len(r.groups[0].memory)
		unmap(r.groups[0].memory)
		r.groups = slices.Delete(r.groups, 0, 1)
	}
	if r.bytes > r.most {
		// One group alone is too large: pictures without their key are of no use.
		r.lost += uint64(len(r.units))
		r.clear()
	}
}

// seal moves the group that grew out of the heap.
func (r *ring) seal() {
	g := group{memory: anonymous(r.grows), units: make([]*stream.Unit, len(r.units))}
	rest := g.memory
	for i, u := range r.units {
		own := *u
		own.NALUs = make([][]byte, len(u.NALUs))
		for j, n := range u.NALUs {
			own.NALUs[j] = rest[:copy(rest, n):len(n)]
			rest = rest[len(n):]
		}
		g.units[i] = &own
	}
	r.groups = append(r.groups, g)
	clear(r.units)
	r.units, r.grows = r.units[:0], 0
}

// replay hands out what is kept, oldest first, beginning with the group of a time
// or the one after. What is handed out stays valid.
func (r *ring) replay(from time.Time, each func(*stream.Unit)) {
	first := 0
	for i, g := range r.groups {
		if !g.units[0].At.After(from) {
			first = i
		}
	}
	if len(r.units) > 0 && !r.units[0].At.After(from) {
		first = len(r.groups)
	}
	for _, g := range r.groups[first:] {
		for _, u := range g.units {
			own := *u
			own.NALUs = make([][]byte, len(u.NALUs))
			for j, n := range u.NALUs {
				own.NALUs[j] = slices.Clone(n)
			}
			each(&own)
		}
	}
	for _, u := range r.units {
		each(u)
	}
}

// clear forgets everything.
func (r *ring) clear() {
	for _, g := range r.groups {
		unmap(g.memory)
	}
	clear(r.groups)
	clear(r.units)
	r.groups, r.units, r.grows, r.bytes = r.groups[:0], r.units[:0], 0, 0
}
