package studio

import "math"

// vec is a point, a direction or a colour. In the world x goes right, y away
// from the camera and z up, in metres.
type vec struct{ x, y, z float64 }

func (a vec) add(b vec) vec            { return vec{a.x + b.x, a.y + b.y, a.z + b.z} }
func (a vec) sub(b vec) vec            { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) mul(k float64) vec        { return vec{a.x * k, a.y * k, a.z * k} }
func (a vec) times(b vec) vec          { return vec{a.x * b.x, a.y * b.y, a.z * b.z} }
func (a vec) dot(b vec) float64        { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) length() float64          { return math.Sqrt(a.dot(a)) }
func (a vec) mix(b vec, t float64) vec { return a.add(b.sub(a).mul(t)) }

func (a vec) cross(b vec) vec {
	return vec{a.y*b.z - a.z*b.y, a.z*b.x - a.x*b.z, a.x*b.y - a.y*b.x}
}

func (a vec) unit() vec {
	n := a.length()
	if n == 0 {
		return a
	}
	return a.mul(1 / n)
}

func clamp(x, low, high float64) float64 { return min(max(x, low), high) }

// smooth goes from 0 to 1 between the edges without a kink.
func smooth(low, high, x float64) float64 {
	t := clamp((x-low)/(high-low), 0, 1)
	return t * t * (3 - 2*t)
}

// hash makes a number in [0, 1) of a place.
func hash(x, y, z int) float64 {
	h := uint32(x)*0x8da6b343 ^ uint32(y)*0xd8163841 ^ uint32(z)*0xcb1ab31f
	h ^= h >> 13
	h *= 0x5bd1e995
	h ^= h >> 15
	h *= 0x27d4eb2d
	h ^= h >> 16
	return float64(h>>8) / (1 << 24)
}

// grain is smooth noise in [0, 1] on the plane.
func grain(x, y float64, salt int) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	u, v := x-fx, y-fy
	u, v = u*u*(3-2*u), v*v*(3-2*v)
	a := hash(ix, iy, salt)*(1-u) + hash(ix+1, iy, salt)*u
	b := hash(ix, iy+1, salt)*(1-u) + hash(ix+1, iy+1, salt)*u
	return a*(1-v) + b*v
}

// pose puts a model somewhere in the world, turned about the vertical.
type pose struct {
	at       vec
	sin, cos float64
}

func stand(at vec, yaw float64) pose {
	s, c := math.Sincos(yaw)
	return pose{at, s, c}
}

func (p pose) point(v vec) vec { return p.turn(v).add(p.at) }
func (p pose) turn(v vec) vec {
	return vec{v.x*p.cos - v.y*p.sin, v.x*p.sin + v.y*p.cos, v.z}
}

// back is the inverse of point.
func (p pose) back(v vec) vec { return p.unturn(v.sub(p.at)) }
func (p pose) unturn(v vec) vec {
	return vec{v.x*p.cos + v.y*p.sin, -v.x*p.sin + v.y*p.cos, v.z}
}
