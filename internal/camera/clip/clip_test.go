package clip

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"
)

// shelf keeps what it is told to.
type shelf struct {
	kept     map[string]Clip
	writes   int
	recorded map[string]time.Time
	full     bool
}

func (s *shelf) Keep(c Clip) error {
	if s.full {
		return errors.New("full")
	}
	s.writes++
	s.kept[c.ID()] = c
	return nil
}

func (s *shelf) Kept() (out []Clip) {
	for id, c := range s.kept {
		incident, camera, err := ParseID(id)
		if err != nil || incident != c.Incident || camera != c.Camera {
			panic(id)
		}
		out = append(out, c)
	}
	return out
}

func (s *shelf) Record(camera string, until time.Time) { s.recorded[camera] = until }

func TestAClipBeginsBeforeTheIncidentAndGrowsWhileItLasts(t *testing.T) {
	at := time.Date(2026, 5, 1, 2, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		severity string
		lasts    time.Duration // until it is over; 0: it goes on
		now      time.Duration
		want     time.Duration // until when, from its beginning on; -1: no clip
	}{
		"it has just begun":               {"S1", 0, time.Second, 30 * time.Second},
		"it goes on":                      {"S1", 0, 3*time.Minute + 10*time.Second, 4 * time.Minute},
		"it is over":                      {"S1", 3 * time.Minute, 3 * time.Minute, 3*time.Minute + 30*time.Second},
		"it was over at once":             {"S2", time.Second, time.Second, 31 * time.Second},
		"it lasts for hours":              {"S2", 0, 3 * time.Hour, 10 * time.Minute},
		"a small one is a moment":         {"S3", 0, 3 * time.Hour, 30 * time.Second},
		"a note has none":                 {"S4", 0, time.Second, -1},
		"an alarm of long ago that ended": {"S1", 5 * time.Hour, 6 * time.Hour, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{kept: make(map[string]Clip), recorded: make(map[string]time.Time)}
			k := New(Options{
				Recordings: s, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return at.Add(tc.now) },
				Cameras: func(string) []string { return []string{"gate", "bays"} },
			})
			in := Incident{ID: "i/1", SiteID: "mall", Severity: tc.severity, OpenedAt: at, Cameras: []string{"bays"}}
			if tc.lasts > 0 {
				in.EndedAt = at.Add(tc.lasts)
			}
			k.Take(t.Context(), in)
			clips := k.Of("i/1")
			if tc.want < 0 {
				if len(clips) != 0 {
					t.Errorf("kept %v", clips)
				}
				return
			}
			if len(clips) != 2 || clips[0].Camera != "bays" || !clips[0].From.Equal(at.Add(-10*time.Second)) || !clips[0].To.Equal(at.Add(tc.want)) {
				t.Fatalf("kept %+v, want until %v", clips, at.Add(tc.want))
			}
			if _, asked := s.recorded["gate"]; asked != (tc.want > tc.now) {
				t.Errorf("asked to record: %v", s.recorded)
			}
			writes := s.writes
			k.Take(t.Context(), in)
			if s.writes != writes {
				t.Error("what has not changed was kept again")
			}
			again := New(Options{Recordings: s, Cameras: func(string) []string { return []string{"new"} }, Logger: slog.New(slog.DiscardHandler), Now: k.o.Now})
			again.Take(t.Context(), in)
			if got := again.Of("i/1"); !slices.Equal(got, clips) {
				t.Errorf("after a restart %+v", got)
			}
		})
	}
}

func TestAnIncidentOfNowhereOrWithoutRoomKeepsNothing(t *testing.T) {
	s := &shelf{kept: make(map[string]Clip), recorded: make(map[string]time.Time), full: true}
	k := New(Options{Recordings: s, Logger: slog.New(slog.DiscardHandler), Cameras: func(string) []string { return []string{"gate"} }})
	k.Take(t.Context(), Incident{ID: "a", Severity: "S1", OpenedAt: time.Now()})
	k.Take(t.Context(), Incident{ID: "b", SiteID: "mall", Severity: "S1", OpenedAt: time.Now()})
	if len(k.Of("a")) != 0 || len(k.Of("b")) != 0 || len(s.recorded) != 0 {
		t.Errorf("kept %v %v, recorded %v", k.Of("a"), k.Of("b"), s.recorded)
	}
	s.full = false
	k.grow(t.Context()) // it still lasts, and now there is room
	if len(k.Of("b")) != 1 {
		t.Error("not tried again")
	}
	for _, id := range []string{"", "incident/", "incident//x", "incident/x/", "evidence/x/y"} {
		if _, _, err := ParseID(id); !errors.Is(err, ErrID) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestAClipThatIsHeldNoMoreIsForgotten(t *testing.T) {
	now := time.Date(2026, 5, 1, 2, 0, 0, 0, time.UTC)
	s := &shelf{kept: make(map[string]Clip), recorded: make(map[string]time.Time)}
	k := New(Options{Recordings: s, Cameras: func(string) []string { return []string{"gate", "yard"} }, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	over := now.Add(time.Minute)
	k.Take(t.Context(), Incident{ID: "over", SiteID: "mall", Severity: "S2", OpenedAt: now, EndedAt: over})
	k.Take(t.Context(), Incident{ID: "lasts", SiteID: "mall", Severity: "S1", OpenedAt: now})
	k.forget()
	if len(k.Of("over")) != 2 || len(k.Of("lasts")) != 2 {
		t.Fatalf("what is held is forgotten: %v, %v", k.Of("over"), k.Of("lasts"))
	}
	for _, id := range []string{"incident/over/gate", "incident/lasts/gate"} {
		delete(s.kept, id)
	}
	k.forget()
	if left := k.Of("over"); len(left) != 1 || left[0].Camera != "yard" || len(k.Of("lasts")) != 2 {
		t.Errorf("left %v, %v", left, k.Of("lasts"))
	}
	delete(s.kept, "incident/over/yard")
	k.forget()
	if _, there := k.clips["over"]; there {
		t.Error("an incident without clips stays in memory")
	}
}
