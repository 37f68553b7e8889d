package security

import "github.com/chargewatch/chargewatch/internal/detect"

// waiting are rules that have no source yet: nothing that is attached to a site tells
// what they need. They are listed, so that nobody takes their silence for safety.
func waiting() []detect.Detector {
	return []detect.Detector{
		{ID: "C15", Code: "heat", Needs: []detect.Source{detect.HeatSource}},
		{ID: "C16", Code: "skimmer", Needs: []detect.Source{detect.ReaderSource}},
		{ID: "C19", Code: "cuttingSound", Needs: []detect.Source{detect.SoundSource}},
	}
}
