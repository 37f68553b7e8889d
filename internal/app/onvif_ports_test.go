package app

import (
	"slices"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

func TestPortsInView(t *testing.T) {
	bay := func(ports ...string) store.CameraZone {
		return store.CameraZone{Kind: event.ZoneWatch, Ports: ports}
	}
	for sentence, c := range map[string]struct {
		zones []store.CameraZone
		want  []string
	}{
		"a camera over two bays":              {[]store.CameraZone{bay("station/A/2"), bay("station/A/1", "station/A/2")}, []string{"station/A/1", "station/A/2"}},
		"nobody said what it looks at":        {nil, nil},
		"what is ignored is not looked at":    {[]store.CameraZone{{Kind: event.ZoneIgnore, Ports: []string{"station/A/1"}}}, nil},
		"whoever is there may be at the door": {[]store.CameraZone{bay("station/A/1"), {Kind: event.ZoneWatch, Doors: []string{"gate"}}}, nil},
	} {
		if got := portsInView(c.zones); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", sentence, got, c.want)
		}
	}
}
