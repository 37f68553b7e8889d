package incident

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestMutesHoldWhenTheirCalendarSays(t *testing.T) {
	at := func(text string) time.Time {
		x, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	nights := []Weekly{{Days: []string{"mo", "tu", "we", "th", "fr"}, From: "22:00", To: "06:00"}}
	for sentence, c := range map[string]struct {
		mute   Mute
		now    string // UTC
		active bool
		until  string
	}{
		"not before its start":                         {Mute{Start: at("2026-03-04 10:00"), End: at("2026-03-04 12:00")}, "2026-03-04 09:00", false, "2026-03-04 10:00"},
		"from its start":                               {Mute{Start: at("2026-03-04 10:00"), End: at("2026-03-04 12:00")}, "2026-03-04 10:00", true, "2026-03-04 12:00"},
		"no longer at its end":                         {Mute{Start: at("2026-03-04 10:00"), End: at("2026-03-04 12:00")}, "2026-03-04 12:00", false, ""},
		"a night of Wednesday as Berlin counts it":     {Mute{Weekly: nights, Zone: "Europe/Berlin"}, "2026-03-04 21:30", true, "2026-03-05 05:00"},
		"the hour before that night":                   {Mute{Weekly: nights, Zone: "Europe/Berlin"}, "2026-03-04 20:30", false, "2026-03-04 21:00"},
		"Saturday morning belongs to Friday's night":   {Mute{Weekly: nights, Zone: "Europe/Berlin"}, "2026-03-07 04:00", true, "2026-03-07 05:00"},
		"Saturday night is none":                       {Mute{Weekly: nights, Zone: "Europe/Berlin"}, "2026-03-07 22:00", false, "2026-03-09 21:00"},
		"in summer time an hour earlier for the world": {Mute{Weekly: nights, Zone: "Europe/Berlin"}, "2026-07-01 20:30", true, "2026-07-02 04:00"},
		"the night in which clocks jump is short": {
			Mute{Weekly: []Weekly{{Days: []string{"sa"}, From: "22:00", To: "06:00"}}, Zone: "Europe/Berlin"}, "2026-03-28 22:00", true, "2026-03-29 04:00",
		},
		"a weekly calendar ends with its end": {Mute{Weekly: nights, End: at("2026-03-04 23:00")}, "2026-03-04 22:30", true, "2026-03-04 23:00"},
		"a whole day to 24:00":                {Mute{Weekly: []Weekly{{Days: []string{"we"}, From: "00:00", To: "24:00"}}}, "2026-03-04 12:00", true, "2026-03-05 00:00"},
	} {
		if faults := c.mute.Check(time.LoadLocation); len(faults) > 0 {
			t.Fatalf("%s: %v", sentence, faults)
		}
		active, until := c.mute.span(at(c.now))
		want := time.Time{}
		if c.until != "" {
			want = at(c.until)
		}
		if active != c.active || !until.Equal(want) {
			t.Errorf("%s: %v until %v, want %v until %v", sentence, active, until, c.active, want)
		}
	}
}

func TestBrokenMutesAreRefusedAtTheField(t *testing.T) {
	end := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	many := make([]Matcher, maxMatchers+1)
	for i := range many {
		many[i] = Matcher{Label: "kind", Op: "=", Value: "x"}
	}
	for field, m := range map[string]Mute{
		"end":              {},
		"zone":             {End: end, Zone: "Mars/Olympus"},
		"matchers.0.value": {End: end, Matchers: []Matcher{{Label: "kind", Op: "=~", Value: "("}}},
		"matchers.0.op":    {End: end, Matchers: []Matcher{{Label: "kind", Op: "~", Value: "x"}}},
		"matchers.0.label": {End: end, Matchers: []Matcher{{Op: "=", Value: "x"}}},
		"matchers":         {End: end, Matchers: many},
		"weekly.0.days":    {Weekly: []Weekly{{Days: []string{"someday"}, From: "10:00", To: "11:00"}}},
		"weekly.0.from":    {Weekly: []Weekly{{Days: []string{"mo"}, From: "25:00", To: "11:00"}}},
		"weekly.0.to":      {Weekly: []Weekly{{Days: []string{"mo"}, From: "10:00", To: "noon"}}},
	} {
		faults := m.Check(time.LoadLocation)
		if len(faults) != 1 || faults[field] == "" {
			t.Errorf("%s: %v", field, faults)
		}
	}
	long := Mute{End: end, Matchers: []Matcher{{Label: "kind", Op: "=~", Value: strings.Repeat("a", maxPattern+1)}}}
	if long.Check(nil)["matchers.0.value"] == "" {
		t.Error("a pattern without bound passes")
	}
	backwards := Mute{Start: end.Add(time.Hour), End: end}
	if backwards.Check(nil)["end"] == "" {
		t.Error("an end before the start passes")
	}
}

func policyOf(t *testing.T, kind, id string, v any) *event.Policy {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return &event.Policy{Type: kind, ID: id, Value: data, By: "p-anna"}
}

func TestMutes(t *testing.T) {
	for sentence, c := range map[string]struct {
		mute Mute
		kind string
		told int
		mark bool
	}{
		"a silence of the site mutes it":                   {Mute{Sites: []string{"ham"}}, "silence", 0, true},
		"a silence of another site does not":               {Mute{Sites: []string{"ber"}}, "silence", 1, false},
		"a window marks planned work":                      {Mute{Stations: []string{"A"}}, "window", 0, true},
		"labels are matched":                               {Mute{Matchers: []Matcher{{"vendor", "=", "Volt", nil}, {"firmware", "!=", "2", nil}}}, "silence", 0, true},
		"all matchers have to match":                       {Mute{Matchers: []Matcher{{"vendor", "=", "Volt", nil}, {"firmware", "=", "2", nil}}}, "silence", 1, false},
		"an expression matches the whole":                  {Mute{Matchers: []Matcher{{"kind", "=~", "port", nil}}}, "silence", 1, false},
		"an expression matches":                            {Mute{Matchers: []Matcher{{"kind", "=~", "port[.].*", nil}, {"severity", "=~", "S[23]", nil}}}, "silence", 0, true},
		"what is broken mutes nothing":                     {Mute{Matchers: []Matcher{{"kind", "=~", "(", nil}}}, "silence", 1, false},
		"an unknown label is empty and equals only itself": {Mute{Matchers: []Matcher{{"colour", "=", "red", nil}}}, "silence", 1, false},
	} {
		t.Run(sentence, func(t *testing.T) {
			l := newLab(t)
			l.station("A", "ham", "", "1", 1)
			c.mute.Start, c.mute.End = l.now, l.now.Add(time.Hour)
			l.event(event.Self(), policyOf(t, c.kind, "x", c.mute))
			l.raise("A", 1, "D03", "port.fault", event.S2).after(30 * time.Minute)
			in := l.only()
			if told := len(slices.DeleteFunc(slices.Clone(l.notes), func(n Notice) bool { return n.Change == ChangeSLAWarning })); told != c.told || (in.SilencedBy != nil) != c.mark || in.Planned != (c.kind == "window") {
				t.Errorf("%d notices, silenced by %v, planned %v", told, in.SilencedBy, in.Planned)
			}
			l.after(time.Hour)
			if n := l.raises(); n != 1 {
				t.Errorf("%d notices after the mute ended, want 1: it is still open", n)
			}
			if l.only().SilencedBy != nil {
				t.Error("still marked after the end")
			}
		})
	}
}

func TestSafetyIsMutedOnlyByName(t *testing.T) {
	for _, safety := range []bool{false, true} {
		l := newLab(t)
		l.station("A", "ham", "", "1", 1)
		l.event(event.Self(), policyOf(t, "window", "x", Mute{Sites: []string{"ham"}, Start: l.now, End: l.now.Add(time.Hour), Safety: safety}))
		l.raise("A", 1, "D03", "port.groundFailure", event.S1).after(time.Minute)
		if told := len(l.notes) > 0; told == safety {
			t.Errorf("with safety %v: told %v", safety, told)
		}
	}
}

func TestASilenceThatBeginsLaterMarksWhatIsOpenAndIsTakenBack(t *testing.T) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S3)
	l.event(event.Self(), policyOf(t, "silence", "x", Mute{Sites: []string{"ham"}, Start: l.now.Add(10 * time.Second), End: l.now.Add(time.Hour)}))
	l.after(5 * time.Minute)
	if in := l.only(); in.SilencedBy == nil || *in.SilencedBy != "silence/x" || in.Notified {
		t.Fatalf("it is %s", asJSON(in))
	}
	l.event(event.Self(), &event.Policy{Type: "silence", ID: "x"}).after(time.Minute)
	if in := l.only(); in.SilencedBy != nil || !in.Notified {
		t.Errorf("after the silence was taken back it is %s", asJSON(in))
	}
}

func TestPlannedWorkIsNoCommonCause(t *testing.T) {
	l := newLab(t)
	ids := l.network(40, same("894902"), same("1"))
	l.event(event.Self(), policyOf(t, "window", "x", Mute{Stations: ids[:4], Start: l.now, End: l.now.Add(24 * time.Hour)}))
	for _, id := range ids[:4] {
		l.lost(id)
	}
	l.after(time.Hour)
	if n := len(l.parents()); n != 0 || len(l.notes) != 0 {
		t.Errorf("%d common causes and %d notices", n, len(l.notes))
	}
}

func TestPromisesOfASite(t *testing.T) {
	l := newLab(t)
	l.station("A", "ham", "", "1", 1).raise("A", 1, "D03", "port.fault", event.S2)
	opened := l.now
	if in := l.only(); !in.SLAAckDueAt.Equal(opened.Add(15*time.Minute)) || !in.SLARepairDueAt.Equal(opened.Add(24*time.Hour)) || !in.DueAt.Equal(*in.SLAAckDueAt) {
		t.Fatalf("due %v and %v", in.SLAAckDueAt, in.SLARepairDueAt)
	}
	l.after(time.Minute).event(event.Self(), policyOf(t, "sla", "ham", SLA{SiteID: "ham", Severities: map[event.Severity]SLAMinutes{event.S2: {AckMinutes: 30, RepairMinutes: 90}}}))
	if in := l.only(); !in.SLAAckDueAt.Equal(opened.Add(30*time.Minute)) || !in.SLARepairDueAt.Equal(opened.Add(90*time.Minute)) {
		t.Errorf("due %v and %v", in.SLAAckDueAt, in.SLARepairDueAt)
	}
	l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge})
	if in := l.only(); !in.DueAt.Equal(*in.SLARepairDueAt) {
		t.Errorf("due %v after it was acknowledged", in.DueAt)
	}
	bad := SLA{Severities: map[event.Severity]SLAMinutes{"S9": {}, event.S1: {AckMinutes: -1}, event.S2: {AckMinutes: 10, RepairMinutes: 5}}}
	if faults := bad.Check(); len(faults) != 3 {
		t.Errorf("%v", faults)
	}
}

func TestRefusals(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	open := func(change func(in *Incident)) *Incident {
		in := &Incident{ID: "i", Severity: event.S3, State: Open}
		if change != nil {
			change(in)
		}
		return in
	}
	closed := open(func(in *Incident) { in.ClosedAt = stamp(now.Add(-time.Hour)) })
	long := open(func(in *Incident) { in.ClosedAt = stamp(now.Add(-100 * time.Hour)) })
	claimed := open(func(in *Incident) { in.ClaimedBy, in.ClaimedUntil = word("ben"), stamp(now.Add(time.Minute)) })
	expired := open(func(in *Incident) { in.ClaimedBy, in.ClaimedUntil = word("ben"), stamp(now) })
	safety := open(func(in *Incident) { in.Safety, in.Severity = true, event.S1 })
	for sentence, c := range map[string]struct {
		in   *Incident
		a    event.IncidentAction
		code string
	}{
		"a claim":                                {open(nil), event.IncidentAction{Action: ActClaim}, ""},
		"a claim of what another has claimed":    {claimed, event.IncidentAction{Action: ActClaim}, "claimed"},
		"taken over with a reason":               {claimed, event.IncidentAction{Action: ActClaim, Reason: "ill"}, ""},
		"after the claim expired":                {expired, event.IncidentAction{Action: ActClaim}, ""},
		"a claim into the past":                  {open(nil), event.IncidentAction{Action: ActClaim, Until: now}, "past"},
		"a claim for a year":                     {open(nil), event.IncidentAction{Action: ActClaim, Until: now.AddDate(1, 0, 0)}, "tooFar"},
		"a release of another's claim":           {claimed, event.IncidentAction{Action: ActRelease}, "claimed"},
		"a release of no claim":                  {open(nil), event.IncidentAction{Action: ActRelease}, "notClaimed"},
		"an empty note":                          {open(nil), event.IncidentAction{Action: ActNote}, "noteNeeded"},
		"a note on a closed one":                 {closed, event.IncidentAction{Action: ActNote, Note: "n"}, ""},
		"a note on history":                      {long, event.IncidentAction{Action: ActNote, Note: "n"}, "archived"},
		"an endless note":                        {open(nil), event.IncidentAction{Action: ActNote, Note: strings.Repeat("n", maxNote+1)}, "tooLong"},
		"a snooze without end":                   {open(nil), event.IncidentAction{Action: ActSnooze, Reason: "r"}, "endNeeded"},
		"a snooze without reason":                {open(nil), event.IncidentAction{Action: ActSnooze, Until: now.Add(time.Hour)}, "reasonNeeded"},
		"a snooze of a safety incident":          {safety, event.IncidentAction{Action: ActSnooze, Until: now.Add(time.Hour), Reason: "r"}, "safety"},
		"an escalation":                          {open(nil), event.IncidentAction{Action: ActEscalate}, ""},
		"an escalation downwards":                {open(nil), event.IncidentAction{Action: ActEscalate, Severity: event.S4}, "notHigher"},
		"an escalation to nothing known":         {open(nil), event.IncidentAction{Action: ActEscalate, Severity: "S0"}, "unknownValue"},
		"an escalation above all":                {safety, event.IncidentAction{Action: ActEscalate}, "highest"},
		"a response nobody knows":                {open(nil), event.IncidentAction{Action: ActDispatch, Response: "asleep"}, "unknownValue"},
		"a verdict on a closed one":              {closed, event.IncidentAction{Action: ActVerdict, Verdict: "false"}, ""},
		"a merge into itself":                    {open(nil), event.IncidentAction{Action: ActMerge, Into: "i"}, "itself"},
		"a merge into nothing":                   {open(nil), event.IncidentAction{Action: ActMerge}, "targetNeeded"},
		"a merge of a safety incident":           {safety, event.IncidentAction{Action: ActMerge, Into: "x"}, "safety"},
		"closing without a word":                 {open(nil), event.IncidentAction{Action: ActClose}, "reasonNeeded"},
		"closing safety with a reason only":      {safety, event.IncidentAction{Action: ActClose, Reason: "r"}, "noteNeeded"},
		"closing safety with a note":             {safety, event.IncidentAction{Action: ActClose, Note: "isolated"}, ""},
		"a repair without charge and reason":     {open(nil), event.IncidentAction{Action: ActRepair}, "reasonNeeded"},
		"a repair with a reason":                 {open(nil), event.IncidentAction{Action: ActRepair, Reason: "r"}, ""},
		"a repair with a charge":                 {open(nil), event.IncidentAction{Action: ActRepair, Session: "s"}, ""},
		"a repair of what lasts":                 {open(func(in *Incident) { in.Findings = []Found{{Code: "port.fault"}} }), event.IncidentAction{Action: ActRepair, Session: "s"}, "lasts"},
		"a repair of what was cleared":           {open(func(in *Incident) { in.Findings = []Found{{Code: "port.fault", Until: &now}} }), event.IncidentAction{Action: ActRepair, Session: "s"}, ""},
		"a repair of a moment":                   {open(func(in *Incident) { in.Findings = []Found{{Code: "twoDevices", Moment: true}} }), event.IncidentAction{Action: ActRepair, Reason: "r"}, ""},
		"a second word about a repair":           {open(func(in *Incident) { in.State = Verifying }), event.IncidentAction{Action: ActRepair, Reason: "r"}, "repaired"},
		"a charge after a word":                  {open(func(in *Incident) { in.State = Verifying }), event.IncidentAction{Action: ActRepair, Session: "s"}, ""},
		"a repair of a common cause":             {open(func(in *Incident) { in.Family = Common }), event.IncidentAction{Action: ActRepair, Session: "s"}, "parent"},
		"a repair of what is closed":             {closed, event.IncidentAction{Action: ActRepair, Session: "s"}, "closed"},
		"closing twice":                          {closed, event.IncidentAction{Action: ActClose, Reason: "r"}, "closed"},
		"reopening what is open":                 {open(nil), event.IncidentAction{Action: ActReopen}, "open"},
		"reopening":                              {closed, event.IncidentAction{Action: ActReopen}, ""},
		"reopening history":                      {long, event.IncidentAction{Action: ActReopen}, "archived"},
		"an action nobody knows":                 {open(nil), event.IncidentAction{Action: "dance"}, "unknownAction"},
		"closing what another has claimed, mute": {claimed, event.IncidentAction{Action: ActClose, Note: "n"}, "claimed"},
	} {
		c.a.By = "anna"
		err := Check(c.in, &c.a, now)
		var r *Refusal
		switch errors.As(err, &r); {
		case c.code == "" && err != nil:
			t.Errorf("%s is refused: %v", sentence, err)
		case c.code != "" && (r == nil || r.Code != c.code || r.Text == ""):
			t.Errorf("%s: %v, want %s", sentence, err, c.code)
		}
	}
	if Check(open(nil), &event.IncidentAction{Action: ActNote, Note: "n"}, now) == nil {
		t.Error("nobody may write a note")
	}
}

func FuzzMute(f *testing.F) {
	f.Add([]byte(`{"sites":["ham"],"start":"2026-03-04T10:00:00Z","end":"2026-03-04T12:00:00Z"}`))
	f.Add([]byte(`{"matchers":[{"label":"kind","op":"=~","value":"a|b"}],"weekly":[{"days":["mo"],"from":"22:00","to":"06:00"}],"zone":"Europe/Berlin"}`))
	now := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		var m Mute
		if json.Unmarshal(data, &m) != nil || len(m.Check(time.LoadLocation)) > 0 {
			return
		}
		active, until := m.span(now)
		if !until.IsZero() && !until.After(now) {
			t.Fatalf("%s holds %v until %v, which is over", data, active, until)
		}
		m.matches(&entry{Incident: Incident{SiteID: "ham", Kind: "offline"}})
	})
}

func FuzzLoad(f *testing.F) {
	l := newLab(f)
	l.station("A", "ham", "894902", "1", 2).lost("A").after(time.Minute).raise("A", 1, "D03", "port.fault", event.S2)
	l.cut()
	for _, data := range l.saved {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var key struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(data, &key) != nil {
			return
		}
		x := New()
		if x.Load(key.ID, data) != nil {
			return
		}
		if _, err := x.Checkpoint(func(string, []byte) error { return nil }); err != nil {
			t.Fatalf("what was loaded cannot be saved: %v", err)
		}
	})
}
