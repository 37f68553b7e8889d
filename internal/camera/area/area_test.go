package area_test

import (
	"math/rand/v2"
	"testing"

	"github.com/chargewatch/chargewatch/internal/camera/area"
)

func square(from, to float64) area.Polygon {
	return area.Polygon{{from, from}, {to, from}, {to, to}, {from, to}}
}

func TestCellsOfAZoneAreThoseWhoseCentreIsInside(t *testing.T) {
	got := square(0.25, 0.75).Within(nil, 8, 8)
	if len(got) != 16 || got[0] != 2*8+2 || got[15] != 5*8+5 {
		t.Errorf("a quarter of 64 cells is %v", got)
	}
	if got := (area.Polygon{{0, 0}, {0.98, 0}, {0, 0.98}}).Within(nil, 10, 10); len(got) != 45 {
		t.Errorf("half of the picture has %d of 100 cells", len(got))
	}
	if got := (area.Polygon{{0, 0}, {1, 1}}).Within(nil, 10, 10); len(got) != 0 {
		t.Errorf("a line has cells %v", got)
	}
}

func TestAMaskIsNeverTooSmallAndLeavesHolesOpen(t *testing.T) {
	const columns, rows = 64, 48
	u := area.Polygon{{0.1, 0.1}, {0.3, 0.1}, {0.3, 0.7}, {0.7, 0.7}, {0.7, 0.1}, {0.9, 0.1}, {0.9, 0.9}, {0.1, 0.9}}
	if s := u.Cover(20, columns, rows); len(s) != 2 {
		t.Errorf("a row through both legs has %v", s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		p := make(area.Polygon, 3+r.IntN(6))
		for i := range p {
			p[i] = area.Point{r.Float64()*1.4 - 0.2, r.Float64()*1.4 - 0.2}
		}
		var covered [rows][columns]bool
		for row := range rows {
			for _, s := range p.Cover(row, columns, rows) {
				for c := s[0]; c < s[1]; c++ {
					covered[row][c] = true
				}
			}
		}
		for range 2000 {
			x, y := r.Float64(), r.Float64()
			if p.Contains(x, y) && !covered[int(y*rows)][int(x*columns)] {
				t.Fatalf("%v lies in %v and is not covered", area.Point{x, y}, p)
			}
		}
	}
	if s := (area.Polygon{{-5, -5}, {5, -5}, {5, 5}, {-5, 5}}).Cover(3, columns, rows); len(s) != 1 || s[0] != [2]int{0, columns} {
		t.Errorf("what lies around the picture covers %v", s)
	}
}
