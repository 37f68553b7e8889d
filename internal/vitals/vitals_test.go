package vitals

import (
	"testing"
	"time"
)

// bed is a server that is as well as the test says.
type bed struct {
	*Monitor
	c      Counters
	wall   time.Time
	steady time.Duration
}

func newBed() *bed {
	b := &bed{wall: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	b.c = Counters{Ready: true, Queue: 4096, BackupAt: b.wall, BackupNeeded: true, DiskName: "fine"}
	b.Monitor = New(Options{
		Keep: 4, Look: func() Counters { return b.c },
		Clock: func() (time.Time, time.Duration) { return b.wall, b.steady },
	})
	return b
}

func (b *bed) pass(d time.Duration) {
	b.wall, b.steady = b.wall.Add(d), b.steady+d
	b.Look()
}

func (b *bed) verdict(t *testing.T, part string) Verdict {
	t.Helper()
	for _, v := range b.Health().Verdicts {
		if v.Part == part {
			return v
		}
	}
	t.Fatalf("no verdict on %s", part)
	return Verdict{}
}

func TestRatesAreOfTheTimeBetweenTwoLooks(t *testing.T) {
	b := newBed()
	b.c.Events, b.c.FramesAdded, b.c.LivePassed = 500, 50, 5
	b.pass(5 * time.Second)
	r := b.Health().Now
	if r.EventsPerSecond != 100 || r.FramesPerSecond != 10 || r.SlowPerSecond != 1 {
		t.Errorf("%+v", r)
	}
	b.pass(5 * time.Second)
	if r := b.Health().Now; r.EventsPerSecond != 0 {
		t.Errorf("nothing happened: %+v", r)
	}
	b.c.Events = 10 // a counter that began again
	b.pass(5 * time.Second)
	if r := b.Health().Now; r.EventsPerSecond != 0 {
		t.Errorf("a counter went back: %+v", r)
	}
}

func TestReadingsAreARing(t *testing.T) {
	b := newBed()
	if h := b.Health(); h.Now.At.IsZero() || len(b.History()) != 1 {
		t.Error("the first question finds a reading")
	}
	for range 9 {
		b.pass(time.Second)
	}
	all := b.History()
	if len(all) != 4 || !all[3].At.Equal(b.wall) {
		t.Fatalf("%d readings up to %s", len(all), all[len(all)-1].At)
	}
	for i := range all[1:] {
		if !all[i].At.Before(all[i+1].At) {
			t.Error("not in order")
		}
	}
}

func TestVerdicts(t *testing.T) {
	for name, tc := range map[string]struct {
		ill   func(*Counters)
		part  string
		state State
		words string
	}{
		"all is well":              {func(*Counters) {}, "journal", OK, "journal.ok"},
		"the journal is down":      {func(c *Counters) { c.Ready = false }, "journal", Failing, "journal.down"},
		"commits are slow":         {func(c *Counters) { c.CommitP99 = 300 * time.Millisecond }, "journal", Degraded, "journal.slow"},
		"the queue is half full":   {func(c *Counters) { c.Waiting = 3000 }, "journal", Degraded, "journal.crowded"},
		"telemetry is behind":      {func(c *Counters) { c.Seq, c.StoreSeq, c.LiveSeq = 9000, 9000, 9000 }, "telemetry", Degraded, "telemetry.behind"},
		"telemetry is far behind":  {func(c *Counters) { c.Seq, c.StoreSeq, c.LiveSeq = 2e5, 2e5, 2e5 }, "telemetry", Failing, "telemetry.behind"},
		"a small lag":              {func(c *Counters) { c.Seq = 100 }, "store", OK, "store.ok"},
		"the disk is low":          {func(c *Counters) { c.DiskStage = 1 }, "disk", Degraded, "disk.low"},
		"the disk is full":         {func(c *Counters) { c.DiskStage = 4 }, "disk", Failing, "disk.full"},
		"the reserve is used":      {func(c *Counters) { c.DiskStage = 3 }, "disk", Failing, "disk.reserve"},
		"memory is short":          {func(c *Counters) { c.MemoryLimit, c.MemoryBytes = 100, 95 }, "memory", Degraded, "memory.near"},
		"there is no memory limit": {func(c *Counters) { c.MemoryBytes = 95 }, "memory", OK, "memory.ok"},
		"there was no backup":      {func(c *Counters) { c.BackupAt = time.Time{} }, "backup", Degraded, "backup.never"},
		"no backup is needed":      {func(c *Counters) { c.BackupAt, c.BackupNeeded = time.Time{}, false }, "backup", OK, "backup.unneeded"},
		"the backup is old":        {func(c *Counters) { c.BackupAt = c.BackupAt.Add(-240 * time.Hour) }, "backup", Degraded, "backup.old"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed()
			tc.ill(&b.c)
			for range lagLooks {
				b.pass(5 * time.Second)
			}
			v := b.verdict(t, tc.part)
			if v.State != tc.state || v.Words != tc.words || b.Health().State != tc.state {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestAVerdictKnowsSinceWhen(t *testing.T) {
	b := newBed()
	b.pass(5 * time.Second)
	well := b.verdict(t, "disk").Since
	b.pass(5 * time.Second)
	if !b.verdict(t, "disk").Since.Equal(well) {
		t.Error("nothing changed")
	}
	b.c.DiskStage = 1
	b.pass(5 * time.Second)
	if v := b.verdict(t, "disk"); !v.Since.Equal(b.wall) {
		t.Errorf("%+v", v)
	}
}

func TestAMomentOfLagIsNoFinding(t *testing.T) {
	b := newBed()
	b.c.Seq, b.c.TelemetrySeq, b.c.LiveSeq = 9000, 9000, 9000
	b.pass(5 * time.Second)
	b.pass(5 * time.Second)
	b.c.StoreSeq = 9000
	b.pass(5 * time.Second)
	if v := b.verdict(t, "store"); v.State != OK {
		t.Errorf("%+v", v)
	}
}

func TestLostFramesAreForgottenAfterAWhile(t *testing.T) {
	b := newBed()
	b.c.FramesDropped = 7
	b.pass(5 * time.Second)
	if v := b.verdict(t, "frames"); v.State != Degraded || v.Values["n"] != 7 {
		t.Errorf("%+v", v)
	}
	b.pass(11 * time.Minute)
	if v := b.verdict(t, "frames"); v.State != OK {
		t.Errorf("%+v", v)
	}
}

func TestTheClockIsWatched(t *testing.T) {
	b := newBed()
	b.pass(time.Minute)
	b.wall = b.wall.Add(-90 * time.Second)
	b.pass(5 * time.Second)
	v := b.verdict(t, "clock")
	if v.Words != "clock.jumped" || v.Values["seconds"] != -90 || len(b.Health().Jumps) != 1 {
		t.Errorf("%+v", v)
	}
	b.wall = b.wall.Add(500 * time.Millisecond) // as a time server nudges it
	b.pass(5 * time.Second)
	if n := len(b.Health().Jumps); n != 1 {
		t.Errorf("%d jumps", n)
	}
	b.pass(2 * time.Hour)
	if v := b.verdict(t, "clock"); v.State != OK {
		t.Errorf("%+v", v)
	}
	for range 2 * maxJumps {
		b.wall = b.wall.Add(time.Minute)
		b.pass(time.Second)
	}
	if n := len(b.Health().Jumps); n != maxJumps {
		t.Errorf("%d jumps are kept", n)
	}
}
