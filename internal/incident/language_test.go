package incident

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

func TestNoticesAreInBothLanguages(t *testing.T) {
	inGerman := func(d detect.Finding, text string) detect.Finding {
		d.TextDE = text
		return d
	}
	type words struct{ title, text string }
	for name, tc := range map[string]struct {
		live func(l *lab)
		want map[string]words // by change
	}{
		"at a port": {func(l *lab) {
			l.station("A", "ham", "", "1", 1).found(inGerman(finding("A", 1, "D05", "port.startFailures", event.S2, event.FindingRaised), "Fahrer können nicht starten. Zuletzt: nichts.")).after(time.Hour)
		}, map[string]words{ChangeOpened: {"A, Ladepunkt 1: Fahrer können nicht starten", "Fahrer können nicht starten. Zuletzt: nichts."}}},
		"what a person wrote": {func(l *lab) {
			l.station("A", "ham", "", "1", 1).found(inGerman(finding("A", 1, "D05", "port.startFailures", event.S2, event.FindingRaised), "Fahrer können nicht starten.")).after(time.Hour)
			l.act(l.only().ID, event.IncidentAction{Action: ActAcknowledge, Note: "on it", Until: l.now.Add(time.Hour)}).after(2 * time.Hour)
		}, map[string]words{
			ChangeAcknowledged: {"A, Ladepunkt 1: Fahrer können nicht starten", ""},
			ChangeReminder:     {"A, Ladepunkt 1: Fahrer können nicht starten", "Die Bestätigung ist abgelaufen, der Vorfall ist noch offen."},
		}},
		"a finding that has no German": {func(l *lab) {
			l.station("A", "ham", "", "1", 1).raise("A", 1, "D05", "port.startFailures", event.S2).after(time.Hour)
		}, map[string]words{ChangeOpened: {"", ""}}},
		"a whole carrier": {func(l *lab) {
			ids := l.network(40, turns("894902", "894920"), same("1"))
			l.after(time.Hour)
			for i := 0; i < len(ids); i += 2 {
				l.offline(ids[i])
			}
			l.after(5 * time.Minute)
			for i := 0; i < len(ids); i += 2 {
				l.found(since(finding(ids[i], 0, "D01", "offline", event.S3, event.FindingRaised), l.now.Add(-5*time.Minute)))
			}
			l.after(time.Hour)
		}, map[string]words{ChangeOpened: {
			"Mobilfunknetz 894902: 20 Stationen verloren",
			"Stationen mit SIM-Karten eines Anbieters fielen binnen fünf Minuten aus: Wahrscheinlich ist es sein Netz.",
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			tc.live(l)
			told := make(map[string]words)
			for _, n := range l.notes {
				told[n.Change] = words{n.TitleDE, n.TextDE}
			}
			for change, want := range tc.want {
				if got, ok := told[change]; !ok || got != want {
					t.Errorf("%s: %q, want %q", change, got, want)
				}
			}
		})
	}
}
