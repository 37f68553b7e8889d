package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"testing/synctest"
	"time"
)

func TestThereIsAsMuchRoomAsThereAreThingsToLookThrough(t *testing.T) {
	for sentence, c := range map[string]struct {
		scanned, alive uint64
		want           int
	}{
		"nothing is alive":             {0, 0, 100},
		"everything has pointers":      {40 << 20, 40 << 20, 100},
		"most of it has":               {36 << 20, 40 << 20, 90},
		"rounded up":                   {29 << 20, 40 << 20, 80},
		"there are mostly pictures":    {12 << 20, 40 << 20, 70},
		"more was found than is there": {50 << 20, 40 << 20, 100},
	} {
		t.Run(sentence, func(t *testing.T) {
			if got := room(c.scanned, c.alive); got != c.want {
				t.Errorf("%d %%, want %d", got, c.want)
			}
		})
	}
}

func TestOnlyWhileCamerasAreFollowedThereIsLessRoom(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	percent := func() uint64 {
		m := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(m)
		return m[0].Value.Uint64()
	}
	pictures := make([]byte, 256<<20)
	debug.FreeOSMemory() // they are counted as alive
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		followed := false
		done := make(chan struct{})
		go func() { tidy(ctx, func() bool { return followed }); close(done) }()
		look := func() uint64 {
			time.Sleep(tidyEvery + time.Second)
			synctest.Wait()
			return percent()
		}
		if p := look(); p != 100 {
			t.Errorf("without cameras: %d %%", p)
		}
		followed = true
		if p := look(); p >= 100 {
			t.Errorf("with cameras: %d %%", p)
		}
		followed = false
		if p := look(); p != 100 {
			t.Errorf("without cameras again: %d %%", p)
		}
		debug.SetGCPercent(300)
		followed = true
		if p := look(); p != 300 {
			t.Errorf("what somebody else decided became %d %%", p)
		}
		debug.SetGCPercent(100)
		if p := look(); p >= 100 {
			t.Errorf("once it is over: %d %%", p)
		}
		cancel()
		<-done
		if p := percent(); p != 100 {
			t.Errorf("it leaves %d %% behind", p)
		}
	})
	clear(pictures)
}
