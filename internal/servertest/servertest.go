// Package servertest runs a whole server in the test's process, on real
// sockets and real files, for clients that are real too.
package servertest

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/app"
	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/provision"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Server is a running server.
type Server struct {
	*app.Server
	// URL is where stations connect: URL + identity.
	URL string

	stop     func() error
	forgiven bool
}

// Start starts a server in a folder of its own that ends with the test. change
// may alter its configuration.
func Start(tb testing.TB, change ...func(*config.Config)) *Server {
	tb.Helper()
	return In(tb, tb.TempDir(), change...)
}

// In starts a server in a folder; a second start there finds what the first
// one left.
func In(tb testing.TB, folder string, change ...func(*config.Config)) *Server {
	tb.Helper()
	c := config.Default()
	c.Data, c.HTTP, c.OCPP, c.WebRTC = folder, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	for _, f := range change {
		f(&c)
	}
	coredbtest.In(tb, c.Data)
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("CHARGEWATCH_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	srv, err := app.New(context.Background(), c, app.Options{Logger: log})
	if err != nil {
		tb.Fatal(err)
	}
	// Stations of tests hear what their test is about: one that is about their settings
	// switches the profile on.
	if _, err := srv.Store.ChangeConfigurationProfile(context.Background(), store.System, provision.BuiltIn, func(p *provision.Profile) { p.Off = true }); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	var ended error
	work.Go(func() { ended = srv.Run(ctx) })
	s := &Server{Server: srv, URL: "ws://" + srv.OCPPAddress() + "/ocpp/"}
	s.stop = sync.OnceValue(func() error {
		cancel()
		work.Wait()
		return ended
	})
	tb.Cleanup(func() {
		if err := s.stop(); err != nil && !s.forgiven {
			tb.Errorf("the server ended with %v", err)
		}
	})
	return s
}

// StopAnyhow drains the server and returns what went wrong.
func (s *Server) StopAnyhow() error {
	s.forgiven = true
	return s.stop()
}

// Stop drains the server before the test ends.
func (s *Server) Stop() { _ = s.stop() } // the end of the test reports what went wrong

// Enrol lets stations in as they are.
func (s *Server) Enrol(tb testing.TB, ids ...string) {
	tb.Helper()
	for _, id := range ids {
		if _, _, err := s.Store.EnrolStation(tb.Context(), store.System, store.NewStation{ID: id}); err != nil {
			tb.Fatal(err)
		}
	}
}

// Credential makes a token that may charge.
func (s *Server) Credential(tb testing.TB, value string) {
	tb.Helper()
	if _, err := s.Store.PutCredential(tb.Context(), store.System, "", store.CredentialInput{IDToken: value, Status: "Accepted"}); err != nil {
		tb.Fatal(err)
	}
}

// Station returns the live state of a station.
func (s *Server) Station(tb testing.TB, id string) *fleet.Station {
	tb.Helper()
	st, ok := s.Journal.Snapshot().Station(id)
	if !ok {
		tb.Fatalf("%s is not in the fleet", id)
	}
	return st
}

// Eventually waits for what another process or goroutine is about to do; its end is
// that of a hang, whatever else the machine does.
func Eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for range 6000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatalf("%s did not happen", what)
}
