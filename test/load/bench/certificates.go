package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/sim"
)

// certificatesResult is what became of a fleet that was given new certificates.
type certificatesResult struct {
	Server     string         `json:"server"`
	Stations   int            `json:"stations"`
	Refusing   int            `json:"stationsThatRefuse"`
	States     map[string]int `json:"renewalStates"`
	Took       int            `json:"stationsThatHoldACertificate"`
	Unknown    int            `json:"notAccountedFor"`
	Seconds    float64        `json:"seconds"`
	Back       int            `json:"stationsBackAfterAKill"`
	LockedOut  int            `json:"lockedOut"`
	ServerCPUs float64        `json:"serverProcessorSeconds"`
}

// rotationResult is what became of passwords that were changed while the server was
// killed.
type rotationResult struct {
	Server    string         `json:"server"`
	Stations  int            `json:"stations"`
	Kills     int            `json:"kills"`
	AtKill    []int          `json:"doneAtEachKill"`
	States    map[string]int `json:"rotationStates"`
	Seconds   float64        `json:"seconds"`
	Back      int            `json:"stationsBackAfterALastKill"`
	LockedOut int            `json:"lockedOut"`
}

// proving is a server with stations that have passwords of their own.
type proving struct {
	lab    *lab
	srv    *server
	fleet  *sim.Fleet
	ids    []string
	finish func()
}

func startProving(ctx context.Context, l *lab, n, refusing int) (*proving, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	l.ocpp = port
	p := &proving{lab: l}
	if p.srv, err = l.startChargewatch(ctx, "", false, "--onboarding", "closed"); err != nil {
		return nil, err
	}
	if p.srv.api.token, err = l.mint(p.srv.data); err != nil {
		p.srv.kill()
		return nil, err
	}
	plan := sim.Park(n, sim.V16, "CERT-", 1)
	plan.Tokens = sim.Tokens(1, 5)
	other := sim.Park(n, sim.V201, "CERT-", 1)
	for i := range plan.Stations {
		if i%2 == 1 {
			other.Stations[i].ID = plan.Stations[i].ID
			plan.Stations[i] = other.Stations[i]
		}
		x := &plan.Stations[i]
		x.Quirks, x.Model.Quirks, x.Password = 0, 0, fmt.Sprintf("of the maker %06d", i)
		if refusing > 0 && i%(n/refusing) == 0 && i/(n/refusing) < refusing {
			x.Habit = sim.RejectsSigned
		}
		p.ids = append(p.ids, x.ID)
		body := map[string]any{"id": x.ID, "auth": map[string]any{"profile": 1, "password": x.Password}}
		if err := p.srv.api.do(ctx, http.MethodPost, "/api/v1/stations", body, nil); err != nil {
			p.srv.kill()
			return nil, err
		}
	}
	if p.fleet, err = sim.New(sim.Options{
		URL: p.srv.target.ws, Plan: plan, Scenario: sim.Scenario{Name: "quiet"}, Ramp: 5 * time.Second,
	}); err != nil {
		p.srv.kill()
		return nil, err
	}
	playing, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { _ = p.fleet.Run(playing) })
	p.finish = func() { stop(); work.Wait(); l.ocpp = 0 }
	_, err = p.until(ctx, func(x proofRow) bool { return x.Online })
	return p, err
}

// proofRow is how a station proves itself, as the API says.
type proofRow struct {
	Station     string `json:"station"`
	Online      bool   `json:"online"`
	Password    string `json:"passwordState"`
	Certificate string `json:"certificateState"`
}

func (p *proving) rows(ctx context.Context) ([]proofRow, error) {
	var out []proofRow
	for cursor := ""; ; {
		var page struct {
			Items []proofRow `json:"items"`
			Next  string     `json:"nextCursor"`
		}
		if err := p.srv.api.do(ctx, http.MethodGet, "/api/v1/system/station-security?limit=1000&cursor="+cursor, nil, &page); err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if cursor = page.Next; cursor == "" {
			return out, nil
		}
	}
}

// until waits, up to five minutes, until all stations are as wanted.
func (p *proving) until(ctx context.Context, as func(proofRow) bool) ([]proofRow, error) {
	var rows []proofRow
	for range 1200 {
		var err error
		if rows, err = p.rows(ctx); err != nil {
			return nil, err
		}
		if len(rows) == len(p.ids) && !slices.ContainsFunc(rows, func(x proofRow) bool { return !as(x) }) {
			return rows, nil
		}
		select {
		case <-ctx.Done():
			return rows, ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
	return rows, nil
}

// killed kills the server and starts it on the same folder and port.
func (p *proving) killed(ctx context.Context) error {
	data, token := p.srv.data, p.srv.api.token
	p.srv.kill()
	srv, err := p.lab.startChargewatch(ctx, data, false, "--onboarding", "closed")
	if err != nil {
		return err
	}
	p.srv = srv
	srv.api.token = token
	return nil
}

func online(rows []proofRow) int {
	n := 0
	for _, x := range rows {
		if x.Online {
			n++
		}
	}
	return n
}

// certificates has a fleet ask for certificates, of which some do not want theirs.
func certificates(ctx context.Context, l *lab, n, refusing int) (*certificatesResult, error) {
	p, err := startProving(ctx, l, n, refusing)
	if err != nil {
		return nil, err
	}
	defer func() { p.finish(); p.srv.stop() }()
	r := &certificatesResult{Server: "chargewatch", Stations: n, Refusing: refusing, States: make(map[string]int)}
	began, cpu := time.Now(), p.srv.cpu()
	for _, id := range p.ids {
		if err := p.srv.api.do(ctx, http.MethodPost, "/api/v1/stations/"+id+"/security/certificate", nil, nil); err != nil {
			return r, err
		}
	}
	rows, err := p.until(ctx, func(x proofRow) bool { return x.Certificate == "done" || x.Certificate == "rejected" })
	r.Seconds, r.ServerCPUs = round(time.Since(began).Seconds(), 1), round((p.srv.cpu()-cpu).Seconds(), 1)
	if err != nil {
		return r, err
	}
	for _, x := range rows {
		r.States[x.Certificate]++
	}
	for _, count := range p.fleet.Certificates() {
		if count > 0 {
			r.Took++
		}
	}
	r.Unknown = n - r.States["done"] - r.States["rejected"]
	if err := p.killed(ctx); err != nil {
		return r, err
	}
	rows, err = p.until(ctx, func(x proofRow) bool { return x.Online })
	r.Back = online(rows)
	r.LockedOut = n - r.Back
	if err == nil && (r.LockedOut > 0 || r.Unknown > 0 || r.Took != n-refusing || r.States["rejected"] != refusing) {
		err = fmt.Errorf("%d locked out, %d not accounted for, %d hold a certificate, %d rejected", r.LockedOut, r.Unknown, r.Took, r.States["rejected"])
	}
	return r, err
}

// rotations changes passwords and kills the server in the middle.
func rotations(ctx context.Context, l *lab, n, kills int) (*rotationResult, error) {
	p, err := startProving(ctx, l, n, 0)
	if err != nil {
		return nil, err
	}
	defer func() { p.finish(); p.srv.stop() }()
	r := &rotationResult{Server: "chargewatch", Stations: n, Kills: kills, States: make(map[string]int)}
	began := time.Now()
	for _, id := range p.ids {
		if err := p.srv.api.do(ctx, http.MethodPost, "/api/v1/stations/"+id+"/security/password", nil, nil); err != nil {
			return r, err
		}
	}
	for i := range kills {
		time.Sleep(time.Duration(1+i) * 1300 * time.Millisecond)
		rows, err := p.rows(ctx)
		if err != nil {
			return r, err
		}
		done := 0
		for _, x := range rows {
			if x.Password == "done" {
				done++
			}
		}
		r.AtKill = append(r.AtKill, done)
		if err := p.killed(ctx); err != nil {
			return r, err
		}
	}
	rows, err := p.until(ctx, func(x proofRow) bool { return x.Password == "done" })
	r.Seconds = round(time.Since(began).Seconds(), 1)
	if err != nil {
		return r, err
	}
	for _, x := range rows {
		r.States[x.Password]++
	}
	if err := p.killed(ctx); err != nil {
		return r, err
	}
	rows, err = p.until(ctx, func(x proofRow) bool { return x.Online })
	r.Back = online(rows)
	r.LockedOut = n - r.Back
	if err == nil && (r.LockedOut > 0 || r.States["done"] != n) {
		err = fmt.Errorf("%d locked out, %d of %d done", r.LockedOut, r.States["done"], n)
	}
	return r, err
}
