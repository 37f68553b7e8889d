package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limits of a station's own queues.
const (
	maxNotices = 200  // notices waiting: the oldest is dropped, as on a real board
	maxTxQueue = 4000 // transaction messages waiting: every second meter value goes first
	maxUnsent  = 512  // frames the socket did not take: the link counts as dead
)

const callTimeout = 30 * time.Second // of the wall clock

var (
	errTimeout = errors.New("no answer in time")
	errNoLink  = errors.New("link lost")
)

// callError is a refusal, theirs or ours.
type callError struct {
	Code, Description string
}

func (e *callError) Error() string { return e.Code + ": " + e.Description }

// call is one CALL from the station.
type call struct {
	action   string
	payload  any
	tx       bool // belongs to a transaction: kept without a link, retried
	of       *tx  // that transaction
	boot     bool
	filler   bool // a meter value in mid-transaction: may be thinned out
	early    bool // may go out before the boot is answered
	send     bool // 2.1 SEND: nobody answers
	queued   bool // was queued without a link
	seq      uint64
	id       string
	attempts int
	after    time.Time // retry not before
	timeout  *timer
	done     func(result json.RawMessage, err error)
}

// binder is a payload with a part that is only known when it is sent: the
// transaction id of a 1.6 session that began without a network.
type binder interface{ bind(c *call) }

// queue holds what a station wants to say.
type queue struct {
	seq      uint64
	boot     *call
	notices  []*call
	tx       []*call
	inFlight []*call
	thinned  int // meter values dropped by the full queue
}

// say queues a CALL and sends it when its turn comes.
func (st *station) say(c *call) {
	q := &st.queue
	q.seq++
	c.seq = q.seq
	c.queued = st.wire == nil || !st.accepted
	switch {
	case c.boot:
		q.boot = c
	case c.tx:
		if len(q.tx) >= maxTxQueue {
			q.thin()
		}
		if len(q.tx) < maxTxQueue || !c.filler {
			q.tx = append(q.tx, c)
		}
	default:
		if st.wire == nil {
			return // a notice without a link is lost; the state is told again on return
		}
		if len(q.notices) >= maxNotices {
			q.notices = slices.Delete(q.notices, 0, 1)
		}
		q.notices = append(q.notices, c)
	}
	st.pump()
}

// thin drops every second mid-transaction meter value, as the 2.x
// specification tells a station that runs out of memory.
func (q *queue) thin() {
	keep := false
	q.tx = slices.DeleteFunc(q.tx, func(c *call) bool {
		if !c.filler || c.attempts > 0 {
			return false
		}
		keep = !keep
		if !keep {
			q.thinned++
		}
		return !keep
	})
}

// next picks the CALL whose turn it is.
func (st *station) next() *call {
	q := &st.queue
	if q.boot != nil {
		c := q.boot
		q.boot = nil
		return c
	}
	var notice *call
	ni := -1
	for i, c := range q.notices {
		if st.accepted || c.early {
			notice, ni = c, i
			break
		}
	}
	var tx *call
	if st.accepted && len(q.tx) > 0 && !q.tx[0].after.After(st.now) && !slices.ContainsFunc(q.inFlight, func(c *call) bool { return c.tx }) {
		tx = q.tx[0]
	}
	// What was queued without a link may be overtaken; live messages keep
	// their order.
	if notice != nil && (tx == nil || tx.queued || notice.seq < tx.seq) {
		q.notices = slices.Delete(q.notices, ni, ni+1)
		return notice
	}
	if tx != nil {
		q.tx = slices.Delete(q.tx, 0, 1)
	}
	return tx
}

// pump sends while the rules of the protocol (and the habits of the maker)
// allow another CALL in flight.
func (st *station) pump() {
	if st.wire == nil || st.warming {
		return
	}
	q := &st.queue
	for {
		limit := 1
		if st.quirks.has(TwoInFlight) {
			limit = 2
		}
		if st.quirks.has(StatusBeforeBoot) && !st.accepted {
			limit = 4
		}
		if len(q.inFlight) >= limit {
			return
		}
		c := st.next()
		if c == nil {
			return
		}
		st.transmit(c)
	}
}

func (st *station) transmit(c *call) {
	if c.id == "" || st.version != V16 {
		c.id = st.messageID()
	}
	if b, ok := c.payload.(binder); ok {
		b.bind(c)
	}
	if c.send {
		st.put(encodeFrame(6, c.id, c.action, c.payload))
		return
	}
	c.attempts++
	st.queue.inFlight = append(st.queue.inFlight, c)
	c.timeout = st.after(st.f.clock.sim(callTimeout), func() { st.settle(c.id, nil, errTimeout) })
	st.put(encodeFrame(2, c.id, c.action, c.payload))
	st.f.stats.calls.Add(1)
}

// settle closes the CALL with this id.
func (st *station) settle(id string, result json.RawMessage, err error) {
	q := &st.queue
	i := slices.IndexFunc(q.inFlight, func(c *call) bool { return c.id == id })
	if i < 0 {
		st.f.stats.stray.Add(1)
		return
	}
	c := q.inFlight[i]
	q.inFlight = slices.Delete(q.inFlight, i, i+1)
	st.timers.stop(c.timeout)
	c.timeout = nil
	switch {
	case err == nil:
		st.f.stats.answered.Add(1)
	case errors.Is(err, errTimeout):
		st.f.stats.timeouts.Add(1)
	default:
		st.f.stats.refused.Add(1)
	}
	if err != nil && c.tx && c.attempts < st.set.txAttempts {
		wait := st.set.txRetry * time.Duration(c.attempts)
		c.after = st.now.Add(wait)
		st.requeue(c)
		st.after(wait, st.pump)
	} else if c.done != nil {
		c.done(result, err)
	}
	st.pump()
}

// requeue puts a transaction message back in its place.
func (st *station) requeue(c *call) {
	q := &st.queue
	i, _ := slices.BinarySearchFunc(q.tx, c.seq, func(o *call, seq uint64) int {
		switch {
		case o.seq < seq:
			return -1
		case o.seq > seq:
			return 1
		}
		return 0
	})
	q.tx = slices.Insert(q.tx, i, c)
}

// hangUp settles the queue after the link is gone: transaction messages wait
// for the next one, everything else is forgotten.
func (st *station) hangUp() {
	q := &st.queue
	open := q.inFlight
	q.inFlight = nil
	q.notices = nil
	for _, c := range open {
		st.timers.stop(c.timeout)
		c.timeout = nil
		switch {
		case c.tx:
			c.attempts--
			st.requeue(c)
		case c.boot:
			q.boot = nil
			st.booted = false
		case c.done != nil:
			c.done(nil, errNoLink)
		}
	}
}

// encodeFrame writes [type,"id","action",payload] or its answer forms.
func encodeFrame(kind int, id, action string, payload any) []byte {
	body, err := json.Marshal(payload)
	if err != nil { // our own structs always encode
		body = []byte("{}")
	}
	b := make([]byte, 0, len(body)+len(id)+len(action)+16)
	b = fmt.Appendf(b, "[%d,", kind)
	b = appendString(b, id)
	b = append(b, ',')
	if kind == 2 || kind == 6 {
		b = appendString(b, action)
		b = append(b, ',')
	}
	b = append(b, body...)
	return append(b, ']')
}

func encodeError(id string, e *callError) []byte {
	b := appendString([]byte("[4,"), id)
	b = appendString(append(b, ','), e.Code)
	b = appendString(append(b, ','), e.Description)
	return append(b, ",{}]"...)
}

func appendString(b []byte, s string) []byte {
	q, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, q...)
}
