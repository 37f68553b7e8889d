package health

import (
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// settingsDrift is D33: settings of a station that were as its profiles ask were changed
// by somebody. It matters more where the station measures something else since: what is
// counted and found out of it is not what it was.
func settingsDrift() detect.Detector {
	return detect.Detector{
		ID: "D33", Code: "settingsDrift",
		Kinds: []event.Kind{event.KindSettings},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.Settings)
			if !ok {
				return
			}
			if len(b.Drifted) == 0 {
				c.Clear("settingsDrift", 0)
				return
			}
			first, severity := &b.Drifted[0], event.S4
			for i := range b.Drifted {
				if b.Drifted[i].Measures {
					first, severity = &b.Drifted[i], event.S3
					break
				}
			}
			f := event.Finding{Severity: severity, Facts: []event.Fact{
				detect.Word("setting", first.Name), detect.Word("is", first.Is), detect.Word("want", first.Want), detect.Value("settings", float64(len(b.Drifted)), ""),
			}}
			if len(b.Drifted) == 1 {
				f.Text = c.Say("The setting %s was changed: it is %s, and its profile asks for %s.", first.Name, brief(first.Is), brief(first.Want))
			} else {
				f.Text = c.Say("%d settings were changed, among them %s: it is %s, and its profile asks for %s.", len(b.Drifted), first.Name, brief(first.Is), brief(first.Want))
			}
			c.Raise(0, f)
		},
	}
}

// brief is a value short enough for a sentence.
func brief(value string) string {
	const most = 60
	if r := []rune(value); len(r) > most {
		return string(r[:most]) + "…"
	}
	if value == "" {
		return "–"
	}
	return value
}
