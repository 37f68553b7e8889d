package remedy

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestAStuckPortIsAskedCycledAndTheStationRestarted(t *testing.T) {
	for protocol, want := range map[string]struct{ ask, out, in, all, reset string }{
		v16: {
			`TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}`,
			`ChangeAvailability {"connectorId":1,"type":"Inoperative"}`, `ChangeAvailability {"connectorId":1,"type":"Operative"}`,
			`TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}; TriggerMessage {"requestedMessage":"StatusNotification","connectorId":2}`,
			`Reset {"type":"Soft"}`,
		},
		v20: {
			`TriggerMessage {"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":1}}`,
			`ChangeAvailability {"operationalStatus":"Inoperative","evse":{"id":1}}`, `ChangeAvailability {"operationalStatus":"Operative","evse":{"id":1}}`,
			`TriggerMessage {"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":1}}; TriggerMessage {"requestedMessage":"StatusNotification","evse":{"id":2,"connectorId":1}}`,
			`Reset {"type":"OnIdle"}`,
		},
	} {
		t.Run(protocol, func(t *testing.T) {
			w := newWorld(t)
			w.mode(On)
			w.station("A", "s1", protocol)
			w.status("A", 1, "Preparing")
			w.open(Case{Station: "A", SiteID: "s1", EVSE: 1})
			w.asked(want.ask)
			w.answer("Accepted")
			w.expect("trigger sent", "trigger accepted")
			w.status("A", 1, "Preparing")
			w.expect("trigger done", "wait sent 60 s")
			w.pass(time.Minute)
			w.asked(want.out)
			w.answer("Accepted")
			w.expect("wait done", "availabilityCycle sent", "availabilityCycle accepted")
			w.status("A", 1, "Unavailable")
			w.pass(15 * time.Second)
			w.asked(want.in)
			w.answer("Accepted")
			w.expect("operative sent", "operative done", "availabilityCycle done", "wait sent 300 s")
			w.status("A", 1, "Preparing")
			w.pass(5 * time.Minute)
			w.asked(want.all)
			w.answer("Accepted")
			w.status("A", 1, "Preparing")
			w.answer("Accepted")
			w.asked("")
			w.status("A", 2, "Available")
			w.asked(want.reset)
			w.answer("Accepted")
			w.expect("wait done", "trigger sent", "trigger done", "softReset sent", "softReset accepted")
			w.disconnect("A")
			w.connect("A", protocol)
			w.hear(event.Station("A"), &event.Boot{Vendor: "ACME", Model: "Duo", Status: "Accepted"})
			w.expect("softReset done")
			if len(w.x.runs)+len(w.x.lines)+len(w.x.owed)+len(w.x.commands)+len(w.x.acting) != 0 {
				t.Errorf("something is left of it: %+v", w.x.State())
			}
			w.pass(24 * time.Hour)
			w.asked("")
		})
	}
}

func TestWhatEndsAPlaybook(t *testing.T) {
	begin := func(t *testing.T) *world {
		w := newWorld(t)
		w.mode(On)
		w.station("A", "s1", v16)
		w.open(Case{Station: "A", SiteID: "s1", EVSE: 1})
		w.steps = nil
		return w
	}
	for name, tc := range map[string]struct {
		happen func(w *world)
		want   []string
	}{
		"the station rejects":                         {func(w *world) { w.answer("Rejected") }, []string{"trigger sent", "trigger rejected Rejected"}},
		"the station does not support it":             {func(w *world) { w.answer("NotSupported") }, []string{"trigger sent", "trigger rejected NotSupported"}},
		"the station answers an error":                {func(w *world) { w.answer("error NotImplemented") }, []string{"trigger sent", "trigger rejected NotImplemented"}},
		"nobody knows what became of it":              {func(w *world) { w.answer("timeout") }, []string{"trigger sent", "trigger timeout noAnswer: timeout"}},
		"it says yes and tells nothing":               {func(w *world) { w.answer("Accepted"); w.pass(time.Hour) }, []string{"trigger sent", "trigger accepted", "trigger failed noAnswer"}},
		"the outbox never tells":                      {func(w *world) { w.intent = nil; w.pass(time.Hour) }, []string{"trigger failed notSent"}},
		"the trouble is over":                         {func(w *world) { w.change("i-1", func(c *Case) { c.Over = true }) }, []string{"playbook overtaken"}},
		"it turns out to be part of something larger": {func(w *world) { w.change("i-1", func(c *Case) { c.Part = true }) }, []string{"playbook overtaken"}},
		"the incident is closed":                      {func(w *world) { w.change("i-1", func(c *Case) { c.Closed = true }) }, []string{"playbook overtaken"}},
		"the station is removed":                      {func(w *world) { w.hear(event.Station("A"), &event.StationRemoved{}) }, []string{"playbook failed removed"}},
		"the kill switch": {func(w *world) {
			w.answer("Accepted")
			w.status("A", 1, "Preparing")
			w.policy(PolicyMode, Everywhere, `{"off":true}`)
			w.pass(2 * time.Minute)
		}, []string{"trigger sent", "trigger accepted", "trigger done", "wait sent 60 s", "wait done", "availabilityCycle refused killSwitch"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := begin(t)
			tc.happen(w)
			w.expect(tc.want...)
			w.intent = nil
			w.pass(48 * time.Hour)
			w.expect()
			w.asked("")
			if len(w.x.runs)+len(w.x.lines)+len(w.x.commands) != 0 {
				t.Errorf("something is left of it: %+v", w.x.State())
			}
		})
	}
}

func TestACommandThatWasNeverSentIsAskedForAnew(t *testing.T) {
	w := newWorld(t)
	w.mode(On)
	w.station("A", "s1", v16)
	w.open(Case{Station: "A", EVSE: 1})
	first := w.answer("refused")
	w.pass(time.Minute)
	second := w.answer("refused")
	if first.Key == second.Key {
		t.Errorf("the same command again: %s", first.Key)
	}
	w.pass(time.Minute)
	w.answer("refused")
	w.expect("trigger failed notSent")
}

func TestUntilPeopleDecideOnlyQuestionsAreAsked(t *testing.T) {
	w := newWorld(t)
	w.station("A", "s1", v16)
	w.open(Case{Station: "A", SiteID: "s1", EVSE: 1})
	w.answer("Accepted")
	w.status("A", 1, "Preparing")
	w.expect("trigger sent", "trigger accepted", "trigger done", "wait dryRun", "availabilityCycle dryRun", "wait dryRun", "softReset dryRun")
	w.asked("")
}

func TestTheModeOfAStation(t *testing.T) {
	for name, tc := range map[string]struct {
		modes Modes
		want  Mode
	}{
		"nobody decided":                       {Modes{}, Ask},
		"everywhere":                           {Modes{"all": On}, On},
		"the site differs":                     {Modes{"all": DryRun, "site/s1": On}, On},
		"another site differs":                 {Modes{"all": DryRun, "site/s2": On}, DryRun},
		"the station differs":                  {Modes{"site/s1": On, "station/A": DryRun}, DryRun},
		"the kill switch wins over all":        {Modes{"all": Off, "site/s1": On, "station/A": On}, Off},
		"of the site":                          {Modes{"all": On, "site/s1": Off, "station/A": On}, Off},
		"of the station":                       {Modes{"all": On, "station/A": Off}, Off},
		"a kill switch elsewhere is no matter": {Modes{"all": On, "site/s2": Off}, On},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.modes.Of("A", "s1"); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestAPersonStartsAPlaybook(t *testing.T) {
	begin := func(t *testing.T, mode Mode) *world {
		w := newWorld(t)
		w.mode(mode)
		w.station("A", "s1", v16)
		w.open(Case{Station: "A", SiteID: "s1", EVSE: 1, Codes: []string{"x"}, Detectors: []string{"rule/x"}})
		w.expect()
		return w
	}
	run := func(w *world, incident string, a event.IncidentAction) {
		a.Action, a.By = "remedy", "u-1"
		w.hear(event.Subject{Type: event.IncidentSubject, ID: incident}, &a)
	}
	t.Run("it is really done, although nothing happens by itself", func(t *testing.T) {
		w := begin(t, DryRun)
		run(w, "i-1", event.IncidentAction{Playbook: "out-of-service"})
		w.asked(`ChangeAvailability {"connectorId":1,"type":"Inoperative"}`)
		w.answer("Accepted")
		w.expect("disable sent", "disable accepted", "disable done")
	})
	t.Run("pressed twice it is done once", func(t *testing.T) {
		w := begin(t, On)
		run(w, "i-1", event.IncidentAction{Playbook: "soft-restart"})
		run(w, "i-1", event.IncidentAction{Playbook: "soft-restart"})
		w.asked(`TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}`)
	})
	t.Run("only to see what it would do", func(t *testing.T) {
		w := begin(t, On)
		run(w, "i-1", event.IncidentAction{Playbook: "soft-restart", DryRun: true})
		w.asked("")
		w.expect("trigger dryRun", "softReset dryRun")
	})
	t.Run("not against the kill switch", func(t *testing.T) {
		w := begin(t, Off)
		run(w, "i-1", event.IncidentAction{Playbook: "soft-restart"})
		w.asked("")
		w.expect("trigger refused killSwitch")
	})
	t.Run("not under a running session", func(t *testing.T) {
		w := begin(t, On)
		w.charge("A", 2)
		run(w, "i-1", event.IncidentAction{Playbook: "hard-restart"})
		w.answer("Accepted")
		w.status("A", 1, "Available")
		w.expect("trigger sent", "trigger accepted", "trigger done", "hardReset refused sessionRunning")
		w.asked("")
	})
	t.Run("no such playbook", func(t *testing.T) {
		w := begin(t, On)
		run(w, "i-1", event.IncidentAction{Playbook: "magic"})
		w.expect("playbook refused noSuchPlaybook")
	})
	t.Run("no such incident", func(t *testing.T) {
		w := begin(t, On)
		run(w, "i-9", event.IncidentAction{Playbook: "soft-restart"})
		w.expect("playbook refused incidentNotOpen")
	})
}

func TestOneThingAtATimeAtAStation(t *testing.T) {
	w := newWorld(t)
	w.mode(On)
	w.station("A", "s1", v16)
	w.open(Case{ID: "i-1", Station: "A", EVSE: 1})
	w.open(Case{ID: "i-2", Station: "A", EVSE: 2})
	w.expect("trigger refused anotherPlaybook")
	w.answer("Rejected")
	w.asked(`TriggerMessage {"requestedMessage":"StatusNotification","connectorId":2}`)
	w.expect("trigger sent", "trigger rejected Rejected")
}

func TestAnIncidentIsTriedOnceUntilItComesBack(t *testing.T) {
	w := newWorld(t)
	w.mode(On)
	w.station("A", "s1", v16)
	w.open(Case{Station: "A", EVSE: 1})
	w.answer("Rejected")
	w.expect("trigger sent", "trigger rejected Rejected")
	w.change("i-1", func(c *Case) { c.Codes = []string{"stuckState", "another"} })
	w.change("i-1", func(c *Case) { c.Over = true })
	w.expect()
	w.change("i-1", func(c *Case) { c.Over = false })
	w.asked(`TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}`)
}
