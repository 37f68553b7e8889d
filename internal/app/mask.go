package app

import (
	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/store"
)

// masks are zones as those who paint pictures over take them.
func masks(zones []store.CameraZone) []area.Polygon {
	out := make([]area.Polygon, 0, len(zones))
	for _, z := range zones {
		out = append(out, mask(z.Polygon))
	}
	return out
}

func mask(corners [][2]float64) area.Polygon {
	out := make(area.Polygon, 0, len(corners))
	for _, c := range corners {
		out = append(out, area.Point(c))
	}
	return out
}
