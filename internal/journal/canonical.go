package journal

import (
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// canonical copies an event in the precision in which it is stored, so that
// the fold sees the same now and at a replay. Bodies that Apply completes are
// copied too: a failed commit must not leave its ids in the caller's event.
func canonical(from *event.Event) *event.Event {
	e := new(*from)
	e.At, e.DeviceAt, e.ReceivedAt = micro(e.At), micro(e.DeviceAt), micro(e.ReceivedAt)
	e.Quirks = slices.Clip(e.Quirks)
	switch body := e.Body.(type) {
	case *event.Meter:
		if samples, odd := canonicalSamples(body.Samples); odd != sampleFine {
			c := new(*body)
			c.Samples = samples
			e.Body = c
			e.Quirks = odd.quirk(e.Quirks)
		}
	case *event.Transaction:
		c := new(*body)
		samples, odd := canonicalSamples(body.Samples)
		c.Samples = samples
		e.Body = c
		e.Quirks = odd.quirk(e.Quirks)
	}
	return e
}

// stampMissing gives an event without times the one it certainly has.
func stampMissing(e *event.Event) {
	if e.ReceivedAt.IsZero() {
		e.ReceivedAt = e.RecordedAt
	}
	if e.At.IsZero() {
		e.At, e.Quality = e.ReceivedAt, event.TimeReceived
	}
}

func micro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// oddity says how samples differ from their stored form.
type oddity int

const (
	sampleFine oddity = iota
	samplePrecise
	sampleNotFinite
)

func (o oddity) quirk(list []string) []string {
	if o == sampleNotFinite {
		return append(list, "notFinite:/meterValue")
	}
	return list
}

// canonicalSamples drops what is no number and cuts times to the millisecond.
func canonicalSamples(s event.Samples) (event.Samples, oddity) {
	odd := sampleFine
	for i := range s {
		if g := &s[i]; !g.At.Equal(milli(g.At)) || g.At.Location() != time.UTC {
			odd = max(odd, samplePrecise)
		}
		for _, v := range s[i].Values {
			switch {
			case math.IsNaN(v.Value) || math.IsInf(v.Value, 0):
				odd = sampleNotFinite
			case v.Value == 0 && math.Signbit(v.Value):
				odd = max(odd, samplePrecise)
			}
		}
	}
	if odd == sampleFine {
		return s, odd
	}
	out := make(event.Samples, 0, len(s))
	for _, g := range s {
		c := event.SampleGroup{At: milli(g.At), Values: make([]event.Sample, 0, len(g.Values))}
		for _, v := range g.Values {
			if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
				continue
			}
			v.Value += 0 // minus zero becomes zero
			c.Values = append(c.Values, v)
		}
		out = append(out, c)
	}
	return out, odd
}

func milli(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
