package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// routesResult is the time every question of a page takes in a large network.
type routesResult struct {
	Stations int      `json:"stations"`
	Sites    int      `json:"sites"`
	Sessions int      `json:"sessionsInThePast"`
	Seeding  float64  `json:"secondsToSeed"`
	Load     driven   `json:"load"`
	Routes   []route  `json:"routes"`
	Worst    float64  `json:"worstP95Milliseconds"`
	Left     []string `json:"notMeasured"`
}

type route struct {
	Name   string  `json:"name"`
	N      int     `json:"requests"`
	Bytes  int     `json:"bytes"`
	CPU    float64 `json:"serverCpuMilliseconds"` // each, the load's share taken off
	P50    float64 `json:"p50Milliseconds"`
	P95    float64 `json:"p95Milliseconds"`
	Max    float64 `json:"maxMilliseconds"`
	Status int     `json:"status"`
}

// question is a GET as a page asks it; a name in braces is drawn anew for each
// request.
type question struct{ path, query string }

// questions are the calls of pages that need more than their path. What else
// the API lists is asked as it stands.
var questions = []question{
	{"/stations", "limit=1000"},
	{"/stations", "limit=1000&cursor={page}"},
	{"/stations", "q=4711&limit=100"},
	{"/stations", "status=Faulted&limit=100"},
	{"/stations", "site={site}&limit=1000"},
	{"/stations", "onboarding=pending&limit=1000"},
	{"/sites", "limit=1000"},
	{"/summary", ""},
	{"/summary", "site={site}"},
	{"/power", ""},
	{"/power", "site={site}"},
	{"/power", "site={site}&from={week}&to={now}"},
	{"/attention", ""},
	{"/attention", "site={site}"},
	{"/search", "q=NET-0471"},
	{"/search", "q=000150"},
	{"/search", "q=Bay%2017"},
	{"/attempts", "station={station}&limit=5"},
	{"/stations/{station}/states", ""},
	{"/stations/{station}/states", "from={month}&to={now}"},
	{"/sessions", "site={site}&limit=100"},
	{"/events", "site={site}&limit=100"},
	{"/sessions", "limit=100"},
	{"/sessions", "limit=1000"},
	{"/sessions", "active=true&limit=100"},
	{"/sessions", "station={station}&limit=50"},
	{"/sessions", "from={day}&to={now}&limit=100"},
	{"/events", "limit=100"},
	{"/events", "limit=1000"},
	{"/events", "kind=status&limit=100"},
	{"/events", "kind=finding,security,session.inferred&limit=100"},
	{"/events", "subject=station/{station}&kind=status,transaction,connected,disconnected&from={day}&limit=1000"},
	{"/stations/{station}/messages", "limit=300"},
	{"/stations/{station}/commands", "limit=50"},
	{"/telemetry", "station={station}&evse=1&measurand=Power.Active.Import&from={day}&to={now}&step=120"},
	{"/telemetry", "station={station}&evse=1&measurand=Power.Active.Import&from={month}&to={now}&step=3600"},
}

// routes asks everything a page asks of a network of n stations while the
// network goes on at a normal pace.
func routes(ctx context.Context, srv *server, n, sessions, requests int, pace float64) (*routesResult, error) {
	r := &routesResult{Stations: n, Sites: max(1, n/50), Sessions: n * sessions}
	began := time.Now()
	net, err := enrolNetwork(ctx, srv.api, r.Sites, n)
	if err != nil {
		return nil, err
	}
	defer net.close()
	for _, step := range []func() error{
		func() error { return net.connect(ctx, &srv.target) },
		func() error { return net.past(ctx, sessions) },
		func() error { return net.wake(ctx, 0.4) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	r.Seeding = round(time.Since(began).Seconds(), 1)
	asked, err := srv.api.questions(ctx)
	if err != nil {
		return nil, err
	}
	driving, stop := context.WithCancel(ctx)
	defer stop()
	drove := net.start(driving, pace)
	// What the load costs for itself.
	time.Sleep(3 * time.Second)
	cpu, at := srv.cpu(), time.Now()
	time.Sleep(5 * time.Second)
	base := (srv.cpu() - cpu).Seconds() / time.Since(at).Seconds()
	draw := &drawer{net: net, chance: rand.New(rand.NewPCG(1, 2)), api: srv.api}
	for _, q := range asked {
		one, err := draw.measure(ctx, srv, q, requests, base)
		if err != nil {
			return r, err
		}
		if one.Status != http.StatusOK {
			r.Left = append(r.Left, fmt.Sprintf("%s: %d", one.Name, one.Status))
			continue
		}
		r.Routes = append(r.Routes, one)
		r.Worst = max(r.Worst, one.P95)
	}
	slices.SortStableFunc(r.Routes, func(a, b route) int { return cmp.Compare(b.P95, a.P95) })
	stop()
	end := <-drove
	r.Load = end.driven
	return r, end.err
}

// questions is what the server's own description lists, and what pages ask
// beyond that.
func (a *api) questions(ctx context.Context) ([]question, error) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := a.do(ctx, http.MethodGet, "/api/openapi.json", nil, &doc); err != nil {
		return nil, err
	}
	out := make([]question, 0, len(doc.Paths)+len(questions))
	for _, q := range questions {
		q.path = "/api/v1" + q.path
		out = append(out, q)
	}
	for path, methods := range doc.Paths {
		if _, ok := methods["get"]; !ok {
			continue
		}
		if path = "/api/v1" + strings.TrimPrefix(path, "/api/v1"); !slices.ContainsFunc(out, func(q question) bool { return q.path == path }) {
			out = append(out, question{path: path})
		}
	}
	slices.SortStableFunc(out, func(a, b question) int { return strings.Compare(a.path, b.path) })
	return append(out, question{path: "/status"}, question{path: "/"}), nil
}

// drawer fills in names.
type drawer struct {
	net    *network
	api    *api
	chance *rand.Rand
	known  map[string][]string
}

func (d *drawer) value(ctx context.Context, path, name string) string {
	pick := func(list []string) string {
		if len(list) == 0 {
			return "none"
		}
		return list[d.chance.IntN(len(list))]
	}
	switch name {
	case "station":
		return d.net.members[d.chance.IntN(len(d.net.members))].id
	case "site":
		return pick(d.net.sites)
	case "now":
		return time.Now().UTC().Format(time.RFC3339)
	case "day":
		return time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	case "week":
		return time.Now().Add(-7 * 24 * time.Hour).UTC().Format(time.RFC3339)
	case "month":
		return time.Now().Add(-30 * 24 * time.Hour).UTC().Format(time.RFC3339)
	}
	// The id of something that the list above it holds, or its cursors.
	above, _, _ := strings.Cut(path, "/{")
	if d.known == nil {
		d.known = make(map[string][]string)
	}
	key := name + " " + above
	list, ok := d.known[key]
	if !ok {
		var page struct {
			Items []struct {
				ID string `json:"id"`
			}
			NextCursor string
		}
		if err := d.api.do(ctx, http.MethodGet, above+"?limit=500", nil, &page); err == nil {
			for _, x := range page.Items {
				list = append(list, x.ID)
			}
			if name == "page" {
				list = []string{page.NextCursor}
			}
		}
		d.known[key] = list
	}
	return pick(list)
}

func (d *drawer) fill(ctx context.Context, path, text string, escape func(string) string) string {
	for {
		before, rest, ok := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return text
		}
		text = before + escape(d.value(ctx, path, name)) + after
	}
}

func (d *drawer) measure(ctx context.Context, srv *server, q question, requests int, base float64) (route, error) {
	r := route{Name: strings.TrimPrefix(q.path, "/api/v1")}
	if q.query != "" {
		r.Name += "?" + q.query
	}
	var took []time.Duration
	var cpu time.Duration
	bytes := 0
	for range requests {
		path := d.fill(ctx, q.path, q.path, url.PathEscape)
		if q.query != "" {
			path += "?" + d.fill(ctx, q.path, q.query, url.QueryEscape)
		}
		before, began := srv.cpu(), time.Now()
		status, size, err := d.api.fetch(ctx, path)
		if err != nil {
			return r, err
		}
		took = append(took, time.Since(began))
		cpu += srv.cpu() - before - time.Duration(base*float64(time.Since(began)))
		bytes += size
		if r.Status = status; status != http.StatusOK {
			return r, nil
		}
	}
	slices.Sort(took)
	ms := func(x time.Duration) float64 { return round(x.Seconds()*1000, 1) }
	r.N, r.Bytes = requests, bytes/requests
	r.CPU = max(0, round(cpu.Seconds()*1000/float64(requests), 1))
	r.P50, r.P95, r.Max = ms(took[len(took)/2]), ms(took[(len(took)*95+99)/100-1]), ms(took[len(took)-1])
	return r, nil
}

// fetch reads an answer to its end.
func (a *api) fetch(ctx context.Context, path string) (status, size int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return 0, 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := a.client.Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("GET %s: %w", path, err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil {
		return 0, 0, fmt.Errorf("read %s: %w", path, err)
	}
	return resp.StatusCode, int(n), nil
}

func (r *routesResult) markdown() string {
	var b strings.Builder
	b.WriteString("\n| route | requests | KB | server CPU ms each | p50 ms | p95 ms | max ms |\n|---|---|---|---|---|---|---|\n")
	for _, x := range r.Routes {
		fmt.Fprintf(&b, "| `%s` | %d | %.1f | %.1f | %.1f | %.1f | %.1f |\n", x.Name, x.N, float64(x.Bytes)/1000, x.CPU, x.P50, x.P95, x.Max)
	}
	return b.String()
}
