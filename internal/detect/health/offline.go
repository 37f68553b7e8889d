package health

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// offline is D01: nothing is heard of a station. A silent socket is ended by the
// endpoint's pings, so the end of the connection is what is waited from.
//
// Urgent it is only when drivers are stranded: half of all losses are over after
// 50 minutes (SFU log), so an hour, or no other free port of that power.
func offline() detect.Detector {
	return detect.Detector{
		ID: "D01", Code: "offline",
		Params: []detect.Param{
			{Name: "dcMinutes", Default: 5, Unit: "min", Doc: "how long a station with a DC port may be away"},
			{Name: "acMinutes", Default: 15, Unit: "min", Doc: "how long a station with AC ports only may be away"},
			{Name: "urgentMinutes", Default: 60, Unit: "min", Doc: "from when on it is urgent"},
			{Name: "settleMinutes", Default: 15, Unit: "min", Doc: "how long nothing is said after our own start"},
			{Name: "backMinutes", Default: 1, Unit: "min", Doc: "how long it has to stay connected to count as back"},
			{Name: "ourSharePercent", Default: 30, Unit: "%", Doc: "share of all stations that, lost within five minutes, points at ourselves"},
		},
		Kinds:     []event.Kind{event.KindConnected, event.KindDisconnected, event.KindServerStarted},
		On:        offlineOn,
		Due:       offlineDue,
		NewCommon: func() any { return new(losses) },
	}
}

// losses counts stations lost in spans of five minutes, this one and the last.
type losses struct {
	From detect.Moment `json:"from,omitempty"`
	Now  int           `json:"now,omitempty"`
	Last int           `json:"last,omitempty"`
}

const lossSpan = 5 * time.Minute

func (l *losses) turn(now time.Time) {
	switch age := l.From.Ago(now); {
	case l.From.IsZero() || age >= 2*lossSpan:
		*l = losses{From: detect.At(now)}
	case age >= lossSpan:
		*l = losses{From: detect.At(now), Last: l.Now}
	}
}

func offlineOn(c *detect.Context, e *event.Event) {
	st := c.Station
	switch e.Body.(type) {
	case *event.Connected:
		c.Cancel("offline")
		c.Cancel("urgent")
		if st.IsOpen("offline", 0) && !c.Waiting("back") {
			c.Wake("back", c.Now.Add(c.Minutes("backMinutes")))
		}
	case *event.Disconnected:
		if st.Online || st.LinkAt != detect.At(c.Now) {
			return // an older connection of it ended
		}
		c.Cancel("back")
		if st.IsOpen("offline", 0) {
			c.Wake("urgent", c.Now.Add(c.Minutes("urgentMinutes")))
			return
		}
		l := detect.Common[losses](c)
		l.turn(c.Now)
		l.Now++
		c.Wake("offline", c.Now.Add(patience(c)))
	case *event.ServerStarted:
		c.Cancel("back")
		if st.BootAt.IsZero() {
			return // it never was here
		}
		settle := c.Now.Add(c.Minutes("settleMinutes"))
		if st.IsOpen("offline", 0) {
			c.Wake("urgent", settle)
			return
		}
		c.Wake("offline", later(settle, c.Now.Add(patience(c))))
	}
}

// patience is how long the station may be away.
func patience(c *detect.Context) time.Duration {
	for i := range c.Station.Ports {
		if c.Station.Ports[i].DC() {
			return c.Minutes("dcMinutes")
		}
	}
	return c.Minutes("acMinutes")
}

func offlineDue(c *detect.Context, key string) {
	st := c.Station
	if key == "back" {
		if st.Online {
			c.Clear("offline", 0, detect.Value("onlineMinutes", st.LinkAt.Ago(c.Now).Minutes(), "min"))
		}
		return
	}
	if st.Online {
		return
	}
	away := st.LinkAt.Ago(c.Now)
	f := event.Finding{
		Severity: event.S3, Since: st.LinkAt.Time(),
		Text: c.Say("Nothing has been heard of the station for %s.", detect.Span(away)),
		Facts: []event.Fact{
			{Name: "lastHeard", At: st.LinkAt.Time()}, detect.Value("awayMinutes", away.Minutes(), "min"), detect.Word("connectionEnded", st.Left),
		},
	}
	urgent := st.LinkAt.Add(c.Minutes("urgentMinutes"))
	switch {
	case !c.Now.Before(urgent):
		f.Severity = event.S2
	case alone(c):
		f.Severity = event.S2
		f.Text += " " + c.Say("No other port of its power is free at the site.")
		f.Facts = append(f.Facts, detect.Word("noOtherPort", st.SiteID))
	default:
		c.Wake("urgent", urgent)
	}
	l := detect.Common[losses](c)
	if n := l.Now + l.Last; l.From.Ago(c.Now) < 4*lossSpan && n >= 10 && float64(n)*100 > c.Param("ourSharePercent")*float64(c.Network().Len()) {
		f.Shared = append(c.Shared(), "us")
		f.Facts = append(f.Facts, detect.Value("lostTogether", float64(n), ""))
	}
	c.Raise(0, f)
}

// alone reports whether drivers who need one of the station's ports find no
// other free one of its power at the site.
func alone(c *detect.Context) bool {
	st := c.Station
	if st.SiteID == "" {
		return false
	}
	for i := range st.Ports {
		if !elsewhereFree(c, st.Ports[i].Class()) {
			return true
		}
	}
	return false
}
