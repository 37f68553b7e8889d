package frames

import "time"

// Usage is what the ring takes and how fast it fills.
type Usage struct {
	Bytes    int64
	OldestAt time.Time // about; zero: none yet
	// PerDay is how many bytes came in a day, measured over Over.
	PerDay   float64
	Over     time.Duration
	MaxBytes int64
	MaxAge   time.Duration
}

const usageOver = 7 * 24 * time.Hour

// Usage measures growth by the segments of the newest days.
func (l *Log) Usage(now time.Time) Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := Usage{MaxBytes: l.o.MaxBytes, MaxAge: l.o.MaxAge}
	recent, from := int64(0), now
	for i, s := range l.segments {
		u.Bytes += s.size
		// A segment begins where the one before ended.
		begun := s.begun
		if i > 0 {
			begun = min(begun, l.segments[i-1].last)
		}
		at := time.UnixMicro(begun).UTC()
		if i == 0 {
			u.OldestAt = at
		}
		if now.Sub(at) <= usageOver {
			recent += s.size
			from = earlier(from, at)
		}
	}
	if over := now.Sub(from); over >= 10*time.Minute {
		u.Over, u.PerDay = over, float64(recent)/over.Hours()*24
	}
	return u
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
