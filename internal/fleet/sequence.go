package fleet

import (
	"slices"
	"time"
)

// maxMissing bounds the sequence numbers remembered as missing.
const maxMissing = 64

// Sequence follows the sequence numbers of OCPP 2.x. They count up by one, from
// 0 or, with older firmware, from wherever the port's counter stands.
type Sequence struct {
	First   int       `json:"first"`
	Last    int       `json:"last"`
	LastAt  time.Time `json:"lastAt,omitzero"` // the device's time of the last one
	Missing []int     `json:"missing,omitempty"`
	Lost    bool      `json:"lost,omitempty"` // more are missing than are remembered
	Seen    bool      `json:"seen,omitempty"`
	Started bool      `json:"started,omitempty"` // the first one seen was the start
}

// see notes a number and reports false if it was seen before. A number seen
// before with a later time is a counter that began again.
func (q *Sequence) see(n int, started bool, at time.Time) bool {
	fresh := q.Seen && !at.IsZero() && at.After(q.LastAt)
	switch i := slices.Index(q.Missing, n); {
	case !q.Seen:
		*q = Sequence{First: n, Last: n, Seen: true, Started: started}
	case i >= 0:
		q.Missing = without(q.Missing, i)
	case n > q.Last:
		q.lack(q.Last+1, n)
		q.Last = n
	case n < q.First && (started || !q.Started) && !fresh:
		q.lack(n+1, q.First)
		q.First, q.Started = n, q.Started || started
	case fresh:
		q.Last, q.Lost = n, true
	default:
		return false
	}
	if at.After(q.LastAt) {
		q.LastAt = at
	}
	return true
}

// repeats reports whether a number was seen before and is not told with a later
// time than any so far.
func (q *Sequence) repeats(n int, at time.Time) bool {
	return q.Seen && n >= q.First && n <= q.Last && !slices.Contains(q.Missing, n) && !at.After(q.LastAt)
}

// lack notes the numbers from a up to b as missing.
func (q *Sequence) lack(a, b int) {
	for m := a; m < b; m++ {
		if len(q.Missing) == maxMissing {
			q.Lost = true
			return
		}
		q.Missing = append(q.Missing, m)
	}
}

func (q *Sequence) incomplete() bool { return q.Lost || len(q.Missing) > 0 }
