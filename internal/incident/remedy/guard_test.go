package remedy

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// foresee says what one step would do at port 1 of station A now.
func (w *world) foresee(a PlaybookStep, c Case, by string) Foreseen {
	w.t.Helper()
	c.Station, c.SiteID = "A", "s1"
	list := w.x.Preview(&w.d.Network, w.now, Playbook{ID: "p", Steps: []PlaybookStep{a}}, c, by)
	if len(list) != 1 {
		w.t.Fatalf("foresees %+v", list)
	}
	return list[0]
}

func TestGuardRails(t *testing.T) {
	port := Case{ID: "i-1", EVSE: 1}
	reset, cycle, unlock, disable, trigger := PlaybookStep{Do: SoftReset}, PlaybookStep{Do: AvailabilityCycle}, PlaybookStep{Do: Unlock}, PlaybookStep{Do: Disable}, PlaybookStep{Do: Trigger}
	lock := Case{ID: "i-1", EVSE: 1, Codes: []string{"fault/ConnectorLockFailure"}}
	sent := func(w *world, what string, ago time.Duration) {
		w.hear(event.Station("A"), &event.Command{CommandID: fmt.Sprint("c", w.seq), Action: "Reset", Payload: []byte(`{"type":"` + what + `"}`), By: "u-1"})
		w.pass(ago)
	}
	for name, tc := range map[string]struct {
		before func(w *world)
		step   PlaybookStep
		of     Case
		by     string
		want   Reason
	}{
		"nothing is in the way":                                     {nil, reset, port, "", ""},
		"a session at the port":                                     {func(w *world) { w.charge("A", 1) }, reset, port, "", SessionRunning},
		"a session at the sister of the port":                       {func(w *world) { w.charge("A", 2) }, reset, port, "", SessionRunning},
		"a session at the sister, and a person asks":                {func(w *world) { w.charge("A", 2) }, reset, port, "u-1", SessionRunning},
		"a session at the sister does not hinder a cycle":           {func(w *world) { w.charge("A", 2) }, cycle, port, "", ""},
		"a session at the sister does not hinder an unlock":         {func(w *world) { w.charge("A", 2) }, unlock, lock, "", ""},
		"a session at the port hinders a cycle":                     {func(w *world) { w.charge("A", 1) }, cycle, port, "", SessionRunning},
		"a session at the port hinders an unlock":                   {func(w *world) { w.charge("A", 1) }, unlock, lock, "u-1", SessionRunning},
		"a session at the port hinders a disable":                   {func(w *world) { w.charge("A", 1) }, disable, port, "", SessionRunning},
		"the sister says it charges, without a transaction we know": {func(w *world) { w.status("A", 2, "Charging") }, reset, port, "", SessionRunning},
		"the sister is suspended by its car":                        {func(w *world) { w.status("A", 2, "SuspendedEV") }, reset, port, "", SessionRunning},
		"a driver arrives at the sister":                            {func(w *world) { w.status("A", 2, "Preparing") }, reset, port, "", DriverArriving},
		"a car stands at the sister for long":                       {func(w *world) { w.status("A", 2, "Preparing"); w.pass(20 * time.Minute) }, reset, port, "", ""},
		"the station is cut off":                                    {func(w *world) { w.disconnect("A") }, trigger, port, "", StationOffline},
		"it came back a moment ago":                                 {func(w *world) { w.disconnect("A"); w.connect("A", v16) }, reset, port, "", Draining},
		"it came back a while ago":                                  {func(w *world) { w.disconnect("A"); w.connect("A", v16); w.pass(2 * time.Minute) }, reset, port, "", ""},
		"it tells what happened while it was cut off":               {func(w *world) { w.queued() }, reset, port, "", Draining},
		"it told it a while ago":                                    {func(w *world) { w.queued(); w.pass(2 * time.Minute) }, reset, port, "", ""},
		"it leaks to earth":                                         {func(w *world) { w.status("A", 1, "Faulted", "GroundFailure") }, reset, port, "", SafetyCode},
		"the sister leaks to earth":                                 {func(w *world) { w.status("A", 2, "Faulted", "GroundFailure") }, cycle, port, "u-1", SafetyCode},
		"it is too hot":                                             {func(w *world) { w.status("A", 1, "Faulted", "HighTemperature") }, unlock, lock, "u-1", SafetyCode},
		"a safety incident is open although the code is gone": {func(w *world) {
			w.open(Case{ID: "i-2", Station: "A", EVSE: 2, Safety: true, Codes: []string{"x"}, Detectors: []string{"x"}})
		}, reset, port, "", SafetyCode},
		"after a safety code a port may be taken out":   {func(w *world) { w.status("A", 1, "Faulted", "GroundFailure") }, disable, port, "", ""},
		"a cable is suspected":                          {nil, disable, Case{ID: "i-1", EVSE: 1, Codes: []string{"cableDamage"}}, "", CableSuspected},
		"a cable is suspected and a person decides":     {nil, disable, Case{ID: "i-1", EVSE: 1, Codes: []string{"cableDamage"}}, "u-1", ""},
		"a cable that says it was cut is no suspicion":  {nil, disable, Case{ID: "i-1", EVSE: 1, Safety: true, Codes: []string{"fault/CableCut"}}, "", ""},
		"a security incident is open":                   {func(w *world) { w.open(Case{ID: "i-2", Station: "A", Security: true}) }, trigger, port, "", SecurityIncident},
		"a security incident is open and a person asks": {func(w *world) { w.open(Case{ID: "i-2", Station: "A", Security: true}) }, trigger, port, "u-1", ""},
		"it is part of a larger cause":                  {nil, trigger, Case{ID: "i-1", EVSE: 1, Part: true}, "", LargerCause},
		"an unlock for a lock that failed":              {func(w *world) { w.status("A", 1, "Faulted", "ConnectorLockFailure") }, unlock, lock, "", ""},
		"an unlock for another reason":                  {nil, unlock, port, "", LockNotProven},
		"an unlock for another reason, by a person":     {nil, unlock, port, "u-1", ""},
		"an unlock while a cable is plugged":            {func(w *world) { w.status("A", 1, "Preparing") }, unlock, lock, "", LockNotProven},
		"an unlock of a fault that began with a cable plugged": {func(w *world) {
			w.status("A", 1, "Finishing")
			w.status("A", 1, "Faulted", "ConnectorLockFailure")
		}, unlock, lock, "", LockNotProven},
		"an unlock of a whole station":              {nil, unlock, Case{ID: "i-1"}, "u-1", WhichConnector},
		"a port that is not there":                  {nil, cycle, Case{ID: "i-1", EVSE: 7}, "", NoSuchPort},
		"a soft reset 20 min after one of a person": {func(w *world) { sent(w, "Soft", 20*time.Minute) }, reset, port, "", BudgetSoft},
		"a soft reset 31 min after":                 {func(w *world) { sent(w, "Soft", 31*time.Minute) }, reset, port, "", ""},
		"a hard reset 5 h after one":                {func(w *world) { sent(w, "Hard", 5*time.Hour) }, PlaybookStep{Do: HardReset}, port, "", BudgetHard},
		"a hard reset 7 h after one":                {func(w *world) { sent(w, "Hard", 7*time.Hour) }, PlaybookStep{Do: HardReset}, port, "", ""},
		"a hard reset an hour after a soft one":     {func(w *world) { sent(w, "Soft", time.Hour) }, PlaybookStep{Do: HardReset}, port, "", ""},
		"the fourth reset of the day":               {func(w *world) { sent(w, "Soft", time.Hour); sent(w, "Soft", time.Hour); sent(w, "OnIdle", time.Hour) }, reset, port, "", BudgetDay},
		"the fourth reset within two days": {func(w *world) {
			sent(w, "Soft", 20*time.Hour)
			sent(w, "Soft", 20*time.Hour)
			sent(w, "Soft", 20*time.Hour)
		}, reset, port, "", ""},
		"a station that waits for approval": {func(w *world) {
			w.hear(event.Station("A"), &event.StationConfigured{SiteID: "s1", Onboarding: event.OnboardingPending})
		}, trigger, port, "", NotAccepted},
		"the kill switch of the site":                             {func(w *world) { w.policy(PolicyMode, "site/s1", `{"off":true}`) }, trigger, port, "u-1", KillSwitch},
		"the kill switch of another site":                         {func(w *world) { w.policy(PolicyMode, "site/s2", `{"off":true}`) }, trigger, port, "", ""},
		"another station of the site is being mended":             {func(w *world) { w.station("B", "s1", v16); w.mend("B") }, reset, port, "", SiteLimit},
		"another station of the site is being mended; a question": {func(w *world) { w.station("B", "s1", v16); w.mend("B") }, trigger, port, "", ""},
		"so many of the fleet are being mended as may be":         {func(w *world) { w.station("C", "s9", v16); w.mend("C") }, reset, port, "", FleetLimit},
		"5 % of a large fleet":                                    {func(w *world) { w.fleet(40); w.station("C", "s9", v16); w.mend("C") }, reset, port, "", ""},
		"a port that we took out is not taken out again":          {func(w *world) { w.mend("A") }, cycle, port, "", AlreadyOut},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mode(On)
			w.station("A", "s1", v16)
			if tc.before != nil {
				tc.before(w)
			}
			got := w.foresee(tc.step, tc.of, tc.by)
			if got.Reason != tc.want {
				t.Errorf("refused for %q, want %q", got.Reason, tc.want)
			}
			if want := map[bool]string{true: incident.StepSent, false: incident.StepRefused}[tc.want == ""]; tc.want != CableSuspected && got.Outcome != want {
				t.Errorf("outcome %s, want %s", got.Outcome, want)
			}
		})
	}
}

// queued is what a station tells of an hour ago.
func (w *world) queued() {
	w.until(w.now.Add(time.Second))
	w.seq++
	w.feed(record{&event.Event{
		Seq: w.seq, Subject: event.Port("A", 2, 2), At: w.now.Add(-time.Hour), ReceivedAt: w.now, RecordedAt: w.now,
		Body: &event.Transaction{Stage: event.TransactionStarted, TransactionID: "t-old"},
	}, nil})
}

// mend begins a cycle of port 1 of a station.
func (w *world) mend(id string) {
	w.policy(PolicyPlaybook, "only-cycle", `{"id":"only-cycle","name":"n","enabled":true,"when":{"codes":["mend"]},"steps":[{"do":"availabilityCycle"}]}`)
	w.open(Case{ID: "mend-" + id, Station: id, SiteID: w.d.Network.Station(id).SiteID, EVSE: 1, Codes: []string{"mend"}})
	if len(w.intent) == 0 || w.told() != "" {
		w.t.Fatalf("the cycle did not begin: %s", w.told())
	}
}

func (w *world) fleet(n int) {
	for i := range n {
		w.hear(event.Station(fmt.Sprint("F", i)), &event.StationConfigured{SiteID: fmt.Sprint("f", i), Onboarding: event.OnboardingAccepted})
	}
}

func TestARefusalThatPassesIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.mode(On)
	w.station("A", "s1", v16)
	w.charge("A", 2)
	w.policy(PolicyPlaybook, "restart", `{"id":"restart","name":"n","enabled":true,"when":{"codes":["mend"]},"steps":[{"do":"softReset"}],"limits":{"waitMinutes":30}}`)
	w.open(Case{Station: "A", SiteID: "s1", EVSE: 1, Codes: []string{"mend"}})
	w.pass(10 * time.Minute)
	w.expect("softReset refused sessionRunning")
	w.asked("")
	t.Run("until it passes", func(t *testing.T) {
		w.hear(event.Port("A", 2, 2), &event.Transaction{Stage: event.TransactionEnded, TransactionID: w.d.Network.Station("A").Port(2).Tx.ID})
		w.answer("Accepted")
		w.answer("Accepted")
		w.expect("trigger sent")
		w.status("A", 2, "Available")
		w.charge("A", 1) // in between a driver came
		w.status("A", 1, "Charging")
		w.expect("trigger done", "softReset refused sessionRunning")
		w.asked("")
	})
	t.Run("not for ever", func(t *testing.T) {
		w.pass(31 * time.Minute)
		w.expect("softReset refused waitedTooLong")
		w.pass(24 * time.Hour)
		w.asked("")
	})
}

func TestAStateThatCannotBeConfirmedIsNotReset(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(w *world)
		want   []string
	}{
		"it will not say": {func(w *world) { w.answer("Rejected"); w.answer("Accepted") }, []string{"trigger sent", "trigger failed rejected", "softReset refused stateNotConfirmed"}},
		"nobody knows":    {func(w *world) { w.answer("Accepted"); w.answer("timeout") }, []string{"trigger sent", "trigger failed timeout", "softReset refused stateNotConfirmed"}},
		"it says yes, and one port stays silent, three times": {func(w *world) {
			for range 3 {
				w.answer("Accepted")
				w.answer("Accepted")
				w.status("A", 1, "Available")
				w.pass(2 * time.Minute)
			}
		}, []string{"trigger sent", "trigger failed noAnswer", "trigger sent", "trigger failed noAnswer", "trigger sent", "trigger failed noAnswer", "softReset refused stateNotConfirmed"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mode(On)
			w.station("A", "s1", v16)
			w.policy(PolicyPlaybook, "restart", `{"id":"restart","name":"n","enabled":true,"when":{"codes":["mend"]},"steps":[{"do":"softReset"}]}`)
			w.open(Case{Station: "A", SiteID: "s1", EVSE: 1, Codes: []string{"mend"}})
			tc.answer(w)
			w.expect(tc.want...)
			w.asked("")
		})
	}
}

func TestAStormAsksFewAtATime(t *testing.T) {
	w := newWorld(t)
	w.mode(On)
	const n = 2000
	w.fleet(n)
	for i := range n {
		id := fmt.Sprint("F", i)
		w.connect(id, v16)
		w.status(id, 1, "Available")
	}
	var storm []Case
	for i := range n {
		storm = append(storm, Case{ID: fmt.Sprint("i", i), Station: fmt.Sprint("F", i), EVSE: 1, Severity: event.S3, Detectors: []string{"D23"}})
	}
	w.hear(event.Self(), &event.ServerStopped{}, storm...)
	most, asked := 0, 0
	for len(w.intent) > 0 {
		most = max(most, len(w.intent))
		w.answer("Rejected")
		asked++
	}
	if most > maxInFlight || asked != n || len(w.x.runs) != 0 {
		t.Errorf("%d at once, %d of %d asked, %d runs left", most, asked, n, len(w.x.runs))
	}
}
