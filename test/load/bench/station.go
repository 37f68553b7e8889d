package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// station is one connection under load: one CALL in flight, as OCPP requires.
type station struct {
	id     string
	n      int
	c      *conn
	next   int64 // message id
	energy int64
	tx     int64
	calls  atomic.Int64
	last   atomic.Int64 // when the last answer came, ns
	open   atomic.Int64 // intended time of the call that waits for its answer, ns; 0: none
	worst  atomic.Int64 // longest wait of any call, ns
	hist   *histogram
	served atomic.Int64 // commands answered

	status [2]*template
	meter  *template
	start  *template
	stop   *template
}

// newStation prepares a station; the identity numbers from 1.
func newStation(prefix string, n int) *station {
	return &station{
		id: fmt.Sprintf("%s%05d", prefix, n+1), n: n, energy: int64(n) * 1000, hist: &histogram{},
		status: [2]*template{statusTemplate("Charging"), statusTemplate("SuspendedEV")}, meter: meterTemplate(), start: startTemplate(), stop: stopTemplate(),
	}
}

// connect dials and boots until the server accepts.
func (s *station) connect(ctx context.Context, t *target) error {
	c, err := t.dial(ctx, s.id, s.n)
	if err != nil {
		return err
	}
	s.c = c
	answer, err := s.call(bootTemplate(s.id), time.Now())
	if err != nil {
		c.Close()
		return fmt.Errorf("boot: %w", err)
	}
	var boot struct{ Status string }
	if err := json.Unmarshal(answer, &boot); err != nil || boot.Status != "Accepted" {
		c.Close()
		return fmt.Errorf("boot answered with %s", answer)
	}
	return nil
}

// call sends one CALL and waits for its answer; commands that come meanwhile
// are accepted.
func (s *station) call(t *template, at time.Time) (json.RawMessage, error) {
	s.next++
	if _, err := s.c.Write(t.patch(s.next, at, s.energy, s.tx)); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return s.await(messageID(s.next))
}

var accepted = []byte(`,{"status":"Accepted"}]`)

// await reads until the answer to id comes.
func (s *station) await(id string) (json.RawMessage, error) {
	for {
		b, err := s.c.read()
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		kind, msg, rest, ok := cut(b)
		if !ok {
			return nil, fmt.Errorf("no OCPP frame: %.80s", b)
		}
		switch kind {
		case '2':
			answer := append(append([]byte(`[3,"`), msg...), '"')
			if _, err := s.c.Write(frame(append(answer, accepted...))); err != nil {
				return nil, fmt.Errorf("write: %w", err)
			}
			s.served.Add(1)
		case '3':
			if string(msg) == id {
				return bytes.TrimSuffix(rest, []byte("]")), nil
			}
		default:
			return nil, fmt.Errorf("refused: %.200s", b)
		}
	}
}

// cut splits [kind,"id",rest] without decoding. Servers may put spaces after
// commas.
func cut(b []byte) (kind byte, id, rest []byte, ok bool) {
	b = bytes.TrimSpace(b)
	if len(b) < 6 || b[0] != '[' {
		return 0, nil, nil, false
	}
	kind = b[1]
	i := bytes.IndexByte(b, '"')
	if i < 0 {
		return 0, nil, nil, false
	}
	j := bytes.IndexByte(b[i+1:], '"')
	if j < 0 {
		return 0, nil, nil, false
	}
	id = b[i+1 : i+1+j]
	rest = bytes.TrimLeft(b[i+j+2:], ", ")
	return kind, id, rest, true
}

// begin opens a transaction.
func (s *station) begin(at time.Time) error {
	answer, err := s.call(s.start, at)
	if err != nil {
		return err
	}
	var r struct {
		TransactionID json.Number `json:"transactionId"`
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("start answered with %s", answer)
	}
	s.tx, err = strconv.ParseInt(r.TransactionID.String(), 10, 64)
	return err
}

// alternate is the n-th call of the standard mix: MeterValues and
// StatusNotification one to one.
func (s *station) alternate(n int64, at time.Time) error {
	t := s.meter
	if n%2 == 1 {
		t = s.status[n/2%2]
	}
	s.energy++
	_, err := s.call(t, at)
	return err
}

// done records an answer.
func (s *station) done(began time.Time) {
	now := time.Now()
	took := now.Sub(began)
	s.hist.add(took)
	s.calls.Add(1)
	s.open.Store(0)
	s.last.Store(now.UnixNano())
	if int64(took) > s.worst.Load() {
		s.worst.Store(int64(took))
	}
}

// pause is the longest any station waited for an answer since the last call
// of pause, calls still open included.
func pause(stations []*station) time.Duration {
	longest := int64(0)
	now := time.Now().UnixNano()
	for _, s := range stations {
		longest = max(longest, s.worst.Swap(0))
		if at := s.open.Load(); at != 0 {
			longest = max(longest, now-at)
		}
	}
	return time.Duration(longest)
}
