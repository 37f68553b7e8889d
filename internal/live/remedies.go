package live

import (
	"fmt"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/incident/remedy"
)

// Remedies is what is at work, what is owed and what was used of the budgets.
func (l *Live) Remedies() remedy.State {
	l.folding.Lock()
	defer l.folding.Unlock()
	return l.pipeline.Remedies.State()
}

// Foresee says what a playbook would do now: about an open incident, or at a
// port of a station. By is who would start it, empty for by itself.
func (l *Live) Foresee(p remedy.Playbook, id, station string, evse int, by string) ([]remedy.Foreseen, remedy.Case, error) {
	l.folding.Lock()
	defer l.folding.Unlock()
	x, n := l.pipeline.Remedies, &l.pipeline.Detect.Network
	c, ok := x.CaseAt(n, station, evse)
	if id != "" {
		if c, ok = x.CaseOf(id); !ok {
			return nil, c, fmt.Errorf("incident %q is not open, or about no single station: %w", id, incident.ErrNotFound)
		}
	}
	if !ok {
		return nil, c, fmt.Errorf("%s, EVSE %d: %w", station, evse, remedy.ErrNoPort)
	}
	return x.Preview(n, l.o.Now(), p, c, by), c, nil
}

// Watching is what a station of OCPP 2.x was asked to watch by itself and what it
// said to that; ok is false for a station that cannot be asked.
func (l *Live) Watching(station string) (s remedy.WatchState, ok bool) {
	l.folding.Lock()
	defer l.folding.Unlock()
	return l.pipeline.Remedies.Watching(&l.pipeline.Detect.Network, station)
}
