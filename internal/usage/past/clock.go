package past

import "time"

// clock turns what a clock on the wall showed into moments. Twice a year that is not
// one moment, or none.
type clock struct {
	zone *time.Location
	// asked says that a time without an offset came by.
	asked  bool
	low    int64 // naive seconds between which the offset is as it is
	high   int64
	offset int64
}

func newClock(zone *time.Location) *clock {
	if zone == nil {
		zone = time.UTC
	}
	return &clock{zone: zone}
}

// moment is what a reading of the wall clock may mean, in seconds of Unix time.
type moment struct {
	first, second int64
	twice         bool // in autumn: both are right
	never         bool // in spring: an hour was added
}

func (c *clock) at(x stamp, swap, ignore bool) moment {
	naive := x.naive(swap)
	if x.offset && !ignore {
		v := naive - int64(x.minute)*60
		return moment{first: v, second: v}
	}
	c.asked = true
	if naive > c.low && naive < c.high {
		return moment{first: naive - c.offset, second: naive - c.offset}
	}
	before, after := c.offsetAt(naive-26*3600), c.offsetAt(naive+26*3600)
	if before == after {
		c.settle(naive, before)
		return moment{first: naive - before, second: naive - before}
	}
	one, two := naive-before, naive-after
	okOne, okTwo := c.offsetAt(one) == before, c.offsetAt(two) == after
	switch {
	case okOne && okTwo:
		return moment{first: min(one, two), second: max(one, two), twice: true}
	case okOne:
		return moment{first: one, second: one}
	case okTwo:
		return moment{first: two, second: two}
	}
	return moment{first: one, second: one, never: true}
}

// settle remembers for how long the offset stays, to spare looking it up.
func (c *clock) settle(naive, offset int64) {
	start, end := time.Unix(naive-offset, 0).In(c.zone).ZoneBounds()
	c.low, c.high, c.offset = naive-1, naive+1, offset
	if !start.IsZero() {
		c.low = start.Unix() + offset + 27*3600
	} else {
		c.low = -1 << 62
	}
	if !end.IsZero() {
		c.high = end.Unix() + offset - 27*3600
	} else {
		c.high = 1 << 62
	}
	if naive <= c.low || naive >= c.high { // close to a change: looked up each time
		c.low, c.high = 0, 0
	}
}

func (c *clock) offsetAt(unix int64) int64 {
	_, o := time.Unix(unix, 0).In(c.zone).Zone()
	return int64(o)
}
