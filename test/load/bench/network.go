package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// network is a whole charging network under way: enrolled at sites, connected
// over OCPP 1.6, two ports at each station. Every station has a reader of its
// own, so that it answers pings and commands however seldom it speaks.
type network struct {
	sites   []string
	members []*member
	workers int
}

// member is one station of a network. Its reader runs for itself; all else
// belongs to the one worker that speaks for it.
type member struct {
	id     string
	c      *conn
	answer chan json.RawMessage // of the call under way; closed when the connection ends
	next   int64
	ports  [2]memberPort
}

// memberPort is what a port said last.
type memberPort struct {
	status string
	tx     int64 // 0: no transaction
	energy int64
}

// voice holds the templates of one worker.
type voice struct {
	status map[string][2]*template
	meter  [2]*template
	power  [2]int // where in the meter frame the power stands
	start  [2]*template
	stop   *template
	chance *rand.Rand
}

var (
	idleStates    = []string{"Available", "Preparing", "Unavailable", "Faulted"}
	chargeStates  = []string{"Charging", "SuspendedEV", "SuspendedEVSE"}
	networkModels = [][2]string{{"DELTA", "10616"}, {"Alfen BV", "NG920"}}
)

const powerMark = "3333333" // 7 digits

func newVoice(seed uint64) *voice {
	v := &voice{status: make(map[string][2]*template), stop: stopTemplate(), chance: rand.New(rand.NewPCG(seed, 20_000))}
	for _, state := range append(append([]string(nil), idleStates...), chargeStates...) {
		v.status[state] = [2]*template{portStatus(1, state), portStatus(2, state)}
	}
	for i := range v.meter {
		v.meter[i] = call("MeterValues", fmt.Sprintf(`{"connectorId":%d,"transactionId":%s,"meterValue":[{"timestamp":%q,"sampledValue":[`+
			`{"value":%q,"measurand":"Energy.Active.Import.Register","unit":"Wh"},{"value":%q,"measurand":"Power.Active.Import","unit":"W"},`+
			`{"value":"150000","measurand":"Power.Offered","unit":"W"},{"value":"61","measurand":"SoC","unit":"Percent"}]}]}`,
			i+1, txMark, timeMark, energyMark, powerMark))
		v.power[i] = bytes.Index(v.meter[i].frame, []byte(powerMark))
		v.start[i] = call("StartTransaction", fmt.Sprintf(`{"connectorId":%d,"idTag":"LOADTEST0001","meterStart":%s,"timestamp":%q}`, i+1, energyMark, timeMark))
	}
	return v
}

func portStatus(connector int, status string) *template {
	code := "NoError"
	if status == "Faulted" {
		code = "GroundFailure"
	}
	return call("StatusNotification", fmt.Sprintf(`{"connectorId":%d,"errorCode":%q,"status":%q,"timestamp":%q}`, connector, code, status, timeMark))
}

// enrolNetwork creates the sites and stations of a network over the API.
func enrolNetwork(ctx context.Context, a *api, sites, stations int) (*network, error) {
	n := &network{workers: 128}
	for i := range sites {
		id := fmt.Sprintf("site-%03d", i+1)
		body := map[string]any{
			"id": id, "name": fmt.Sprintf("Charging park %03d", i+1), "timeZone": "Europe/Berlin", "address": fmt.Sprintf("Ring road %d", i+1),
			"latitude": 47.5 + float64(i%40)*0.17, "longitude": 6.5 + float64(i/40)*1.3, "gridLimitW": 2_000_000, "public": true,
		}
		if err := a.do(ctx, "POST", "/api/v1/sites", body, nil); err != nil {
			return nil, fmt.Errorf("create site: %w", err)
		}
		n.sites = append(n.sites, id)
	}
	for i := range 200 {
		if err := a.do(ctx, "POST", "/api/v1/credentials", map[string]any{"idToken": fmt.Sprintf("CARD%06d", i), "status": "Accepted"}, nil); err != nil {
			return nil, fmt.Errorf("create credential: %w", err)
		}
	}
	var table strings.Builder
	table.WriteString("id,siteId,label\n")
	for i := range stations {
		id := fmt.Sprintf("NET-%05d", i+1)
		fmt.Fprintf(&table, "%s,%s,Bay %d\n", id, n.sites[i*sites/stations], i%50+1)
		n.members = append(n.members, &member{id: id, answer: make(chan json.RawMessage, 1)})
	}
	var got struct{ Created, Failed int }
	if err := a.send(ctx, "POST", "/api/v1/stations/import", "text/csv", []byte(table.String()), &got); err != nil {
		return nil, fmt.Errorf("import stations: %w", err)
	}
	if got.Created != stations {
		return nil, fmt.Errorf("import stations: %d created, %d failed", got.Created, got.Failed)
	}
	return n, nil
}

// connect brings all stations up; each reports the state of its ports.
func (n *network) connect(ctx context.Context, t *target) error {
	return n.each(ctx, func(ctx context.Context, v *voice, i int) error {
		m := n.members[i]
		var err error
		for try := range 5 { // a busy accept queue drops connections now and then
			if m.c, err = t.dial(ctx, m.id, i); err == nil || ctx.Err() != nil {
				break
			}
			time.Sleep(time.Duration(try+1) * 200 * time.Millisecond)
		}
		if err != nil {
			return err
		}
		go m.read()
		model := networkModels[i%len(networkModels)]
		boot := call("BootNotification", fmt.Sprintf(`{"chargePointVendor":%q,"chargePointModel":%q,"chargePointSerialNumber":%q,"firmwareVersion":"2.5.9"}`, model[0], model[1], m.id))
		answer, err := m.say(boot, time.Now(), 0, 0)
		if err != nil {
			return fmt.Errorf("boot: %w", err)
		}
		if !bytes.Contains(answer, []byte(`"Accepted"`)) {
			return fmt.Errorf("boot answered with %s", answer)
		}
		for p := range m.ports {
			m.ports[p] = memberPort{status: "Available", energy: int64(i) * 1000}
			if _, err := m.say(v.status["Available"][p], time.Now(), 0, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// each runs fn once for every station, shared out among the workers.
func (n *network) each(ctx context.Context, fn func(ctx context.Context, v *voice, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for w := range n.workers {
		wg.Go(func() {
			v := newVoice(uint64(w))
			for i := w; i < len(n.members) && ctx.Err() == nil; i += n.workers {
				if err := fn(ctx, v, i); err != nil {
					cancel(fmt.Errorf("station %s: %w", n.members[i].id, err))
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (n *network) close() {
	for _, m := range n.members {
		if m.c != nil {
			m.c.Close()
		}
	}
}

// read hands answers to the worker and accepts every command.
func (m *member) read() {
	defer close(m.answer)
	for {
		b, err := m.c.read()
		if err != nil {
			return
		}
		kind, id, rest, ok := cut(b)
		switch {
		case ok && kind == '3':
			m.answer <- bytes.Clone(rest)
		case ok && kind == '2':
			reply := append(append([]byte(`[3,"`), id...), '"')
			if _, err := m.c.Write(frame(append(reply, accepted...))); err != nil {
				return
			}
		default:
			return
		}
	}
}

var errHungUp = errors.New("the connection ended or a call was refused")

// say sends one CALL and waits for its answer.
func (m *member) say(t *template, at time.Time, energy, tx int64) (json.RawMessage, error) {
	m.next++
	if _, err := m.c.Write(t.patch(m.next, at, energy, tx)); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	answer, ok := <-m.answer
	if !ok {
		return nil, errHungUp
	}
	return bytes.TrimSuffix(answer, []byte("]")), nil
}

func (m *member) begin(v *voice, p int, at time.Time) error {
	answer, err := m.say(v.start[p], at, m.ports[p].energy, 0)
	if err != nil {
		return err
	}
	var r struct {
		TransactionID json.Number `json:"transactionId"`
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return fmt.Errorf("start answered with %s", answer)
	}
	m.ports[p].tx, err = r.TransactionID.Int64()
	return err
}

// measure reports a reading of a port.
func (m *member) measure(v *voice, p int, at time.Time, watts int64) error {
	m.ports[p].energy += 50
	digits(v.meter[p].frame[v.power[p]:v.power[p]+len(powerMark)], watts)
	v.meter[p].frame[v.power[p]] = '0' // a number in a string may begin with zero
	_, err := m.say(v.meter[p], at, m.ports[p].energy, m.ports[p].tx)
	return err
}

func (m *member) tell(v *voice, p int, status string, at time.Time) error {
	m.ports[p].status = status
	_, err := m.say(v.status[status][p], at, 0, 0)
	return err
}

// past lets every station tell sessions it had without a network: half of them
// in the last two days, the others in the month before.
func (n *network) past(ctx context.Context, sessions int) error {
	now := time.Now()
	return n.each(ctx, func(_ context.Context, v *voice, i int) error {
		m := n.members[i]
		for k := range sessions {
			// Oldest first, as a queue is flushed.
			back := 30 * 24 * time.Hour * time.Duration(sessions-k) / time.Duration(sessions)
			if recent := sessions - sessions/2; k >= sessions-recent {
				back = 48 * time.Hour * time.Duration(sessions-k) / time.Duration(recent+1)
			}
			p, at := k%2, now.Add(-back).Add(time.Duration(i)*100*time.Millisecond)
			if err := m.begin(v, p, at); err != nil {
				return err
			}
			for range 2 {
				at = at.Add(7 * time.Minute)
				if err := m.measure(v, p, at, 20_000+int64(v.chance.IntN(100_000))); err != nil {
					return err
				}
			}
			if _, err := m.say(v.stop, at.Add(time.Minute), m.ports[p].energy, m.ports[p].tx); err != nil {
				return err
			}
			m.ports[p].tx = 0
		}
		return nil
	})
}

// wake puts a share of the ports to work.
func (n *network) wake(ctx context.Context, share float64) error {
	return n.each(ctx, func(_ context.Context, v *voice, i int) error {
		m := n.members[i]
		for p := range m.ports {
			if v.chance.Float64() >= share {
				continue
			}
			if err := m.begin(v, p, time.Now()); err != nil {
				return err
			}
			if err := m.tell(v, p, "Charging", time.Now()); err != nil {
				return err
			}
			if err := m.measure(v, p, time.Now(), 20_000+int64(v.chance.IntN(100_000))); err != nil {
				return err
			}
		}
		return nil
	})
}

// stir makes one change that a page shows: another power or another state.
func (m *member) stir(v *voice, p int, at time.Time) error {
	port := &m.ports[p]
	if port.tx != 0 {
		if port.status == "Charging" && v.chance.IntN(4) > 0 {
			return m.measure(v, p, at, 20_000+int64(v.chance.IntN(100_000)))
		}
		return m.tell(v, p, another(v, chargeStates, port.status), at)
	}
	return m.tell(v, p, another(v, idleStates, port.status), at)
}

// another draws a state that differs, mostly the first.
func another(v *voice, states []string, now string) string {
	for {
		next := states[0]
		if v.chance.IntN(2) == 0 {
			next = states[v.chance.IntN(len(states))]
		}
		if next != now {
			return next
		}
	}
}

// driven says what a load came to.
type driven struct {
	Offered float64 `json:"updatesPerSecondOffered"`
	Done    float64 `json:"updatesPerSecondDone"`
}

// drive makes perSecond changes a second, spread over all ports, until the
// context ends. A station that is slow to be answered delays only its worker.
func (n *network) drive(ctx context.Context, perSecond float64) (driven, error) {
	var done atomic.Int64
	began := time.Now()
	ending, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var wg sync.WaitGroup
	for w := range n.workers {
		wg.Go(func() {
			v := newVoice(uint64(w) + 1000)
			every := time.Duration(float64(n.workers) / perSecond * float64(time.Second))
			at := began.Add(every * time.Duration(w) / time.Duration(n.workers))
			mine := (len(n.members) - w + n.workers - 1) / n.workers
			for k := 0; mine > 0; k++ {
				select {
				case <-ctx.Done():
					return
				case <-ending.Done():
					return
				case <-time.After(time.Until(at)):
				}
				m := n.members[w+k%mine*n.workers]
				if err := m.stir(v, k/mine%2, time.Now()); err != nil {
					cancel(fmt.Errorf("station %s: %w", m.id, err))
					return
				}
				done.Add(1)
				at = at.Add(every)
			}
		})
	}
	wg.Wait()
	return driven{perSecond, round(float64(done.Load())/time.Since(began).Seconds(), 1)}, context.Cause(ending)
}
