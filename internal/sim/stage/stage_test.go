package stage_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/door"
	"github.com/chargewatch/chargewatch/internal/sim/raid"
	"github.com/chargewatch/chargewatch/internal/sim/stage"
)

// yard is a site of real simulated devices. Its stations find no server: what they
// would say, they keep.
func yard(t *testing.T) *stage.Site {
	t.Helper()
	hardware := sim.Hardware()
	model := hardware[slices.IndexFunc(hardware, func(m sim.Model) bool { return m.Name == "Terra 184 CC" })]
	idle, err := sim.FindScenario("idle")
	if err != nil {
		t.Fatal(err)
	}
	plan := sim.Plan{Sites: []sim.Site{{ID: "yard", TimeZone: "Europe/Berlin", FreeVend: true, Use: sim.Depot}}, Tokens: []sim.Token{{ID: "T", Type: "ISO14443"}}}
	for _, id := range []string{"A", "B"} {
		plan.Stations = append(plan.Stations, sim.Spec{ID: id, Site: "yard", Model: model, Version: sim.V16})
	}
	s := &stage.Site{ID: "yard", Card: 7, Token: plan.Tokens[0], Doors: map[string]stage.Door{raid.Gate: {ID: "gate", Number: 1}, raid.Room: {ID: "room", Number: 2}}}
	if s.Fleet, err = sim.New(sim.Options{URL: "ws://127.0.0.1:9/ocpp", Plan: plan, Scenario: idle}); err != nil {
		t.Fatal(err)
	}
	live, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := s.Fleet.Run(live); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		ended.Wait()
	})
	if s.Farm, err = camera.New(camera.Options{Listen: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Farm.Close)
	s.Cameras = map[string]stage.Camera{raid.BayCamera: {Name: "bays", View: "yard-night"}, raid.GateCamera: {Name: "gate", View: "garage"}}
	for _, c := range s.Cameras {
		if err := s.Farm.Add(camera.Spec{Name: c.Name, View: c.View}); err != nil {
			t.Fatal(err)
		}
	}
	doors, err := door.New(door.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(doors.Close)
	s.Board = doors.Add(1, time.UTC)
	for _, id := range []string{"A", "B"} {
		s.Ports = append(s.Ports, stage.Port{Station: id, EVSE: 1, Bay: -1}, stage.Port{Station: id, EVSE: 2, Bay: -1})
	}
	return s
}

// heard collects what was done.
type heard struct {
	mu   sync.Mutex
	list []stage.Line
}

func (h *heard) tell(l stage.Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, l)
}

func (h *heard) deeds() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, l := range h.list {
		out = append(out, l.Do)
	}
	return out
}

func (h *heard) has(do string) bool { return slices.Contains(h.deeds(), do) }

// Each story can be played with what a site has, in the order in which it is told, and
// leaves the site as it was.
func TestStoriesPlayAndHeal(t *testing.T) {
	for _, kind := range slices.Concat(raid.Kinds(), raid.Others(), raid.Nights()) {
		if kind == "withSessions" || kind == "night-late-driver" {
			continue // cars charge only where a server is: the demo's test
		}
		t.Run(kind, func(t *testing.T) {
			s := yard(t)
			here := 0
			s.Work = func(_ context.Context, _ string, in bool) error {
				here += map[bool]int{true: 1, false: -1}[in]
				return nil
			}
			story, err := raid.Draw(5, kind)
			if err != nil {
				t.Fatal(err)
			}
			var h heard
			if err := stage.Play(t.Context(), s, story, stage.Options{Seed: 5, Speed: 1e6, Tell: h.tell}); err != nil {
				t.Fatal(err)
			}
			deeds := h.deeds()
			if deeds[0] != stage.Begins || !slices.Equal(deeds[len(deeds)-2:], []string{stage.Over, stage.Healed}) {
				t.Fatalf("it went %v", deeds)
			}
			if h.has(stage.Cut) != !story.Cut.IsZero() || here != 0 {
				t.Errorf("harm: %v of %v; %d technicians are left there", h.has(stage.Cut), !story.Cut.IsZero(), here)
			}
			whole(t, s)
		})
	}
}

// whole looks that nothing of a story is left.
func whole(t *testing.T, s *stage.Site) {
	t.Helper()
	for _, p := range s.Ports {
		st, _ := s.Fleet.Station(p.Station)
		if now := st.Port(p.EVSE); now.Status != sim.Available || now.Fault || now.Tx {
			t.Errorf("%s/%d is %+v", p.Station, p.EVSE, now)
		}
	}
	for _, c := range s.Cameras {
		if scene, _, err := s.Farm.Showing(c.Name); err != nil || scene != "" {
			t.Errorf("camera %s shows %q: %v", c.Name, scene, err)
		}
	}
}

func TestAStoryThatIsStoppedHealsToo(t *testing.T) {
	s := yard(t)
	story, err := raid.Draw(20, "idle")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var h heard
	tell := func(l stage.Line) {
		h.tell(l)
		if l.Do == string(raid.Breaks) {
			stop()
		}
	}
	if err := stage.Play(ctx, s, story, stage.Options{Speed: 1e6, Tell: tell}); err != nil {
		t.Fatal(err)
	}
	if h.has(stage.Over) || !h.has(stage.Healed) || !h.has(string(raid.Breaks)) {
		t.Errorf("it went %v", h.deeds())
	}
	whole(t, s)
}

func TestASiteWithoutCamerasAndDoorsPlaysWhatItHas(t *testing.T) {
	s := yard(t)
	s.Farm, s.Cameras, s.Board, s.Doors = nil, nil, nil, nil
	story, err := raid.Draw(211, "cabinet")
	if err != nil {
		t.Fatal(err)
	}
	var h heard
	if err := stage.Play(t.Context(), s, story, stage.Options{Speed: 1e6, Tell: h.tell}); err != nil {
		t.Fatal(err)
	}
	if h.has(string(raid.Forces)) || h.has(string(raid.Comes)) || !h.has(string(raid.Tampers)) {
		t.Errorf("it went %v", h.deeds())
	}
}

// Waiting is cut short to what is asked for, and divided by the speed.
func TestHowLongAStoryTakes(t *testing.T) {
	at := time.Unix(0, 0)
	story := &raid.Story{Begin: at, Curtain: at, Cut: at.Add(10 * time.Second), End: at.Add(5 * time.Minute), Acts: []raid.Act{
		{At: at.Add(10 * time.Second), Do: raid.Breaks, EVSE: 1}, {At: at.Add(70 * time.Second), Do: raid.Comes, For: 8 * time.Second, What: event.ScenePerson},
	}}
	for sentence, c := range map[string]struct {
		o    stage.Options
		want time.Duration
	}{
		"as told":                {stage.Options{}, 5 * time.Minute},
		"without long waiting":   {stage.Options{Pause: 20 * time.Second}, 58 * time.Second},
		"and faster":             {stage.Options{Pause: 20 * time.Second, Speed: 2}, 29 * time.Second},
		"faster without cutting": {stage.Options{Speed: 10}, 30 * time.Second},
	} {
		if got := stage.Long(story, c.o); got != c.want {
			t.Errorf("%s: %s, want %s", sentence, got, c.want)
		}
	}
}

func TestWrongUseIsSaid(t *testing.T) {
	t.Setenv("TOKEN_OF_TEST", "secret")
	for sentence, args := range map[string][]string{
		"unknown kind":  {"--kind", "picnic", "--token-env", "TOKEN_OF_TEST"},
		"no token":      {"--token-env", "NOBODY_SET_THIS"},
		"no such sense": {"--senses", "smell", "--token-env", "TOKEN_OF_TEST"},
		"no speed":      {"--speed", "0", "--token-env", "TOKEN_OF_TEST"},
		"no story":      {"--count", "0", "--token-env", "TOKEN_OF_TEST"},
		"further words": {"--token-env", "TOKEN_OF_TEST", "now"},
		"unknown flag":  {"--loud"},
	} {
		var out, err strings.Builder
		if status := stage.Main(t.Context(), args, &out, &err); status != 2 || !strings.HasPrefix(err.String(), "sim raid: ") || out.Len() > 0 {
			t.Errorf("%s: status %d, %q, %q", sentence, status, out.String(), err.String())
		}
	}
}

// A server that refuses is told of with what it says, and nothing of ours stays there.
func TestAServerThatRefusesIsLeftAsItWas(t *testing.T) {
	var mu sync.Mutex
	there := make(map[string]bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		path := strings.TrimPrefix(r.URL.Path, "/api/v1")
		switch {
		case r.Header.Get("Authorization") != "Bearer secret":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodDelete:
			delete(there, path)
		case path == "/stations" && len(there) >= 2:
			http.Error(w, "that is enough", http.StatusConflict)
		case r.Method == http.MethodPost:
			var body struct{ ID string }
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			there[path+"/"+body.ID] = true
			w.Write([]byte("{}"))
		}
	}))
	defer server.Close()
	t.Setenv("TOKEN_OF_TEST", "secret")
	var out, err strings.Builder
	args := []string{"--api", server.URL, "--url", "ws://127.0.0.1:9/ocpp", "--token-env", "TOKEN_OF_TEST", "--senses", "charger"}
	if status := stage.Main(t.Context(), args, &out, &err); status != 1 || !strings.Contains(err.String(), "that is enough") {
		t.Errorf("status %d, %q", status, err.String())
	}
	mu.Lock()
	defer mu.Unlock()
	if len(there) > 0 {
		t.Errorf("left there: %v", there)
	}
}
