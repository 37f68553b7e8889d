package health

import (
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// certificateEnds is D35: the certificate of a station ends soon, or did. Who keeps
// certificates says so at the days that are watched for.
func certificateEnds() detect.Detector {
	return detect.Detector{
		ID: "D35", Code: "certificateEnds",
		Kinds: []event.Kind{event.KindProof},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.Proof)
			if !ok {
				return
			}
			if len(b.Ends) == 0 {
				c.Clear("certificateEnds", 0)
				return
			}
			first := b.Ends[0]
			f := event.Finding{Severity: event.S4, Facts: []event.Fact{detect.Word("endsAt", first.At.UTC().Format(time.DateOnly)), detect.Word("serial", first.Serial)}}
			if first.Within <= 0 {
				f.Severity, f.Text = event.S2, c.Say("The certificate of the station has ended: it cannot prove itself by it.")
			} else {
				if first.Within <= 7 {
					f.Severity = event.S3
				}
				f.Text = c.Say("The certificate of the station ends in less than %d days, and it has no newer one.", first.Within)
			}
			c.Raise(0, f)
		},
	}
}

// weakerProof is D36: a station comes by less than it must use, or than it was given.
// That is a station that somebody set back, or somebody who pretends to be one.
func weakerProof() detect.Detector {
	return detect.Detector{
		ID: "D36", Code: "weakerProof",
		Kinds: []event.Kind{event.KindProof},
		On: func(c *detect.Context, e *event.Event) {
			b, ok := e.Body.(*event.Proof)
			if !ok {
				return
			}
			w := b.Weaker
			if w == nil {
				c.Clear("weakerProof", 0)
				return
			}
			f := event.Finding{Severity: event.S3, Facts: []event.Fact{detect.Value("mustProfile", float64(w.Must), ""), detect.Value("cameByProfile", float64(w.Came), "")}}
			switch {
			case w.Absent:
				f.Text = c.Say("The station took security profile %d and has not come since; it is let in by the one from before as well.", w.Must)
			case w.Let:
				f.Text = c.Say("The station took security profile %d and goes on with %d, by which it is still let in.", w.Must, w.Came)
			default:
				f.Severity = event.S2
				f.Text = c.Say("Somebody came with the right password of the station by security profile %d and was refused: it must use %d.", w.Came, w.Must)
			}
			c.Raise(0, f)
		},
	}
}
