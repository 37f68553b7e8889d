package security

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// cameraLost is V01: no picture comes from a camera. That it is offline is said by
// its source after 13 s without one, so nothing more is waited for here; but the
// loss of a whole site is the site's incident, and the loss of all is ours.
func cameraLost() detect.Detector {
	return detect.Detector{
		ID: "V01", Code: "cameraLost", Cameras: true,
		Needs: []detect.Source{detect.CameraSource},
		Params: []detect.Param{
			{Name: "siteSeconds", Default: 60, Unit: "s", Doc: "how long is waited to see whether the whole site is lost, once one of its stations is"},
			{Name: "ourSharePercent", Default: 50, Unit: "%", Doc: "share of all cameras that, lost within five minutes, points at ourselves"},
		},
		Kinds:     []event.Kind{event.KindCameraState, event.KindServerStarted},
		On:        lostOn,
		Due:       lostDue,
		NewCommon: func() any { return new(lostTogether) },
	}
}

// lostTogether counts cameras lost in spans of five minutes, this one and the last,
// and all that were ever live.
type lostTogether struct {
	From detect.Moment `json:"from,omitempty"`
	Now  int           `json:"now,omitempty"`
	Last int           `json:"last,omitempty"`
	Live int           `json:"live,omitempty"`
}

const lostSpan = 5 * time.Minute

func (l *lostTogether) turn(now time.Time) {
	switch age := l.From.Ago(now); {
	case l.From.IsZero() || age >= 2*lostSpan:
		*l = lostTogether{From: detect.At(now), Live: l.Live}
	case age >= lostSpan:
		*l = lostTogether{From: detect.At(now), Last: l.Now, Live: l.Live}
	}
}

func lostOn(c *detect.Context, e *event.Event) {
	if c.Station.Camera == nil {
		return
	}
	b, ok := e.Body.(*event.CameraState)
	if !ok { // we started: it is as it was until another condition is told
		return
	}
	l := detect.Common[lostTogether](c)
	if b.Was == event.CameraLive && l.Live > 0 {
		l.Live--
	}
	switch b.State {
	case event.CameraOffline:
		l.turn(c.Now)
		l.Now++
		c.Clear("cameraNotRecording", 0)
		if troubled(c) {
			c.Wake("lost", c.Now.Add(time.Duration(c.Param("siteSeconds")*float64(time.Second))))
			return
		}
		lost(c, b.Reason)
	case event.CameraNotRecording:
		c.Cancel("lost")
		c.Clear("cameraLost", 0)
		c.Raise(0, event.Finding{
			Code: "cameraNotRecording", Severity: event.S2, Since: b.Since,
			Text:  c.Say("Pictures of camera %s come and nothing is recorded.", called(c.Station)),
			Facts: []event.Fact{detect.Word("reason", b.Reason)},
		})
	case event.CameraLive, event.CameraTampered:
		if b.State == event.CameraLive {
			l.Live++
		}
		c.Cancel("lost")
		c.Clear("cameraLost", 0)
		c.Clear("cameraNotRecording", 0)
	case event.CameraStalled, event.CameraConnecting:
	}
}

// troubled reports that a station of the site was lost lately too.
func troubled(c *detect.Context) bool {
	for st := range c.Network().Site(c.Station.SiteID) {
		if !st.Online && !st.BootAt.IsZero() && st.LinkAt.Ago(c.Now) < lostSpan {
			return true
		}
	}
	return false
}

func lostDue(c *detect.Context, _ string) {
	if c.Station.Camera == nil || c.Station.Camera.State != event.CameraOffline {
		return
	}
	if dark(c) { // asked again, since one station that is back makes it the camera's
		c.Wake("lost", c.Now.Add(time.Duration(c.Param("siteSeconds")*float64(time.Second))))
		return
	}
	lost(c, "")
}

func lost(c *detect.Context, reason string) {
	since := c.Station.Camera.Since
	f := event.Finding{
		Severity: event.S3, Since: since.Time(),
		Text:  c.Say("No picture comes from camera %s.", called(c.Station)),
		Facts: []event.Fact{{Name: "lostAt", At: since.Time()}},
	}
	if reason != "" {
		f.Facts = append(f.Facts, detect.Word("reason", reason))
	}
	if c.Network().Armed(c.Station.SiteID) {
		f.Severity = event.S2
		f.Text += " " + c.Say("The site is armed.")
	}
	l := detect.Common[lostTogether](c)
	if n := l.Now + l.Last; n >= 3 && float64(n)*100 > c.Param("ourSharePercent")*float64(n+l.Live) {
		f.Shared = append(c.Shared(), "us")
		f.Facts = append(f.Facts, detect.Value("lostTogether", float64(n), ""))
	}
	c.Raise(0, f)
}
