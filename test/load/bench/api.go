package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// api speaks to Chargewatch as any script would.
type api struct {
	base   string
	token  string
	client *http.Client
}

func (a *api) do(ctx context.Context, method, path string, body, into any) error {
	if body == nil {
		return a.send(ctx, method, path, "", nil, into)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return a.send(ctx, method, path, "application/json", b, into)
}

func (a *api) send(ctx context.Context, method, path, kind string, body []byte, into any) error {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, r)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if into == nil {
		io.Copy(io.Discard, resp.Body)
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("%s %s: decode answer: %w", method, path, err)
	}
	return nil
}

// ready waits until the server can commit.
func (a *api) ready(ctx context.Context) error {
	var err error
	for range 3000 {
		if err = a.do(ctx, http.MethodGet, "/readyz", nil, nil); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("the server is not ready within 30 s: %w", err)
}

// command sends one OCPP command and wants the station's answer.
func (a *api) command(ctx context.Context, station, action, payload string) error {
	var r struct{ Status, ErrorCode, ErrorDescription string }
	body := map[string]any{"action": action, "payload": json.RawMessage(payload)}
	if err := a.do(ctx, http.MethodPost, "/api/v1/stations/"+url.PathEscape(station)+"/commands?wait=30s", body, &r); err != nil {
		return err
	}
	if r.Status != "answered" {
		return fmt.Errorf("command %s: %s %s", r.Status, r.ErrorCode, r.ErrorDescription)
	}
	return nil
}

// enrol creates a station with a password, for the kind of socket the server
// offers.
func (a *api) enrol(ctx context.Context, station, password string) error {
	profile := 1
	if strings.HasPrefix(a.base, "https:") {
		profile = 2
	}
	return a.do(ctx, http.MethodPost, "/api/v1/stations", map[string]any{
		"id": station, "auth": map[string]any{"profile": profile, "password": password},
	}, nil)
}

type loggedEvent struct {
	Seq      uint64     `json:"seq"`
	Kind     string     `json:"kind"`
	Subject  string     `json:"subject"`
	DeviceAt *time.Time `json:"deviceAt"`
}

type loggedSession struct {
	Station  string  `json:"station"`
	State    string  `json:"state"`
	EnergyWh float64 `json:"energyWh"`
}

// pages reads a list to its end.
func pages[T any](ctx context.Context, a *api, path string, query url.Values, each func(T)) error {
	query.Set("limit", "1000")
	for {
		var page struct {
			Items      []T
			NextCursor string
		}
		if err := a.do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for _, x := range page.Items {
			each(x)
		}
		if page.NextCursor == "" {
			return nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

// events reads the journal of one station, measurements included.
func (a *api) events(ctx context.Context, station string, kinds ...string) ([]loggedEvent, error) {
	var out []loggedEvent
	err := pages(ctx, a, "/api/v1/events", url.Values{"subject": {"station/" + station}, "kind": {strings.Join(kinds, ",")}}, func(e loggedEvent) { out = append(out, e) })
	return out, err
}

// values counts the register readings of a station in the hour after since.
// Curves follow the journal, so the last readings may come a moment later.
func (a *api) values(ctx context.Context, station string, since time.Time) (int, error) {
	q := url.Values{
		"station": {station}, "evse": {"1"}, "measurand": {"Energy.Active.Import.Register"}, "step": {"10"},
		"from": {since.Add(-time.Minute).UTC().Format(time.RFC3339)}, "to": {since.Add(65 * time.Minute).UTC().Format(time.RFC3339)},
	}
	n := 0
	for range 20 {
		var curve struct{ Points []json.RawMessage }
		if err := a.do(ctx, http.MethodGet, "/api/v1/telemetry?"+q.Encode(), nil, &curve); err != nil {
			return 0, err
		}
		if n = len(curve.Points); n >= floodMeters {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	return n, nil
}
