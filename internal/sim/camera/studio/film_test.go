package studio

import (
	"bytes"
	"errors"
	"testing"
)

func TestAShotIsAlwaysTheSameAndSomethingIsToBeSeen(t *testing.T) {
	for _, s := range Shots() {
		if s.Name != "yard-day-bays-10" && s.Name != "covered" {
			continue
		}
		enough := errors.New("enough")
		first := func() (picture []byte) {
			_, err := s.Film(160, func(b []byte) error {
				picture = bytes.Clone(b)
				return enough
			})
			if !errors.Is(err, enough) {
				t.Fatal(err)
			}
			return picture
		}
		a, b := first(), first()
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs from one time to the next", s.Name)
		}
		dark, bright := 0, 0
		for _, x := range a {
			if x < 70 {
				dark++
			}
			if x > 140 {
				bright++
			}
		}
		if covered := s.Name == "covered"; covered != (bright < len(a)/50) || covered && dark < len(a)*9/10 {
			t.Errorf("%s: %d dark and %d bright of %d", s.Name, dark, bright, len(a))
		}
	}
}
