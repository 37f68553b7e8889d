package fleet

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// TestStories runs testdata/stories. Each is one story in lines:
//
//	at TIME SUBJECT WORDS      something told at that time, of that time
//	late TIME SUBJECT WORDS    told now, of an earlier time
//	wait DURATION              time passes
//	expect ...                 what must be true now
//
// A subject is STATION or STATION/PORT: a connector of OCPP 1.6, an EVSE of
// 2.x. After the last line the story is told again from what was recorded, in
// one batch, and must come out the same.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "\n"); n > 60 {
				t.Errorf("%d lines; a story has at most 60", n)
			}
			s := newStory()
			expectations := 0
			for i, line := range slices.Collect(strings.Lines(string(text))) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
				words := strings.Fields(line)
				if len(words) == 0 {
					continue
				}
				if words[0] == "expect" {
					expectations++
				}
				if err := s.run(words); err != nil {
					t.Fatalf("%s:%d: %s\n%v", file, i+1, line, err)
				}
			}
			if expectations == 0 {
				t.Error("the story expects nothing")
			}
			again := newTeller()
			again.fold(s.events...)
			again.advance(s.now)
			if got, want := again.digest(t), s.digest(t); got != want {
				t.Errorf("told again in one batch:\n%s\nwant\n%s", got, want)
			}
			s.restart(t)
		})
	}
}

type story struct {
	*teller
	now       time.Time
	protocol  map[string]string
	conn      int
	unsettled []*event.Event // derived events not yet expected
}

func newStory() *story {
	return &story{teller: newTeller(), now: clockAt("00:00:00"), protocol: make(map[string]string)}
}

func clockAt(text string) time.Time {
	layout := "15:04:05"
	if strings.Count(text, ":") == 1 {
		layout = "15:04"
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return time.Time{}
	}
	return time.Date(2026, 5, 4, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

func (s *story) run(words []string) error {
	switch words[0] {
	case "at", "late":
		if len(words) < 4 {
			return fmt.Errorf("needs a time, a subject and what happened")
		}
		at := clockAt(words[1])
		if at.IsZero() {
			return fmt.Errorf("not a time: %q", words[1])
		}
		if words[0] == "at" {
			if at.Before(s.now) {
				return fmt.Errorf("time goes back")
			}
			s.now = at
		}
		return s.tell(at, words[2], words[3], fields(words[4:]))
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return err
		}
		s.now = s.now.Add(d)
		n := len(s.derived)
		s.advance(s.now)
		s.unsettled = append(s.unsettled, s.derived[n:]...)
		return nil
	case "expect":
		return s.expect(words[1:])
	}
	return fmt.Errorf("unknown line")
}

// fields reads "key=value" and bare words.
func fields(words []string) map[string]string {
	m := make(map[string]string, len(words))
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			v = "yes"
		}
		m[k] = v
	}
	return m
}

func number(text string) *float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &v
}

func whole(text string) *int {
	v, err := strconv.Atoi(text)
	if err != nil {
		return nil
	}
	return &v
}

func (s *story) subject(text string) event.Subject {
	id, port, _ := strings.Cut(text, "/")
	sub := event.Station(id)
	if port == "" {
		return sub
	}
	first, second, _ := strings.Cut(port, "/")
	n, m := whole(first), whole(second)
	switch {
	case n == nil:
	case strings.HasPrefix(s.protocol[id], "ocpp2"):
		sub.EVSE, sub.Connector = *n, 1
		if m != nil {
			sub.Connector = *m
		}
	default:
		sub.Connector = *n
	}
	return sub
}

func (s *story) tell(at time.Time, subject, what string, f map[string]string) error {
	e := &event.Event{
		Subject: s.subject(subject), At: at, DeviceAt: at, ReceivedAt: s.now, RecordedAt: s.now, Quality: event.TimeDevice,
	}
	if clock := f["clock"]; clock != "" {
		var err error
		if e.DeviceAt, err = time.Parse(time.RFC3339, clock); err != nil {
			return err
		}
		e.At, e.Quality = s.now, event.TimeReceived
	}
	if _, noPort := f["noport"]; noPort {
		e.Subject.EVSE, e.Subject.Connector = 0, 0
	}
	switch what {
	case "configure":
		c := &event.StationConfigured{Onboarding: event.OnboardingAccepted, SiteID: f["site"]}
		if f["group"] != "" { // group=1+2: connectors 1 and 2 are one EVSE
			l := event.EVSELayout{EVSE: 1}
			for c := range strings.SplitSeq(f["group"], "+") {
				l.Connectors = append(l.Connectors, event.ConnectorLayout{Connector: *whole(c)})
			}
			c.Layout = []event.EVSELayout{l}
		}
		if f["exclusive"] != "" {
			for c2 := range strings.SplitSeq(f["exclusive"], "+") {
				c.Layout = append(c.Layout, event.EVSELayout{EVSE: *whole(c2), Group: "g", Exclusive: true,
					Connectors: []event.ConnectorLayout{{Connector: *whole(c2)}}})
			}
		}
		e.Body, e.Origin = c, event.FromUs
	case "connect":
		s.conn++
		protocol := "ocpp1.6"
		for p := range f {
			if strings.HasPrefix(p, "ocpp") {
				protocol = p
			}
		}
		s.protocol[e.Subject.ID] = protocol
		e.Body, e.Origin = &event.Connected{ConnID: strconv.Itoa(s.conn), Protocol: protocol}, event.FromUs
	case "disconnect":
		st, _ := s.state.Snapshot().Station(e.Subject.ID)
		e.Body, e.Origin = &event.Disconnected{ConnID: st.ConnID, Reason: "eof", LastFrameAt: clockAt(f["last"])}, event.FromUs
	case "restart":
		e.Subject, e.Origin = event.Self(), event.FromUs
		e.Body = &event.ServerStarted{LastAlive: clockAt(f["alive"])}
	case "remove":
		e.Body, e.Origin = &event.StationRemoved{}, event.FromUs
	case "boot":
		e.Body = &event.Boot{Vendor: f["vendor"], Model: f["model"], Serial: f["serial"], Status: "Accepted"}
	case "status":
		b := &event.Status{ErrorCode: f["code"], VendorErrorCode: f["vendorCode"]}
		for word, v := range f {
			if v == "yes" && word != "noport" {
				b.Status = word
			}
		}
		e.Body = b
	case "component":
		c := event.ComponentEvent{Component: "Connector", EVSE: e.Subject.EVSE, Connector: e.Subject.Connector, Variable: "AvailabilityState", At: at}
		if e.Subject.EVSE == 0 {
			c.Component = "ChargingStation"
		}
		for word, v := range f {
			if v == "yes" {
				c.Value = word
			}
		}
		e.Subject.EVSE, e.Subject.Connector = 0, 0
		e.Body = &event.Component{Items: []event.ComponentEvent{c}}
	case "meter":
		e.Body = &event.Meter{TransactionID: f["tx"], Samples: samplesOf(at, f)}
	case "start":
		e.Body = &event.Transaction{Stage: event.TransactionStarted, AssignID: true, TokenID: f["token"], MeterWh: number(f["E"])}
	case "stop":
		e.Subject.EVSE, e.Subject.Connector = 0, 0
		e.Body = &event.Transaction{Stage: event.TransactionEnded, TransactionID: f["tx"], TokenID: f["token"],
			MeterWh: number(f["E"]), Reason: f["reason"]}
	case "started", "updated", "ended":
		_, offline := f["offline"]
		e.Body = &event.Transaction{Stage: event.TransactionStage(what), TransactionID: f["tx"], SeqNo: whole(f["seq"]), Offline: offline,
			ChargingState: f["state"], TokenID: f["token"], Reason: f["reason"], Samples: samplesOf(at, f)}
	default:
		return fmt.Errorf("unknown happening %q", what)
	}
	n := len(s.derived)
	s.fold(e)
	s.unsettled = append(s.unsettled, s.derived[n:]...)
	return nil
}

func samplesOf(at time.Time, f map[string]string) event.Samples {
	g := event.SampleGroup{At: at}
	for short, measurand := range map[string]string{"E": "Energy.Active.Import.Register", "P": "Power.Active.Import", "SoC": "SoC"} {
		if v := number(f[short]); v != nil {
			g.Values = append(g.Values, event.Sample{Measurand: measurand, Value: *v})
		}
	}
	if len(g.Values) == 0 {
		return nil
	}
	return event.Samples{g}
}

func (s *story) expect(words []string) error {
	switch words[0] {
	case "session":
		return s.expectSession(words[1], words[2], fields(words[3:]))
	case "sessions":
		return same("sessions", strconv.Itoa(len(s.allSessions())), words[1])
	case "derived":
		if len(s.unsettled) == 0 {
			return fmt.Errorf("nothing was derived")
		}
		d := s.unsettled[0]
		s.unsettled = s.unsettled[1:]
		return same("derived", string(d.Body.Kind()), words[1])
	case "nothing":
		if len(s.unsettled) > 0 {
			return fmt.Errorf("derived %s: %+v", s.unsettled[0].Body.Kind(), s.unsettled[0].Body)
		}
		return nil
	case "receipt":
		r := s.receipts[len(s.receipts)-1]
		f := fields(words[1:])
		if err := same("tx", r.TransactionID, f["tx"]); err != nil {
			return err
		}
		return same("retry", yes(r.Retry), orNo(f["retry"]))
	case "quirk":
		if q := s.events[len(s.events)-1].Quirks; !slices.Contains(q, words[1]) {
			return fmt.Errorf("quirks are %v", q)
		}
		return nil
	case "subject":
		return same("subject", s.events[len(s.events)-1].Subject.String(), words[1])
	case "no":
		if q := s.events[len(s.events)-1].Quirks; len(q) > 0 {
			return fmt.Errorf("quirks are %v", q)
		}
		return nil
	case "intent":
		return same("intent", s.intents[len(s.intents)-1].Action, words[1])
	case "history":
		return s.expectHistory(words[1], words[2:])
	}
	return s.expectPort(words[0], words[1], fields(words[2:]))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func orNo(text string) string {
	if text == "" {
		return "no"
	}
	return text
}

func same(what, got, want string) error {
	if got != want {
		return fmt.Errorf("%s is %q", what, got)
	}
	return nil
}

// expectPort reads: STATION online|offline|STATUS, or STATION/PORT STATUS with
// free=, session=, energy=, power=, soc=, fault=, ports=.
func (s *story) expectPort(subject, status string, f map[string]string) error {
	id, port, _ := strings.Cut(subject, "/")
	st, ok := s.state.Snapshot().Station(id)
	if status == "unknown" {
		return same("known", yes(ok), "no")
	}
	if !ok {
		return fmt.Errorf("no station %s", id)
	}
	if port == "" {
		if f["ports"] != "" {
			if err := same("ports", strconv.Itoa(len(st.EVSEs)), f["ports"]); err != nil {
				return err
			}
		}
		if f["waiting"] != "" {
			if err := same("waiting", strconv.Itoa(len(st.Backlog)), f["waiting"]); err != nil {
				return err
			}
		}
		switch status {
		case "online", "offline":
			return same("link", map[bool]string{true: "online", false: "offline"}[st.Online], status)
		}
		return same("status", st.Status().String(), status)
	}
	v := st.evse(*whole(port))
	if v == nil {
		return fmt.Errorf("no EVSE %s", port)
	}
	if err := same("status", v.Status.String(), status); err != nil {
		return err
	}
	session, energy, power, fault, soc := "none", "", "none", "none", "none"
	if v.Session != nil {
		session, energy = v.Session.TransactionID, fmt.Sprintf("%.0fWh", v.Session.EnergyWh)
	}
	if v.Live.PowerW != nil {
		power = fmt.Sprintf("%.0fW", *v.Live.PowerW)
	}
	if v.Live.SoC != nil {
		soc = fmt.Sprintf("%.0f", *v.Live.SoC)
	}
	if v.Fault != nil {
		fault = v.Fault.Code
	}
	got := map[string]string{
		"free": yes(st.Free(v)), "session": session, "energy": energy, "power": power, "fault": fault, "soc": soc,
		"since": v.StatusAt.Format("15:04:05"),
	}
	for _, k := range slices.Sorted(maps.Keys(f)) {
		if err := same(k, got[k], f[k]); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) allSessions() map[string]*Session {
	all := maps.Clone(s.stored)
	for st := range s.state.Snapshot().Stations() {
		for _, o := range st.open() {
			all[o.ID] = o
		}
	}
	return all
}

// expectSession reads: session TX STATE with energy=, flags=, start=, end=,
// reason=, port=, token=, first=, last=. Of several with that id the newest.
func (s *story) expectSession(tx, state string, f map[string]string) error {
	var found *Session
	for _, o := range s.allSessions() {
		if (o.TransactionID == tx || o.GivenID == tx) && (found == nil || newer(o, found)) {
			found = o
		}
	}
	if found == nil {
		return fmt.Errorf("no session of transaction %s", tx)
	}
	var flags []string
	for _, x := range found.Flags {
		flags = append(flags, string(x))
	}
	slices.Sort(flags)
	got := map[string]string{
		"energy": fmt.Sprintf("%.0fWh", found.EnergyWh), "flags": orNone(strings.Join(flags, ",")),
		"start": found.StartedAt.Format("15:04:05"), "end": found.EndedAt.Format("15:04:05"), "reason": found.StopReason,
		"port": strconv.Itoa(found.EVSE), "token": found.TokenID, "peak": fmt.Sprintf("%.0fW", found.PeakPowerW),
		"first": register(found.MeterStartWh), "last": register(found.MeterStopWh),
	}
	if err := same("state", string(found.State), state); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(f)) {
		if err := same(k, got[k], f[k]); err != nil {
			return err
		}
	}
	return nil
}

func register(wh *float64) string {
	if wh == nil {
		return "none"
	}
	return fmt.Sprintf("%.0f", *wh)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// expectHistory reads the track of a port (or, for a station, of its link) as
// it is known now: TIME STATE TIME STATE ...
func (s *story) expectHistory(subject string, want []string) error {
	id, port, _ := strings.Cut(subject, "/")
	evse := 0
	if n := whole(port); n != nil {
		evse = *n
	}
	var list []Point
	for _, p := range s.points {
		if p.Station == id && p.EVSE == evse {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Point) int {
		if c := a.ValidFrom.Compare(b.ValidFrom); c != 0 {
			return c
		}
		return int(a.Seq) - int(b.Seq)
	})
	var got []string
	for i, p := range list {
		if i+1 < len(list) && list[i+1].ValidFrom.Equal(p.ValidFrom) {
			continue
		}
		if n := len(got); n > 0 && got[n-1] == p.State {
			continue
		}
		got = append(got, p.ValidFrom.Format("15:04"), p.State)
	}
	return same("history", strings.Join(got, " "), strings.Join(want, " "))
}
