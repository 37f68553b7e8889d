package app

import (
	"maps"
	"testing"

	"github.com/chargewatch/chargewatch/internal/store"
)

func TestOnlyWhatMovedIsToldOfPlaces(t *testing.T) {
	told := map[string]string{"mall": `{"latitude":52.5,"longitude":13.4}`, "yard": `{"latitude":1,"longitude":2}`, "gone": `{"latitude":1,"longitude":2}`}
	got := moved(told, []*store.Site{
		{ID: "mall", Latitude: new(52.5), Longitude: new(13.4)},
		{ID: "yard", Latitude: new(1.0), Longitude: new(3.0)},
		{ID: "new", Latitude: new(4.0), Longitude: new(5.0)},
		{ID: "nowhere"},
	})
	want := map[string]string{"yard": `{"latitude":1,"longitude":3}`, "new": `{"latitude":4,"longitude":5}`, "gone": ""}
	if !maps.Equal(got, want) {
		t.Errorf("it tells %v", got)
	}
}
