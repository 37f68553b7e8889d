package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chargewatch/chargewatch/internal/access"
	"github.com/chargewatch/chargewatch/internal/week"
)

// decideResult is one engine at the same questions.
type decideResult struct {
	Server    string    `json:"server"`
	People    int       `json:"people"`
	Sites     int       `json:"sites"`
	Rows      int       `json:"rows"`
	Decisions int       `json:"decisions"`
	Allowed   int       `json:"allowed"`
	Mean      float64   `json:"meanUs"`
	P50       float64   `json:"p50Us"`
	P95       float64   `json:"p95Us"`
	P99       float64   `json:"p99Us"`
	Max       float64   `json:"maxUs"`
	rounds    []float64 // ns a decision
	ratios    []float64
}

func (r *decideResult) row() (head, row []string) {
	return []string{"engine", "people", "sites", "rows", "decisions", "of them allowed", "mean us", "p50 / p95 / p99 / max us"},
		[]string{
			r.Server, fmt.Sprint(r.People), fmt.Sprint(r.Sites), fmt.Sprint(r.Rows), fmt.Sprint(r.Decisions), fmt.Sprint(r.Allowed), fmt.Sprintf("%.1f", r.Mean),
			fmt.Sprintf("%.1f / %.1f / %.1f / %.0f", r.P50, r.P95, r.P99, r.Max),
		}
}

func (r *decideResult) markdown() string {
	if len(r.ratios) == 0 {
		return ""
	}
	return fmt.Sprintf("\nOPA takes, round by round in turn, %.0f times as long (%.0f to %.0f, n = %d). Both gave the same answers. OPA's questions are parsed beforehand and it gives no reason; Chargewatch names the row that allowed, or what kept the person out.\n",
		middle(r.ratios), slices.Min(r.ratios), slices.Max(r.ratios), len(r.ratios))
}

func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

const (
	decidePeople    = 10_000
	decideSites     = 200
	decideQuestions = 2_000
	decideRounds    = 10
)

// peerRow, peerSpan and peerQuestion are how the peer is told the same.
type peerRow struct {
	Kinds     []access.PlaceKind `json:"kinds"`
	Groups    []string           `json:"groups"`
	Companies []string           `json:"companies"`
	Anyone    bool               `json:"anyone"`
	Schedule  string             `json:"schedule"`
}

type peerSpan struct {
	Days []int `json:"days"`
	From int   `json:"from"`
	To   int   `json:"to"`
}

type peerQuestion struct {
	Site    string           `json:"site"`
	Kind    access.PlaceKind `json:"kind"`
	Person  string           `json:"person"`
	Weekday int              `json:"weekday"`
	Minute  int              `json:"minute"`
}

// questionnaire is an operator's rows and people, and who wants in where.
type questionnaire struct {
	rows   access.Rows
	people []access.Person
	asked  []access.Request
	peer   struct {
		Data      map[string]any `json:"data"`
		Questions []peerQuestion `json:"questions"`
	}
}

func newQuestionnaire() (*questionnaire, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, fmt.Errorf("load the zone of the sites: %w", err)
	}
	q, r := &questionnaire{}, rand.New(rand.NewPCG(6, 2026))
	people, sites, locked := make(map[string]any), make(map[string][]peerRow), make(map[string][]peerRow)
	for i := range decidePeople {
		p := access.Person{ID: fmt.Sprintf("p%d", i), Groups: []string{fmt.Sprintf("g%d", i%50), "staff"}, Company: fmt.Sprintf("k%d", i%20)}
		q.people = append(q.people, p)
		people[p.ID] = map[string]any{"groups": p.Groups, "company": p.Company}
	}
	working := week.On(time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)
	q.rows.Schedules = []access.Schedule{
		{ID: "shift", Name: "Shift", Open: []week.Span{{Days: working, From: 6 * 60, To: 22 * 60}}},
		{ID: "saturdays", Name: "Saturdays", Open: []week.Span{{Days: week.On(time.Saturday), From: 8 * 60, To: 14 * 60}}},
	}
	schedules := map[string][]peerSpan{
		"shift":     {{Days: []int{1, 2, 3, 4, 5}, From: 6 * 60, To: 22 * 60}},
		"saturdays": {{Days: []int{6}, From: 8 * 60, To: 14 * 60}},
	}
	kinds := access.PlaceKinds()
	for s := range decideSites {
		site := fmt.Sprintf("s%d", s)
		for n := range 10 {
			x := access.Row{ID: fmt.Sprintf("r%d-%d", s, n), Name: "Row", Sites: []string{site}, Schedule: []string{"", "shift", "saturdays"}[r.IntN(3)]}
			as := peerRow{Kinds: []access.PlaceKind{}, Schedule: x.Schedule}
			if r.IntN(3) == 0 {
				x.Kinds = []access.PlaceKind{kinds[r.IntN(len(kinds))]}
				as.Kinds = x.Kinds
			}
			if n%3 == 0 {
				as.Companies = []string{fmt.Sprintf("k%d", r.IntN(20))}
				x.To = []access.Principal{{Company: as.Companies[0]}}
			} else {
				as.Groups = []string{fmt.Sprintf("g%d", r.IntN(50))}
				x.To = []access.Principal{{Group: as.Groups[0]}}
			}
			q.rows.Rows = append(q.rows.Rows, x)
			sites[site] = append(sites[site], as)
		}
		if s%20 == 0 {
			q.rows.Scenarios = append(q.rows.Scenarios, access.Scenario{ID: "l" + site, Name: "Lockdown", Sites: []string{site}, Active: true})
			locked[site] = []peerRow{{Kinds: []access.PlaceKind{}}}
		}
	}
	drivers := access.Row{ID: "drivers", Name: "Drivers", To: []access.Principal{{Anyone: true}}, Kinds: []access.PlaceKind{access.EVSE}}
	q.rows.Rows = append(q.rows.Rows, drivers)
	q.peer.Data = map[string]any{
		"people": people, "sites": sites, "locked": locked, "schedules": schedules,
		"everywhere": []peerRow{{Kinds: drivers.Kinds, Anyone: true}},
	}
	begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for range decideQuestions {
		p := &q.people[r.IntN(len(q.people))]
		place := access.Place{ID: "place", Kind: kinds[r.IntN(len(kinds))], Site: fmt.Sprintf("s%d", r.IntN(decideSites))}
		at := begin.Add(time.Duration(r.IntN(7*24*60)) * time.Minute)
		action, local := access.Enter, at.In(zone)
		if place.Kind == access.EVSE {
			action = access.Charge
		}
		q.asked = append(q.asked, access.Request{
			Now: at, TokenID: "t", Credential: &access.Credential{ID: "c", Person: p.ID, Status: access.Accepted}, Person: p, Action: action, Place: place, Zone: zone,
		})
		q.peer.Questions = append(q.peer.Questions, peerQuestion{
			Site: place.Site, Kind: place.Kind, Person: p.ID, Weekday: int(local.Weekday()), Minute: local.Hour()*60 + local.Minute(),
		})
	}
	return q, nil
}

// engine answers all questions once: what it said, and how long each took.
type engine func() (allowed string, took []int64, err error)

func (q *questionnaire) ours() (engine, error) {
	book, err := access.Compile(q.rows)
	if err != nil {
		return nil, fmt.Errorf("compile the rows: %w", err)
	}
	return func() (string, []int64, error) {
		said, took := make([]byte, len(q.asked)), make([]int64, len(q.asked))
		for i := range q.asked {
			began := time.Now()
			d := book.Decide(q.asked[i])
			took[i] = int64(time.Since(began))
			if d.Fault != "" {
				return "", nil, errors.New(d.Fault)
			}
			said[i] = '0'
			if d.Status == access.Accepted {
				said[i] = '1'
			}
		}
		return string(said), took, nil
	}, nil
}

// opa starts the peer; end ends it.
func (q *questionnaire) opa(ctx context.Context, dir string) (ask engine, end func(), err error) {
	program, path := filepath.Join(dir, "opa"), filepath.Join(dir, "questions.json")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = "test/peers/opa"
	if out, err := build.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("build OPA: %w\n%s", err, out)
	}
	raw, err := json.Marshal(q.peer)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the questions: %w", err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, nil, fmt.Errorf("write the questions: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, path)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("speak to OPA: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("hear OPA: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start OPA: %w", err)
	}
	read := json.NewDecoder(bufio.NewReader(out))
	ask = func() (string, []int64, error) {
		if _, err := io.WriteString(in, "go\n"); err != nil {
			return "", nil, fmt.Errorf("ask OPA: %w", err)
		}
		var a struct {
			Allowed string
			Took    []int64
		}
		if err := read.Decode(&a); err != nil {
			return "", nil, fmt.Errorf("hear OPA: %w", err)
		}
		return a.Allowed, a.Took, nil
	}
	return ask, func() { _ = in.Close(); _ = cmd.Wait() }, nil
}

// decide puts the same questions to the product's policies and to OPA in turn,
// both on the core of this process, and asks for the same answers.
func decide(ctx context.Context, dir string) ([]*decideResult, error) {
	q, err := newQuestionnaire()
	if err != nil {
		return nil, err
	}
	ours, err := q.ours()
	if err != nil {
		return nil, err
	}
	theirs, end, err := q.opa(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer end()
	results := []*decideResult{{Server: "Chargewatch (Cedar)"}, {Server: "OPA v1.22.2"}}
	var hists [2]histogram
	var answers [2]string
	// The first round of each warms up.
	for round := range decideRounds + 1 {
		order := []int{0, 1}
		if round%2 == 1 {
			order = []int{1, 0}
		}
		for _, i := range order {
			said, took, err := []engine{ours, theirs}[i]()
			if err != nil {
				return nil, err
			}
			answers[i] = said
			if round == 0 {
				continue
			}
			sum := int64(0)
			for _, ns := range took {
				hists[i].add(time.Duration(ns))
				sum += ns
			}
			results[i].rounds = append(results[i].rounds, float64(sum)/float64(len(took)))
		}
		if answers[0] != answers[1] {
			return nil, fmt.Errorf("the engines disagree: %d and %d of %d allowed", strings.Count(answers[0], "1"), strings.Count(answers[1], "1"), len(answers[0]))
		}
	}
	for i, r := range results {
		r.People, r.Sites, r.Rows = decidePeople, decideSites, len(q.rows.Rows)
		r.Decisions, r.Allowed = decideRounds*decideQuestions, decideRounds*strings.Count(answers[i], "1")
		us := func(d time.Duration) float64 { return round(float64(d)/float64(time.Microsecond), 1) }
		h := &hists[i]
		r.Mean, r.P50, r.P95, r.P99, r.Max = round(middle(r.rounds)/1000, 2), us(h.quantile(0.5)), us(h.quantile(0.95)), us(h.quantile(0.99)), us(h.max)
	}
	for i := range decideRounds {
		results[0].ratios = append(results[0].ratios, results[1].rounds[i]/results[0].rounds[i])
	}
	return results, nil
}
