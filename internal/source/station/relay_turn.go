package station

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// A relayed station is asked by two: upstream and us. OCPP allows one CALL in
// flight, so both take the turns of calls: while one of ours is with the station
// those of upstream wait here, and ours waits while one of upstream's is.

// theirs is what upstream has asked the station and not heard yet.
type theirs struct {
	id string
	at time.Time
}

// held is a CALL of upstream that waits for the station.
type held struct {
	id   string
	typ  websocket.MessageType
	data []byte
}

const (
	// relayedCall is how long a CALL of ours may keep one of upstream's waiting.
	relayedCall = 10 * time.Second
	// theirCall is how long one of upstream's may keep ours waiting.
	theirCall = 30 * time.Second
	// What upstream may have waiting; OCPP allows it one.
	heldCalls = 16
	heldBytes = 256 << 10
	theirsMax = 64
)

// hold keeps a CALL of upstream back while one of ours is with the station, and
// reports whether it did. More than it may have in flight is not held: the rule is
// broken then anyway, and by upstream.
func (c *calls) hold(id string, typ websocket.MessageType, frame []byte, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if (c.answer != nil || c.flushing) && len(c.held) < heldCalls && c.heldBytes+len(frame) <= heldBytes {
		c.held = append(c.held, held{id, typ, slices.Clone(frame)})
		c.heldBytes += len(frame)
		return true
	}
	c.noteTheirs(id, now)
	return false
}

// nextHeld takes the first CALL that waits; without one the flush is over.
func (c *calls) nextHeld(now time.Time) (held, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.held) == 0 || c.ended {
		c.held, c.heldBytes, c.flushing = nil, 0, false
		return held{}, false
	}
	x := c.held[0]
	c.held = c.held[1:]
	c.heldBytes -= len(x.data)
	c.noteTheirs(x.id, now)
	return x, true
}

func (c *calls) noteTheirs(id string, now time.Time) {
	if len(c.theirs) >= theirsMax {
		c.theirs = slices.Delete(c.theirs, 0, 1)
	}
	c.theirs = append(c.theirs, theirs{id, now})
}

// taken says until when upstream has the turn; zero: it does not have it.
func (c *calls) taken(now time.Time) time.Time {
	c.theirs = slices.DeleteFunc(c.theirs, func(x theirs) bool { return now.Sub(x.at) >= theirCall })
	switch {
	case len(c.theirs) > 0:
		return c.theirs[0].at.Add(theirCall)
	case c.flushing || len(c.held) > 0:
		return now.Add(time.Second)
	}
	return time.Time{}
}

// open reports whether one of our CALLs waits for its answer.
func (c *calls) open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answer != nil
}

// askedByUs says whose CALL an answer with the id belongs to. What upstream asked
// under an id that looks like ours is upstream's, unless ours waits.
func (l *link) askedByUs(id string) bool {
	c := &l.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer != nil && c.id == id {
		return true
	}
	if i := slices.IndexFunc(c.theirs, func(x theirs) bool { return x.id == id }); i >= 0 {
		c.theirs = slices.Delete(c.theirs, i, i+1)
		c.signal()
		return false
	}
	return l.ep.ours.made(id)
}

// signal wakes a caller that waits for its turn.
func (c *calls) signal() {
	select {
	case c.turn <- struct{}{}:
	default:
	}
}

// marks makes the message ids of our CALLs to relayed stations: UUIDs that can be
// told from all others for ever, so that an answer which comes late, after any
// list of what was asked would have forgotten it, still never reaches upstream.
type marks struct{ key [32]byte }

func newMarks() (m marks) {
	rand.Read(m.key[:])
	return m
}

func (m *marks) sum(of []byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, m.key[:])
	h.Write(of)
	return [sha256.Size]byte(h.Sum(nil))
}

// make is the message id of a command: a UUID of version 8 (RFC 9562), the second
// half of which follows from the first.
func (m *marks) make(command string) string {
	var b [16]byte
	sum := m.sum([]byte("command " + command))
	copy(b[:8], sum[:8])
	b[6] = b[6]&0x0f | 0x80
	tail := m.sum(b[:8])
	copy(b[8:], tail[:8])
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// made reports whether an id is one of ours.
func (m *marks) made(id string) bool {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[14] != '8' || id[18] != '-' || id[23] != '-' {
		return false
	}
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	if err != nil || len(b) != 16 {
		return false
	}
	tail := m.sum(b[:8])
	tail[0] = tail[0]&0x3f | 0x80
	return hmac.Equal(b[8:], tail[:8])
}
