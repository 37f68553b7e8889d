package incident

import (
	"math"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestHealthIsAHundredLessWhatIsWrong(t *testing.T) {
	now := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	ago := func(days float64) *time.Time { return new(now.Add(-time.Duration(days * 24 * float64(time.Hour)))) }
	at := func(s event.Severity, change func(*Incident)) *Incident {
		in := &Incident{ID: "i-" + string(s), Severity: s, State: Open, Station: "A", EVSE: 1, Subjects: []string{"station/A/1"}, OpenedAt: *ago(20)}
		if change != nil {
			change(in)
		}
		return in
	}
	for name, tc := range map[string]struct {
		list  []*Incident
		want  float64
		state PenaltyState
	}{
		"nothing":                    {nil, 100, ""},
		"an open one":                {[]*Incident{at(event.S3, nil)}, 85, PenaltyOpen},
		"two open ones":              {[]*Incident{at(event.S3, nil), at(event.S2, nil)}, 50, PenaltyOpen},
		"never below nought":         {[]*Incident{at(event.S1, nil), at(event.S2, nil), at(event.S3, nil)}, 0, PenaltyOpen},
		"told twice":                 {[]*Incident{at(event.S3, nil), at(event.S3, nil)}, 85, PenaltyOpen},
		"one that came back":         {[]*Incident{at(event.S3, func(in *Incident) { in.Repeats = 2 })}, 100 - 22.5, PenaltyOpen},
		"one that comes back always": {[]*Incident{at(event.S3, func(in *Incident) { in.Repeats = 50 })}, 70, PenaltyOpen},
		"of the whole station":       {[]*Incident{at(event.S2, func(in *Incident) { in.EVSE, in.Subjects = 0, []string{"station/A"} })}, 65, PenaltyOpen},
		"of the port beside":         {[]*Incident{at(event.S2, func(in *Incident) { in.EVSE, in.Subjects = 2, []string{"station/A/2"} })}, 100, ""},
		"of another station":         {[]*Incident{at(event.S2, func(in *Incident) { in.Station, in.Subjects = "B", []string{"station/B"} })}, 100, ""},
		"of both ports":              {[]*Incident{at(event.S2, func(in *Incident) { in.EVSE, in.Subjects = 2, []string{"station/A/2", "station/A/1"} })}, 65, PenaltyOpen},
		"repaired just now":          {[]*Incident{at(event.S2, func(in *Incident) { in.State, in.RepairedAt = Verifying, ago(0) })}, 65, PenaltyRecovered},
		"repaired five days ago":     {[]*Incident{at(event.S2, func(in *Incident) { in.State, in.RepairedAt, in.ClosedAt = Closed, ago(5), ago(2) })}, 83, PenaltyRecovered},
		"repaired long ago":          {[]*Incident{at(event.S2, func(in *Incident) { in.State, in.RepairedAt, in.ClosedAt = Closed, ago(31), ago(31) })}, 100, ""},
		"a danger, over by itself":   {[]*Incident{at(event.S1, func(in *Incident) { in.Safety, in.RepairedAt = true, ago(19) })}, 40, PenaltyRelease},
		"a danger that nobody closed": {[]*Incident{at(event.S1, func(in *Incident) {
			in.Safety, in.State, in.ClosedAt, in.CloseReason = true, Closed, ago(19), "removed"
		})}, 40, PenaltyRelease},
		"a danger released now": {[]*Incident{at(event.S1, func(in *Incident) {
			in.Safety, in.State, in.RepairedAt, in.ClosedAt, in.CloseReason = true, Closed, ago(19), ago(0), "person"
		})}, 40, PenaltyRecovered},
		"a danger released long ago":   {[]*Incident{at(event.S1, func(in *Incident) { in.Safety, in.State, in.ClosedAt, in.CloseReason = true, Closed, ago(10), "person" })}, 85, PenaltyRecovered},
		"what another cause explains":  {[]*Incident{at(event.S2, func(in *Incident) { in.ParentID = new("p") })}, 100, ""},
		"what a maintenance explains":  {[]*Incident{at(event.S2, func(in *Incident) { in.Planned = true })}, 100, ""},
		"what a person called false":   {[]*Incident{at(event.S2, func(in *Incident) { in.Verdict = new("false") })}, 100, ""},
		"what a person called real":    {[]*Incident{at(event.S2, func(in *Incident) { in.Verdict = new("real") })}, 65, PenaltyOpen},
		"a common cause is not a port": {[]*Incident{at(event.S2, func(in *Incident) { in.Family = Common })}, 100, ""},
	} {
		score, why := NewScores(tc.list, now).Port("A", 1)
		if score != math.Round(tc.want) {
			t.Errorf("%s: %v, want %v", name, score, tc.want)
		}
		if tc.state == "" && len(why) != 0 || tc.state != "" && (len(why) == 0 || why[0].State != tc.state) {
			t.Errorf("%s: penalties %+v", name, why)
		}
		sum := 100.0
		for _, p := range why {
			sum -= p.Points
		}
		if math.Round(max(0, sum)) != score {
			t.Errorf("%s: the penalties do not explain %v: %+v", name, score, why)
		}
	}
}

func TestASubjectIsAPlace(t *testing.T) {
	for subject, want := range map[string]port{
		"station/A": {"A", 0}, "station/A/2": {"A", 2}, "station/A/2/1": {"A", 2}, "station/A/x": {}, "site/A": {}, "station/": {}, "": {},
	} {
		if got, ok := portOf(subject); got != want || ok != (want != port{}) {
			t.Errorf("%q: %v %v", subject, got, ok)
		}
	}
}
