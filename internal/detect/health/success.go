package health

import (
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// successDrop is D06: fewer tries work at a port than at others of its model.
// The share is a beta distribution that begins with what the model's ports show;
// it is a finding when it lies far below that almost surely. What drivers, their
// cars, cards or the backend caused is left out, and the rest of the site tells
// whether the port or the site is worse.
func successDrop() detect.Detector {
	return detect.Detector{
		ID: "D06", Code: "successDrop",
		Params: []detect.Param{
			{Name: "attempts", Default: 10, Doc: "tries within the window needed"},
			{Name: "days", Default: 7, Unit: "d", Doc: "the window, at most 7"},
			{Name: "points", Default: 15, Unit: "%", Doc: "percentage points below what is usual"},
			{Name: "sure", Default: 95, Unit: "%", Doc: "how sure it has to be"},
			{Name: "prior", Default: 4, Doc: "tries that the model's share counts for"},
		},
		Tried:     successTried,
		Hourly:    successLook,
		New:       func() any { return new(week) },
		NewCommon: func() any { return &models{Of: make(map[string]*share)} },
	}
}

// week are the tries of a port in the last days, by day.
type week struct {
	Day int64     `json:"day"` // of Days[0], in days since 1970
	N   [7]uint16 `json:"n"`   // by age in days
	Bad [7]uint16 `json:"bad"`
}

// share is how many tries worked.
type share struct {
	N   float64 `json:"n"`
	Bad float64 `json:"bad"`
}

// models are the shares by model.
type models struct {
	Of map[string]*share `json:"of"`
}

const weighTries = 20_000

// usual is the share of failed tries of a model, from all its ports but one;
// before there are many, one in twenty.
func (l *models) usual(model string, n, bad float64) float64 {
	var s share
	if all := l.Of[model]; all != nil {
		s = share{max(all.N-n, 0), max(all.Bad-bad, 0)}
	}
	return (s.Bad + 1) / (s.N + 20)
}

func (l *models) add(model string, bad bool) {
	s := l.Of[model]
	if s == nil {
		if len(l.Of) >= maxModels {
			return
		}
		s = &share{}
		l.Of[model] = s
	}
	if s.N >= weighTries {
		s.N, s.Bad = s.N/2, s.Bad/2
	}
	s.N++
	if bad {
		s.Bad++
	}
}

func (w *week) turn(day int64) {
	for n := day - w.Day; n > 0; n-- {
		if n >= 7 {
			*w = week{Day: day}
			return
		}
		copy(w.N[1:], w.N[:6])
		copy(w.Bad[1:], w.Bad[:6])
		w.N[0], w.Bad[0] = 0, 0
		w.Day++
	}
}

func (w *week) sum(days int) (n, bad float64) {
	for i := range min(max(days, 1), 7) {
		n += float64(w.N[i])
		bad += float64(w.Bad[i])
	}
	return n, bad
}

func today(c *detect.Context) int64 { return c.Now.Unix() / 86400 }

// judgedTry reports whether a try says something about the port, and what.
func judgedTry(a *attempt.Attempt) (bad, ok bool) {
	switch {
	case a.EVSE == 0 || a.Late:
		return false, false
	case !a.Failed:
		return false, true
	}
	return true, a.Side == attempt.Charger || a.Side == attempt.UnknownSide
}

func successTried(c *detect.Context, a *attempt.Attempt) {
	bad, ok := judgedTry(a)
	if !ok {
		return
	}
	m := detect.Memory[week](c, a.EVSE)
	if m.Day == 0 {
		m.Day = today(c)
	}
	m.turn(today(c))
	m.N[0]++
	if bad {
		m.Bad[0]++
	}
	detect.Common[models](c).add(model(c.Station), bad)
	successJudge(c, a.EVSE, m)
}

// successLook lets days pass where nobody tries.
func successLook(c *detect.Context) {
	for i := range c.Station.Ports {
		evse := c.Station.Ports[i].EVSE
		m := detect.Recall[week](c, evse)
		if m == nil || m.Day == today(c) {
			continue
		}
		m.turn(today(c))
		c.Station.Touch()
		if n, _ := m.sum(7); n == 0 && !c.Station.IsOpen("successDrop", evse) {
			c.Forget(evse)
		}
	}
}

func successJudge(c *detect.Context, evse int, m *week) {
	days := int(c.Param("days"))
	n, bad := m.sum(days)
	if n < c.Param("attempts") {
		return
	}
	usual := 1 - detect.Common[models](c).usual(model(c.Station), n, bad)
	sure := successSure(c, n, bad, usual)
	if sure < 0.5 {
		c.Clear("successDrop", evse, detect.Value("worked", n-bad, ""), detect.Value("tries", n, ""))
	}
	if sure <= c.Param("sure")/100 {
		return
	}
	f := event.Finding{
		Severity: event.S3,
		Text: c.Say("Of %.0f tries to charge within %s %.0f worked; of such ports %.0f %% is usual.",
			n, detect.Count{N: float64(days), Unit: "day"}, n-bad, 100*usual),
		Facts: []event.Fact{
			detect.Value("tries", n, ""), detect.Value("worked", n-bad, ""), detect.Value("usual", 100*usual, "%"), detect.Value("sure", 100*sure, "%"),
		},
	}
	// The other ports of the site: are they as bad?
	var others, othersBad float64
	for st := range c.Network().Site(c.Station.SiteID) {
		for i := range st.Ports {
			o := c.Of(st)
			if w := detect.Recall[week](o, st.Ports[i].EVSE); w != nil && (st != c.Station || st.Ports[i].EVSE != evse) {
				k, b := w.sum(days)
				others, othersBad = others+k, othersBad+b
			}
		}
	}
	cause := "port"
	if others >= c.Param("attempts") && successSure(c, others, othersBad, usual) > c.Param("sure")/100 {
		cause = "site"
		f.Text += " " + c.Say("The rest of the site is as bad.")
	}
	f.Facts = append(f.Facts, detect.Word("cause", cause), detect.Value("othersTries", others, ""), detect.Value("othersWorked", others-othersBad, ""))
	c.Raise(evse, f)
}

// successSure is how sure it is that the share of tries that work lies far below
// the usual.
func successSure(c *detect.Context, n, bad, usual float64) float64 {
	prior := c.Param("prior")
	return betaBelow(prior*usual+n-bad, prior*(1-usual)+bad, usual-c.Param("points")/100)
}
