package camera_test

import (
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim/camera"
)

func TestEverySceneHasATruthTableInEachView(t *testing.T) {
	f := farm(t, camera.Options{}, camera.Spec{})
	want := map[string][]string{
		"quiet": nil, "car": {camera.Vehicle, camera.Motion}, "person": {camera.Person, camera.Motion}, "loiter": {camera.Person, camera.Motion, camera.Loitering},
		"raid": {camera.Person, camera.Motion, camera.Loitering}, "headlights": {camera.Headlights}, "light": {camera.Light}, "rain": {camera.Rain},
		"rain-person": {camera.Rain, camera.Person, camera.Motion}, "infrared": nil, "infrared-person": {camera.Person, camera.Motion},
		"covered": {camera.Covered}, "defocused": {camera.Defocused}, "turned": {camera.Turned}, "blinded": {camera.Blinded}, "frozen": {camera.Frozen},
	}
	for _, view := range camera.Views() {
		for _, s := range camera.Scenes(view) {
			truth, loop, err := f.Truth(s)
			if err != nil {
				t.Fatalf("%s in %s: %v", s.Name, view, err)
			}
			kinds := make(map[string]bool)
			for _, m := range truth {
				kinds[m.What] = true
				if m.From < 0 || m.To <= m.From || m.To > loop || m.Box[0] > m.Box[2] || m.Box[1] > m.Box[3] {
					t.Errorf("%s in %s: %+v of %s", s.Name, view, m, loop)
				}
			}
			if len(kinds) != len(want[s.Name]) {
				t.Errorf("%s in %s: %v, want %v", s.Name, view, kinds, want[s.Name])
			}
			for _, k := range want[s.Name] {
				if !kinds[k] {
					t.Errorf("%s in %s: no %s", s.Name, view, k)
				}
			}
			if s.Name == "raid" && loop > 150*time.Second {
				t.Errorf("the raid takes %s with its quiet ends", loop)
			}
			if err := f.Play("gate", s.Name); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}
