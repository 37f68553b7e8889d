package health

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// A story is read line by line:
//
//	TIME SUBJECT WHAT [words] [key=value ...]
//
// TIME is 17:05 or 17:05:30, on another day 3/17:05. SUBJECT is a station, a
// port A/1, a connector A/1.2 or self. WHAT is one of the cases of body below; key told=TIME
// says that it was received only then. A line beginning with # is a comment.
type teller struct {
	t    testing.TB
	conn map[string]int
}

// day is day 0 of every story, a Monday.
var day = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

func (s *teller) time(word string) time.Time {
	days := 0
	if d, rest, ok := strings.Cut(word, "/"); ok {
		n, err := strconv.Atoi(d)
		if err != nil {
			s.t.Fatal(err)
		}
		days, word = n, rest
	}
	if strings.Count(word, ":") == 1 {
		word += ":00"
	}
	at, err := time.Parse("15:04:05", word)
	if err != nil {
		s.t.Fatal(err)
	}
	return day.AddDate(0, 0, days).Add(at.Sub(at.Truncate(24 * time.Hour)))
}

// tell makes the events of a story; one with a nil body only lets time pass.
func tell(t testing.TB, story string) []*event.Event {
	t.Helper()
	s := &teller{t: t, conn: make(map[string]int)}
	var out []*event.Event
	for line := range strings.Lines(story) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 3 {
			t.Fatalf("too short: %s", line)
		}
		at := s.time(words[0])
		subject := event.Self()
		if words[1] != "self" {
			id, port, _ := strings.Cut(words[1], "/")
			evse, plug, _ := strings.Cut(port, ".")
			n, _ := strconv.Atoi(evse)
			c, _ := strconv.Atoi(plug)
			subject = event.Port(id, n, c)
		}
		v := make(map[string]string)
		var plain []string
		for _, w := range words[3:] {
			if key, value, ok := strings.Cut(w, "="); ok {
				v[key] = strings.ReplaceAll(value, "_", " ")
			} else {
				plain = append(plain, w)
			}
		}
		e := &event.Event{
			Seq: uint64(len(out) + 1), Subject: subject, At: at, ReceivedAt: at, RecordedAt: at, Body: s.body(words[2], strings.Join(plain, " "), subject, at, v),
		}
		if v["told"] != "" {
			e.ReceivedAt = s.time(v["told"])
			e.RecordedAt = e.ReceivedAt
		}
		if v["clock"] != "" { // the station's own
			e.DeviceAt, e.Quality = s.time(v["clock"]), event.TimeCorrected
			if e.DeviceAt.Year() < 2020 {
				e.Quality = event.TimeReceived
			} else if e.DeviceAt.Equal(e.At) {
				e.Quality = event.TimeDevice
			}
		}
		out = append(out, e)
	}
	return out
}

func (s *teller) body(what, first string, subject event.Subject, at time.Time, v map[string]string) event.Body {
	number := func(key string) *float64 {
		if v[key] == "" {
			return nil
		}
		x, err := strconv.ParseFloat(v[key], 64)
		if err != nil {
			s.t.Fatal(err)
		}
		return &x
	}
	samples := func() event.Samples {
		g := event.SampleGroup{At: at}
		for _, m := range [][2]string{
			{"E", "Energy.Active.Import.Register"}, {"P", "Power.Active.Import"}, {"O", "Power.Offered"}, {"I", "Current.Import"},
			{"U", "Voltage"}, {"soc", "SoC"}, {"T", "Temperature"},
		} {
			if x := number(m[0]); x != nil {
				g.Values = append(g.Values, event.Sample{Measurand: m[1], Value: *x})
			}
		}
		for _, phase := range []string{"L1", "L2", "L3"} {
			if x := number("I" + phase); x != nil {
				g.Values = append(g.Values, event.Sample{Measurand: "Current.Import", Phase: phase, Value: *x})
			}
			if x := number("U" + phase); x != nil {
				g.Values = append(g.Values, event.Sample{Measurand: "Voltage", Phase: phase, Value: *x})
			}
		}
		if len(g.Values) == 0 {
			return nil
		}
		return event.Samples{g}
	}
	switch what {
	case "configured": // dc=2 ports of W=150000
		b := &event.StationConfigured{SiteID: v["site"], Onboarding: event.OnboardingAccepted, FreeVend: v["free"] != ""}
		for _, current := range []string{"ac", "dc"} {
			n, _ := strconv.Atoi(v[current])
			for range n {
				l := event.EVSELayout{EVSE: len(b.Layout) + 1, Current: strings.ToUpper(current), RatedW: 22_000, Group: v["group"]}
				if current == "dc" {
					l.RatedW = 150_000
				}
				if x := number("W"); x != nil {
					l.RatedW = *x
				}
				b.Layout = append(b.Layout, l)
			}
		}
		return b
	case "removed":
		return &event.StationRemoved{}
	case "connected":
		s.conn[subject.ID]++
		protocol := "ocpp1.6"
		if v["protocol"] != "" {
			protocol = v["protocol"]
		}
		return &event.Connected{ConnID: subject.ID + "-" + strconv.Itoa(s.conn[subject.ID]), Protocol: protocol, Replaced: v["replaced"]}
	case "disconnected":
		return &event.Disconnected{ConnID: subject.ID + "-" + strconv.Itoa(s.conn[subject.ID]), Reason: "connection lost", LastFrameAt: at}
	case "boot":
		return &event.Boot{
			Vendor: cmpOr(v["vendor"], "Hypervolt"), Model: cmpOr(v["model"], "One"), Firmware: cmpOr(v["firmware"], "1.0"), ICCID: v["iccid"],
			Reason: v["reason"], Status: "Accepted",
		}
	case "status":
		return &event.Status{
			Status: first, ErrorCode: cmpOr(v["error"], "NoError"), VendorErrorCode: v["vendor"], VendorID: v["vendorId"], Info: v["info"],
		}
	case "status2": // of OCPP 2.x
		return &event.Status{Status: first}
	case "monitored": // what the station said to a monitor
		return &event.CommandResult{CommandID: "m", Status: "answered", Response: json.RawMessage(fmt.Sprintf(
			`{"setMonitoringResult":[{"id":%s,"status":"Accepted","severity":%s}]}`, v["id"], v["severity"]))}
	case "component": // component CONNECTOR variable=Problem value=true
		x := event.ComponentEvent{
			Component: first, EVSE: subject.EVSE, Connector: subject.Connector, Instance: v["instance"], Variable: cmpOr(v["variable"], "Problem"),
			Value: cmpOr(v["value"], "true"), Cleared: v["cleared"] != "", TechCode: v["code"], TechInfo: v["info"], Trigger: cmpOr(v["trigger"], "Delta"),
		}
		if n := number("monitor"); n != nil {
			x.MonitorID = new(int(*n))
		}
		if n := number("severity"); n != nil {
			x.Severity = new(int(*n))
		}
		return &event.Component{Items: []event.ComponentEvent{x}}
	case "meter":
		return &event.Meter{TransactionID: v["tx"], Samples: samples()}
	case "authorize":
		return &event.Authorize{TokenID: v["token"], Status: first}
	case "started", "updated", "ended":
		return &event.Transaction{
			Stage: event.TransactionStage(what), TransactionID: v["tx"], TokenID: v["token"], TokenStatus: v["status"], MeterWh: number("wh"),
			Reason: v["reason"], ChargingState: v["state"], Samples: samples(),
		}
	case "inferred":
		return &event.SessionInferred{TransactionID: v["tx"], EndedAt: at, Evidence: first}
	case "command":
		return &event.Command{CommandID: v["id"], Action: first, Payload: json.RawMessage(cmpOr(v["payload"], "{}"))}
	case "result": // of a command; id=last is the last one asked for
		for _, key := range []string{"listVersion", "versionNumber"} {
			if v[key] != "" {
				return &event.CommandResult{CommandID: v["id"], Status: first, Response: json.RawMessage(fmt.Sprintf(`{%q:%s}`, key, v[key]))}
			}
		}
		return &event.CommandResult{
			CommandID: v["id"], Status: first, Response: json.RawMessage(fmt.Sprintf(`{"status":%q}`, v["status"])), ErrorCode: v["code"],
		}
	case "security":
		return &event.Security{Type: first, TechInfo: v["info"]}
	case "firmware":
		return &event.Firmware{Status: first}
	case "message":
		return &event.Message{Action: first}
	case "started-server":
		b := &event.ServerStarted{Version: "1"}
		if v["alive"] != "" {
			b.LastAlive = s.time(v["alive"])
		}
		return b
	case "threshold": // threshold D01@site/x {"...":1}
		value, ok := v["value"], v["value"] != ""
		b := &event.Policy{Type: "threshold", ID: first}
		if ok {
			b.Value = json.RawMessage(value)
		}
		return b
	case "wait":
		return nil
	}
	s.t.Fatalf("no such event: %s", what)
	return nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// found is what an engine concluded from a story.
type found struct {
	lines    []string
	findings []detect.Finding
	asked    []detect.Asked
}

// known is opened once: there are hundreds of stories.
var known = sync.OnceValue(func() *knowledge.Knowledge {
	k, err := knowledge.Open()
	if err != nil {
		panic(err)
	}
	return k
})

// watch feeds events to an engine of all detectors and keeps what one of them
// concluded ("" for all).
func watch(t testing.TB, events []*event.Event, detector string) *found {
	t.Helper()
	x := detect.New(Knowing(known()))
	var out found
	take := func(list []detect.Finding) {
		for _, f := range list {
			if detector != "" && f.Detector != detector {
				continue
			}
			out.findings = append(out.findings, f)
			out.lines = append(out.lines, line(f))
		}
		for _, a := range x.Asked() {
			if detector == "" || strings.HasPrefix(a.Key, "probe/"+detector+"/") {
				out.asked = append(out.asked, a)
				out.lines = append(out.lines, fmt.Sprintf("%s %s asks %s %s", clock(a.Due), a.Station, a.Action, a.Payload))
			}
		}
	}
	for _, e := range events {
		until := x.Until(e)
		for due, ok := x.Due(); ok && !due.After(until); due, ok = x.Due() {
			take(x.Fire())
		}
		if e.Body == nil {
			continue
		}
		if b, ok := e.Body.(*event.CommandResult); ok && b.CommandID == "last" && len(out.asked) > 0 {
			b.CommandID = out.asked[len(out.asked)-1].Key
		}
		take(x.Apply(e))
	}
	for _, f := range out.findings {
		if f.State != event.FindingCleared && (f.Text == "" || !strings.HasSuffix(f.Text, ".") || len(f.Facts) == 0 || f.Severity == "") {
			t.Errorf("a finding without text, facts or severity: %+v", f)
		}
	}
	return &out
}

func clock(at time.Time) string {
	days := int(at.Sub(day).Hours()) / 24
	if days == 0 {
		return at.Format("15:04:05")
	}
	return strconv.Itoa(days) + "/" + at.Format("15:04:05")
}

func line(f detect.Finding) string {
	out := clock(f.At) + " " + strings.TrimPrefix(f.Subject.String(), "station/") + " " + string(f.State) + " " + f.Code
	if f.State != event.FindingCleared {
		out += " " + string(f.Severity)
	}
	if f.Safety {
		out += " safety"
	}
	return out
}

// stories checks what one detector concludes from each story, line by line.
func stories(t *testing.T, detector string, tests map[string]struct{ story, want string }) {
	t.Helper()
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := watch(t, tell(t, tc.story), detector)
			var want []string
			for line := range strings.Lines(tc.want) {
				if line = strings.TrimSpace(line); line != "" {
					want = append(want, line)
				}
			}
			for _, f := range got.findings {
				if f.State != event.FindingCleared && f.TextDE == "" {
					t.Errorf("not said in German: %s", f.Text)
				}
			}
			if !slices.Equal(got.lines, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got.lines, "\n"), strings.Join(want, "\n"))
				for _, f := range got.findings {
					t.Log(f.Text)
				}
			}
		})
	}
}
