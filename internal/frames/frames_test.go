package frames

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func openLog(t testing.TB, o Options) *Log {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	if o.Now == nil {
		o.Now = func() time.Time { return noon.Add(time.Hour) }
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return l
}

func numbered(station string, n int) Frame {
	return Frame{At: noon.Add(time.Duration(n) * time.Second), Station: station, ConnID: "c1", Direction: Direction(n % 2),
		Data: fmt.Appendf(nil, `[2,"%d","Heartbeat",{}]`, n)}
}

// readAll pages through everything a query gives.
func readAll(t testing.TB, l *Log, q Query) []Record {
	t.Helper()
	var out []Record
	for range 100_000 {
		page, next, err := l.Read(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page...)
		if next == "" {
			return out
		}
		q.Before = next
	}
	t.Fatal("the pages do not end")
	return nil
}

func data(records []Record) []string {
	out := []string{}
	for _, r := range records {
		out = append(out, string(r.Data))
	}
	return out
}

func TestFramesAreReadNewestFirstWhereverTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "frames")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		o := Options{Folder: dir, BlockBytes: rapid.IntRange(1, 2000).Draw(t, "block"), SegmentBytes: rapid.Int64Range(100, 5000).Draw(t, "segment"),
			Now: func() time.Time { return noon }}
		open := func() *Log {
			l, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		l := open()
		want := map[string][]Frame{}
		for n := range rapid.IntRange(0, 120).Draw(t, "frames") {
			f := Frame{
				At:        noon.Add(time.Duration(rapid.Int64Range(-1e6, 1e6).Draw(t, "microseconds")) * time.Microsecond),
				Station:   rapid.SampledFrom([]string{"A", "B", "Ü/3", strings.Repeat("long", 20)}).Draw(t, "station"),
				ConnID:    rapid.SampledFrom([]string{"", "c1"}).Draw(t, "connection"),
				Direction: Direction(rapid.IntRange(0, 1).Draw(t, "direction")),
				Action:    rapid.SampledFrom([]string{"Reset", "MeterValues"}).Draw(t, "action"),
				Data:      fmt.Appendf(nil, "%d %s", n, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")),
				Quirks:    rapid.SliceOfN(rapid.SampledFrom([]string{"retry", "tooLong:/x"}), 0, 2).Draw(t, "quirks"),
			}
			if len(f.Quirks) == 0 {
				f.Quirks = nil
			}
			if _, removed := RemoveSecrets(f.Data); removed {
				continue
			}
			l.Add(f)
			want[f.Station] = append(want[f.Station], f)
			switch rapid.IntRange(0, 12).Draw(t, "then") {
			case 0:
				l.Flush(context.Background())
			case 1:
				l.writeFull(context.Background())
			case 2:
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				l = open()
			}
		}
		for _, station := range slices.Sorted(maps.Keys(want)) {
			q := Query{Station: station, Limit: rapid.IntRange(1, 30).Draw(t, "page")}
			if rapid.Bool().Draw(t, "one direction") {
				q.Direction = new(Out)
			}
			if rapid.Bool().Draw(t, "one action") {
				q.Action = "Reset"
			}
			var expect []Frame
			for _, f := range slices.Backward(want[station]) {
				if (q.Direction == nil || f.Direction == Out) && (q.Action == "" || f.Action == "Reset") {
					expect = append(expect, f)
				}
			}
			var got []Frame
			for more := true; more; {
				page, next, err := l.Read(context.Background(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page {
					got = append(got, r.Frame)
				}
				q.Before, more = next, next != ""
			}
			if !reflect.DeepEqual(got, expect) {
				t.Fatalf("station %q: %d frames, want %d\n got %v\nwant %v", station, len(got), len(expect), got, expect)
			}
		}
		if st := l.Stats(); st.Dropped+st.Corrupt > 0 {
			t.Fatalf("%+v", st)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAFullBufferDropsAndCounts(t *testing.T) {
	l := openLog(t, Options{Buffer: 10_000})
	for n := range 1000 {
		l.Add(numbered("A", n))
	}
	st := l.Stats()
	if st.Dropped == 0 || st.Added+st.Dropped != 1000 || st.Buffered > 10_000 {
		t.Errorf("%+v", st)
	}
	l.Flush(t.Context())
	l.Add(numbered("A", 1000))
	if got := readAll(t, l, Query{Station: "A"}); len(got) != int(st.Added)+1 {
		t.Errorf("%d frames, want %d", len(got), st.Added+1)
	}
	huge := numbered("A", 0)
	huge.Data = make([]byte, maxFrame)
	l.Add(huge)
	if l.Stats().Dropped != st.Dropped+1 {
		t.Error("a frame beyond all limits was kept")
	}
}

func TestRunWritesWhatWaitsAndTheRestAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l, err := Open(Options{Folder: dir})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		f := numbered("A", 1)
		f.At = time.Now()
		l.Add(f)
		if l.Stats().Buffered == 0 {
			t.Error("nothing is buffered")
		}
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		if st := l.Stats(); st.Buffered != 0 || st.Bytes == 0 {
			t.Errorf("after two seconds: %+v", st)
		}
		for range 2000 {
			l.Add(f)
		}
		synctest.Wait()
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if st := l.Stats(); st.Buffered != 0 {
			t.Errorf("after the end: %+v", st)
		}
		if got := readAll(t, l, Query{Station: "A"}); len(got) != 2001 {
			t.Errorf("%d frames", len(got))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFollowersSeeNewFramesAndHowManyTheyMissed(t *testing.T) {
	l := openLog(t, Options{Followers: 2})
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		gate := make(chan struct{})
		var mine, all []Record
		var wg sync.WaitGroup
		wg.Go(func() {
			for r := range l.Follow(ctx, "A") {
				mine = append(mine, r)
				if len(mine) == 1 {
					<-gate
				}
			}
		})
		wg.Go(func() {
			for r := range l.Follow(ctx, "") {
				all = append(all, r)
				if len(all) == 3 {
					return
				}
			}
		})
		synctest.Wait()
		for _, err := range l.Follow(ctx, "A") {
			if !errors.Is(err, ErrFollowers) {
				t.Errorf("a third follower: %v", err)
			}
		}
		l.Add(numbered("B", 0))
		synctest.Wait()
		for n := range 300 {
			l.Add(numbered("A", n))
			synctest.Wait()
		}
		close(gate)
		synctest.Wait()
		l.Add(numbered("A", 300))
		synctest.Wait()
		stop()
		wg.Wait()
		if len(all) != 3 || all[0].Station != "B" || all[2].Station != "A" {
			t.Errorf("of all stations %v", all)
		}
		lost := 300 - 1 - watcherQueue
		if n := len(mine); n != 1+watcherQueue+1 || mine[n-1].Missed != lost || mine[n-2].Missed != 0 {
			t.Errorf("%d frames, the last one after %d missed, want %d", n, mine[n-1].Missed, lost)
		}
		if st := l.Stats(); int(st.Missed) != lost {
			t.Errorf("%+v", st)
		}
		older, _, err := l.Read(t.Context(), Query{Station: "A", Before: mine[1].Cursor})
		if err != nil || len(older) != 1 || older[0].Cursor != mine[0].Cursor {
			t.Errorf("before the second followed frame: %v, %v", older, err)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	l := openLog(t, Options{BlockBytes: 2000, SegmentBytes: 20_000})
	ctx, stop := context.WithCancel(t.Context())
	var background, writers sync.WaitGroup
	background.Go(func() { l.Run(ctx) })
	for range 2 {
		background.Go(func() {
			for ctx.Err() == nil {
				if _, _, err := l.Read(t.Context(), Query{Station: "S1"}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for s := range 4 {
		writers.Go(func() {
			for n := range 2000 {
				l.Add(numbered(fmt.Sprint("S", s), n))
			}
		})
	}
	writers.Wait()
	stop()
	background.Wait()
	for s := range 4 {
		got := readAll(t, l, Query{Station: fmt.Sprint("S", s), Limit: 1000})
		if len(got) != 2000 {
			t.Errorf("station %d: %d frames", s, len(got))
		}
		for i, r := range got {
			if want := fmt.Sprintf(`[2,"%d","Heartbeat",{}]`, 1999-i); string(r.Data) != want {
				t.Fatalf("station %d, frame %d: %s", s, i, r.Data)
			}
		}
	}
}

func TestARareStationIsFoundPageByPage(t *testing.T) {
	l := openLog(t, Options{BlockBytes: 1})
	l.Add(numbered("rare", 0))
	for n := range 3 * blocksPerRead {
		f := numbered("A", n)
		f.Action = "Heartbeat"
		if n == 5 {
			f.Action = "Reset"
		}
		l.Add(f)
	}
	l.Flush(t.Context())
	if page, next, err := l.Read(t.Context(), Query{Station: "rare"}); err != nil || len(page) != 1 || next != "" {
		t.Errorf("%v, %q, %v", page, next, err)
	}
	page, next, err := l.Read(t.Context(), Query{Station: "A", Action: "Reset"})
	if err != nil || len(page) != 0 || next == "" {
		t.Errorf("a page of a rare action: %v, %q, %v", page, next, err)
	}
	if got := readAll(t, l, Query{Station: "A", Action: "Reset"}); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// BenchmarkRead pages the newest 100 frames of one of 1,000 stations.
func BenchmarkRead(b *testing.B) {
	l := openLog(b, Options{})
	raw := 0
	for n := range 200_000 {
		f := numbered(fmt.Sprint("DE-CW-", n%1000), n)
		f.Data = fmt.Appendf(nil, `[2,"%016x","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%s","sampledValue":[`+
			`{"value":"%d.%d","measurand":"Voltage","phase":"L1-N","unit":"V"},{"value":"%d","measurand":"Energy.Active.Import.Register","unit":"Wh"},`+
			`{"value":"%d","measurand":"Power.Active.Import","unit":"W"}]}]}]`,
			uint64(n)*0x9e3779b97f4a7c15, n%1000, f.At.Format(time.RFC3339), 228+n%5, n%10, 1_000_000+n*7, 10_000+n*31%900)
		raw += len(f.Data)
		l.Add(f)
		if n%1000 == 999 {
			l.Flush(b.Context())
		}
	}
	st := l.Stats()
	for b.Loop() {
		got, _, err := l.Read(b.Context(), Query{Station: "DE-CW-77", Limit: 100})
		if err != nil || len(got) != 100 {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(float64(raw)/float64(st.Bytes), "raw/stored")
	b.ReportMetric(float64(st.Segments), "segments")
}
