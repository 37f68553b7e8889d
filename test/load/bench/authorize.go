package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// authorizeResult is cards shown at stations while all of them report.
type authorizeResult struct {
	Server   string  `json:"server"`
	Stations int     `json:"stations"`
	People   int     `json:"people"`
	Sites    int     `json:"sites"`
	Policies int     `json:"policies"`
	PerSec   float64 `json:"callsPerSecond"`
	Accepted int64   `json:"accepted"`
	Refused  int64   `json:"refused"`
	Core     float64 `json:"serverCoreShare"`
	Latency  latency `json:"latency"` // of Authorize, from the intended send time
	Others   latency `json:"others"`  // of the other calls
	Failed   int64   `json:"failedStations"`
}

func (r *authorizeResult) row() (head, row []string) {
	lat := func(l latency) string { return fmt.Sprintf("%.2f / %.2f / %.2f / %.0f", l.P50, l.P95, l.P99, l.Max) }
	return []string{"server", "stations", "people", "sites", "policies", "calls/s", "Authorize", "accepted", "refused", "server core %", "Authorize p50 / p95 / p99 / max ms", "other calls", "stations lost"},
		[]string{
			r.Server, fmt.Sprint(r.Stations), fmt.Sprint(r.People), fmt.Sprint(r.Sites), fmt.Sprint(r.Policies), fmt.Sprintf("%.0f", r.PerSec), fmt.Sprint(r.Latency.Count), fmt.Sprint(r.Accepted),
			fmt.Sprint(r.Refused), fmt.Sprintf("%.0f", r.Core*100), lat(r.Latency), lat(r.Others), fmt.Sprint(r.Failed),
		}
}

const (
	authorizePeople = 10_000
	authorizeSites  = 200
	authorizeGroups = 50
	authorizeEach   = 10 // every tenth call of a station is an Authorize
)

func cardOf(person int) string { return fmt.Sprintf("CARD%06d", person) }

// authorize lets stations report once a second; each tenth call shows a card of
// one of ten thousand people, whose groups may charge at some of the sites.
func authorize(ctx context.Context, srv *server, n int, length time.Duration) (*authorizeResult, error) {
	r := &authorizeResult{Server: srv.name, Stations: n, People: authorizePeople, Sites: authorizeSites}
	var err error
	if r.Policies, err = settle(ctx, srv.api, n); err != nil {
		return nil, err
	}
	stations, _, err := connectAll(ctx, &srv.target, "LOAD-", n, 64)
	if err != nil {
		return nil, err
	}
	defer closeAll(stations)
	start := time.Now().Add(500 * time.Millisecond)
	end := start.Add(length)
	cpu := srv.cpu()
	var failed, accepted, refused, calls atomic.Int64
	hists := make([]histogram, n)
	var wg sync.WaitGroup
	for i, s := range stations {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(uint64(s.n), 7))
			at := start.Add(time.Duration(s.n) * time.Second / time.Duration(n))
			for k := int64(s.n); at.Before(end) && ctx.Err() == nil; k++ {
				time.Sleep(time.Until(at))
				var err error
				if k%authorizeEach == 0 {
					var yes bool
					if yes, err = s.authorize(cardOf(dice.IntN(authorizePeople))); err == nil {
						hists[i].add(time.Since(at))
						if yes {
							accepted.Add(1)
						} else {
							refused.Add(1)
						}
					}
				} else if err = s.alternate(k, time.Now()); err == nil {
					s.done(at)
				}
				if err != nil {
					failed.Add(1)
					return
				}
				calls.Add(1)
				at = at.Add(time.Second)
			}
		})
	}
	wg.Wait()
	took := time.Since(start).Seconds()
	var h, others histogram
	for i, s := range stations {
		h.merge(&hists[i])
		others.merge(s.hist)
	}
	r.Latency, r.Others, r.Failed, r.Accepted, r.Refused = h.latency(), others.latency(), failed.Load(), accepted.Load(), refused.Load()
	r.PerSec, r.Core = round(float64(calls.Load())/took, 1), round((srv.cpu()-cpu).Seconds()/took, 3)
	if ctx.Err() == nil && (r.Accepted == 0 || r.Refused == 0) {
		return r, fmt.Errorf("%d cards accepted and %d refused: the policies decide nothing", r.Accepted, r.Refused)
	}
	return r, ctx.Err()
}

func (s *station) authorize(card string) (accepted bool, err error) {
	answer, err := s.call(call("Authorize", `{"idTag":"`+card+`"}`), time.Now())
	if err != nil {
		return false, err
	}
	var a struct {
		IDTagInfo struct{ Status string } `json:"idTagInfo"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return false, fmt.Errorf("answer to Authorize: %s", answer)
	}
	return a.IDTagInfo.Status == "Accepted", nil
}

// settle makes the operator: sites with their stations, people with cards, and
// who may charge where; it tells how many policies there are.
func settle(ctx context.Context, a *api, stations int) (policies int, err error) {
	for i := range authorizeSites {
		if err := a.do(ctx, http.MethodPost, "/api/v1/sites", map[string]any{"id": fmt.Sprintf("s%d", i), "name": fmt.Sprintf("Site %d", i), "timezone": "Europe/Berlin"}, nil); err != nil {
			return 0, err
		}
	}
	var csv bytes.Buffer
	csv.WriteString("id,siteId,profile\n")
	for i := range stations {
		fmt.Fprintf(&csv, "%s,s%d,0\n", newStation("LOAD-", i).id, i%authorizeSites)
	}
	if err := a.send(ctx, http.MethodPost, "/api/v1/stations/import", "text/csv", csv.Bytes(), nil); err != nil {
		return 0, err
	}
	csv.Reset()
	csv.WriteString("name,mail,groups,kind,idToken\n")
	for i := range authorizePeople {
		fmt.Fprintf(&csv, "Person %d,p%d@example.org,group %d,rfid,%s\n", i, i, i%authorizeGroups, cardOf(i))
	}
	if err := a.send(ctx, http.MethodPost, "/api/v1/people/import", "text/csv", csv.Bytes(), nil); err != nil {
		return 0, err
	}
	var groups []string
	if err := pages(ctx, a, "/api/v1/access/groups", url.Values{}, func(g struct{ ID string }) { groups = append(groups, g.ID) }); err != nil {
		return 0, err
	}
	if len(groups) != authorizeGroups {
		return 0, fmt.Errorf("%d groups came of the import", len(groups))
	}
	// A new server lets everybody charge everywhere.
	var given []string
	if err := pages(ctx, a, "/api/v1/policies", url.Values{}, func(p struct{ ID string }) { given = append(given, p.ID) }); err != nil {
		return 0, err
	}
	for _, id := range given {
		if err := a.do(ctx, http.MethodDelete, "/api/v1/policies/"+id, nil, nil); err != nil {
			return 0, err
		}
	}
	for s := range authorizeSites {
		for k := range 5 {
			if err := a.do(ctx, http.MethodPost, "/api/v1/policies", map[string]any{
				"name": fmt.Sprintf("Group %d at %d", k, s), "to": []any{map[string]any{"group": groups[(s+k*10)%len(groups)]}},
				"kinds": []string{"evse"}, "sites": []string{fmt.Sprintf("s%d", s)},
			}, nil); err != nil {
				return policies, err
			}
			policies++
		}
	}
	return policies, nil
}
