package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/notify"
	"github.com/chargewatch/chargewatch/internal/store"
)

// story lists what was written as "after seconds channel: incident change, ...".
func story(begin time.Time, names map[string]string, sheets []sheet) []string {
	out := []string{}
	for _, s := range sheets {
		var items []string
		for _, i := range s.Items {
			items = append(items, i.Incident+" "+i.Change)
		}
		slices.Sort(items)
		out = append(out, fmt.Sprintf("%d %s: %s", int(s.at.Sub(begin).Seconds()), names[s.channel], strings.Join(items, ", ")))
	}
	return out
}

// at is when something is told in a story.
type at struct {
	after  time.Duration
	notice incident.Notice
}

func inHand(n incident.Notice) incident.Notice {
	n.Taken = true
	return n
}

// A bubble's clock begins at midnight UTC on Saturday, 1 January 2000.
func TestWhoHearsOfWhatAndWhen(t *testing.T) {
	const day = 24 * time.Hour
	night := []store.Hours{{From: "22:00", To: "06:00", TimeZone: "UTC"}}
	for name, tc := range map[string]struct {
		routes func(a, b, esc string) []store.Route
		steps  []store.Step // of the escalation; "a" and "b" are channels
		rounds int
		told   []at
		until  time.Duration
		want   []string
	}{
		"the first route that matches, unless it says to continue": {
			routes: func(a, b, _ string) []store.Route {
				return []store.Route{
					{Match: store.Match{Severities: []string{"S1"}}, Channels: []string{a}, Continue: true},
					{Match: store.Match{Kinds: []string{"station.*"}}, Channels: []string{b}},
					{Channels: []string{a}},
				}
			},
			told: []at{{0, opened("i1", "S1")}, {time.Second, opened("i2", "S2")}},
			want: []string{"0 a: i1 opened", "0 b: i1 opened", "1 b: i2 opened"},
		},
		"a label that holds a list matches one of its items": {
			routes: func(a, _, _ string) []store.Route {
				return []store.Route{{Match: store.Match{Labels: map[string]string{"tags": "hpc", "owner": "city"}}, Channels: []string{a}}}
			},
			told: []at{{0, labelled(opened("i1", "S1"), map[string]string{"tags": "old,hpc", "owner": "city"})},
				{0, labelled(opened("i2", "S1"), map[string]string{"tags": "old", "owner": "city"})}},
			want: []string{"0 a: i1 opened"},
		},
		"what belongs together goes out together, and not more often than wanted": {
			routes: func(a, _, _ string) []store.Route {
				return []store.Route{{Channels: []string{a}, GroupBy: []string{"site"}, GroupWaitSeconds: 30, GroupIntervalSeconds: 300}}
			},
			told: []at{{0, opened("i1", "S2")}, {20 * time.Second, opened("i2", "S3")}, {40 * time.Second, opened("i3", "S2")}},
			want: []string{"30 a: i1 opened, i2 opened", "330 a: i3 opened"},
		},
		"what became urgent in somebody's hands is told to who knew, and calls nobody": {
			routes: func(a, b, esc string) []store.Route {
				return []store.Route{{Match: store.Match{Severities: []string{"S1", "S2"}}, Channels: []string{b}, Escalation: esc}, {Channels: []string{a}}}
			},
			steps: []store.Step{{Channels: []string{"b"}}}, rounds: 1,
			told: []at{{0, opened("i1", "S3")}, {time.Hour, changed("i1", "S3", incident.ChangeAcknowledged)},
				{2 * time.Hour, inHand(changed("i1", "S2", incident.ChangeEscalated))}, {3 * time.Hour, opened("i2", "S2")}},
			until: day,
			want:  []string{"0 a: i1 opened", "3605 a: i1 acknowledged", "7205 a: i1 escalated", "10800 b: i2 opened"},
		},
		"S1 waits for nothing": {
			routes: func(a, _, _ string) []store.Route {
				return []store.Route{{Channels: []string{a}, GroupBy: []string{"site"}, GroupWaitSeconds: 30, GroupIntervalSeconds: 300, Quiet: []store.Hours{{From: "00:00", To: "23:00", TimeZone: "UTC"}}}}
			},
			told:  []at{{0, opened("i1", "S1")}, {time.Second, opened("i2", "S1")}},
			until: time.Hour,
			want:  []string{"0 a: i1 opened", "1 a: i2 opened"},
		},
		"what heals before anyone was told wakes nobody": {
			routes: func(a, _, _ string) []store.Route {
				return []store.Route{{Channels: []string{a}, GroupWaitSeconds: 60}}
			},
			told: []at{{0, opened("i1", "S2")}, {50 * time.Second, changed("i1", "S2", incident.ChangeClosed)}},
			want: []string{},
		},
		"whoever heard of it hears of its end": {
			routes: func(a, b, _ string) []store.Route {
				return []store.Route{{Match: store.Match{Severities: []string{"S2"}}, Channels: []string{a}}, {Channels: []string{b}}}
			},
			told: []at{{0, opened("i1", "S2")}, {time.Minute, changed("i1", "S3", incident.ChangeRepaired)}},
			want: []string{"0 a: i1 opened", "65 a: i1 repaired"},
		},
		"quiet hours hold all but S1 until they end": {
			routes: func(a, _, _ string) []store.Route {
				return []store.Route{{Channels: []string{a}, GroupBy: []string{"site"}, Quiet: night}}
			},
			told: []at{{time.Hour, opened("i1", "S2")}, {2 * time.Hour, opened("i2", "S3")}, {3 * time.Hour, opened("i3", "S1")},
				{4 * time.Hour, changed("i2", "S3", incident.ChangeClosed)}},
			until: 8 * time.Hour,
			want:  []string{"10800 a: i3 opened", "21600 a: i1 opened"},
		},
		"it is repeated until somebody acknowledges": {
			routes: func(a, _, _ string) []store.Route {
				return []store.Route{{Channels: []string{a}, RepeatSeconds: 600}}
			},
			told:  []at{{0, opened("i1", "S2")}, {25 * time.Minute, changed("i1", "S2", incident.ChangeAcknowledged)}},
			until: day / 8,
			want:  []string{"0 a: i1 opened", "600 a: i1 reminder", "1200 a: i1 reminder", "1505 a: i1 acknowledged"},
		},
		"an escalation goes on until somebody acknowledges": {
			routes: func(_, _, esc string) []store.Route { return []store.Route{{Escalation: esc}} },
			steps:  []store.Step{{Channels: []string{"a"}}, {AfterSeconds: 300, Channels: []string{"b"}}, {AfterSeconds: 600, Channels: []string{"a"}}},
			told:   []at{{0, opened("i1", "S2")}, {400 * time.Second, changed("i1", "S2", incident.ChangeAcknowledged)}},
			until:  time.Hour,
			want:   []string{"0 a: i1 opened", "300 b: i1 reminder", "405 a: i1 acknowledged", "405 b: i1 acknowledged"},
		},
		"an escalation begins again as often as it should": {
			routes: func(_, _, esc string) []store.Route { return []store.Route{{Escalation: esc}} },
			steps:  []store.Step{{Channels: []string{"a"}}, {AfterSeconds: 300, Channels: []string{"b"}}},
			rounds: 2,
			told:   []at{{0, opened("i1", "S1")}},
			until:  time.Hour,
			want:   []string{"0 a: i1 opened", "300 b: i1 reminder", "600 a: i1 reminder", "900 b: i1 reminder"},
		},
		"an incident that became more severe begins its escalation anew": {
			routes: func(_, _, esc string) []store.Route { return []store.Route{{Escalation: esc}} },
			steps:  []store.Step{{Channels: []string{"a"}}, {AfterSeconds: 300, Channels: []string{"b"}}},
			told:   []at{{0, opened("i1", "S2")}, {200 * time.Second, changed("i1", "S1", incident.ChangeEscalated)}},
			until:  time.Hour,
			want:   []string{"0 a: i1 opened", "200 a: i1 escalated", "500 b: i1 reminder"},
		},
		"what is over is not escalated": {
			routes: func(_, _, esc string) []store.Route { return []store.Route{{Escalation: esc}} },
			steps:  []store.Step{{AfterSeconds: 300, Channels: []string{"b"}}},
			told:   []at{{0, opened("i1", "S1")}, {200 * time.Second, changed("i1", "S1", incident.ChangeRepaired)}},
			until:  time.Hour,
			want:   []string{},
		},
		"history is not news": {
			routes: func(a, _, _ string) []store.Route { return []store.Route{{Channels: []string{a}}} },
			told: []at{{0, func() incident.Notice {
				n := opened("i1", "S1")
				n.At = time.Date(1999, 12, 31, 12, 0, 0, 0, time.UTC)
				return n
			}()}},
			want: []string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				a, b := d.papers("a"), d.papers("b")
				names := map[string]string{a: "a", b: "b"}
				esc := ""
				if tc.steps != nil {
					steps := slices.Clone(tc.steps)
					for i := range steps {
						steps[i].Channels = []string{map[string]string{"a": a, "b": b}[steps[i].Channels[0]]}
					}
					x, err := d.store.SaveEscalation(t.Context(), store.System, store.Escalation{Name: "all", Steps: steps, Rounds: tc.rounds})
					if err != nil {
						t.Fatal(err)
					}
					esc = x.ID
				}
				d.routes(tc.routes(a, b, esc)...)
				d.start()
				synctest.Wait()
				begin := time.Now()
				for _, x := range tc.told {
					time.Sleep(time.Until(begin.Add(x.after)))
					d.tell(x.notice)
				}
				time.Sleep(time.Until(begin.Add(max(tc.until, 10*time.Minute))))
				d.stop()
				got := story(begin, names, d.paper.read())
				slices.SortStableFunc(got, func(a, b string) int {
					var x, y int
					fmt.Sscan(a, &x)
					fmt.Sscan(b, &y)
					if x != y {
						return x - y
					}
					return strings.Compare(a, b)
				})
				if !slices.Equal(got, tc.want) {
					t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
				}
			})
		})
	}
}

func labelled(n incident.Notice, labels map[string]string) incident.Notice {
	n.Labels = labels
	return n
}

func TestWhatIsRefusedForNowIsTriedAgainAndForGoodIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		now, never := d.papers("for now"), d.papers("for good")
		d.routes(store.Route{Channels: []string{now, never}})
		var attempts []time.Time
		d.paper.refuse = func(_ context.Context, channel string, _ notify.Message) error {
			if channel == never {
				return &notify.Refused{Reason: "answered 400", Permanent: true}
			}
			if attempts = append(attempts, time.Now()); len(attempts) <= 3 {
				return errors.New("not reached")
			}
			return nil
		}
		d.start()
		d.tell(opened("i1", "S1"))
		time.Sleep(10 * time.Minute)
		d.stop()
		if len(attempts) != 4 {
			t.Fatalf("%d attempts", len(attempts))
		}
		for i := 1; i < len(attempts); i++ {
			gap, want := attempts[i].Sub(attempts[i-1]), 5*time.Second<<(i-1)
			if gap < want*7/8 || gap > want*9/8+time.Second {
				t.Errorf("attempt %d came after %s, want about %s", i+1, gap, want)
			}
		}
		for _, row := range d.rows() {
			want := map[string]string{now: store.DeliverySent, never: store.DeliveryFailed}[row.Channel]
			if row.State != want || row.Channel == never && (row.Attempts != 1 || row.Reason != "answered 400") {
				t.Errorf("%+v", row)
			}
		}
		if s := d.paper.read(); len(s) != 1 || s[0].Key != "i1/opened@"+now {
			t.Errorf("%+v", s)
		}
	})
}

func TestAChannelThatHangsDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		hangs, works := d.papers("hangs"), d.papers("works")
		d.routes(store.Route{Channels: []string{hangs, works}})
		var calls atomic.Int64
		d.paper.refuse = func(ctx context.Context, channel string, _ notify.Message) error {
			if channel != hangs {
				return nil
			}
			calls.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}
		d.start()
		begin := time.Now()
		for i := range 20 {
			d.tell(opened(fmt.Sprint("i", i), "S1"))
		}
		time.Sleep(time.Second)
		if n := len(d.paper.read()); n != 20 {
			t.Errorf("the other channel sent %d of 20 after %s", n, time.Since(begin))
		}
		// The one that hangs is left alone more and more.
		time.Sleep(time.Hour)
		h, err := d.Health(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if calls.Load() > 20 {
			t.Errorf("%d attempts within an hour", calls.Load())
		}
		resting := 0
		for _, c := range h.Channels {
			if c.Resting {
				resting++
			}
		}
		if resting != 1 || h.Waiting != 20 {
			t.Errorf("%d rest, %d wait", resting, h.Waiting)
		}
		d.paper.mu.Lock()
		d.paper.refuse = nil
		d.paper.mu.Unlock()
		time.Sleep(2 * time.Hour)
		if n := len(d.paper.read()); n != 40 {
			t.Errorf("%d messages in the end", n)
		}
		d.stop()
	})
}

func TestTheEndOfAnIncidentNeverArrivesBeforeItsBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		a := d.papers("a")
		d.routes(store.Route{Channels: []string{a}})
		var down atomic.Bool
		down.Store(true)
		d.paper.refuse = func(context.Context, string, notify.Message) error {
			if down.Load() {
				return errors.New("not reached")
			}
			return nil
		}
		d.start()
		d.tell(opened("i1", "S1"), opened("i2", "S1"))
		time.Sleep(time.Minute)
		d.tell(changed("i1", "S1", incident.ChangeAcknowledged), changed("i2", "S1", incident.ChangeClosed))
		time.Sleep(time.Second)
		down.Store(false)
		time.Sleep(time.Hour)
		d.stop()
		var got []string
		for _, s := range d.paper.read() {
			for _, i := range s.Items {
				got = append(got, i.Incident+" "+i.Change)
			}
		}
		if i, k := slices.Index(got, "i1 opened"), slices.Index(got, "i1 acknowledged"); i < 0 || k < i {
			t.Errorf("told %v", got)
		}
		if slices.Contains(got, "i2 opened") {
			t.Errorf("the beginning of what was over was told: %v", got)
		}
	})
}

// A start finds what was handed over and not marked, and says that it may come
// twice.
func TestACrashBetweenHandOverAndMarkIsCounted(t *testing.T) {
	d := newDesk(t)
	a := d.papers("a")
	d.routes(store.Route{Channels: []string{a}})
	d.tell(opened("i1", "S1"))
	d.start()
	first := d.paper.wait(t, 1)
	d.eventually("it is never marked", func() bool { return d.states()[store.DeliverySent] == 1 })
	d.stop()
	// As the disk was between hand-over and mark.
	if _, err := d.db.Writer().Exec(`UPDATE deliveries SET state = 'sending', sent_at = 0`); err != nil {
		t.Fatal(err)
	}
	d.start()
	second := d.paper.wait(t, 2)
	d.eventually("it is never marked again", func() bool { return d.states()[store.DeliverySent] == 1 })
	if first[0].Key != second[1].Key || first[0].Items[0].Key != second[1].Items[0].Key {
		t.Errorf("keys %q and %q", first[0].Key, second[1].Key)
	}
	if row := d.rows()[0]; row.MaybeDuplicate != 1 || row.Attempts != 2 {
		t.Errorf("%+v", row)
	}
	if h, err := d.Health(t.Context()); err != nil || h.MaybeDuplicates != 1 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestSignedLinks(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	l := notify.NewLinks([]byte("a key of a test, long enough"), func() time.Time { return now })
	token := l.Make("inc-1")
	x, err := l.Read(token)
	if err != nil || x.Incident != "inc-1" || !x.Expires.Equal(now.Add(24*time.Hour)) || x.ID == "" {
		t.Fatalf("%+v, %v", x, err)
	}
	if again := l.Make("inc-1"); again == token {
		t.Error("two links are the same link")
	}
	other := notify.NewLinks([]byte("another key"), func() time.Time { return now })
	for name, bad := range map[string]string{
		"of another server": other.Make("inc-1"), "cut": token[:len(token)-2], "changed": "B" + token[1:], "empty": "", "long": strings.Repeat("A", 5000),
	} {
		if _, err := l.Read(bad); !errors.Is(err, notify.ErrLink) {
			t.Errorf("%s: %v", name, err)
		}
	}
	now = now.Add(24 * time.Hour)
	if _, err := l.Read(token); !errors.Is(err, notify.ErrLink) {
		t.Errorf("a day later: %v", err)
	}
}

func FuzzLink(f *testing.F) {
	l := notify.NewLinks([]byte("a key of a test, long enough"), func() time.Time { return time.Unix(1_800_000_000, 0) })
	f.Add(l.Make("inc-1"))
	f.Add("")
	f.Add("AAAA")
	made := l.Make("inc-2")
	f.Fuzz(func(t *testing.T, token string) {
		x, err := l.Read(token)
		if err == nil && x.Incident != "inc-1" && x.Incident != "inc-2" {
			t.Fatalf("%q was read as %+v", token, x)
		}
		if _, err := l.Read(made); err != nil {
			t.Fatal(err)
		}
	})
}
