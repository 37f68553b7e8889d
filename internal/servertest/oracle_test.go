package servertest_test

import (
	"encoding/json"
	"strconv"
	"sync"
	"testing"

	"github.com/chargewatch/chargewatch/internal/sim"
)

// oracle listens to the stations and keeps book of the sessions whose end the
// server has acknowledged. It knows nothing of our code but the frames.
type oracle struct {
	t  *testing.T
	mu sync.Mutex
	// asked holds the calls of a station that wait for their answer.
	asked     map[string]map[string]call
	open      map[sessionKey]*account
	completed map[sessionKey]account
	answered  int
	refused   []string
}

type call struct {
	action  string
	payload json.RawMessage
}

type sessionKey struct{ station, transaction string }

type account struct {
	first, last float64
}

func newOracle(t *testing.T) *oracle {
	return &oracle{
		t: t, asked: make(map[string]map[string]call),
		open: make(map[sessionKey]*account), completed: make(map[sessionKey]account),
	}
}

func (o *oracle) finished() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.completed)
}

// observe is sim.Options.Observe.
func (o *oracle) observe(f sim.Frame) {
	var parts []json.RawMessage
	if err := json.Unmarshal(f.Data, &parts); err != nil || len(parts) < 3 {
		o.t.Errorf("%s: frame %.200s: %v", f.Station, f.Data, err)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	id := string(parts[1])
	switch kind := string(parts[0]); {
	case kind == "2" && f.Out:
		var c call
		if err := json.Unmarshal(parts[2], &c.action); err != nil {
			o.t.Error(err)
		}
		c.payload = append(c.payload, parts[3]...)
		if o.asked[f.Station] == nil {
			o.asked[f.Station] = make(map[string]call)
		}
		o.asked[f.Station][id] = c
	case kind == "3" && !f.Out:
		c, ok := o.asked[f.Station][id]
		if !ok {
			o.t.Errorf("%s: answer to nothing: %.200s", f.Station, f.Data)
			return
		}
		delete(o.asked[f.Station], id)
		o.answered++
		o.book(f.Station, c, parts[2])
	case kind == "4" && !f.Out:
		o.refused = append(o.refused, string(f.Data))
	}
}

// book enters an acknowledged call.
func (o *oracle) book(station string, c call, answer json.RawMessage) {
	read := func(from json.RawMessage, into any) {
		if err := json.Unmarshal(from, into); err != nil {
			o.t.Errorf("%s %s: %v", c.action, from, err)
		}
	}
	switch c.action {
	case "StartTransaction":
		var q struct {
			MeterStart float64
			Timestamp  string
		}
		var a struct{ TransactionID int64 }
		read(c.payload, &q)
		read(answer, &a)
		k := sessionKey{station, strconv.FormatInt(a.TransactionID, 10)}
		if a.TransactionID <= 0 {
			o.t.Errorf("%s was given the transaction id %d", station, a.TransactionID)
		}
		o.open[k] = &account{first: q.MeterStart}
	case "StopTransaction":
		var q struct {
			MeterStop     float64
			TransactionID int64
		}
		read(c.payload, &q)
		k := sessionKey{station, strconv.FormatInt(q.TransactionID, 10)}
		if x, ok := o.open[k]; ok {
			x.last = q.MeterStop
			o.completed[k] = *x
		}
	case "TransactionEvent":
		o.bookEvent(station, c.payload, read)
	}
}

func (o *oracle) bookEvent(station string, payload json.RawMessage, read func(json.RawMessage, any)) {
	var q struct {
		EventType       string
		TransactionInfo struct{ TransactionID string }
		MeterValue      []struct {
			SampledValue []struct {
				Value         json.Number
				Measurand     string
				Phase         string
				UnitOfMeasure struct {
					Unit       string
					Multiplier int
				}
			}
		}
	}
	read(payload, &q)
	k := sessionKey{station, q.TransactionInfo.TransactionID}
	x := o.open[k]
	if x == nil {
		x = &account{first: -1}
		o.open[k] = x
	}
	for _, m := range q.MeterValue {
		for _, s := range m.SampledValue {
			if s.Phase != "" || s.Measurand != "" && s.Measurand != "Energy.Active.Import.Register" {
				continue
			}
			v, err := s.Value.Float64()
			if err != nil {
				o.t.Error(err)
			}
			for range s.UnitOfMeasure.Multiplier {
				v *= 10
			}
			if s.UnitOfMeasure.Unit == "kWh" {
				v *= 1000
			}
			if x.first < 0 {
				x.first = v
			}
			x.last = v
		}
	}
	if q.EventType == "Ended" {
		o.completed[k] = *x
	}
}
