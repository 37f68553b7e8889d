package security

import (
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// retentionShort is V10: pictures do not stay as long as was promised. Who records
// has measured it for a while; one camera speaks for all that share the limit, and
// nothing else at the site is explained by it.
func retentionShort() detect.Detector {
	return detect.Detector{
		ID: "V10", Code: "retentionShort", Cameras: true,
		Needs: []detect.Source{detect.CameraSource},
		Kinds: []event.Kind{event.KindRecordingRetention},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.RecordingRetention)
			if !ok || c.Station.Camera == nil {
				return
			}
			if !b.Short {
				c.Clear("retentionShort", 0, detect.Value("effectiveDays", b.EffectiveDays, "d"))
				return
			}
			c.Raise(0, event.Finding{
				Severity: event.S3, Shared: []string{},
				Text: stay(c, b),
				Facts: []event.Fact{
					detect.Value("promisedDays", b.PromisedDays, "d"), detect.Value("effectiveDays", b.EffectiveDays, "d"),
					detect.Word("limitedBy", b.LimitedBy), detect.Value("cameras", float64(b.Cameras), ""),
				},
			})
		},
	}
}

// copyFailed is V11: pictures do not come to the second place.
func copyFailed() detect.Detector {
	return detect.Detector{
		ID: "V11", Code: "copyFailed", Cameras: true,
		Needs: []detect.Source{detect.CameraSource},
		Kinds: []event.Kind{event.KindRecordingCopy},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.RecordingCopy)
			if !ok || c.Station.Camera == nil {
				return
			}
			if !b.Failed {
				c.Clear("copyFailed", 0)
				return
			}
			f := event.Finding{
				Severity: event.S2, Shared: []string{},
				Text:  c.Say("Pictures of camera %s do not reach the second place.", called(c.Station)),
				Facts: []event.Fact{detect.Word("reason", b.Reason), detect.Value("waiting", float64(b.Waiting), "")},
			}
			if b.Detail != "" {
				f.Facts = append(f.Facts, detect.Word("detail", b.Detail))
			}
			c.Raise(0, f)
		},
	}
}

// stay says it of a camera, or of those that it speaks for.
func stay(c *detect.Context, b *event.RecordingRetention) string {
	if b.Cameras > 1 {
		return c.Say("Pictures of %d cameras stay for %.1f of %g promised days.", b.Cameras, b.EffectiveDays, b.PromisedDays)
	}
	return c.Say("Pictures of camera %s stay for %.1f of %g promised days.", called(c.Station), b.EffectiveDays, b.PromisedDays)
}
