package camera

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Each line is a second of a camera's life.
func TestAConditionIsSaidOnceItIsSure(t *testing.T) {
	const (
		frames  = 'f' // pictures, written
		nothing = '.' // none
		anew    = 'n' // none, on a new connection
		lost    = 'l' // one picture after a long time
		unsaid  = 'w' // pictures, not written
		covered = 'c' // pictures of nothing
	)
	for name, tc := range map[string]struct {
		life string
		want []string // second and state
	}{
		"pictures at once":                        {"ffff", []string{"1 live"}},
		"never a picture":                         {"....................", []string{"13 offline"}},
		"a late first picture":                    {"..........fff", []string{"11 live"}},
		"a hiccup is nothing":                     {"fff..fff", []string{"1 live"}},
		"a pause":                                 {"fff...fffff", []string{"1 live", "6 stalled", "9 live"}},
		"lost and back":                           {"fff...............fffff", []string{"1 live", "6 stalled", "16 offline", "21 live"}},
		"a picture now and then is no way back":   {"fff...............l....l....l", []string{"1 live", "6 stalled", "16 offline"}},
		"nothing is written":                      {"fwwwwwwwwwwwwfff", []string{"1 live", "11 notRecording", "14 live"}},
		"covered":                                 {"ffccccff", []string{"1 live", "3 tampered", "7 live"}},
		"covered, and then gone":                  {"ffccc..................", []string{"1 live", "3 tampered", "8 stalled", "18 offline"}},
		"covered counts for more than unwritten":  {"fwwwwwwwwwwcc", []string{"1 live", "11 notRecording", "12 tampered"}},
		"a new connection is no loss":             {"ffffffffffffffffffnnff", []string{"1 live"}},
		"lost on new connections":                 {"fff..nnnnnnnnnnnfffff", []string{"1 live", "6 stalled", "16 offline", "19 live"}},
		"what is not there is not missed by disk": {"f.......................", []string{"1 live", "4 stalled", "14 offline"}},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			c := condition{began: start}
			var got []string
			var s sight
			s.wanted = true
			for i, x := range tc.life {
				now := start.Add(time.Duration(i+1) * time.Second)
				if x != nothing && x != anew {
					s.tampered = ""
				}
				switch x {
				case frames, lost:
					s.frameAt, s.units, s.bytes = now, s.units+15, s.bytes+100
				case unsaid:
					s.frameAt, s.units = now, s.units+15
				case covered:
					s.frameAt, s.units, s.bytes, s.tampered = now, s.units+15, s.bytes+100, "covered"
				case anew:
					s.frameAt = time.Time{}
				case nothing:
				}
				if c.look(s, now) {
					got = append(got, strconv.Itoa(i+1)+" "+string(c.state))
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("said %v, want %v", got, tc.want)
			}
		})
	}
}

func TestAConditionTellsSinceWhenAndWhy(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := condition{began: start}
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	c.look(sight{frameAt: at(1), units: 15}, at(1))
	c.look(sight{frameAt: at(1), units: 15, reason: "refused", detail: "x"}, at(17))
	if c.state != event.CameraOffline || !c.since.Equal(at(1)) || c.why != "refused" || c.words != "x" {
		t.Errorf("%s since %v, %s %s", c.state, c.since.Sub(start), c.why, c.words)
	}
	c.look(sight{frameAt: at(1), units: 15, reason: "authentication"}, at(18))
	if c.why != "authentication" {
		t.Errorf("why is still %s", c.why)
	}
}

func TestACameraIsTamperedWithSinceItsPicturesSayAndNotBeforeItWasLive(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for name, tc := range map[string]struct{ began, want time.Time }{
		"some seconds ago":         {at(5), at(5)},
		"before it came back":      {at(-5), at(9)},
		"by a clock that is ahead": {at(20), at(9)},
	} {
		t.Run(name, func(t *testing.T) {
			c := condition{began: start}
			for i := 1; i < 9; i++ {
				c.look(sight{frameAt: at(i), units: uint64(i)}, at(i))
			}
			c.look(sight{frameAt: at(9), units: 9, tampered: "frozen", tamperedAt: tc.began}, at(9))
			if c.state != event.CameraTampered || !c.since.Equal(tc.want) {
				t.Errorf("%s since %v, want %v", c.state, c.since.Sub(start), tc.want.Sub(start))
			}
		})
	}
}

func TestALostCameraLeavesTimeForItsIncident(t *testing.T) {
	if lastWord := offlineAfter + tick; lastWord > 14*time.Second {
		t.Errorf("a camera is offline %v after its last picture; its incident is to be there after 15 s", lastWord)
	}
}

func TestALossIsSinceTheLastPictureWhateverConnectionItCameBy(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	c := condition{began: start}
	for i := 1; i <= 100; i++ {
		c.look(sight{frameAt: at(i), units: uint64(i)}, at(i))
	}
	for i := 101; i <= 120; i++ {
		c.look(sight{reason: "noFrames"}, at(i))
	}
	if c.state != event.CameraOffline || !c.since.Equal(at(100)) {
		t.Errorf("%s since %v", c.state, c.since.Sub(start))
	}
}
