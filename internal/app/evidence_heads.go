package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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
	to    string

	mu    sync.Mutex
	at    time.Time
	fault string
}

func newHeadsAway(heads *evidence.Heads, s *Server) *headsAway {
	return &headsAway{heads: heads, s: s, every: time.Duration(s.Config.Evidence.HeadsEvery), to: s.Config.Evidence.HeadsTo}
}

func (h *headsAway) address() bool { return strings.Contains(h.to, "://") }

// tell says where heads go and whether they got there.
func (h *headsAway) tell(x *web.EvidenceKeyShape) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x.HeadsEverySeconds, x.HeadsAt, x.HeadsFault = h.every.Seconds(), orNil(h.at), h.fault
	switch {
	case h.to == "":
	case h.address():
		x.HeadsTo = "address"
	default:
		x.HeadsTo = "folder"
	}
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
	if h.to == "" {
		return
	}
	if h.address() {
		err = h.send(ctx, line)
	} else {
		err = h.leave(line)
	}
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

// leave appends to a file of the day in a folder, such as a share of another machine.
func (h *headsAway) leave(line []byte) error {
	name := filepath.Join(h.to, "chargewatch-heads-"+time.Now().UTC().Format("20060102")+".jsonl")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("leave heads: %w", err)
	}
	_, err = f.Write(line)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("leave heads: %w", err)
	}
	return nil
}

const sendWithin = 20 * time.Second

// send posts the list to an address.
func (h *headsAway) send(ctx context.Context, line []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.to, bytes.NewReader(line))
	if err != nil {
		return fmt.Errorf("send heads: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := h.s.reach.Client(nil).Do(r)
	if err != nil {
		return fmt.Errorf("send heads: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection serves again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("send heads: answered %s", resp.Status)
	}
	return nil
}
