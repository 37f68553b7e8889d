package camera

import (
	"context"
	"errors"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// Limits of a probe.
const (
	probeFor   = 20 * time.Second // in all
	probeWatch = 8 * time.Second  // of pictures
	probeLeast = 2 * time.Second  // for a rate that means something
	maxProbes  = 4                // at the same time
)

// ErrBusy is returned while others probe.
var ErrBusy = errors.New("other cameras are being tried now")

// Report is what a probe found.
type Report struct {
	Format         *stream.Format
	Key            *stream.Unit // the first picture
	UnitsPerSecond float64
	BitsPerSecond  float64
	KeyEvery       time.Duration // zero: longer than we looked
	Reordered      bool          // B-frames: no WebRTC
}

// Probe looks at an address once, as a camera there would be followed.
func (s *Service) Probe(ctx context.Context, t stream.Target) (*Report, error) {
	select {
	case s.probes <- struct{}{}:
		defer func() { <-s.probes }()
	default:
		return nil, ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	hub := &stream.Hub{}
	reader := hub.Follow(stream.FollowOptions{Buffer: 256})
	ended := make(chan error, 1)
	src := s.open(stream.SourceOptions{Target: t, Hub: hub, Dial: s.o.Dial, Logger: s.log.With("camera", "probe")})
	go func() {
		err := src.Run(ctx)
		hub.Close()
		ended <- err
	}()
	r := &Report{}
	var first, last *stream.Unit
	units, bytes := 0, 0
	for {
		u, err := reader.Next(ctx)
		if err != nil {
			break
		}
		if first == nil {
			first, r.Key, r.Format = u, u, u.Format
		} else if u.Key && r.KeyEvery == 0 {
			r.KeyEvery = u.DTS - first.DTS
		}
		last = u
		units++
		bytes += u.Size()
		r.Reordered = r.Reordered || u.PTS != u.DTS
		seen := u.DTS - first.DTS
		if seen >= probeWatch || r.KeyEvery > 0 && seen >= probeLeast || u.ReceivedAt.Sub(first.ReceivedAt) >= probeWatch {
			break
		}
	}
	cancel()
	err := <-ended
	if first == nil {
		var f *stream.Failure
		if !errors.As(err, &f) {
			f = &stream.Failure{Reason: stream.ReasonNoFrames, Detail: "no picture came in time"}
		}
		return nil, f
	}
	if d := (last.DTS - first.DTS).Seconds(); d > 0 {
		r.UnitsPerSecond = float64(units-1) / d
		r.BitsPerSecond = float64(bytes-last.Size()) * 8 / d
	}
	return r, nil
}
