package sim

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// newRand returns the random stream of one purpose of one thing. Streams are
// separate so that a late answer of the central system, which draws nothing,
// cannot shift who arrives when.
func newRand(seed uint64, id, purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(id))
	h.Write([]byte{0})
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// between draws a duration evenly from a range.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(r.Int64N(int64(hi-lo)))
}

// within draws a number evenly from a range.
func within(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// exponential draws a waiting time with the given mean, at most ten means.
func exponential(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(min(r.ExpFloat64(), 10) * float64(mean))
}

// pick draws one element.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// noisy adds measuring noise and rounds to the 0.1 resolution of real meters.
func noisy(r *rand.Rand, v, share float64) float64 {
	return round1(v * (1 + share*max(-3, min(3, r.NormFloat64()))))
}

func round1(v float64) float64 { return math.Round(v*10) / 10 }
