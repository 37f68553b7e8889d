package output

import (
	"slices"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
)

// What a device says is read as one state at most, whatever it says.
func FuzzAnswersOfDevices(f *testing.F) {
	for _, text := range []string{
		`{"id":1,"result":{"was_on":true}}`, `{"id":1,"error":{"code":-1,"message":"no"}}`, `{"POWER":"ON"}`, `{"POWER1":"OFF","state":"ON"}`, "on", "off", "", "[]", `{"state":{}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, preset := range store.OutputPresets() {
			o := &store.Output{Preset: preset, Topic: "x", OnPayload: string(payload), OffPayload: "off"}
			on, err := speak(o, order{on: true, seconds: 30})
			if err != nil {
				t.Fatal(err)
			}
			off, err := speak(o, order{})
			if err != nil {
				t.Fatal(err)
			}
			if on.says == nil {
				continue
			}
			said := slices.Clone(payload)
			isOn, _ := on.says(said)
			isOff, _ := off.says(said)
			// A call is answered to whoever made it; a state is told to all.
			if isOn && isOff && preset != store.PresetShelly {
				t.Errorf("%s: %q is both", preset, payload)
			}
		}
	})
}
