package motion

import "github.com/chargewatch/chargewatch/internal/camera/decode"

// A picture is judged on a grid of cells of two by two points: fine enough for a
// person far off, coarse enough for the noise of cheap cameras.
const (
	columns = decode.GrayWidth / 2
	rows    = decode.GrayHeight / 2
	cells   = columns * rows
	// around is the reach of what counts as the neighbourhood of a cell.
	around = 4
)

type grid [cells]float32

// fold makes cells of points.
func (g *grid) fold(gray []byte) {
	for y := range rows {
		upper := gray[2*y*decode.GrayWidth:][:decode.GrayWidth]
		lower := gray[(2*y+1)*decode.GrayWidth:][:decode.GrayWidth]
		line := g[y*columns:][:columns]
		for x := range line {
			line[x] = float32(int(upper[2*x])+int(upper[2*x+1])+int(lower[2*x])+int(lower[2*x+1])) / 4
		}
	}
}

// mean sets each cell to the mean of its neighbourhood in from.
func (g *grid) mean(from, scratch *grid) {
	for y := range rows {
		boxLine(scratch[y*columns:][:columns], from[y*columns:][:columns])
	}
	// Down the columns, a whole line at a time.
	var sum [columns]float32
	n := 0
	add := func(y int, sign float32) {
		for x, v := range scratch[y*columns:][:columns] {
			sum[x] += sign * v
		}
	}
	for y := range around {
		add(y, 1)
		n++
	}
	for y := range rows {
		if y+around < rows {
			add(y+around, 1)
			n++
		}
		if y-around-1 >= 0 {
			add(y-around-1, -1)
			n--
		}
		k := 1 / float32(n)
		line := g[y*columns:][:columns]
		for x := range line {
			line[x] = sum[x] * k
		}
	}
}

func boxLine(to, from []float32) {
	var sum float32
	n := 0
	for _, v := range from[:around] {
		sum += v
		n++
	}
	for x := range to {
		if x+around < len(from) {
			sum += from[x+around]
			n++
		}
		if x-around-1 >= 0 {
			sum -= from[x-around-1]
			n--
		}
		to[x] = sum / float32(n)
	}
}

// three sets each cell of to to the mean of the nine around it.
func (g *grid) three(to, scratch *grid) {
	for y := range rows {
		from, line := g[y*columns:][:columns], scratch[y*columns:][:columns]
		line[0], line[columns-1] = from[0], from[columns-1]
		for x := 1; x < columns-1; x++ {
			line[x] = (from[x-1] + from[x] + from[x+1]) * (1.0 / 3)
		}
	}
	copy(to[:columns], scratch[:columns])
	copy(to[cells-columns:], scratch[cells-columns:])
	for i := columns; i < cells-columns; i++ {
		to[i] = (scratch[i-columns] + scratch[i] + scratch[i+columns]) * (1.0 / 3)
	}
}

// times sets each cell to the product of two.
func (g *grid) times(a, b *grid) {
	for i := range g {
		g[i] = a[i] * b[i]
	}
}

// blockColumns and blockRows are the coarse grid, where only large shapes are left.
const (
	blockColumns = 16
	blockRows    = 9
	blockSide    = columns / blockColumns
)

type blocks [blockColumns * blockRows]float32

func (b *blocks) fold(g *grid) {
	*b = blocks{}
	for y := range rows {
		for x := range columns {
			b[y/blockSide*blockColumns+x/blockSide] += g[y*columns+x] / (blockSide * blockSide)
		}
	}
}
