package app

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
)

// auditTrail signs the end of the audit log while it grows and carries it off the
// machine: who cuts the log or makes it anew later does not get at what has left.
type auditTrail struct {
	s    *Server
	key  *evidence.Key
	away elsewhere

	mu   sync.Mutex
	last int64 // of which a checkpoint was made
}

const (
	auditFolder     = "audit"
	checkpointEvery = time.Minute
)

func newAuditTrail(s *Server, key *evidence.Key) *auditTrail {
	return &auditTrail{s: s, key: key, away: elsewhere{to: s.Config.Audit.CheckpointsTo, name: "chargewatch-audit", reach: s.reach}}
}

// run makes checkpoints until ctx ends, and a last one then.
func (a *auditTrail) run(ctx context.Context) error {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.mark(ctx)
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			a.mark(end)
			return nil
		}
	}
}

// mark makes a checkpoint, if somebody did something since the last.
func (a *auditTrail) mark(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	head, ok, err := a.s.Store.AuditHead(ctx)
	if err != nil || !ok || head.Seq == a.last {
		if err != nil {
			a.s.log.WarnContext(ctx, "the audit log has no checkpoint", "err", err)
		}
		return
	}
	c := audit.Checkpoint{Seq: head.Seq, Hash: hex.EncodeToString(head.Hash), At: time.Now().UTC().Truncate(time.Second)}
	c.Sign = hex.EncodeToString(a.key.Sign(c.Payload()))
	line, err := json.Marshal(c)
	if err == nil {
		line = append(line, '\n')
		err = a.keep(line)
	}
	if err != nil {
		a.s.log.ErrorContext(ctx, "a checkpoint of the audit log is not kept", "err", err)
		return
	}
	a.last = c.Seq
	a.s.log.InfoContext(ctx, "checkpoint of the audit log", "seq", c.Seq, "hash", c.Hash)
	if err := a.away.put(ctx, line); err != nil && ctx.Err() == nil {
		a.s.log.WarnContext(ctx, "a checkpoint of the audit log could not be left elsewhere", "err", err)
	}
}

// keep appends to the file of the month in the data folder.
func (a *auditTrail) keep(line []byte) error {
	if err := a.s.data.Mkdir(auditFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the folder of checkpoints: %w", err)
	}
	f, err := a.s.data.OpenFile(auditFolder+"/"+time.Now().UTC().Format("200601")+".jsonl", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the checkpoints: %w", err)
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Sync(), f.Close())
}
