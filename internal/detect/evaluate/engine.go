package evaluate

import (
	"fmt"
	"iter"
	"strings"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Detect runs an engine over events and yields what it raises, with the
// clears and updates in between.
func Detect(x *detect.Engine, events iter.Seq[*event.Event]) iter.Seq[detect.Finding] {
	return func(yield func(detect.Finding) bool) {
		for e := range events {
			until := x.Until(e)
			for due, ok := x.Due(); ok && !due.After(until); due, ok = x.Due() {
				for _, f := range x.Fire() {
					if !yield(f) {
						return
					}
				}
			}
			for _, f := range x.Apply(e) {
				if !yield(f) {
					return
				}
			}
		}
	}
}

// Raised is a finding as it is judged; ok is false for those that end a
// condition.
func Raised(f *detect.Finding) (out Finding, ok bool) {
	if f.State == event.FindingCleared {
		return out, false
	}
	var facts strings.Builder
	for _, x := range f.Facts {
		fmt.Fprintf(&facts, " %s=%s", x.Name, x.Text)
		if x.Value != nil {
			fmt.Fprintf(&facts, "%.4g%s", *x.Value, x.Unit)
		}
	}
	return Finding{
		Detector: f.Detector, Code: f.Code, Severity: string(f.Severity), Subject: f.Subject, Shared: f.Shared, At: f.At,
		Update: f.State == event.FindingUpdated, Facts: facts.String(),
	}, true
}
