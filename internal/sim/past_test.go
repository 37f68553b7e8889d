package sim

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// relive lives the past of a plan up to a Tuesday noon.
func relive(t *testing.T, plan Plan, seed uint64, days int, outages ...Outage) (*Fleet, []Told) {
	t.Helper()
	f, err := New(Options{Plan: plan, Seed: seed, Start: tuesday, History: time.Duration(days) * 24 * time.Hour, Replay: true})
	if err != nil {
		t.Fatal(err)
	}
	var all []Told
	if err := f.Relive(t.Context(), outages, func(told []Told) error { all = append(all, told...); return nil }); err != nil {
		t.Fatal(err)
	}
	return f, all
}

// pastPort is what one port did.
type pastPort struct {
	spec     *Spec
	id       int
	sessions []*pastSession
	byTx     map[string]*pastSession
}

type pastSession struct {
	started, ended time.Time
	readings       []Reading
	first, last    float64 // registers of 1.6
}

// ports sorts what was told by port and session.
func ports(t *testing.T, told []Told) map[string]*pastPort {
	t.Helper()
	all := make(map[string]*pastPort)
	for i := range told {
		x := &told[i]
		switch x.Kind {
		case ToldStarted, ToldUpdated, ToldEnded, ToldMetered:
		default:
			continue
		}
		key := fmt.Sprint(x.Station.ID, "/", x.EVSE)
		p := all[key]
		if p == nil {
			p = &pastPort{spec: x.Station, id: x.EVSE, byTx: make(map[string]*pastSession)}
			all[key] = p
		}
		s := p.byTx[x.TxID]
		switch {
		case x.TxID == "":
			t.Fatalf("%s at %s without a transaction: %+v", key, x.At, x)
		case x.Kind == ToldStarted && s != nil:
			t.Errorf("%s: transaction %s starts twice", key, x.TxID)
		case x.Kind == ToldStarted:
			s = &pastSession{started: x.At}
			p.byTx[x.TxID] = s
			p.sessions = append(p.sessions, s)
		case s == nil:
			t.Errorf("%s: transaction %s is told before it starts", key, x.TxID)
			continue
		case !s.ended.IsZero():
			t.Errorf("%s: transaction %s goes on after its end", key, x.TxID)
		}
		if x.RegisterWh != nil && x.Kind == ToldStarted {
			s.first = float64(*x.RegisterWh)
		}
		if x.Kind == ToldEnded {
			s.ended = x.At
			if x.RegisterWh != nil {
				s.last = float64(*x.RegisterWh)
			}
		}
		s.readings = append(s.readings, x.Curve...)
	}
	return all
}

func TestThePastIsTrueToLife(t *testing.T) {
	for seed, days := range map[uint64]int{1: 63, 2: 28, 3: 28} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			plan := Network(seed)
			_, told := relive(t, plan, seed, days)
			checkOrder(t, told, tuesday.AddDate(0, 0, -days))
			sessions, tapered, fast := 0, 0, 0
			for key, p := range ports(t, told) {
				sessions += len(p.sessions)
				checkPort(t, key, p)
				if p.spec.Model.EVSEs[p.id-1].Phases > 0 {
					continue
				}
				for _, s := range p.sessions {
					power := s.power()
					if s.ended.IsZero() || len(power) < 8 || power[len(power)-1].Percent < 75 {
						continue
					}
					fast++
					if power[len(power)-1].PowerW < 0.8*peak(power) {
						tapered++
					}
				}
			}
			if sessions < days*300 || sessions > days*900 {
				t.Errorf("%d sessions in %d days", sessions, days)
			}
			if fast < 500 || tapered < fast*8/10 {
				t.Errorf("only %d of %d fast sessions above 75 %% end with less power than they had", tapered, fast)
			}
			checkAilments(t, plan, told)
			checkStrangers(t, plan, told)
			if days > 60 && !slices.ContainsFunc(told, func(x Told) bool { return x.Kind == ToldFirmware && x.Word == "Installed" }) {
				t.Error("no firmware was installed in two months")
			}
		})
	}
}

// checkStrangers looks for a charge with a card that nobody knows: a station
// without a link is no exception, it opens for cards that it knows.
func checkStrangers(t *testing.T, plan Plan, told []Told) {
	t.Helper()
	free := make(map[string]bool)
	for _, site := range plan.Sites {
		free[site.ID] = site.FreeVend
	}
	refused := 0
	for i := range told {
		x := &told[i]
		if free[x.Station.Site] || !slices.Contains(plan.Strangers, x.Token) {
			continue
		}
		switch x.Kind {
		case ToldAuthorize:
			refused++
		case ToldStarted, ToldUpdated, ToldEnded:
			t.Errorf("%s/%d: a stranger charges at %s, offline %t", x.Station.ID, x.EVSE, x.At, x.Offline)
		}
	}
	if refused == 0 {
		t.Error("no stranger ever tried")
	}
}

// power is the readings that say a power.
func (s *pastSession) power() []Reading {
	return slices.DeleteFunc(slices.Clone(s.readings), func(r Reading) bool { return r.PowerW < 0 })
}

func peak(list []Reading) float64 {
	most := 0.0
	for _, r := range list {
		most = max(most, r.PowerW)
	}
	return most
}

func checkOrder(t *testing.T, told []Told, from time.Time) {
	t.Helper()
	last := from
	for i := range told {
		x := &told[i]
		if x.HeardAt.Before(last) {
			t.Fatalf("%s is told after what was heard at %s", x.HeardAt, last)
		}
		last = x.HeardAt
		if x.At.After(x.HeardAt) || x.At.Before(from) || x.HeardAt.After(tuesday) {
			t.Fatalf("%+v: happened %s, heard %s", x.Kind, x.At, x.HeardAt)
		}
		for _, r := range x.Curve {
			if r.At.After(x.HeardAt) {
				t.Fatalf("a reading of %s is heard at %s", r.At, x.HeardAt)
			}
		}
	}
}

// checkPort looks for what no port can do: two cars at a time, a register that
// goes back, more power than it has.
func checkPort(t *testing.T, key string, p *pastPort) {
	t.Helper()
	rated := p.spec.Model.EVSEs[p.id-1].RatedW
	var free time.Time
	register := 0.0
	for _, s := range p.sessions {
		if s.started.Before(free) {
			t.Errorf("%s: a session starts at %s, the one before ends at %s", key, s.started, free)
		}
		if s.ended.IsZero() {
			free = tuesday
		} else {
			free = s.ended
		}
		at := s.started
		counts := func(wh float64) {
			if wh < register-1 {
				t.Errorf("%s: the register goes back from %.1f to %.1f at %s", key, register, wh, at)
			}
			register = max(register, wh)
		}
		if s.first > 0 {
			counts(s.first)
		}
		for i, r := range s.readings {
			if r.At.Before(at) || !s.ended.IsZero() && r.At.After(s.ended) {
				t.Errorf("%s: a reading of %s in the session of %s to %s", key, r.At, s.started, s.ended)
			}
			if i > 0 {
				// What flowed since the last reading is no more than the port can give.
				if gain, most := r.RegisterWh-s.readings[i-1].RegisterWh, rated*1.02*r.At.Sub(at).Hours()+2; gain > most {
					t.Errorf("%s: %.0f Wh within %s at a port of %.0f W", key, gain, r.At.Sub(at), rated)
				}
			}
			at = r.At
			counts(r.RegisterWh)
			if r.PowerW > rated*1.02 {
				t.Errorf("%s: %.0f W at a port of %.0f W", key, r.PowerW, rated)
			}
		}
		if s.last > 0 {
			at = s.ended
			counts(s.last)
		}
	}
}

// checkAilments looks for what is wrong in the network.
func checkAilments(t *testing.T, plan Plan, told []Told) {
	t.Helper()
	dark := make(map[string]time.Duration)
	for _, s := range plan.Sites {
		dark[s.ID] = s.DarkFor
	}
	count := make(map[ToldKind]int)
	losses := make(map[string]int)
	offline := make(map[string]bool)
	slow := 0.0
	for i := range told {
		x := &told[i]
		count[x.Kind]++
		switch x.Kind {
		case ToldLinked:
			offline[x.Station.ID] = false
		case ToldLost:
			losses[x.Station.ID]++
			offline[x.Station.ID] = true
		}
		if d := dark[x.Station.Site]; d > 0 && x.HeardAt.After(tuesday.Add(-d+3*time.Minute)) {
			t.Errorf("%s is heard at %s from a dark site", x.Station.ID, x.HeardAt)
		}
		if w := x.Station.Worn; w != nil && x.EVSE == w.EVSE && x.At.After(tuesday.Add(-w.For).Add(3*time.Hour)) {
			slow = max(slow, peak(x.Curve))
		}
	}
	most := plan.worst()
	if slow > most.MaxW*1.02 || slow < most.MaxW*0.8 {
		t.Errorf("the worn port reached %.0f W, it can give %.0f", slow, most.MaxW)
	}
	for _, s := range plan.Stations {
		if s.Flaps && losses[s.ID] < 300 {
			t.Errorf("%s lost its link %d times, its modem is bad", s.ID, losses[s.ID])
		}
		if dark[s.Site] > 0 && !offline[s.ID] {
			t.Errorf("%s is online at a dark site", s.ID)
		}
	}
	for _, k := range []ToldKind{ToldBoot, ToldStatus, ToldProblem, ToldAuthorize, ToldUpdated, ToldMetered} {
		if count[k] == 0 {
			t.Errorf("nothing of kind %d was told", k)
		}
	}
}

func (p *Plan) worst() *Worn {
	for i := range p.Stations {
		if w := p.Stations[i].Worn; w != nil {
			return w
		}
	}
	return &Worn{}
}

func TestTheSameSeedGivesTheSamePast(t *testing.T) {
	plain := func(seed uint64) []Told {
		_, told := relive(t, Network(seed), seed, 5)
		for i := range told {
			told[i].tx, told[i].Station = nil, nil
		}
		return told
	}
	first := plain(4)
	if !reflect.DeepEqual(first, plain(4)) {
		t.Error("the same seed and start gave another past")
	}
	if len(first) < 5000 || reflect.DeepEqual(first, plain(5)) {
		t.Error("another seed gave the same past")
	}
}

// What weeks have in common: offices are empty at weekends and at night, and
// travellers come all week.
func TestThePastHasWeeks(t *testing.T) {
	_, told := relive(t, Network(1), 1, 28)
	uses := make(map[string]Use)
	plan := Network(1)
	for _, s := range plan.Sites {
		uses[s.ID] = s.Use
	}
	berlin := location("Europe/Berlin")
	var starts [2][7][24]int // office, motorway
	for i := range told {
		x := &told[i]
		if x.Kind != ToldStarted {
			continue
		}
		local := x.At.In(berlin)
		switch uses[x.Station.Site] {
		case Office:
			starts[0][local.Weekday()][local.Hour()]++
		case Motorway:
			starts[1][local.Weekday()][local.Hour()]++
		}
	}
	sum := func(use int, days []time.Weekday, from, to int) (n int) {
		for _, d := range days {
			for h := from; h < to; h++ {
				n += starts[use][d][h]
			}
		}
		return n
	}
	week := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	weekend := []time.Weekday{time.Saturday, time.Sunday}
	if work, rest := sum(0, week, 0, 24), sum(0, weekend, 0, 24); work < 10*rest || work < 200 {
		t.Errorf("office: %d sessions on workdays, %d at weekends", work, rest)
	}
	if morning, night := sum(0, week, 7, 10), sum(0, week, 22, 24)+sum(0, week, 0, 5); morning < 10*night+50 {
		t.Errorf("office: %d sessions begin in the morning, %d at night", morning, night)
	}
	if work, rest := sum(1, week, 0, 24), sum(1, weekend, 0, 24); float64(rest)/2 < float64(work)/5 {
		t.Errorf("motorway: %d sessions on five workdays, %d at weekends", work, rest)
	}
}

// The present goes on where the past ended: the transactions that were open go
// on under their ids, registers go on counting.
func TestThePresentFollowsThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newMemoryCentral()
		plan := Network(1)
		f, err := build(Options{Plan: plan, Seed: 1, History: 3 * 24 * time.Hour, Replay: true}, c)
		if err != nil {
			t.Fatal(err)
		}
		open := make(map[string]*Told)
		registers := make(map[string]float64)
		ids := 0
		if err := f.Relive(t.Context(), nil, func(told []Told) error {
			for i := range told {
				x := &told[i]
				port := fmt.Sprint(x.Station.ID, "/", x.EVSE)
				switch x.Kind {
				case ToldStarted:
					open[port] = x
					if x.Station.version() == V16 {
						ids++
					}
				case ToldEnded:
					delete(open, port)
				}
				for _, r := range x.Curve {
					registers[port] = r.RegisterWh
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(open) < 10 {
			t.Fatalf("only %d sessions are open", len(open))
		}
		c.mu.Lock()
		for id := range f.byID {
			c.nextTx[id] = 1_000_000
		}
		c.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			if err := f.Run(ctx); err != nil {
				t.Error(err)
			}
			close(done)
		}()
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		ended := 0
		for port, x := range open {
			ended += followed(t, c, port, x, registers[port])
		}
		if ended < len(open)/3 {
			t.Errorf("%d of %d sessions that were open ended within six hours", ended, len(open))
		}
		cancel()
		<-done
	})
}

// followed looks for the end of a transaction in what was said after the past.
func followed(t *testing.T, c *memoryCentral, port string, x *Told, register float64) int {
	t.Helper()
	for _, s := range c.all(x.Station.ID) {
		switch s.action {
		case "StartTransaction":
			if at, _ := s.payload["timestamp"].(string); at < x.At.UTC().Format(time.RFC3339) {
				t.Errorf("%s: a start of %s is told after the past", port, at)
			}
		case "StopTransaction":
			if fmt.Sprint(s.payload["transactionId"]) != x.TxID {
				continue
			}
			if wh, _ := s.payload["meterStop"].(float64); wh < register {
				t.Errorf("%s: the register goes back from %.0f to %.0f", port, register, wh)
			}
			return 1
		case "TransactionEvent":
			info, _ := s.payload["transactionInfo"].(map[string]any)
			if s.payload["eventType"] == "Ended" && info["transactionId"] == x.TxID {
				return 1
			}
		}
	}
	return 0
}

func TestTheCentralSystemHearsNothingWhileItIsDown(t *testing.T) {
	down := Outage{From: tuesday.Add(-30 * time.Hour), For: 4 * time.Minute}
	_, told := relive(t, Network(1), 1, 3, down)
	back := make(map[string]bool)
	for i := range told {
		x := &told[i]
		if x.HeardAt.After(down.From) && x.HeardAt.Before(down.From.Add(down.For)) {
			t.Errorf("%s is heard at %s", x.Station.ID, x.HeardAt)
		}
		if x.Kind == ToldLinked && x.HeardAt.After(down.From) && x.HeardAt.Before(down.From.Add(10*time.Minute)) {
			back[x.Station.ID] = true
		}
	}
	if len(back) < 100 {
		t.Errorf("only %d stations came back", len(back))
	}
}

func TestHolidays(t *testing.T) {
	for day, want := range map[string]bool{
		"2026-04-03": true, "2026-04-05": false, "2026-04-06": true, "2026-05-14": true, "2026-05-25": true, "2026-10-03": true,
		"2026-12-26": true, "2026-11-22": false, "2027-03-29": true, "2024-05-09": true, "2026-06-04": false,
	} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if holiday(at) != want {
			t.Errorf("%s: %v", day, !want)
		}
	}
}
