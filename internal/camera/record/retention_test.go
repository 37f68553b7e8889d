package record_test

import (
	"crypto/ed25519"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/record/recordtest"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// kept says which of ten minutes are still there.
func (s *studio) kept() string {
	s.t.Helper()
	out := []byte("..........")
	for _, g := range s.segments(noon(), noon().Add(time.Hour)) {
		out[g.Seq-1] = "cei!"[g.Class]
		f, err := s.Store.Open(g)
		if err != nil {
			s.t.Errorf("segment %d: %v", g.Seq, err)
			continue
		}
		_ = f.Close()
	}
	return string(out)
}

func at(minute int) time.Time { return noon().Add(time.Duration(minute)*time.Minute + 10*time.Second) }

func TestRetention(t *testing.T) {
	const mb = 590_000 // a minute of the clip
	for sentence, c := range map[string]struct {
		age    time.Duration // of the first picture
		limits record.Limits
		holds  []record.Hold
		free   uint64 // of 100 GB
		want   string
	}{
		"young recordings stay":            {age: 71 * time.Hour, want: "cccccccccc"},
		"what is older than promised goes": {age: 72*time.Hour + 310*time.Second, want: ".....ccccc"},
		"a camera may have its own time": {
			age: 5*time.Hour + 190*time.Second, limits: record.Limits{Cameras: map[string]record.Keep{"yard-1": {Continuous: 5 * time.Hour}}}, want: "...ccccccc",
		},
		"an incident keeps what it needs": {
			age: 80 * time.Hour, holds: []record.Hold{{ID: "i", Camera: "yard-1", From: at(2), To: at(4), Class: record.Incident}}, want: "..iii.....",
		},
		"and no longer than incidents are kept": {
			age: 31 * 24 * time.Hour, holds: []record.Hold{{ID: "i", Camera: "yard-1", From: at(2), To: at(4), Class: record.Incident}}, want: "..........",
		},
		"evidence stays": {
			age: 1000 * 24 * time.Hour, holds: []record.Hold{{ID: "i", Camera: "yard-1", From: at(2), To: at(4), Class: record.Evidence}}, want: "..!!!.....",
		},
		"evidence of another camera holds nothing": {
			age: 1000 * 24 * time.Hour, holds: []record.Hold{{ID: "i", Camera: "yard-2", From: at(2), To: at(4), Class: record.Evidence}}, want: "..........",
		},
		"a hold ends when it was said to": {
			age: 100 * time.Hour, holds: []record.Hold{{ID: "i", Camera: "yard-1", From: at(2), To: at(4), Class: record.Incident, Until: noon().Add(90 * time.Hour)}}, want: "..........",
		},
		"a bound of bytes takes the oldest": {
			age: time.Hour, limits: record.Limits{Cameras: map[string]record.Keep{"yard-1": {Bytes: 4 * mb}}}, want: "......cccc",
		},
		"a bound of bytes spares incidents while there is anything else, and evidence always": {
			age: time.Hour, limits: record.Limits{Cameras: map[string]record.Keep{"yard-1": {Bytes: 3 * mb}}}, want: "!......i.c",
			holds: []record.Hold{
				{ID: "e", Camera: "yard-1", From: at(0), To: at(0).Add(time.Second), Class: record.Evidence},
				{ID: "i", Camera: "yard-1", From: at(7), To: at(7).Add(time.Second), Class: record.Incident},
			},
		},
		"a site has a bound": {
			age: time.Hour, limits: record.Limits{Cameras: map[string]record.Keep{"yard-1": {Site: "hh"}}, Sites: map[string]int64{"hh": 2 * mb}}, want: "........cc",
		},
		"all have a bound":         {age: time.Hour, limits: record.Limits{Bytes: 6 * mb}, want: "....cccccc"},
		"the disk has enough room": {age: time.Hour, free: 11 << 30, want: "cccccccccc"},
		"the disk has little room": {age: time.Hour, free: 9 << 30, want: ".........."},
	} {
		t.Run(sentence, func(t *testing.T) {
			o := record.Options{}
			if c.free > 0 {
				o.Space = func() (uint64, uint64, error) { return c.free, 100 << 30, nil }
			}
			s := open(t, t.TempDir(), o)
			s.film(recordtest.Plain, noon(), record.Always, "")
			s.play(10*time.Minute - 2*time.Second)
			s.cutOff()
			for _, h := range c.holds {
				if err := s.Store.Hold(h); err != nil {
					t.Fatal(err)
				}
			}
			now := noon().Add(c.age)
			s.Store.SetLimits(c.limits)
			s.again.now.Store(now.UnixNano())
			if err := s.Store.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.kept(); got != c.want {
				t.Errorf("kept %s, want %s", got, c.want)
			}
			s.chained()
		})
	}
}

// chained goes along the chain: what is missing must be said to be removed.
func (s *studio) chained() {
	s.t.Helper()
	var link segment.Sum
	seq := uint64(0)
	list := s.segments(noon().Add(-time.Hour), noon().Add(time.Hour))
	stones := s.Store.Removed(yard)
	for len(list) > 0 || len(stones) > 0 {
		if len(stones) > 0 && stones[0].First == seq+1 && stones[0].Prev == link {
			seq, link, stones = stones[0].Last, stones[0].Link, stones[1:]
			continue
		}
		if len(list) == 0 || list[0].Seq != seq+1 || list[0].Prev != link {
			s.t.Fatalf("the chain is broken behind %d", seq)
		}
		seq, link, list = list[0].Seq, list[0].Link, list[1:]
	}
	if h := s.Store.Heads(); len(h) != 1 || h[0].Seq != seq || h[0].Link != link {
		s.t.Errorf("head %+v, the chain ends with %d", h, seq)
	}
}

func TestWhatIsRemovedIsSignedAndTheChainGoesOnFromIt(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir(), record.Options{Sign: func(b []byte) []byte { return ed25519.Sign(private, b) }})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(4 * time.Minute)
	s.cutOff()
	for _, age := range []time.Duration{74 * time.Hour, 74*time.Hour + time.Minute} {
		s.again.now.Store(noon().Add(age).UnixNano())
		if err := s.Store.Retain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if list := s.segments(noon(), noon().Add(time.Hour)); len(list) != 0 {
		t.Fatalf("%d are left", len(list))
	}
	files, _ := filepath.Glob(s.data.Name() + "/video/yard-1/main/2*")
	if len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
	stones := s.Store.Removed(yard)
	if len(stones) != 1 || stones[0].First != 1 || stones[0].Last != 4 || stones[0].Reason != "age" || !ed25519.Verify(public, stones[0].Payload(), stones[0].Sign) {
		t.Fatalf("%+v", stones)
	}
	s.cutOff()
	s.film(recordtest.Plain, noon().Add(75*time.Hour), record.Always, "")
	s.play(time.Minute)
	s.cutOff()
	list := s.segments(noon().Add(75*time.Hour), noon().Add(76*time.Hour))
	if len(list) == 0 || list[0].Seq != 5 || list[0].Prev != stones[0].Link {
		t.Errorf("the chain does not go on")
	}
}

func TestARemovalThatACrashInterruptedIsFinished(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(4*time.Minute - 2*time.Second)
	s.stop()
	s.run()
	db, err := sql.Open("sqlite", folder+"/video/index.db")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE segment SET going = 1 WHERE seq < 3`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(folder + "/video/yard-1/main/*/*/*.mp4")
	if err := os.Remove(files[0]); err != nil { // it was at it
		t.Fatal(err)
	}
	again := open(t, folder, record.Options{})
	if list := again.segments(noon(), noon().Add(time.Hour)); len(list) != 2 || list[0].Seq != 3 {
		t.Errorf("%d are left", len(list))
	}
	if files, _ := filepath.Glob(folder + "/video/yard-1/main/*/*/*.mp4"); len(files) != 2 {
		t.Errorf("files: %v", files)
	}
}

func TestWhatIsHeldOutlivesARestart(t *testing.T) {
	s := open(t, t.TempDir(), record.Options{})
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(time.Minute)
	for _, h := range []record.Hold{
		{ID: "a", Camera: "yard-1", From: at(0), To: at(1), Class: record.Incident}, {ID: "b", Camera: "yard-1", From: at(0), To: at(1), Class: record.Evidence},
	} {
		if err := s.Store.Hold(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Store.Release("a"); err != nil {
		t.Fatal(err)
	}
	for _, h := range []record.Hold{{}, {ID: "x", Camera: "..", From: at(0), To: at(1), Class: record.Evidence}, {ID: "x", Camera: "yard-1", From: at(1), To: at(0), Class: record.Evidence}} {
		if err := s.Store.Hold(h); err == nil {
			t.Errorf("%+v is held", h)
		}
	}
	s.cutOff()
	if h := s.Store.Holds("yard-1"); len(h) != 1 || h[0].ID != "b" {
		t.Errorf("held %+v", h)
	}
}

func TestTheEffectiveTimeIsComparedWithThePromise(t *testing.T) {
	free := uint64(0)
	s := open(t, t.TempDir(), record.Options{Space: func() (uint64, uint64, error) { return free, 100 << 30, nil }})
	free = 50 << 30
	s.film(recordtest.Plain, noon(), record.Always, "")
	s.play(20 * time.Minute)
	s.cutOff()
	s.again.now.Store(noon().Add(20 * time.Minute).UnixNano())
	day := int64(0)
	for sentence, c := range map[string]struct {
		limits func() record.Limits
		free   uint64
		days   float64
		by     string
	}{
		"nothing limits it": {func() record.Limits { return record.Limits{} }, 50 << 30, 3, ""},
		"bytes of the camera": {func() record.Limits {
			return record.Limits{Cameras: map[string]record.Keep{"yard-1": {Bytes: day}}}
		}, 50 << 30, 1, "bytes"},
		"bytes of all": {func() record.Limits { return record.Limits{Bytes: 2 * day} }, 50 << 30, 2, "volume"},
		"the disk":     {func() record.Limits { return record.Limits{} }, 10<<30 + 1<<28, 0.336, "disk"},
	} {
		t.Run(sentence, func(t *testing.T) {
			if err := s.Store.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if u, ok := s.Store.Usage("yard-1"); ok {
				day = int64(u.PerDay)
			}
			free = c.free
			s.Store.SetLimits(c.limits())
			if err := s.Store.Retain(t.Context()); err != nil {
				t.Fatal(err)
			}
			u, _ := s.Store.Usage("yard-1")
			if got := u.Effective.Hours() / 24; got < c.days*0.97 || got > c.days*1.03 || u.LimitedBy != c.by || u.Promised != 72*time.Hour {
				t.Errorf("%.2f days by %q (%+v)", got, u.LimitedBy, u)
			}
		})
	}
}
