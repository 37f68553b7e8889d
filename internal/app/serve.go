package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/chargewatch/chargewatch/internal/config"
)

func serveCommand(ctx context.Context, args []string, s streams) error {
	c, rest, err := load("serve", args, s, nil)
	if err != nil {
		return err
	}
	if err := only(rest); err != nil {
		return err
	}
	srv, err := New(ctx, c, Options{Logger: logger(c, s)})
	if err != nil {
		return unlessStopped(ctx, err)
	}
	if err := srv.greet(ctx, s, false); err != nil {
		return err
	}
	return srv.Run(ctx)
}

// unlessStopped hides that a start was given up because it was told to.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// greet prints where the server is and, while nobody has a password, the
// one-time link of the first administrator.
func (s *Server) greet(ctx context.Context, out streams, demo bool) error {
	scheme, ws := "http", "ws"
	if s.tls != nil {
		scheme, ws = "https", "wss"
	}
	base := scheme + "://" + s.HTTPAddress()
	if s.tls.authority() != "" {
		fmt.Fprintf(out.out, "own authority, SHA-256 %s\n", s.tls.authority())
	}
	fmt.Fprintf(out.out, "stations connect to %s://%s/ocpp/IDENTITY\n", ws, s.OCPPAddress())
	link, err := s.Store.FirstAdmin(ctx, demo)
	if err != nil {
		return fmt.Errorf("make the first administrator: %w", err)
	}
	if link != "" {
		base += "/signin?token=" + link
	}
	_, err = fmt.Fprintf(out.out, "Chargewatch is ready: %s\n", base)
	return err
}

func logger(c config.Config, s streams) *slog.Logger {
	level := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[c.Log]
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}
