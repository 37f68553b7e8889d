package health

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// linkQuality is D17: a connection that holds but badly. Reconnects of a day
// against a fixed bar and against the station's own last two weeks, requests it
// left unanswered, and how long its answers take against what they took. What we caused ourselves does not count; the carrier stands
// in the labels, so that one mast is one incident.
func linkQuality() detect.Detector {
	return detect.Detector{
		ID: "D17", Code: "badLink",
		Params: []detect.Param{
			{Name: "perDay", Default: 6, Unit: "/d", Doc: "reconnects within a day that a good connection stays below"},
			{Name: "timesUsual", Default: 3, Doc: "times its usual number that is told too"},
			{Name: "leastPerDay", Default: 5, Unit: "/d", Doc: "below this a multiple of the usual says nothing"},
			{Name: "timeoutsPerDay", Default: 3, Unit: "/d", Doc: "requests left unanswered within a day while connected"},
			{Name: "slowTimes", Default: 3, Doc: "times what 95 of 100 of its answers took so far, that they take now"},
			{Name: "slowSeconds", Default: 3, Unit: "s", Doc: "answers faster than this are never slow"},
			{Name: "answers", Default: 8, Doc: "answers within a day that are needed to judge, and three times as many before"},
			{Name: "commandMinutes", Default: 10, Unit: "min", Doc: "how long after a restart that we asked for a reconnect is expected"},
		},
		Kinds:  []event.Kind{event.KindConnected, event.KindCommand, event.KindCommandResult, event.KindServerStarted},
		On:     linkOn,
		Hourly: linkLook,
		New:    func() any { return new(linkDays) },
	}
}

// linkDays are the reconnects of a day and how many are usual.
type linkDays struct {
	At       []detect.Moment `json:"at,omitempty"`
	Timeouts []detect.Moment `json:"timeouts,omitempty"`
	Usual    float64         `json:"usual,omitempty"` // a day
	Days     int             `json:"days,omitempty"`  // that Usual stands on
	DayFrom  detect.Moment   `json:"dayFrom,omitempty"`
	Today    int             `json:"today,omitempty"`
	Expected detect.Moment   `json:"expected,omitempty"` // until when a reconnect is our doing
	Pace     *pace           `json:"pace,omitempty"`
}

const (
	maxReconnects = 48
	usualDays     = 14
	learnDays     = 7
)

func linkOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.ServerStarted:
		if m := detect.Recall[linkDays](c, 0); m != nil {
			if m.Pace != nil {
				m.Pace.Asked = nil // their answers came to nobody
			}
			m.Expected = detect.At(c.Now.Add(settleFor))
			c.Station.Touch()
		}
	case *event.Command:
		if b.Action == "Reset" || b.Action == "UpdateFirmware" || b.Action == "SignedUpdateFirmware" || b.Action == "SetNetworkProfile" {
			detect.Memory[linkDays](c, 0).Expected = detect.At(c.Now.Add(c.Minutes("commandMinutes")))
		}
		linkAsked(c, b.CommandID)
	case *event.CommandResult:
		linkAnswered(c, b)
		if b.Status == "timeout" && c.Station.Online && !c.Fresh() {
			m := detect.Memory[linkDays](c, 0)
			m.Timeouts = note(m.Timeouts, c.Now)
			linkJudge(c, m)
		}
	case *event.Connected:
		m := detect.Recall[linkDays](c, 0)
		if c.Station.BootAt.IsZero() || c.Fresh() || m != nil && detect.At(c.Now) < m.Expected {
			return
		}
		m = detect.Memory[linkDays](c, 0)
		if m.DayFrom.IsZero() {
			m.DayFrom = detect.At(c.Now)
		}
		m.At = note(m.At, c.Now)
		m.Today++
		linkJudge(c, m)
	}
}

// note adds a moment to those of the last day.
func note(list []detect.Moment, now time.Time) []detect.Moment {
	list = append(lately(list, now), detect.At(now))
	if len(list) > maxReconnects {
		list = slices.Delete(list, 0, 1)
	}
	return list
}

func lately(list []detect.Moment, now time.Time) []detect.Moment {
	return slices.DeleteFunc(list, func(at detect.Moment) bool { return at.Ago(now) >= 24*time.Hour })
}

func linkJudge(c *detect.Context, m *linkDays) {
	n, timeouts := float64(len(m.At)), float64(len(m.Timeouts))
	f := event.Finding{
		Severity: event.S3,
		Facts:    []event.Fact{detect.Value("reconnects", n, "/d"), detect.Value("usual", m.Usual, "/d"), detect.Value("timeouts", timeouts, "/d")},
	}
	switch {
	case n > c.Param("perDay"):
		f.Text = c.Say("The station reconnected %.0f times within a day.", n)
	case n >= c.Param("leastPerDay") && m.Days >= learnDays && n > c.Param("timesUsual")*m.Usual:
		f.Text = c.Say("The station reconnected %.0f times within a day; usual are %.1f.", n, m.Usual)
	case timeouts >= c.Param("timeoutsPerDay"):
		f.Text = c.Say("The station left %.0f requests within a day unanswered while it was connected.", timeouts)
	case m.Pace.slow(c):
		now, before := m.Pace.recent(c.Now), m.Pace.usual()
		f.Text = c.Say("The station takes up to %.1f s to answer; so far 95 of 100 answers came within %.1f s.", now, before)
		f.Facts = append(f.Facts, detect.Value("answerSeconds", now, "s"), detect.Value("usualSeconds", before, "s"))
	default:
		return
	}
	c.Raise(0, f)
}

// linkLook ends the day, and the finding when half of the bar is kept.
func linkLook(c *detect.Context) {
	m := detect.Recall[linkDays](c, 0)
	if m == nil {
		return
	}
	c.Station.Touch()
	m.At, m.Timeouts = lately(m.At, c.Now), lately(m.Timeouts, c.Now)
	for !m.DayFrom.IsZero() && m.DayFrom.Ago(c.Now) >= 24*time.Hour {
		m.Days = min(m.Days+1, usualDays)
		m.Usual += (float64(m.Today) - m.Usual) / float64(m.Days)
		m.Today = 0
		m.DayFrom = detect.At(m.DayFrom.Add(24 * time.Hour))
	}
	if m.Pace != nil {
		m.Pace.turn(c.Now)
	}
	if n := float64(len(m.At)); n <= c.Param("perDay")/2 && float64(len(m.Timeouts)) < c.Param("timeoutsPerDay") && !m.Pace.slow(c) {
		c.Clear("badLink", 0, detect.Value("reconnects", n, "/d"))
	}
	if len(m.At)+len(m.Timeouts) == 0 && m.Usual < 0.05 && m.Expected < detect.At(c.Now) && m.Pace.empty() {
		c.Forget(0) // nothing worth keeping: a good connection
	}
}
