package camera

import (
	"fmt"
	"slices"
	"strings"
)

// Zone is the part of a view's picture in which a bay lies, with the car that
// may stand there: corners as shares of width and height. Bay 0 is the one at the
// left of the charger as the driver sees it.
func Zone(view string, bay int) ([][2]float64, error) {
	place, _, _ := strings.Cut(view, "-")
	zones, ok := map[string][2][][2]float64{
		"yard": {
			{{0.192, 0.413}, {0.393, 0.373}, {0.558, 0.567}, {0.556, 0.785}, {0.283, 0.906}, {0.203, 0.582}},
			{{0.416, 0.368}, {0.580, 0.336}, {0.802, 0.488}, {0.789, 0.681}, {0.586, 0.772}, {0.419, 0.522}},
		},
		"garage": {
			{{0.250, 0.430}, {0.468, 0.382}, {0.610, 0.396}, {0.608, 0.541}, {0.427, 0.676}, {0.256, 0.614}},
			{{0.452, 0.465}, {0.631, 0.398}, {0.819, 0.416}, {0.812, 0.584}, {0.712, 0.779}, {0.453, 0.686}},
		},
		"lot": {
			{{0.351, 0.600}, {0.585, 0.412}, {0.788, 0.462}, {0.776, 0.640}, {0.626, 1}, {0.359, 0.830}},
			{{0.142, 0.502}, {0.412, 0.368}, {0.563, 0.406}, {0.561, 0.561}, {0.332, 0.812}, {0.158, 0.696}},
		},
	}[place]
	if !ok || !slices.Contains(Views(), view) || bay < 0 || bay > 1 {
		return nil, fmt.Errorf("view %q, bay %d: no such bay", view, bay)
	}
	return zones[bay], nil
}
