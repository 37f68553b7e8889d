package simulate

import "math"

// Stream is a stream of random numbers: xoshiro256++ (Blackman and Vigna 2019),
// seeded through splitmix64. Streams of other seeds or purposes share nothing
// that a simulation could notice.
type Stream struct{ a, b, c, d uint64 }

// NewStream returns the stream of a purpose of a replication.
func NewStream(seed, replication, purpose uint64) *Stream {
	x := seed
	next := func() uint64 {
		x += 0x9e3779b97f4a7c15
		z := x
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	x = next() ^ replication
	x = next() ^ purpose
	return &Stream{next(), next(), next(), next()}
}

// Uint64 is the next number.
func (s *Stream) Uint64() uint64 {
	sum := s.a + s.d
	out := (sum<<23 | sum>>41) + s.a
	t := s.b << 17
	s.c ^= s.a
	s.d ^= s.b
	s.b ^= s.c
	s.a ^= s.d
	s.c ^= t
	s.d = s.d<<45 | s.d>>19
	return out
}

// Float is even in [0, 1).
func (s *Stream) Float() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// Below is even in 0..n-1; the bias of the product is below n/2⁶⁴.
func (s *Stream) Below(n int) int { return int(s.Float() * float64(n)) }

// Exp has mean one.
func (s *Stream) Exp() float64 { return -math.Log(1 - s.Float()) }

// Normal has mean zero and variance one.
func (s *Stream) Normal() float64 {
	return math.Sqrt(2*s.Exp()) * math.Cos(2*math.Pi*s.Float())
}

// Gamma has mean one and a variance (Marsaglia and Tsang 2000).
func (s *Stream) Gamma(variance float64) float64 {
	if variance <= 0 {
		return 1
	}
	shape, boost := 1/variance, 1.0
	if shape < 1 {
		boost = math.Pow(1-s.Float(), 1/shape)
		shape++
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.Normal()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-s.Float()) < x*x/2+d*(1-v+math.Log(v)) {
			return d * v * boost * variance
		}
	}
}
