package servertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
)

// harmless are the habits that change how a session is told, not how much was
// charged: an oracle that hears only frames can still keep book.
var harmless = []sim.Quirks{
	0, sim.LongSerial, sim.Clock1970, sim.ResendStop, sim.StatusBeforeBoot, sim.StringConnector, sim.LowerCaseUnits, sim.TwoInFlight,
	sim.BootOnce, sim.StaleFault, sim.NumericValues, sim.SpacedErrorCode, sim.LongInfo, sim.NoZone,
}

// A hundred stations of three versions with the habits of real ones flush what
// happened while they were away, live through some hours, and stop. Every
// session whose end was acknowledged is in our books with the same energy, and
// so it is after a restart.
func TestAHundredStations(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	plan := sim.Plan{Tokens: sim.Tokens(7, 40)}
	for i, v := range []sim.Version{sim.V16, sim.V201, sim.V21} {
		p := sim.Park([]int{60, 25, 15}[i], v, fmt.Sprintf("P%d-", i), uint64(i))
		plan.Sites = p.Sites
		plan.Stations = append(plan.Stations, p.Stations...)
	}
	r := rand.New(rand.NewPCG(7, 7))
	for i := range plan.Stations {
		x := &plan.Stations[i]
		x.Quirks, x.Model.Quirks = harmless[r.IntN(len(harmless))], 0
		s.Enrol(t, x.ID)
	}
	for _, token := range plan.Tokens {
		s.Credential(t, token.ID)
	}
	scenario, err := sim.FindScenario("offline-flush")
	if err != nil {
		t.Fatal(err)
	}
	books := newOracle(t)
	stations, err := sim.New(sim.Options{
		URL: "ws://" + s.OCPPAddress() + "/ocpp", Plan: plan, Scenario: scenario, Seed: 7, Speed: 60, Start: time.Now().Add(-2 * time.Hour), // never ahead of the true time, so no clock seems wrong
		History: 8 * time.Hour, Replay: true, Ramp: time.Second, Observe: books.observe,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Second)
	defer stop()
	var work sync.WaitGroup
	work.Go(func() {
		if err := stations.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for books.finished() < 300 && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	work.Wait()
	if x := stations.Stats(); strings.Contains(x.LastDialError, "409") || x.Garbled > 0 || x.Stray > 0 {
		t.Errorf("the stations met trouble: %+v", x)
	}
	servertest.Eventually(t, "the end of all connections", func() bool {
		for st := range s.Journal.Snapshot().Stations() {
			if st.Online {
				return false
			}
		}
		return true
	})

	books.mu.Lock()
	defer books.mu.Unlock()
	if len(books.completed) < 100 || books.answered < 1000 {
		t.Errorf("only %d sessions and %d answers: the test shows too little", len(books.completed), books.answered)
	}
	for i, frame := range books.refused {
		if i < 5 {
			t.Errorf("refused: %s", frame)
		}
	}
	compare := func(when string) {
		faults := 0
		for k, want := range books.completed {
			got := sessionOf(t, s, k)
			if got != nil && math.Abs(got.EnergyWh-(want.last-want.first)) < 0.5 && got.State == fleet.SessionEnded {
				continue
			}
			if faults++; faults <= 5 {
				t.Errorf("%s: %v from %v to %v, %v Wh; ours: %+v", when, k, want.first, want.last, want.last-want.first, got)
			}
		}
		if faults > 0 {
			t.Errorf("%s: %d of %d sessions differ", when, faults, len(books.completed))
		}
	}
	compare("live")
	s.Stop() // what the server itself was doing for a station ends with it
	before := stationsOf(t, s)
	s = servertest.In(t, folder)
	after := stationsOf(t, s)
	for id, want := range before {
		if after[id] != want {
			t.Errorf("after a restart\n%s\nbefore\n%s", after[id], want)
		}
	}
	compare("after a restart")
}

// sessionOf finds our session of a station's transaction.
func sessionOf(t *testing.T, s *servertest.Server, k sessionKey) *fleet.Session {
	t.Helper()
	var page journal.Cursor
	for {
		list, next, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: k.station, Limit: 1000, Before: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.TransactionID == k.transaction {
				return x
			}
		}
		if next == "" {
			return nil
		}
		page = next
	}
}

// stationsOf returns the live state of all stations as text.
func stationsOf(t *testing.T, s *servertest.Server) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for st := range s.Journal.Snapshot().Stations() {
		text, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		out[st.ID] = string(text)
	}
	return out
}
