package motion

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
)

// near looks at the sub stream picture by picture while that is worth it: where
// cables are watched at an armed site, and where key pictures are far apart.
func (y *eyes) near(ctx context.Context) {
	review := time.NewTicker(reviewEvery)
	defer review.Stop()
	for {
		if y.wanted() {
			if err := y.nearby(ctx); err != nil && ctx.Err() == nil {
				y.watch.o.Logger.Info("a sub stream is not looked at", "camera", y.config.ID, "err", err)
			}
			y.quiet(time.Now(), fromSub)
		}
		select {
		case <-review.C:
		case <-y.slowed:
		case <-ctx.Done():
			return
		}
	}
}

// wanted reports whether the sub stream is worth its price.
func (y *eyes) wanted() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.config.Sub.URL == "" {
		return false
	}
	if y.main.Interval() > slowInterval {
		return true
	}
	chargers := slices.ContainsFunc(y.config.Zones, func(z camera.Zone) bool {
		return z.Kind == string(event.ZoneWatch) && len(z.Ports) > 0
	})
	return chargers && y.watch.o.Armed(y.config.SiteID)
}

var errReviewed = errors.New("it is not worth it any more")

func (y *eyes) nearby(ctx context.Context) error {
	hub, release, err := y.watch.o.Streams().Hub(y.config.ID, camera.Sub)
	if err != nil {
		return err
	}
	defer release()
	r := hub.Follow(stream.FollowOptions{Buffer: 64, FromKey: true})
	defer r.Close()
	y.mu.Lock()
	y.close = true
	y.mu.Unlock()
	defer func() {
		y.mu.Lock()
		y.close = false
		y.mu.Unlock()
	}()
	until := time.Now().Add(reviewEvery)
	var last time.Time
	for {
		err := y.watch.o.Decoder.Follow(ctx, y.config.ID, func(ctx context.Context) (*stream.Unit, error) {
			if now := time.Now(); now.After(until) {
				if until = now.Add(reviewEvery); !y.wanted() {
					return nil, errReviewed
				}
			}
			wait, cancel := context.WithTimeout(ctx, quietAfter)
			defer cancel()
			return r.Next(wait)
		}, func(gray []byte, u *stream.Unit) {
			if u.At.Sub(last) < closeEvery && u.At.After(last) {
				return
			}
			last = u.At
			y.look(gray, u, fromSub)
		})
		switch {
		case errors.Is(err, errReviewed):
			return nil
		case errors.Is(err, decode.ErrDamaged) && ctx.Err() == nil: // from the next key picture on
			select {
			case <-time.After(retryAfter):
			case <-ctx.Done():
			}
		default:
			return err
		}
	}
}
