package simulate

import "math"

// car is a driver on the way, with all that chance has decided: what happens at
// the site draws no more numbers, so that scenarios see the same drivers.
type car struct {
	at       float64
	class    int32
	wish     Wish
	patience float64 // in means
	leave    float64 // below Behaviour.Leave: drives on at once
	obey     float64 // below Overstay.Obey: leaves in time
}

// Purposes of streams.
const (
	purposeArrivals = iota + 1
	purposeDays
	purposeFailures // and one more for each port
)

// road brings cars in the order in which they arrive.
type road struct {
	d       *Demand
	growth  float64 // of those who come: share*most
	most    float64
	end     float64
	window  Window
	total   [Week]float64
	s, days *Stream

	hour   int     // being filled
	day    float64 // factor of today
	rate   float64 // of the hour
	last   float64 // arrival in the hour, or its begin
	moved  []car   // come later because of the price; a heap by at
	ready  car
	filled bool
}

func newRoad(r *Run, replication uint64) *road {
	o := &road{
		d: &r.Demand, growth: r.Scenario.Growth, most: r.MostGrowth, end: r.WarmUp + r.Hours, window: r.Scenario.Window,
		s: NewStream(r.Seed, replication, purposeArrivals), days: NewStream(r.Seed, replication, purposeDays), hour: -1,
	}
	for _, c := range r.Demand.Classes {
		for h := range Week {
			o.total[h] += c.Rate[h]
		}
	}
	o.turn()
	return o
}

// turn begins the next hour.
func (o *road) turn() {
	o.hour++
	if o.hour%24 == 0 {
		o.day = o.days.Gamma(o.d.DayVariance)
	}
	o.rate = o.total[o.hour%Week] * o.most * o.day * o.days.Gamma(o.d.HourVariance)
	o.last = float64(o.hour)
}

// next returns the next car, or false after the last.
func (o *road) next() (car, bool) {
	if !o.filled {
		o.filled = o.draw()
	}
	if len(o.moved) > 0 && (!o.filled || o.moved[0].at < o.ready.at) {
		c := o.pop()
		return c, c.at < o.end
	}
	if !o.filled {
		return car{}, false
	}
	o.filled = false
	return o.ready, true
}

// draw draws cars until one comes that this growth brings and no price moves.
func (o *road) draw() bool {
	for {
		if o.rate <= 0 {
			o.last = math.Inf(1)
		} else {
			o.last += o.s.Exp() / o.rate
		}
		if o.last >= float64(o.hour+1) {
			if float64(o.hour+1) >= o.end {
				return false
			}
			o.turn()
			continue
		}
		if o.last >= o.end {
			return false
		}
		h := o.hour % Week
		c := car{at: o.last}
		mark := o.s.Float() * o.most
		if at := o.s.Float() * o.total[h]; len(o.d.Classes) > 1 {
			for i := range o.d.Classes {
				c.class = int32(i)
				if at -= o.d.Classes[i].Rate[h]; at < 0 {
					break
				}
			}
		}
		c.wish = o.d.Classes[c.class].Draw(o.s, h)
		c.patience, c.leave, c.obey = o.s.Exp(), o.s.Float(), o.s.Float()
		moves, after := o.s.Float(), o.s.Float()
		if mark >= o.growth {
			continue
		}
		if o.window.Hours[h] && moves < o.window.Move && o.move(c, h, after) {
			continue
		}
		o.ready = c
		return true
	}
}

// move puts a car into the two hours after the window; a window without an end
// moves nobody.
func (o *road) move(c car, h int, after float64) bool {
	for n := 1; n < Week; n++ {
		if !o.window.Hours[(h+n)%Week] {
			c.at = float64(o.hour+n) + 2*after
			o.push(c)
			return true
		}
	}
	return false
}

func (o *road) push(c car) {
	o.moved = append(o.moved, c)
	for i := len(o.moved) - 1; i > 0; {
		up := (i - 1) / 2
		if o.moved[up].at <= o.moved[i].at {
			break
		}
		o.moved[up], o.moved[i] = o.moved[i], o.moved[up]
		i = up
	}
}

func (o *road) pop() car {
	c := o.moved[0]
	last := len(o.moved) - 1
	o.moved[0] = o.moved[last]
	o.moved = o.moved[:last]
	for i := 0; ; {
		small := i
		for _, k := range [2]int{2*i + 1, 2*i + 2} {
			if k < last && o.moved[k].at < o.moved[small].at {
				small = k
			}
		}
		if small == i {
			return c
		}
		o.moved[small], o.moved[i] = o.moved[i], o.moved[small]
		i = small
	}
}
