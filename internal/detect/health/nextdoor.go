package health

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// nextDoor is D27: somebody failed at a port and charged at another one of the
// site soon after. Car, card and backend are proven by that; what is left is the
// port. Who was turned away for their token did not fail at the port.
func nextDoor() detect.Detector {
	return detect.Detector{
		ID: "D27", Code: "failedHereChargedNextDoor",
		Params: []detect.Param{
			{Name: "withinMinutes", Default: 15, Unit: "min", Doc: "time from failing here to starting there"},
			{Name: "urgentVisits", Default: 2, Doc: "visits, none that worked between, from which on it is urgent; more where tries often fail"},
			{Name: "visitDays", Default: 7, Unit: "d", Doc: "how long a visit counts"},
		},
		Kinds:     []event.Kind{event.KindTransaction},
		On:        nextDoorOn,
		Tried:     nextDoorTried,
		Due:       nextDoorDue,
		New:       func() any { return new(visits) },
		NewCommon: func() any { return new(leavers) },
	}
}

// leavers are those who failed lately, anywhere.
type leavers struct {
	List []leaver `json:"list,omitempty"` // oldest first
}

type leaver struct {
	Token   string        `json:"token"`
	Station string        `json:"station"`
	EVSE    int           `json:"evse"`
	At      detect.Moment `json:"at"`
	Why     string        `json:"why,omitempty"`
}

const maxLeavers = 2048

// visits are the times at which somebody failed at the port and charged next
// door.
type visits struct {
	At []detect.Moment `json:"at,omitempty"`
}

const maxVisits = 8

func nextDoorTried(c *detect.Context, a *attempt.Attempt) {
	if a.EVSE == 0 {
		return
	}
	if !a.Failed {
		if detect.Recall[visits](c, a.EVSE) != nil && a.EnergyWh != nil && *a.EnergyWh >= provenWh {
			c.Forget(a.EVSE)
			c.Clear("failedHereChargedNextDoor", a.EVSE, charged(a))
		}
		return
	}
	if a.Token == "" || c.Station.SiteID == "" || a.Stage == attempt.Presented || a.Side == attempt.Backend || a.FailedStep() == attempt.StepAuthorise {
		return
	}
	l := detect.Common[leavers](c)
	old := detect.At(c.Now.Add(-c.Minutes("withinMinutes") - 4*nextDoorLook)) // a start is looked at up to three times
	l.List = slices.DeleteFunc(l.List, func(x leaver) bool {
		return x.At < old || x.Token == a.Token && x.Station == c.Station.ID && x.EVSE == a.EVSE
	})
	if len(l.List) >= maxLeavers {
		l.List = slices.Delete(l.List, 0, 1)
	}
	l.List = append(l.List, leaver{a.Token, c.Station.ID, a.EVSE, detect.At(a.EndsAt), why(a)})
	// They may have started next door before this port told that they left.
	for other := range c.Network().Site(c.Station.SiteID) {
		for i := range other.Ports {
			p := &other.Ports[i]
			if p.Tx != nil && p.Tx.Token == a.Token && !p.Tx.StartedAt.Before(a.At) && (other != c.Station || p.EVSE != a.EVSE) {
				nextDoorWatch(c.Of(other), p)
			}
		}
	}
}

func nextDoorOn(c *detect.Context, e *event.Event) {
	b := e.Body.(*event.Transaction)
	if b.Stage == event.TransactionEnded || b.TokenID == "" || len(detect.Common[leavers](c).List) == 0 {
		return
	}
	for i := range c.Station.Ports {
		p := &c.Station.Ports[i]
		if p.Tx == nil || p.Tx.ID != b.TransactionID || c.Now.Sub(p.Tx.StartedAt) > c.Minutes("withinMinutes") || nextDoorWatched(c, p) {
			continue
		}
		// In OCPP 2.x the cable may begin a transaction and the card follow: the cable
		// has to come after they failed.
		began := detect.At(p.Tx.StartedAt)
		if slices.ContainsFunc(detect.Common[leavers](c).List, func(x leaver) bool {
			return x.Token == p.Tx.Token && (began == detect.At(c.Now) || x.At <= began)
		}) {
			nextDoorWatch(c, p)
		}
	}
}

// nextDoorLook is how long after a start it is asked whether power flows.
const nextDoorLook = 3 * time.Minute

func nextDoorWatch(c *detect.Context, p *detect.Port) {
	c.Wake(nextDoorKey(1, p), c.Now.Add(nextDoorLook))
}

// nextDoorLooks is how often.
const nextDoorLooks = 3

func nextDoorKey(n int, p *detect.Port) string { return fmt.Sprintf("%d/%d/%s", n, p.EVSE, p.Tx.ID) }

func nextDoorWatched(c *detect.Context, p *detect.Port) bool {
	for n := range nextDoorLooks {
		if c.Waiting(nextDoorKey(n+1, p)) {
			return true
		}
	}
	return false
}

func nextDoorDue(c *detect.Context, key string) {
	round, rest, _ := strings.Cut(key, "/")
	port, tx, _ := strings.Cut(rest, "/")
	n, _ := strconv.Atoi(round)
	evse, _ := strconv.Atoi(port)
	p := c.Station.Port(evse)
	if p == nil || p.Tx == nil || p.Tx.ID != tx {
		return
	}
	if p.Tx.EnergyWh < attempt.FailedBelowWh {
		if n < nextDoorLooks {
			c.Wake(nextDoorKey(n+1, p), c.Now.Add(nextDoorLook))
		}
		return
	}
	l := detect.Common[leavers](c)
	for _, x := range slices.Clone(l.List) {
		there := c.Network().Station(x.Station)
		gap := x.At.Ago(p.Tx.StartedAt)
		switch {
		case x.Token != p.Tx.Token, there == nil || !there.Accepted || there.SiteID != c.Station.SiteID:
		case x.Station == c.Station.ID && x.EVSE == evse:
		case gap > c.Of(there).Minutes("withinMinutes"):
		default:
			nextDoorFound(c.Of(there), x, c.Station.ID, evse, gap)
			l.List = slices.DeleteFunc(l.List, func(y leaver) bool { return y == x })
		}
	}
}

func nextDoorFound(c *detect.Context, x leaver, station string, evse int, gap time.Duration) {
	m := detect.Memory[visits](c, x.EVSE)
	old := detect.At(c.Now.Add(-time.Duration(c.Param("visitDays") * 24 * float64(time.Hour))))
	m.At = slices.DeleteFunc(m.At, func(at detect.Moment) bool { return at < old })
	m.At = append(m.At, x.At)
	if len(m.At) > maxVisits {
		m.At = slices.Delete(m.At, 0, 1)
	}
	f := event.Finding{
		Severity: event.S3, Since: m.At[0].Time(),
		Text: c.Say("A driver failed here (%s) and charged at %s, port %d, %s later.", detect.Phrase(x.Why), station, evse, detect.Span(max(gap, 0))),
		Facts: []event.Fact{
			detect.Value("visits", float64(len(m.At)), ""), {Name: "failedAt", At: x.At.Time(), Text: x.Why},
			detect.Word("chargedAt", station+"/"+strconv.Itoa(evse)), detect.Value("minutesLater", max(gap, 0).Minutes(), "min"),
		},
	}
	if float64(len(m.At)) >= deadAfter(c, x.EVSE, len(m.At), c.Param("urgentVisits")) {
		f.Severity = event.S2
		f.Text = c.Say("On %d visits drivers failed here and charged next door; the last one at %s, port %d, %s later.", len(m.At), station, evse, detect.Span(max(gap, 0)))
	}
	c.Raise(x.EVSE, f)
}
