package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/intake"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/usage/past/pasttest"
)

// beside imports rows while something is appended to the journal fifty times a second,
// and says how long those appends took with and without it.
func beside(ctx context.Context, rows int) (err error) {
	folder, err := os.MkdirTemp("", "imports-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("open the folder: %w", err)
	}
	db, err := coredb.Open(ctx, folder)
	if err != nil {
		return err
	}
	j, err := sqlite.Open(ctx, sqlite.Options{DB: db})
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func() { _ = j.Run(ctx) }()
	go func() { _ = db.Run(ctx) }()
	st, err := store.Open(ctx, store.Options{DB: db, Journal: j})
	if err != nil {
		return err
	}
	in, err := intake.Open(intake.Options{Data: root, Store: st})
	if err != nil {
		return err
	}
	quiet, err := appends(ctx, j, time.After(10*time.Second))
	if err != nil {
		return err
	}
	// As many sessions as are wanted, of a made-up network.
	clean := pasttest.Network(3, 60, time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), 420)
	clean = clean[:min(rows, len(clean))]
	f := pasttest.Make(clean, pasttest.Options{Seed: 5, Zone: time.UTC, Files: 1, Swapped: func(int) bool { return false }})[0]
	begun := time.Now()
	p, err := in.Stage(ctx, store.System, "load.csv", bytes.NewReader(f.Data))
	if err != nil {
		return err
	}
	set := p.Settings
	set.Mapping.Zone = "UTC"
	for _, x := range p.Sites {
		set.Sites[x.Name] = intake.Place{Create: true}
	}
	if p, err = in.Change(ctx, store.System, p.Import.ID, set); err != nil {
		return err
	}
	read := time.Since(begun) / 2
	done, over := make(chan error, 1), make(chan time.Time)
	begun = time.Now()
	go func() {
		done <- in.RunNow(ctx, store.System, p.Import.ID)
		close(over)
	}()
	busy, err := appends(ctx, j, over)
	if err = errors.Join(err, <-done); err != nil {
		return err
	}
	took := time.Since(begun)
	n, err := st.PastCount(ctx, p.Import.ID)
	if err != nil {
		return err
	}
	fmt.Printf("\n## Beside the journal\n\n%d rows (%.0f MB) read in %s; %d sessions written in %s (%.0f a second). Appends meanwhile, milliseconds:\n\n", f.Rows, float64(len(f.Data))/1e6,
		read.Round(time.Millisecond), n, took.Round(100*time.Millisecond), float64(n)/took.Seconds())
	fmt.Print("| | appends | p50 | p95 | p99 | most |\n|---|---|---|---|---|---|\n")
	for name, list := range map[string][]time.Duration{"alone": quiet, "beside an import": busy} {
		slices.Sort(list)
		at := func(share float64) float64 {
			return list[min(len(list)-1, int(share*float64(len(list))))].Seconds() * 1000
		}
		fmt.Printf("| %s | %d | %.1f | %.1f | %.1f | %.1f |\n", name, len(list), at(0.5), at(0.95), at(0.99), at(1))
	}
	end()
	return nil
}

// appends appends until it is over, and returns how long each took.
func appends(ctx context.Context, j *journal.Journal, over <-chan time.Time) (list []time.Duration, err error) {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-over:
			return list, nil
		case <-t.C:
		}
		now := time.Now().UTC()
		_, err := j.Append(ctx, &event.Event{Subject: event.Station("S1"), At: now, ReceivedAt: now, Origin: event.FromUs, Body: &event.Policy{Type: "bench", ID: "k", Value: []byte(`1`)}})
		if err != nil {
			return list, err
		}
		list = append(list, time.Since(now))
	}
}
