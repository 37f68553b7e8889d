package block

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// How the values of a column are written: the high four bits of its kind byte.
// The low four are the decimal scale: value = number / 10^scale.
const (
	kindConstant = 0 // one number for all
	kindDelta    = 1 // first number, then differences
	kindDelta2   = 2 // first number, first difference, then differences of differences
	kindXOR      = 3 // float64 bits, each XORed with the one before
)

// MaxScale is the finest decimal scale; finer values are kept as float64 bits.
const MaxScale = 6

func pow10(scale uint8) float64 {
	return [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}[scale]
}

func pow10int(scale uint8) int64 {
	return [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}[scale]
}

const maxExact = 1 << 53

// Decimal returns the number and the smallest scale that give exactly v; ok is
// false where none does. Division is correctly rounded, so every decimal that
// was parsed from text of up to MaxScale digits is found.
func Decimal(v float64) (number int64, scale uint8, ok bool) {
	for scale = range uint8(MaxScale + 1) {
		n := math.RoundToEven(v * pow10(scale))
		if !(math.Abs(n) < maxExact) {
			return 0, 0, false
		}
		if math.Float64bits(FromDecimal(int64(n), scale)) == math.Float64bits(v) {
			return int64(n), scale, true
		}
	}
	return 0, 0, false
}

// FromDecimal is the value of a number with a scale of at most MaxScale.
func FromDecimal(number int64, scale uint8) float64 {
	if scale == 0 {
		return float64(number)
	}
	return float64(number) / pow10(scale)
}

type columnScratch struct {
	numbers []int64
	scales  []uint8
	bytes   []byte
}

// appendTimes appends the number of times, the number of bytes and the times:
// a first byte 1 if all are whole seconds (then they are counted in seconds,
// else in milliseconds), the first since the start of the hour, the first
// difference, then differences of differences.
func (s *columnScratch) appendTimes(dst []byte, start int64, times []int64) []byte {
	unit, mark := int64(1000), byte(1)
	for _, t := range times {
		if t%1000 != 0 {
			unit, mark = 1, 0
			break
		}
	}
	b := append(s.bytes[:0], mark)
	before, step := int64(0), int64(0)
	for i, t := range times {
		t = (t - start) / unit
		switch d := t - before; i {
		case 0:
			b = binary.AppendUvarint(b, uint64(t))
		default:
			b = binary.AppendVarint(b, d-step)
			step = d
		}
		before = t
	}
	s.bytes = b
	dst = binary.AppendUvarint(dst, uint64(len(times)))
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func readTimes(dst []int64, start int64, count int, data []byte) ([]int64, bool) {
	r := reader{data: data}
	unit := int64(1)
	switch r.byte() {
	case 0:
	case 1:
		unit = 1000
	default:
		return dst, false
	}
	t := int64(r.count(maxOffset))
	if t*unit > maxOffset {
		return dst, false
	}
	dst = append(dst, start+t*unit)
	step := int64(0)
	for range count - 1 {
		step += r.varint()
		t += step
		if step <= 0 || step > maxOffset || t*unit > maxOffset {
			return dst, false
		}
		dst = append(dst, start+t*unit)
	}
	return dst, !r.bad && len(r.data) == 0
}

// appendValues appends the kind byte, the number of bytes and the values.
func (s *columnScratch) appendValues(dst []byte, values []float64) []byte {
	scale, ok := s.decimals(values)
	if !ok {
		s.bytes = appendXOR(s.bytes[:0], values)
		return appendSized(append(dst, kindXOR<<4), s.bytes)
	}
	kind := kindConstant
	delta, delta2 := 0, 0
	before, step := s.numbers[0], int64(0)
	for i, n := range s.numbers[1:] {
		d := n - before
		if d != 0 {
			kind = kindDelta
		}
		delta += varintSize(d)
		if i == 0 {
			delta2 += varintSize(d)
		} else {
			delta2 += varintSize(d - step)
		}
		before, step = n, d
	}
	if kind == kindDelta && delta2 < delta {
		kind = kindDelta2
	}
	b := binary.AppendVarint(s.bytes[:0], s.numbers[0])
	before, step = s.numbers[0], 0
	if kind != kindConstant {
		for _, n := range s.numbers[1:] {
			d := n - before
			b = binary.AppendVarint(b, d-step)
			if kind == kindDelta2 {
				step = d
			}
			before = n
		}
	}
	s.bytes = b
	return appendSized(append(dst, byte(kind)<<4|scale), b)
}

func appendSized(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// decimals fills numbers with the values at one common scale.
func (s *columnScratch) decimals(values []float64) (scale uint8, ok bool) {
	s.numbers, s.scales = s.numbers[:0], s.scales[:0]
	for _, v := range values {
		n, sc, ok := Decimal(v)
		if !ok {
			return 0, false
		}
		s.numbers, s.scales = append(s.numbers, n), append(s.scales, sc)
		scale = max(scale, sc)
	}
	for i, sc := range s.scales {
		if sc == scale {
			continue
		}
		hi, lo := bits.Mul64(uint64(max(s.numbers[i], -s.numbers[i])), uint64(pow10int(scale-sc)))
		if hi != 0 || lo >= maxExact {
			return 0, false
		}
		n := s.numbers[i] * pow10int(scale-sc)
		if math.Float64bits(FromDecimal(n, scale)) != math.Float64bits(values[i]) {
			return 0, false
		}
		s.numbers[i] = n
	}
	return scale, true
}

func varintSize(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	return (bits.Len64(u|1) + 6) / 7
}

// appendXOR writes the first value in eight bytes; of each further one the
// XOR with the one before: a byte with the number of zero bytes at the top
// (high four bits) and at the bottom (low four), then the bytes between.
func appendXOR(dst []byte, values []float64) []byte {
	before := uint64(0)
	for i, v := range values {
		u := math.Float64bits(v)
		if i == 0 {
			dst = binary.BigEndian.AppendUint64(dst, u)
			before = u
			continue
		}
		x := u ^ before
		before = u
		if x == 0 {
			dst = append(dst, 8<<4)
			continue
		}
		top, bottom := bits.LeadingZeros64(x)/8, bits.TrailingZeros64(x)/8
		dst = append(dst, byte(top<<4|bottom))
		for i := 7 - top; i >= bottom; i-- {
			dst = append(dst, byte(x>>(8*i)))
		}
	}
	return dst
}

func readValues(dst []float64, count int, kind byte, data []byte) ([]float64, bool) {
	r := reader{data: data}
	scale := kind & 0x0f
	if scale > MaxScale {
		return dst, false
	}
	switch kind >> 4 {
	case kindConstant:
		v := FromDecimal(r.varint(), scale)
		for range count {
			dst = append(dst, v)
		}
	case kindDelta, kindDelta2:
		if count > len(data) {
			return dst, false
		}
		n := r.varint()
		dst = append(dst, FromDecimal(n, scale))
		step := int64(0)
		for range count - 1 {
			d := r.varint() + step
			if kind>>4 == kindDelta2 {
				step = d
			}
			n += d
			dst = append(dst, FromDecimal(n, scale))
		}
	case kindXOR:
		if scale != 0 || count > len(data) {
			return dst, false
		}
		return readXOR(dst, count, r)
	default:
		return dst, false
	}
	return dst, !r.bad && len(r.data) == 0
}

func readXOR(dst []float64, count int, r reader) ([]float64, bool) {
	if len(r.data) < 8 {
		return dst, false
	}
	u := binary.BigEndian.Uint64(r.data)
	r.data = r.data[8:]
	dst = append(dst, math.Float64frombits(u))
	for range count - 1 {
		head := r.byte()
		top, bottom := int(head>>4), int(head&0x0f)
		n := 8 - top - bottom
		if r.bad || n < 0 || n > len(r.data) {
			return dst, false
		}
		x := uint64(0)
		for _, c := range r.data[:n] {
			x = x<<8 | uint64(c)
		}
		r.data = r.data[n:]
		u ^= x << (8 * bottom)
		dst = append(dst, math.Float64frombits(u))
	}
	return dst, !r.bad && len(r.data) == 0
}

// reader takes fields from the front; bad stays set after the first fault.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		r.bad = true
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) varint() int64 {
	if len(r.data) > 0 && r.data[0] < 0x80 {
		u := r.data[0]
		r.data = r.data[1:]
		return int64(u>>1) ^ -int64(u&1)
	}
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[n:]
	return v
}

// count reads a number of at most limit.
func (r *reader) count(limit int) int {
	v, n := binary.Uvarint(r.data)
	if n <= 0 || v > uint64(max(limit, 0)) {
		r.bad = true
		return 0
	}
	r.data = r.data[n:]
	return int(v)
}

func (r *reader) sized() []byte {
	n := r.count(len(r.data))
	if r.bad || n > len(r.data) {
		r.bad = true
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}
