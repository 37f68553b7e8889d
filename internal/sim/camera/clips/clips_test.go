package clips_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
	"github.com/chargewatch/chargewatch/internal/sim/camera/studio"
)

func TestEveryShotHasItsClips(t *testing.T) {
	names, err := clips.Names()
	if err != nil {
		t.Fatal(err)
	}
	var table clips.Table
	for _, s := range studio.Shots() {
		i := slices.Index(names, s.Name)
		if i < 0 {
			t.Errorf("%s was not made: go run ./generate -missing", s.Name)
			continue
		}
		names = slices.Delete(names, i, i+1)
		for stream, rate := range map[string]int{"main": clips.MainRate, "sub": clips.SubRate} {
			data, err := clips.Read(stream, s.Name)
			if err != nil {
				t.Fatal(err)
			}
			// Slices of P and of IDR pictures, one each.
			pictures := bytes.Count(data, []byte{0, 0, 1, 0x41}) + bytes.Count(data, []byte{0, 0, 1, 0x65})
			if pictures != s.Seconds*rate || s.Seconds%2 != 0 {
				t.Errorf("%s, %s: %d pictures in %d s", s.Name, stream, pictures, s.Seconds)
			}
		}
		sights, err := table.Sights(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range sights {
			if x.From < 0 || x.To > float64(s.Seconds)+0.01 || len(x.Track) == 0 {
				t.Errorf("%s: %+v", s.Name, x)
			}
			if n := int((x.To-x.From-0.05)*2) + 1; len(x.Track) < n || len(x.Track) > n+1 {
				t.Errorf("%s: %d places in %.2f s", s.Name, len(x.Track), x.To-x.From)
			}
		}
	}
	if len(names) > 0 {
		t.Errorf("clips that no shot makes: %v", names)
	}
}
