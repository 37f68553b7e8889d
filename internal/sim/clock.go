package sim

import "time"

// clock maps the wall clock to simulated time.
type clock struct {
	wall0, sim0 time.Time
	speed       float64
}

func (c clock) now() time.Time { return c.at(time.Now()) }

// at returns the simulated time at a wall time.
func (c clock) at(wall time.Time) time.Time {
	return c.sim0.Add(time.Duration(float64(wall.Sub(c.wall0)) * c.speed))
}

// wall returns when a simulated time is reached.
func (c clock) wall(sim time.Time) time.Time {
	return c.wall0.Add(time.Duration(float64(sim.Sub(c.sim0)) / c.speed))
}

// sim converts a duration that belongs to the real network (a time-out, a
// back-off) to simulated time.
func (c clock) sim(wall time.Duration) time.Duration {
	return time.Duration(float64(wall) * c.speed)
}
