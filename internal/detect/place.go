package detect

import (
	"encoding/json"
	"math"
)

// PolicyPlace is the type of the policies that say where sites are, by site.
const PolicyPlace = "place"

// Place is where a site is.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

// placed takes in where a site is.
func (n *Network) placed(site string, value json.RawMessage) {
	var p Place
	if len(value) == 0 || json.Unmarshal(value, &p) != nil {
		delete(n.places, site)
		return
	}
	n.places[site] = p
}

// Distance is how far two sites are apart as the crow flies, in km; not known if one
// of them is nowhere.
func (n *Network) Distance(a, b string) (km float64, known bool) {
	p, ok := n.places[a]
	q, also := n.places[b]
	if !ok || !also {
		return 0, false
	}
	return p.to(q), true
}

const earthKm = 6371

// to is the length of the great circle between two places.
func (p Place) to(q Place) float64 {
	rad := func(deg float64) float64 { return deg * math.Pi / 180 }
	half := func(d float64) float64 { s := math.Sin(d / 2); return s * s }
	h := half(rad(q.Latitude-p.Latitude)) + math.Cos(rad(p.Latitude))*math.Cos(rad(q.Latitude))*half(rad(q.Longitude-p.Longitude))
	return 2 * earthKm * math.Asin(math.Sqrt(min(1, h)))
}
