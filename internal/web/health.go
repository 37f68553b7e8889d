package web

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/vitals"
)

// Vitals is how the server itself is.
type Vitals interface {
	Health() vitals.Health
	History() []vitals.Reading
	// Diagnostics are further files for those who help: without secrets.
	Diagnostics(ctx context.Context) ([]DiagnosticFile, error)
}

// DiagnosticFile is one file of a bundle.
type DiagnosticFile struct {
	Name string
	Data []byte
}

// HealthShape is how the server is, and what it is.
type HealthShape struct {
	vitals.Health
	BackupAt      *time.Time         `json:"backupAt" doc:"newest backup; null: none is known"`
	Build         string             `json:"build"`
	Go            string             `json:"go"`
	System        string             `json:"system" doc:"operating system and processor"`
	CPUs          int                `json:"cpus"`
	StartedAt     time.Time          `json:"startedAt"`
	UptimeSeconds float64            `json:"uptimeSeconds"`
	Unobserved    []journal.Interval `json:"unobserved" doc:"of the last 90 d: we were down, nothing was seen"`
	ObservedFrom  *time.Time         `json:"observedFrom" doc:"when we watched first; null: before these 90 d"`
}

type healthOutput struct{ Body HealthShape }

type readingsOutput struct {
	Body struct {
		Items []vitals.Reading `json:"items" doc:"oldest first"`
	}
}

var errNoVitals = problemf(http.StatusNotImplemented, "this server does not watch itself")

const healthDays = 90

func (s *Server) getHealth(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	h, err := s.health(ctx)
	if err != nil {
		return nil, err
	}
	return &healthOutput{Body: h}, nil
}

func (s *Server) health(ctx context.Context) (HealthShape, error) {
	if s.o.Vitals == nil {
		return HealthShape{}, errNoVitals
	}
	now := s.now().UTC()
	h := HealthShape{
		Health: s.o.Vitals.Health(), Build: s.o.Build, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		CPUs: runtime.NumCPU(), StartedAt: s.started.UTC(), UptimeSeconds: now.Sub(s.started).Seconds(),
	}
	h.BackupAt = instant(h.Health.BackupAt)
	if s.o.Past != nil {
		seen, err := s.o.Past.Observed(ctx, now.AddDate(0, 0, -healthDays), now)
		if err != nil {
			return h, err
		}
		if n := len(seen); n > 0 { // what comes after the last is now
			from := now.AddDate(0, 0, -healthDays)
			if seen[0].From.After(from) {
				from = seen[0].From
				h.ObservedFrom = new(from)
			}
			h.Unobserved = gaps(seen, from, seen[n-1].To)
		}
	}
	h.Unobserved = list(h.Unobserved)
	return h, nil
}

func (s *Server) getHealthHistory(context.Context, *struct{}) (*readingsOutput, error) {
	if s.o.Vitals == nil {
		return nil, errNoVitals
	}
	out := &readingsOutput{}
	out.Body.Items = list(s.o.Vitals.History())
	return out, nil
}

// maxBundle bounds a bundle of diagnostics before it is packed.
const maxBundle = 16 << 20

// diagnostics packs what somebody who helps needs to see. The configuration
// holds no secret, and what the log says was cleaned as it was written.
func (s *Server) diagnostics(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	files, err := s.bundle(ctx)
	if err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "system.diagnostics", "system/diagnostics", nil); err != nil {
		s.log.WarnContext(ctx, "diagnostics not audited", "err", err) // the disk may be what is wrong
	}
	now := s.now().UTC()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="chargewatch-%s.zip"`, now.Format("20060102-150405")))
	w.Header().Set("Cache-Control", "no-store")
	pack := zip.NewWriter(w)
	size := 0
	for _, f := range files {
		f.Data = f.Data[:min(len(f.Data), maxBundle-size)]
		size += len(f.Data)
		to, err := pack.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: now})
		if err != nil {
			return // the caller went away
		}
		if _, err := to.Write(f.Data); err != nil {
			return
		}
	}
	_ = pack.Close() // the caller may have gone
}

func (s *Server) bundle(ctx context.Context) ([]DiagnosticFile, error) {
	h, err := s.health(ctx)
	if err != nil {
		return nil, err
	}
	var files []DiagnosticFile
	add := func(name string, v any) error {
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		files = append(files, DiagnosticFile{Name: name, Data: data})
		return nil
	}
	if err := add("health.json", h); err != nil {
		return nil, err
	}
	if err := add("history.json", s.o.Vitals.History()); err != nil {
		return nil, err
	}
	if s.o.System != nil {
		if err := add("configuration.json", s.o.System.Settings()); err != nil {
			return nil, err
		}
		if err := add("ocpp.json", s.ocpp()); err != nil {
			return nil, err
		}
		storage, err := s.o.System.Storage(ctx)
		if err != nil {
			return nil, err
		}
		if err := add("storage.json", storage); err != nil {
			return nil, err
		}
	}
	more, err := s.o.Vitals.Diagnostics(ctx)
	if err != nil {
		return nil, err
	}
	return append(files, more...), nil
}

// Live is what the feed says of itself: sockets and streams, updates they were
// too slow to take, and how far it followed the journal.
func (s *Server) Live() (clients int, passed, seq uint64) {
	return int(s.hub.size.Load()), s.hub.passed.Load(), s.hub.told.Load()
}
