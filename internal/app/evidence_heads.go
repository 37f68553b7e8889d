package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/web"
)

// headsAway takes the heads of the chains of recordings and leaves them where
// somebody who has this machine does not reach them.
type headsAway struct {
	heads *evidence.Heads
	s     *Server
	every time.Duration
	away  elsewhere

	mu    sync.Mutex
	at    time.Time
	fault string
}

func newHeadsAway(heads *evidence.Heads, s *Server) *headsAway {
	return &headsAway{heads: heads, s: s, every: time.Duration(s.Config.Evidence.HeadsEvery), away: elsewhere{to: s.Config.Evidence.HeadsTo, name: "chargewatch-heads", reach: s.reach}}
}

// tell says where heads go and whether they got there.
func (h *headsAway) tell(x *web.EvidenceKeyShape) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x.HeadsEverySeconds, x.HeadsAt, x.HeadsFault = h.every.Seconds(), orNil(h.at), h.fault
	x.HeadsTo = h.away.kind()
}

// run takes heads until ctx ends.
func (h *headsAway) run(ctx context.Context) {
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.take(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// take takes the heads once. Their sum goes into the log, which often leaves the
// machine by itself: a list that is found later can be told by it.
func (h *headsAway) take(ctx context.Context) {
	line, n, err := h.heads.Take()
	if err != nil {
		h.s.log.ErrorContext(ctx, "heads of recordings are not kept", "err", err)
		h.note(err)
		return
	}
	if n == 0 {
		return
	}
	sum := sha256.Sum256(line)
	h.s.log.InfoContext(ctx, "heads of recordings were taken", "streams", n, "sha256", hex.EncodeToString(sum[:]))
	if h.away.to == "" {
		return
	}
	err = h.away.put(ctx, line)
	if err != nil && ctx.Err() == nil {
		h.s.log.WarnContext(ctx, "heads of recordings could not be left elsewhere", "err", err)
	}
	h.note(err)
}

func (h *headsAway) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.fault = err.Error()
		return
	}
	h.at, h.fault = time.Now().UTC(), ""
}
