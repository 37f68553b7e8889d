package detect

import "time"

// Moment is a time to the microsecond in a third of the room of a time.Time;
// ten thousand idle stations keep many of them. Zero is never.
type Moment int64

// At is the moment of a time.
func At(t time.Time) Moment {
	if t.IsZero() {
		return 0
	}
	return Moment(t.UnixMicro())
}

// notBefore is the first moment at or after a time. A timer that fired a
// fraction of a moment early would be set again, for the same moment, for ever.
func notBefore(t time.Time) Moment {
	m := At(t)
	if m.Time().Before(t) {
		m++
	}
	return m
}

// Time is the time of a moment, in UTC.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// IsZero reports whether it never was.
func (m Moment) IsZero() bool { return m == 0 }

// Ago is how long before a time it was.
func (m Moment) Ago(now time.Time) time.Duration {
	return time.Duration(now.UnixMicro()-int64(m)) * time.Microsecond
}

// Add is the time that long after it.
func (m Moment) Add(d time.Duration) time.Time { return m.Time().Add(d) }
