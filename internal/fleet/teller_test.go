package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// memory is a History of what was committed: the newest closed session that
// matches.
type memory map[string]*Session

func (m memory) find(match func(*Session) bool) (*Session, bool) {
	var found *Session
	for _, s := range m {
		if s.State != SessionActive && match(s) && (found == nil || newer(s, found)) {
			found = s
		}
	}
	return found, found != nil
}

func (m memory) SessionByStart(station, key string) (*Session, bool) {
	return m.find(func(s *Session) bool { return s.Station == station && s.StartKey == key })
}

func (m memory) SessionByStop(station, key string) (*Session, bool) {
	return m.find(func(s *Session) bool { return s.Station == station && s.StopKey == key })
}

func (m memory) SessionByTransaction(station, id string) (*Session, bool) {
	return m.find(func(s *Session) bool { return s.Station == station && s.TransactionID == id })
}

// teller folds events as the journal does, and keeps what the journal would
// store.
type teller struct {
	state    *State
	stored   memory
	points   map[string]Point
	events   []*event.Event // as recorded, derived ones left out
	derived  []*event.Event
	intents  []Intent
	seq      uint64
	rows     map[string][]byte // checkpointed stations
	metaRow  []byte
	receipts []Receipt
}

func newTeller() *teller {
	return &teller{state: New(), stored: memory{}, points: make(map[string]Point), rows: make(map[string][]byte)}
}

// fold takes events as one batch. Those with a sequence keep it.
func (l *teller) fold(events ...*event.Event) {
	b := l.state.Begin(l.stored)
	for _, from := range events {
		e := recorded(from)
		l.number(b, b.Advance(DueBefore(e)))
		if e.Seq == 0 {
			e.Seq = l.seq + 1
		}
		l.seq = e.Seq
		fx := b.Apply(e)
		l.events = append(l.events, e)
		l.receipts = append(l.receipts, fx.Receipt)
		l.number(b, fx)
	}
	l.commit(b)
}

// foldAndDiscard leaves no trace, if the fold keeps its promise.
func (l *teller) foldAndDiscard(events ...*event.Event) {
	b := l.state.Begin(l.stored)
	seq := l.seq
	for _, from := range events {
		e := recorded(from)
		for _, fx := range []Effects{b.Advance(DueBefore(e)), {}} {
			for _, d := range fx.Derived {
				seq++
				d.Seq = seq
				b.Numbered(d)
			}
		}
		seq++
		e.Seq = seq
		b.Apply(e)
	}
	b.Changes()
	b.Discard()
}

// recorded is an event as it is read back from the journal.
func recorded(from *event.Event) *event.Event {
	e := new(*from)
	e.Quirks = slices.Clone(from.Quirks)
	data, err := event.AppendBody(nil, from.Body)
	if err != nil {
		panic(err)
	}
	if e.Body, err = event.DecodeBody(from.Body.Kind(), data); err != nil {
		panic(fmt.Sprintf("%v: %s", err, data))
	}
	return e
}

func (l *teller) advance(t time.Time) {
	b := l.state.Begin(l.stored)
	l.number(b, b.Advance(t))
	l.commit(b)
}

func (l *teller) number(b *Batch, fx Effects) {
	for _, d := range fx.Derived {
		l.seq++
		d.Seq = l.seq
		b.Numbered(d)
		l.derived = append(l.derived, d)
	}
	l.intents = append(l.intents, fx.Intents...)
}

func (l *teller) commit(b *Batch) {
	c := b.Changes()
	b.Commit()
	for _, s := range c.Sessions {
		l.stored[s.ID] = s
	}
	for _, p := range c.Points {
		l.points[fmt.Sprintf("%s/%d/%d/%08d", p.Station, p.EVSE, p.ValidFrom.UnixMicro(), p.Seq)] = p
	}
}

// checkpoint stores what changed, restart loads it into a new state.
func (l *teller) checkpoint(tb testing.TB) {
	tb.Helper()
	changed, removed := l.state.TakeDirty()
	for _, st := range changed {
		l.rows[st.ID] = mustJSON(tb, st)
	}
	for _, id := range removed {
		delete(l.rows, id)
	}
	l.metaRow = mustJSON(tb, l.state.Meta())
}

func (l *teller) restart(tb testing.TB) {
	tb.Helper()
	l.checkpoint(tb)
	var meta Meta
	if err := json.Unmarshal(l.metaRow, &meta); err != nil {
		tb.Fatal(err)
	}
	var stations []*Station
	for _, id := range slices.Sorted(maps.Keys(l.rows)) {
		st := new(Station)
		if err := json.Unmarshal(l.rows[id], st); err != nil {
			tb.Fatal(err)
		}
		stations = append(stations, st)
	}
	before := l.state.Snapshot()
	l.state = New()
	l.state.Restore(meta, stations)
	for st := range before.Stations() {
		if got, ok := l.state.Snapshot().Station(st.ID); !ok || !reflect.DeepEqual(got, st) {
			tb.Fatalf("restored\n%s\nwant\n%s", mustJSON(tb, got), mustJSON(tb, st))
		}
	}
}

// digest is the state in words, for comparing two.
func (l *teller) digest(tb testing.TB) string {
	tb.Helper()
	var out []byte
	stations := slices.SortedFunc(l.state.Snapshot().Stations(), func(a, b *Station) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	out = append(append(out, mustJSON(tb, l.state.Meta())...), '\n')
	for _, st := range stations {
		out = append(append(out, mustJSON(tb, st)...), '\n')
	}
	for _, id := range slices.Sorted(maps.Keys(l.stored)) {
		if s := l.stored[id]; s.State != SessionActive {
			out = append(append(out, mustJSON(tb, s)...), '\n')
		}
	}
	for _, k := range slices.Sorted(maps.Keys(l.points)) {
		out = fmt.Appendf(out, "%s %s %d\n", k, l.points[k].State, l.points[k].KnownAt.UnixMicro())
	}
	for _, d := range l.derived {
		out = fmt.Appendf(out, "%d %s %d %s %s\n", d.Seq, d.Subject, d.Cause, d.RecordedAt, mustJSON(tb, d.Body))
	}
	for _, in := range l.intents {
		out = append(append(out, mustJSON(tb, in)...), '\n')
	}
	return string(out)
}

func mustJSON(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
