// Package area says which part of a picture lies in a polygon that a person drew.
// A mask that hides people must never be a pixel too small, and a zone that is
// watched not one too large: Cover takes every cell that is touched, Within those
// whose centre lies inside.
package area

import (
	"cmp"
	"math"
	"slices"
)

// Point is a place in a picture, from 0,0 in the upper left to 1,1.
type Point [2]float64

// Polygon is an area; its last point joins its first.
type Polygon []Point

// Contains reports whether a place lies inside.
func (p Polygon) Contains(x, y float64) bool {
	if len(p) < 3 {
		return false
	}
	in := false
	for i, a := range p {
		b := p[(i+1)%len(p)]
		if (a[1] > y) != (b[1] > y) && x < a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			in = !in
		}
	}
	return in
}

// Within appends the cells of a grid whose centres lie inside, row by row.
func (p Polygon) Within(cells []int, columns, rows int) []int {
	for row := range rows {
		for column := range columns {
			if p.Contains((float64(column)+0.5)/float64(columns), (float64(row)+0.5)/float64(rows)) {
				cells = append(cells, row*columns+column)
			}
		}
	}
	return cells
}

// Cover returns, for one row of a grid, the spans of columns [from, to) that the
// polygon touches, in order and without overlap.
func (p Polygon) Cover(row, columns, rows int) [][2]int {
	if len(p) < 3 {
		return nil
	}
	top, bottom := float64(row)/float64(rows), float64(row+1)/float64(rows)
	var spans [][2]float64
	// Inside on a line through the row: pairs of crossings. Lines through every
	// corner in the row and between see all of it, since edges are straight.
	at := []float64{top, bottom}
	for _, a := range p {
		if a[1] > top && a[1] < bottom {
			at = append(at, a[1])
		}
	}
	slices.Sort(at)
	for i, n := 0, len(at); i+1 < n; i++ {
		at = append(at, (at[i]+at[i+1])/2)
	}
	for _, y := range at {
		spans = append(spans, p.crossings(y)...)
	}
	// The edges themselves, as far as they run through the row.
	for i, a := range p {
		b := p[(i+1)%len(p)]
		if a[1] > b[1] {
			a, b = b, a
		}
		if b[1] < top || a[1] > bottom {
			continue
		}
		xs := []float64{a[0], b[0]}
		if d := b[1] - a[1]; d > 0 {
			xs[0] = a[0] + (max(top, a[1])-a[1])/d*(b[0]-a[0])
			xs[1] = a[0] + (min(bottom, b[1])-a[1])/d*(b[0]-a[0])
		}
		spans = append(spans, [2]float64{min(xs[0], xs[1]), max(xs[0], xs[1])})
	}
	return cellSpans(spans, columns)
}

// crossings are the spans inside on the line at y.
func (p Polygon) crossings(y float64) [][2]float64 {
	var xs []float64
	for i, a := range p {
		b := p[(i+1)%len(p)]
		if (a[1] > y) != (b[1] > y) {
			xs = append(xs, a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]))
		}
	}
	slices.Sort(xs)
	var spans [][2]float64
	for i := 0; i+1 < len(xs); i += 2 {
		spans = append(spans, [2]float64{xs[i], xs[i+1]})
	}
	return spans
}

// cellSpans rounds spans outwards to cells and joins them.
func cellSpans(spans [][2]float64, columns int) [][2]int {
	cells := make([][2]int, 0, len(spans))
	for _, s := range spans {
		from := min(max(int(math.Floor(s[0]*float64(columns))), 0), columns)
		to := min(max(int(math.Floor(s[1]*float64(columns)))+1, 0), columns)
		if from < to {
			cells = append(cells, [2]int{from, to})
		}
	}
	slices.SortFunc(cells, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
	joined := cells[:0]
	for _, c := range cells {
		if n := len(joined); n > 0 && c[0] <= joined[n-1][1] {
			joined[n-1][1] = max(joined[n-1][1], c[1])
			continue
		}
		joined = append(joined, c)
	}
	return joined
}
