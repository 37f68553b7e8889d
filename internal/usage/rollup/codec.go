package rollup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Version is that of what is counted and how it is stored. Days of another one
// must be counted again.
const Version = 3

// Stored form: a version, then numbers of variable length. Times are
// milliseconds of the day, energy is milliwatt-hours, what repeats is counted.
const (
	portVersion  = 2
	placeVersion = 3
)

var errDamaged = errors.New("a stored day is damaged")

// Bounds of what a day can hold.
const (
	maxRuns   = 1 << 17
	maxVisits = 1 << 17
	maxPorts  = 1 << 20
)

// Append adds the stored form of a day.
func (d *PortDay) Append(to []byte) []byte {
	to = append(to, portVersion)
	to = binary.AppendUvarint(to, uint64(d.Until))
	to = binary.AppendUvarint(to, uint64(len(d.Runs)))
	last := int32(0)
	for _, r := range d.Runs {
		to = binary.AppendUvarint(to, uint64(r.From-last))
		to = append(to, byte(r.State))
		last = r.From
	}
	to = appendRepeated(to, d.MilliWh[:])
	return appendVisits(d.Tries.append(to), d.Begin, d.Visits)
}

// ReadPort reads the stored form of a day.
func ReadPort(begin time.Time, data []byte) (*PortDay, error) {
	r := reader{data: data}
	d := &PortDay{Begin: begin}
	if v := r.byte(); v != portVersion {
		return nil, fmt.Errorf("version %d: %w", v, errDamaged)
	}
	d.Until = int32(r.most(uint64(dayMillis)))
	at := uint64(0)
	for range r.most(maxRuns) {
		at += r.most(uint64(dayMillis))
		s := State(r.byte())
		if s >= States || at > uint64(dayMillis) {
			return nil, errDamaged
		}
		d.Runs = append(d.Runs, Run{From: int32(at), State: s})
		if r.bad {
			return nil, errDamaged
		}
	}
	r.repeated(d.MilliWh[:])
	d.Tries = r.tries()
	d.Visits = r.visits(begin)
	return d, r.end()
}

// Append adds the stored form of a day.
func (d *PlaceDay) Append(to []byte) []byte {
	to = append(to, placeVersion)
	to = binary.AppendUvarint(to, uint64(d.Until))
	to = binary.AppendUvarint(to, uint64(d.Ports))
	var column [Cells]int64
	for s := range States {
		for k := range d.Cells {
			column[k] = d.Cells[k].Millis[s]
		}
		to = appendRepeated(to, column[:])
	}
	for k := range d.Cells {
		column[k] = d.Cells[k].MilliWh
	}
	to = appendRepeated(to, column[:])
	to = appendRepeated(appendRepeated(to, d.Open[:]), d.AllBusy[:])
	return appendVisits(d.Tries.append(to), d.Begin, d.Visits)
}

// ReadPlace reads the stored form of a day.
func ReadPlace(begin time.Time, data []byte) (*PlaceDay, error) {
	r := reader{data: data}
	d := &PlaceDay{Begin: begin}
	if v := r.byte(); v != placeVersion {
		return nil, fmt.Errorf("version %d: %w", v, errDamaged)
	}
	d.Until = int32(r.most(uint64(dayMillis)))
	d.Ports = int(r.most(maxPorts))
	var column [Cells]int64
	for s := range States {
		r.repeated(column[:])
		for k := range d.Cells {
			d.Cells[k].Millis[s] = column[k]
		}
	}
	r.repeated(column[:])
	for k := range d.Cells {
		d.Cells[k].MilliWh = column[k]
	}
	r.repeated(d.Open[:])
	r.repeated(d.AllBusy[:])
	d.Tries = r.tries()
	d.Visits = r.visits(begin)
	starts(begin, d.Visits, &d.Cells)
	return d, r.end()
}

func (t *Tries) append(to []byte) []byte {
	for _, n := range []int64{t.All, t.Failed, t.GaveUp, t.InVain} {
		to = binary.AppendUvarint(to, uint64(n))
	}
	return to
}

func (r *reader) tries() Tries {
	var n [4]int64
	for i := range n {
		n[i] = int64(r.most(math.MaxInt64))
	}
	return Tries{All: n[0], Failed: n[1], GaveUp: n[2], InVain: n[3]}
}

// appendRepeated writes pairs of a count and a value.
func appendRepeated(to []byte, values []int64) []byte {
	for i := 0; i < len(values); {
		n := i + 1
		for n < len(values) && values[n] == values[i] {
			n++
		}
		to = binary.AppendUvarint(to, uint64(n-i))
		to = binary.AppendUvarint(to, uint64(values[i]))
		i = n
	}
	return to
}

const (
	visitOpen = 1 << iota
	visitImported
	visitMeasured
	visitCharging
	visitEnergy
	visitPeak
	visitToken
)

func appendVisits(to []byte, begin time.Time, visits []Visit) []byte {
	to = binary.AppendUvarint(to, uint64(len(visits)))
	for i := range visits {
		v := &visits[i]
		token, named := tokenNumber(v.Token)
		flags := byte(0)
		set := func(bit byte, is bool) {
			if is {
				flags |= bit
			}
		}
		set(visitOpen, v.Open)
		set(visitImported, v.Imported)
		set(visitMeasured, v.Measured)
		set(visitCharging, !v.ChargingEnd.IsZero())
		set(visitEnergy, !math.IsNaN(v.EnergyWh))
		set(visitPeak, v.PeakW > 0)
		set(visitToken, named)
		to = append(to, flags)
		to = binary.AppendUvarint(to, uint64(v.Port))
		to = binary.AppendUvarint(to, uint64(max(0, v.Start.Sub(begin).Milliseconds())))
		to = binary.AppendUvarint(to, uint64(max(0, v.End.Sub(v.Start).Milliseconds())))
		if flags&visitCharging != 0 {
			to = binary.AppendUvarint(to, uint64(max(0, v.ChargingEnd.Sub(v.Start).Milliseconds())))
		}
		if flags&visitEnergy != 0 {
			to = binary.AppendUvarint(to, uint64(milliWh(v.EnergyWh)))
		}
		if flags&visitPeak != 0 {
			to = binary.AppendUvarint(to, uint64(min(v.PeakW, 1e12)))
		}
		if flags&visitToken != 0 {
			to = binary.BigEndian.AppendUint64(to, token)
		}
	}
	return to
}

// tokenNumber reads a token's anonymous name, sixteen digits of base 16.
func tokenNumber(name string) (uint64, bool) {
	n, err := strconv.ParseUint(name, 16, 64)
	return n, err == nil && len(name) == 16
}

// reader takes values from a stored form and remembers what it could not read.
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

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad, r.data = true, nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

// most reads a number that is not above a limit.
func (r *reader) most(limit uint64) uint64 {
	v := r.uvarint()
	if v > limit {
		r.bad, r.data = true, nil
		return 0
	}
	return v
}

func (r *reader) repeated(into []int64) {
	for i := 0; i < len(into); {
		n := int(r.most(uint64(len(into) - i)))
		v := int64(r.most(math.MaxInt64))
		if n == 0 || r.bad {
			r.bad = true
			return
		}
		for range n {
			into[i] = v
			i++
		}
	}
}

func (r *reader) millis(from time.Time) time.Time {
	const longest = 100 * 366 * 24 * 3600 * 1000
	return from.Add(time.Duration(r.most(longest)) * time.Millisecond)
}

func (r *reader) visits(begin time.Time) []Visit {
	n := int(r.most(maxVisits))
	if r.bad || n == 0 {
		return nil
	}
	out := make([]Visit, 0, min(n, len(r.data)/4+1))
	for range n {
		flags := r.byte()
		v := Visit{Port: int64(r.most(math.MaxInt64)), Measured: flags&visitMeasured != 0}
		v.Open, v.Imported = flags&visitOpen != 0, flags&visitImported != 0
		v.Start = r.millis(begin)
		v.End = r.millis(v.Start)
		if flags&visitCharging != 0 {
			v.ChargingEnd = r.millis(v.Start)
		}
		v.EnergyWh = math.NaN()
		if flags&visitEnergy != 0 {
			v.EnergyWh = float64(r.most(1<<53)) / 1000
		}
		if flags&visitPeak != 0 {
			v.PeakW = float64(r.most(1 << 53))
		}
		if flags&visitToken != 0 {
			if len(r.data) < 8 {
				r.bad = true
				return nil
			}
			name := strconv.FormatUint(binary.BigEndian.Uint64(r.data), 16)
			v.Token = "0000000000000000"[len(name):] + name
			r.data = r.data[8:]
		}
		if r.bad {
			return nil
		}
		out = append(out, v)
	}
	return slices.Clip(out)
}

func (r *reader) end() error {
	if r.bad || len(r.data) > 0 {
		return errDamaged
	}
	return nil
}
