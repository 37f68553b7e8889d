package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/provision"
	"github.com/chargewatch/chargewatch/internal/sim"
)

const (
	provisionWithin = 10 * time.Minute
	provisionAfter  = 5 * time.Minute // for stations whose cars were taken away
	provisionIdle   = 2 * time.Minute // what --restart-idle is unless somebody says otherwise
	provisionGrace  = 90 * time.Second
	provisionFixed  = 50 // each so many stations says that its interval cannot be changed
)

// provisionResult is what became of a fleet as it leaves the works, counted by the
// stations themselves: what their firmware goes by, and what they send.
type provisionResult struct {
	Server    string         `json:"server"`
	Day       string         `json:"day"`
	Stations  int            `json:"stations"`
	Versions  map[string]int `json:"stationsByVersion"`
	Firmware  map[string]int `json:"stationsByFirmware"`
	InUse     int            `json:"stationsInUseAtTheStart"`
	Set       milestones     `json:"setSeconds"`      // the firmware goes by it
	Measured  milestones     `json:"measuredSeconds"` // three measurements as asked were sent
	Measuring int            `json:"stationsThatMeasure"`
	Left      map[string]int `json:"stationsThatDoNot"` // by the reason
	Missed    []string       `json:"missed"`            // that could have
	Later     *later         `json:"onceTheirCarsWereGone,omitempty"`
	Resets    sim.Restarts   `json:"resets"`
	Commands  float64        `json:"commandsPerStation"`
	Most      int            `json:"commandsOfTheBusiestStation"`
	Actions   map[string]int `json:"commandsByAction"`
	Product   map[string]any `json:"configurationFleet"` // what the product says at the end
	CPU       float64        `json:"serverProcessorSeconds"`
}

// milestones are seconds after the first station was switched on; 0: not reached.
type milestones struct {
	First float64 `json:"first"`
	Half  float64 `json:"half"`
	P99   float64 `json:"p99"`
	All   float64 `json:"all"`
	Count int     `json:"stations"`
}

// later is how those that had to wait for their cars went on.
type later struct {
	Stations int        `json:"stations"`
	Set      milestones `json:"setSeconds"`
}

func (r *provisionResult) row() (head, row []string) {
	f := func(format string, v ...any) string { return fmt.Sprintf(format, v...) }
	at := func(seconds float64) string {
		if seconds == 0 {
			return "-" // not reached
		}
		return f("%.0f", seconds)
	}
	ms := func(m milestones) string {
		return at(m.First) + " / " + at(m.Half) + " / " + at(m.P99) + " / " + at(m.All)
	}
	return []string{"use", "stations", "in use at the start", "set by first / 50 % / 99 % / all s", "measuring as asked by first / 50 % / 99 % / all s", "measure within 10 min", "do not, and why", "could have and do not", "resets", "of them in a session / with a car", "commands per station mean / most", "server CPU s"},
		[]string{
			r.Day, f("%d", r.Stations), f("%d", r.InUse), ms(r.Set), ms(r.Measured), f("%d", r.Measuring), listed(r.Left), f("%d", len(r.Missed)),
			f("%d", r.Resets.Asked), f("%d / %d", r.Resets.Charging, r.Resets.Plugged), f("%.1f / %d", r.Commands, r.Most), f("%.1f", r.CPU),
		}
}

func (r *provisionResult) markdown() string {
	out := fmt.Sprintf("\nVersions: %s. Firmware: %s. Commands: %s. The product counts %v that measure as asked and %v of which it was seen.\n",
		listed(r.Versions), listed(r.Firmware), listed(r.Actions), r.Product["measure"], r.Product["verified"])
	if r.Later != nil {
		out += fmt.Sprintf("\nThe %d stations that need a restart and never were without a car for two minutes: their cars were taken away after ten minutes; %d of them were set within the next five, half of all after %.0f s.\n",
			r.Later.Stations, r.Later.Set.Count, r.Later.Set.Half)
	}
	return out + "\n\"Measuring\" is three measurements in a row on the wire, as often as the profile asks and with all measurands of it that the firmware knows. Stations with no car get one once they were told what to measure.\n"
}

// listed is what there was of each, by name.
func listed(by map[string]int) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, fmt.Sprintf("%d %s", by[name], name))
	}
	return strings.Join(out, "; ")
}

// works is one station from the works, seen from its own side.
type works struct {
	id      string
	handle  sim.Station
	factory *sim.Factory
	every   time.Duration
	names   []string // what it has to measure
	model   sim.Model

	mu       sync.Mutex
	ports    map[string]*portSeen
	commands map[string]int
	measured time.Time

	fitted      bool // it measures what is asked for, how often it may be
	set         time.Time
	charged     time.Duration // since then
	left        bool          // the cars that stood there at first were told to leave
	idleSince   time.Time
	longestIdle time.Duration
}

// portSeen is what one transaction told.
type portSeen struct{ before, last time.Time }

// wanted is what the default profile asks of a station, as far as its firmware can.
func wanted(s *sim.Spec) *works {
	w := &works{id: s.ID, factory: s.Factory, model: s.Model, every: time.Minute, ports: make(map[string]*portSeen), commands: make(map[string]int)}
	dc, all := false, true
	for _, e := range s.Model.EVSEs {
		dc, all = dc || e.Phases == 0, all && e.Phases == 0
	}
	if dc {
		w.every = 30 * time.Second
	}
	for _, x := range provision.Default().Settings {
		if x.Name != "SampledDataCtrlr/TxUpdatedMeasurands" {
			continue
		}
		for _, m := range provision.Split(x.Value) {
			if provision.Measurand(m, s.Protocol() != "ocpp1.6") && !slices.Contains(s.Factory.Refuses, m) {
				w.names = append(w.names, m)
			}
		}
	}
	if s.Factory.Room > 0 {
		w.names = w.names[:min(len(w.names), s.Factory.Room)]
	}
	if !all { // a port with alternating current hears no state of charge
		w.names = slices.DeleteFunc(w.names, func(m string) bool { return m == "SoC" })
	}
	return w
}

func (w *works) unplug() {
	for port := range w.model.EVSEs {
		_ = w.handle.Unplug(port + 1) // where there is no car nothing happens
	}
}

// kind is what is special about its firmware.
func (w *works) kind() string {
	switch f := w.factory; {
	case f.Fixed:
		return "read-only"
	case f.Restarts:
		return "wants a restart"
	case f.Room > 0:
		return "little room"
	case len(f.Refuses) > 0:
		return "refuses measurands"
	}
	return "takes all"
}

// see takes a frame of the station.
func (w *works) see(f sim.Frame) {
	if !f.Out {
		if kind, action := frameOf(f.Data); kind == '2' {
			w.mu.Lock()
			w.commands[action]++
			w.mu.Unlock()
		}
		return
	}
	kind, action := frameOf(f.Data)
	if kind != '2' || action != "MeterValues" && action != "TransactionEvent" {
		return
	}
	var parts []json.RawMessage
	var said struct {
		Connector   int    `json:"connectorId"`
		Trigger     string `json:"triggerReason"`
		Transaction struct {
			ID string `json:"transactionId"`
		} `json:"transactionInfo"`
		Values []struct {
			At      time.Time `json:"timestamp"`
			Samples []struct {
				Measurand string `json:"measurand"`
				Context   string `json:"context"`
			} `json:"sampledValue"`
		} `json:"meterValue"`
	}
	if json.Unmarshal(f.Data, &parts) != nil || len(parts) != 4 || json.Unmarshal(parts[3], &said) != nil || said.Trigger != "" && said.Trigger != "MeterValuePeriodic" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	port := fmt.Sprint(said.Connector, said.Transaction.ID)
	for _, v := range said.Values {
		var names []string
		for _, x := range v.Samples {
			if x.Context == "" || x.Context == "Sample.Periodic" {
				names = append(names, cmp.Or(x.Measurand, "Energy.Active.Import.Register"))
			}
		}
		if len(names) > 0 {
			w.add(port, v.At, names, f.At)
		}
	}
}

func (w *works) add(port string, at time.Time, names []string, now time.Time) {
	p := w.ports[port]
	if p == nil {
		p = &portSeen{}
		w.ports[port] = p
	}
	if slices.ContainsFunc(w.names, func(m string) bool { return !slices.Contains(names, m) }) {
		*p = portSeen{}
		return
	}
	kept := func(from, to time.Time) bool {
		return !from.IsZero() && math.Abs(to.Sub(from).Seconds()-w.every.Seconds()) < 0.2*w.every.Seconds()
	}
	if w.measured.IsZero() && kept(p.before, p.last) && kept(p.last, at) {
		w.measured = now
	}
	p.before, p.last = p.last, at
}

// frameOf is the kind of a frame and the action of a call.
func frameOf(b []byte) (kind byte, action string) {
	if len(b) < 2 {
		return 0, ""
	}
	if b[1] != '2' {
		return b[1], ""
	}
	var parts [3]json.RawMessage
	if json.Unmarshal(b, &parts) == nil {
		json.Unmarshal(parts[2], &action)
	}
	return '2', action
}

// look sees how the station is now; a car comes to an idle one once it was told what to
// measure: how often may be known only from what it then measures.
func (w *works) look(now time.Time, tokens []sim.Token, n int) {
	idle := w.handle.Idle()
	switch {
	case !idle:
		w.idleSince = time.Time{}
	case w.idleSince.IsZero():
		w.idleSince = now
	default:
		w.longestIdle = max(w.longestIdle, now.Sub(w.idleSince))
	}
	if w.set.IsZero() {
		is := w.handle.Sampling()
		w.fitted = is.Every > 0 && !slices.ContainsFunc(w.names, func(m string) bool { return !slices.Contains(is.Measurands, m) })
		if w.fitted && is.Every == w.every {
			w.set = now
		}
	}
	for port := range w.model.EVSEs {
		if p := w.handle.Port(port + 1); !w.set.IsZero() && p.Tx && p.PowerW > 0 {
			w.charged += time.Second
			break
		}
	}
	if w.fitted && idle && w.done().IsZero() {
		_ = w.handle.Charge(1, tokens[n%len(tokens)]) // a port that is out of order gets none
	}
}

func (w *works) wasSet() time.Time { return w.set }

func (w *works) done() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.measured
}

func milestonesOf(list []*works, from time.Time, when func(*works) time.Time) milestones {
	var all []float64
	for _, w := range list {
		if at := when(w); !at.IsZero() {
			all = append(all, at.Sub(from).Seconds())
		}
	}
	slices.Sort(all)
	at := func(share float64) float64 {
		if i := int(math.Ceil(share*float64(len(list)))) - 1; i >= 0 && i < len(all) {
			return round(all[i], 1)
		}
		return 0
	}
	out := milestones{First: at(0), Half: at(0.5), P99: at(0.99), All: at(1), Count: len(all)}
	if len(all) > 0 {
		out.First = round(all[0], 1)
	}
	return out
}

// worksDay is how a fleet is used while it is set: busy, or early in the morning, when
// few cars come and those of the night leave within three minutes.
type worksDay struct {
	name    string
	traffic float64
	fixed   bool          // some say that their interval cannot be changed
	leave   time.Duration // all cars that stood there at first are gone by then; 0: they stay as they would
}

var (
	busyWorks  = worksDay{name: "busy", traffic: 1.5, fixed: true}
	earlyWorks = worksDay{name: "early", traffic: 0.2, leave: 3 * time.Minute}
)

// provisioning switches on a fleet as it leaves the works and lets the profile that
// comes along set it.
func provisioning(ctx context.Context, l *lab, n int, day worksDay) (*provisionResult, error) {
	srv, err := l.startChargewatch(ctx, "", false)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	if srv.api.token, err = l.mint(srv.data); err != nil {
		return nil, err
	}
	plan := sim.FactoryFleet(n, "WORKS-", 8)
	list, byID, err := enrolWorks(ctx, srv.api, &plan, day.fixed)
	if err != nil {
		return nil, err
	}
	fleet, err := sim.New(sim.Options{
		URL: srv.target.ws, Plan: plan, Scenario: sim.Scenario{Name: "factory", Traffic: day.traffic}, Seed: 8, History: 6 * time.Hour, Ramp: 20 * time.Second,
		Observe: func(f sim.Frame) { byID[f.Station].see(f) },
	})
	if err != nil {
		return nil, err
	}
	for _, w := range list {
		w.handle, _ = fleet.Station(w.id)
	}
	playing, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	began, cpu := time.Now(), srv.cpu()
	work.Go(func() { _ = fleet.Run(playing) })
	r := &provisionResult{Server: "chargewatch", Day: day.name, Stations: n, Versions: make(map[string]int), Firmware: make(map[string]int), Left: make(map[string]int), Actions: make(map[string]int), Missed: []string{}}
	for i := range plan.Stations {
		r.Versions[plan.Stations[i].Protocol()]++
		r.Firmware[list[i].kind()]++
	}
	follow := func(until time.Time, all func() bool) error {
		told := time.Now()
		for time.Now().Before(until) && !all() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
			for i, w := range list {
				w.look(time.Now(), plan.Tokens, i)
				if leaves := day.leave * time.Duration(i+1) / time.Duration(n); day.leave > 0 && !w.left && r.InUse > 0 && time.Since(began) > leaves {
					w.left = true
					w.unplug()
				}
			}
			if time.Since(told) > time.Minute {
				told = time.Now()
				log.Printf("provision: %d set, %d measure, %d restarts", milestonesOf(list, began, (*works).wasSet).Count, milestonesOf(list, began, (*works).done).Count, fleet.Restarts().Asked)
			}
			if r.InUse == 0 && time.Since(began) > 25*time.Second {
				for _, w := range list {
					if w.idleSince.IsZero() {
						r.InUse++
					}
				}
			}
		}
		return nil
	}
	if err := follow(began.Add(provisionWithin), func() bool { return milestonesOf(list, began, (*works).done).Count == n }); err != nil {
		return r, err
	}
	r.Resets, r.CPU = fleet.Restarts(), round((srv.cpu()-cpu).Seconds(), 1)
	r.Set, r.Measured = milestonesOf(list, began, (*works).wasSet), milestonesOf(list, began, (*works).done)
	r.Measuring = r.Measured.Count
	waiting := r.leftOver(ctx, srv.api, list)
	r.count(list)
	if err := srv.api.do(ctx, http.MethodGet, "/api/v1/configuration-fleet", nil, &r.Product); err != nil {
		return r, err
	}
	delete(r.Product, "$schema")
	if len(waiting) > 0 {
		log.Printf("provision: %d stations wait for their cars, which leave now", len(waiting))
		gone := time.Now()
		for _, w := range waiting {
			w.unplug()
		}
		err := follow(gone.Add(provisionAfter), func() bool {
			return !slices.ContainsFunc(waiting, func(w *works) bool { return w.set.IsZero() })
		})
		r.Later = &later{len(waiting), milestonesOf(waiting, gone, (*works).wasSet)}
		r.Resets = fleet.Restarts()
		if err != nil {
			return r, err
		}
	}
	if len(r.Missed) > 0 || r.Resets.Charging > 0 || r.Resets.Asked == 0 {
		return r, fmt.Errorf("provision: %d could measure and do not, %d of %d resets hit a session", len(r.Missed), r.Resets.Charging, r.Resets.Asked)
	}
	return r, nil
}

// enrolWorks makes sites, stations and cards known to the server.
func enrolWorks(ctx context.Context, a *api, plan *sim.Plan, fixed bool) (list []*works, byID map[string]*works, err error) {
	for _, s := range plan.Sites {
		if err := a.do(ctx, http.MethodPost, "/api/v1/sites", map[string]any{"id": s.ID, "name": s.Name, "timezone": s.TimeZone}, nil); err != nil {
			return nil, nil, err
		}
	}
	for _, t := range plan.Tokens {
		if err := a.do(ctx, http.MethodPost, "/api/v1/credentials", map[string]any{"idToken": t.ID}, nil); err != nil {
			return nil, nil, err
		}
	}
	byID = make(map[string]*works)
	table := "id,siteId,profile\n"
	for i := range plan.Stations {
		s := &plan.Stations[i]
		if fixed && i%provisionFixed == 7 {
			s.Factory = &sim.Factory{Fixed: true}
			s.Model.Firmware = strings.TrimSuffix(s.Model.Firmware, "-b") + "-e"
		}
		table += fmt.Sprintf("%s,%s,0\n", s.ID, s.Site)
		w := wanted(s)
		list, byID[s.ID] = append(list, w), w
	}
	return list, byID, a.send(ctx, http.MethodPost, "/api/v1/stations/import", "text/csv", []byte(table), nil)
}

// leftOver says why stations do not measure as asked, and returns those that wait for
// their cars. What cannot be helped has to be what the product says of it.
func (r *provisionResult) leftOver(ctx context.Context, a *api, list []*works) (waiting []*works) {
	for _, w := range list {
		if !w.done().IsZero() {
			continue
		}
		var said struct {
			State    string
			Problem  string
			Settings []struct{ Name, State, Said string }
		}
		_ = a.do(ctx, http.MethodGet, "/api/v1/stations/"+w.id+"/configuration/difference", nil, &said)
		interval := ""
		for _, x := range said.Settings {
			if x.Name == "SampledDataCtrlr/TxUpdatedInterval" {
				interval = x.State
			}
		}
		switch {
		case w.factory.Fixed && (interval == "readOnly" || interval == "refused"):
			r.Left["the interval is read-only, and the product says so"]++
		case w.factory.Restarts && w.set.IsZero() && w.waited() && interval == "atRestart":
			r.Left["needs a restart and had cars all the time; the product says that it waits"]++
			waiting = append(waiting, w)
		case !w.set.IsZero() && w.charged < 3*w.every+10*time.Second:
			r.Left["set, and no car charged long enough since to show it"]++
		case !w.set.IsZero():
			r.Left["set, and it does not measure so"]++
			r.Missed = append(r.Missed, fmt.Sprintf("%s: set after all, and not seen; the product says %s", w.id, said.State))
		default:
			r.Left["other"]++
			is := w.handle.Sampling()
			r.Missed = append(r.Missed, fmt.Sprintf("%s (%s): every %v and not %v, %v; %d idle s; the product says %s %s, interval %s", w.id, w.kind(), is.Every, w.every, is.Measurands, int(w.longestIdle.Seconds()), said.State, said.Problem, interval))
		}
	}
	return waiting
}

// waited reports whether the product had no moment to restart it, or took one and knows
// by what it measured since that it needs another.
func (w *works) waited() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	idle := time.Duration(0)
	if !w.idleSince.IsZero() {
		idle = time.Since(w.idleSince)
	}
	return idle < provisionIdle+provisionGrace && (w.longestIdle < provisionIdle+provisionGrace || w.commands["Reset"] > 0)
}

func (r *provisionResult) count(list []*works) {
	sum := 0
	for _, w := range list {
		w.mu.Lock()
		own := 0
		for action, k := range w.commands {
			r.Actions[action] += k
			own += k
		}
		w.mu.Unlock()
		sum += own
		r.Most = max(r.Most, own)
	}
	r.Commands = round(float64(sum)/float64(len(list)), 1)
}
