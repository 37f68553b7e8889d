package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/depot"
	"github.com/chargewatch/chargewatch/internal/disk"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// openDepot joins files of stations with the endpoint by which they are asked for.
func (s *Server) openDepot(ctx context.Context, now func() time.Time) error {
	c := s.Config.Files
	var err error
	s.depot, err = depot.Open(ctx, depot.Options{
		Data: s.data, Store: s.Store, Journal: s.Journal, Stations: asker{s}, Logger: s.log, Now: now,
		Base: func(station string) string {
			if c.URL != "" {
				return c.URL
			}
			return s.Endpoint.Reached(station)
		},
		Tight:  func() bool { return s.guard.Stage() >= disk.StopClips },
		Limits: depot.Limits{Upload: c.MaxUploadBytes, Image: c.MaxImageBytes, Total: c.MaxTotalBytes, Keep: time.Duration(c.Keep)},
	})
	return err
}

// withFiles serves files of stations beside OCPP, on the same port.
func (s *Server) withFiles(ocpp http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Config.Files.Listen == "off" && strings.HasPrefix(r.URL.EscapedPath(), depot.Path) {
			s.depot.ServeHTTP(w, r)
			return
		}
		ocpp.ServeHTTP(w, r)
	})
}

// openFilePort opens the port of files where it is one of its own.
func (s *Server) openFilePort(ctx context.Context) error {
	c := s.Config.Files
	if c.Listen == "off" {
		return nil
	}
	m, err := certificates(s.data, c.TLS, namesOf(c.Listen), time.Now)
	if err != nil {
		return err
	}
	s.fileTLS = m
	ln, err := listen(ctx, "files", c.Listen, s.depot, m.server(), s.log)
	if err != nil {
		return err
	}
	s.listeners = append(s.listeners, ln)
	return nil
}

// asker asks stations for files by commands that are recorded like those of people.
type asker struct{ s *Server }

func (a asker) Command(ctx context.Context, by store.Actor, station, action string, payload json.RawMessage) (event.CommandResult, error) {
	o, err := a.s.Web.CommandFor(ctx, by, station, action, payload)
	if o.Status == "timeout" && !o.Sent { // it was busy with other requests
		o.Status = "refused"
	}
	return resultOf(o), err
}
