package health

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// clockSkew is D24: a station's clock is off, and with it its bills. The source
// tells a wrong clock from a replayed queue: reports of a queue come fresher one
// by one, a clock stays as wrong as it is.
func clockSkew() detect.Detector {
	return detect.Detector{
		ID: "D24", Code: "clockSkew",
		Params: []detect.Param{
			{Name: "seconds", Default: 60, Unit: "s", Doc: "from when on it is told"},
			{Name: "workMinutes", Default: 10, Unit: "min", Doc: "from when on somebody has to see to it"},
			{Name: "holdSeconds", Default: 60, Unit: "s", Doc: "how long it has to stay wrong: many stations set their clock after the start"},
		},
		Kinds: []event.Kind{event.KindStatus, event.KindTransaction, event.KindMeter, event.KindComponent, event.KindSecurity},
		On:    clockOn,
		New:   func() any { return new(skewed) },
	}
}

// skewed is since when a clock has been wrong.
type skewed struct {
	Since detect.Moment `json:"since"`
	Right int           `json:"right,omitempty"` // reports in a row that were right again
}

const rightInRow = 3

func clockOn(c *detect.Context, e *event.Event) {
	if e.DeviceAt.IsZero() {
		return
	}
	var skew time.Duration
	switch e.Quality {
	case event.TimeCorrected:
		skew = e.DeviceAt.Sub(e.At)
	case event.TimeReceived: // not a plausible time at all
		skew = e.DeviceAt.Sub(e.ReceivedAt)
	case event.TimeDevice:
		if e.DeviceAt.Sub(e.ReceivedAt).Abs() >= time.Duration(c.Param("seconds")*float64(time.Second)) {
			return // late or slow; it is not known yet
		}
	}
	m := detect.Recall[skewed](c, 0)
	if skew.Abs().Seconds() <= c.Param("seconds") {
		if m == nil {
			return
		}
		c.Station.Touch()
		if m.Right++; m.Right >= rightInRow || !c.Station.IsOpen("clockSkew", 0) {
			c.Forget(0)
			c.Clear("clockSkew", 0, detect.Value("skewSeconds", skew.Seconds(), "s"))
		}
		return
	}
	if m == nil {
		detect.Memory[skewed](c, 0).Since = detect.At(c.Now)
		return
	}
	m.Right = 0
	if m.Since.Ago(c.Now).Seconds() < c.Param("holdSeconds") {
		return
	}
	f := event.Finding{Severity: event.S4, Since: m.Since.Time(), Facts: []event.Fact{
		detect.Value("skewSeconds", skew.Seconds(), "s"), {Name: "stationSays", At: e.DeviceAt}, {Name: "receivedAt", At: e.ReceivedAt},
	}}
	if skew.Abs() > c.Minutes("workMinutes") {
		f.Severity = event.S3
	}
	way := detect.Phrase("ahead")
	if skew < 0 {
		way = "behind"
	}
	f.Text = c.Say("The station's clock is %s %s.", detect.Span(skew.Abs()), way)
	c.Raise(0, f)
}
