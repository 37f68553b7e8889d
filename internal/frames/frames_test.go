package frames

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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

func TestATornEndIsCutAndTheRestStays(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, Options{Folder: dir})
	for n := range 30 {
		l.Add(numbered("A", n))
		if n%10 == 9 {
			l.Flush(t.Context())
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	path := onlySegment(t, dir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndex(whole, []byte(blockMagic))
	for _, size := range []int{0, 3, segmentHead, last, last + 1, last + blockHead, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		want := 20
		if size < last {
			want = 0
		}
		l := openLog(t, Options{Folder: dir})
		if got := len(readAll(t, l, Query{Station: "A"})); got != want {
			t.Errorf("cut to %d bytes: %d frames, want %d", size, got, want)
		}
		l.Add(numbered("A", 77))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = openLog(t, Options{Folder: dir})
		if got := len(readAll(t, l, Query{Station: "A"})); got != want+1 {
			t.Errorf("cut to %d bytes and continued: %d frames, want %d", size, got, want+1)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func onlySegment(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(names) != 1 {
		t.Fatalf("segments %v, %v", names, err)
	}
	return names[0]
}

func TestDamageCostsItsBlockOnly(t *testing.T) {
	flip := func(data []byte, at int) []byte {
		out := bytes.Clone(data)
		out[at] ^= 0x40
		return out
	}
	nth := func(data []byte, magic string, n int) int {
		at := -1
		for range n {
			at += 1 + bytes.Index(data[at+1:], []byte(magic))
		}
		return at
	}
	tests := map[string]struct {
		full bool // with an index
		harm func([]byte) []byte
		want int
	}{
		"a payload of a growing segment":      {false, func(b []byte) []byte { return flip(b, nth(b, blockMagic, 2)+blockHead+5) }, 20},
		"a header of a growing segment":       {false, func(b []byte) []byte { return flip(b, nth(b, blockMagic, 2)+9) }, 20},
		"the head of a growing segment":       {false, func(b []byte) []byte { return flip(b, 2) }, 30},
		"a payload of a full segment":         {true, func(b []byte) []byte { return flip(b, nth(b, blockMagic, 1)+blockHead+5) }, 20},
		"the index of a full segment":         {true, func(b []byte) []byte { return flip(b, nth(b, indexMagic, 1)+20) }, 30},
		"a payload and the index":             {true, func(b []byte) []byte { return flip(flip(b, nth(b, indexMagic, 1)+20), nth(b, blockMagic, 3)+blockHead) }, 20},
		"a full segment that lost its tail":   {true, func(b []byte) []byte { return b[:nth(b, blockMagic, 3)+7] }, 20},
		"a full segment of nothing but zeros": {true, func(b []byte) []byte { return make([]byte, len(b)) }, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := openLog(t, Options{Folder: dir})
			for n := range 30 {
				l.Add(numbered("A", n))
				if n%10 == 9 {
					l.Flush(t.Context())
				}
			}
			if tc.full {
				if err := l.finish(l.growing()); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			path := onlySegment(t, dir)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tc.harm(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			l = openLog(t, Options{Folder: dir})
			l.Add(numbered("A", 99)) // the log goes on
			l.Flush(t.Context())
			got := readAll(t, l, Query{Station: "A"})
			if len(got) != tc.want+1 || string(got[0].Data) != `[2,"99","Heartbeat",{}]` {
				t.Errorf("%d frames, want %d: %v", len(got), tc.want+1, data(got))
			}
			if st := l.Stats(); st.Corrupt == 0 && tc.want < 30 && tc.want > 0 && name != "a full segment that lost its tail" {
				t.Errorf("not counted: %+v", st)
			}
		})
	}
}

func TestTheRingForgetsTheOldestByBytesAndByAge(t *testing.T) {
	now := noon
	dir := t.TempDir()
	l := openLog(t, Options{Folder: dir, SegmentBytes: 2000, BlockBytes: 500, MaxBytes: 10_000, MaxAge: 30 * 24 * time.Hour, Now: func() time.Time { return now }})
	var cursor Cursor
	for n := range 3000 {
		f := numbered("A", n)
		f.Data = fmt.Appendf(nil, `%d %x`, n, hashOf(fmt.Sprint(n)))
		l.Add(f)
		l.Flush(t.Context())
		if n == 10 {
			cursor = readAll(t, l, Query{Station: "A"})[0].Cursor
		}
	}
	if st := l.Stats(); st.Bytes > 12_000 || st.Segments < 3 {
		t.Errorf("%+v", st)
	}
	got := readAll(t, l, Query{Station: "A"})
	if n := len(got); n == 0 || n > 1000 || !strings.HasPrefix(string(got[0].Data), "2999 ") {
		t.Errorf("%d frames are left", n)
	}
	if old, next, err := l.Read(t.Context(), Query{Station: "A", Before: cursor}); err != nil || len(old) != 0 || next != "" {
		t.Errorf("before an expired cursor: %v, %q, %v", old, next, err)
	}
	now = noon.Add(31 * 24 * time.Hour)
	l.Flush(t.Context())
	if st := l.Stats(); st.Segments != 0 || st.Bytes != 0 {
		t.Errorf("after 31 days: %+v", st)
	}
	if got := readAll(t, l, Query{Station: "A"}); len(got) != 0 {
		t.Errorf("after 31 days: %v", got)
	}
	f := numbered("A", 0)
	f.At = now
	l.Add(f)
	l.Flush(t.Context())
	if got := readAll(t, l, Query{Station: "A"}); len(got) != 1 {
		t.Errorf("the emptied log goes on with %v", got)
	}
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

func TestADiskThatFailsLosesFramesButNotTheLog(t *testing.T) {
	l := openLog(t, Options{})
	l.Add(numbered("A", 0))
	l.Flush(t.Context())
	file := l.growing().file
	broken, err := os.Open(os.DevNull) // for reading only
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	l.growing().file = broken
	l.Add(numbered("A", 1))
	l.Flush(t.Context())
	if st := l.Stats(); st.Dropped != 1 || st.Buffered != 0 {
		t.Errorf("%+v", st)
	}
	l.growing().file = file
	l.Add(numbered("A", 2))
	l.Flush(t.Context())
	if got := data(readAll(t, l, Query{Station: "A"})); len(got) != 2 {
		t.Errorf("%v", got)
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

func TestForeignNamesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, nameOf(9))); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, Options{Folder: dir})
	l.Add(numbered("A", 1))
	l.Flush(t.Context())
	if got := readAll(t, l, Query{Station: "A"}); len(got) != 1 || l.Stats().Segments != 1 {
		t.Errorf("%v, %+v", got, l.Stats())
	}
	if b, err := os.ReadFile(outside); err != nil || string(b) != "x" {
		t.Errorf("outside: %q, %v", b, err)
	}
	for _, bad := range []Cursor{"x", "1.", ".1", "1.-1", "../../etc.1", "1.zzzzzzzzzz"} {
		if _, _, err := l.Read(t.Context(), Query{Station: "A", Before: bad}); !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %q: %v", bad, err)
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

func FuzzSegment(f *testing.F) {
	p, err := newPacker()
	if err != nil {
		f.Fatal(err)
	}
	d := &draft{seq: 3, stations: map[uint32]struct{}{}}
	one := numbered("A", 1)
	one.Quirks = []string{"retry"}
	d.raw = appendFrame(appendFrame(nil, &one, 0), &one, 5)
	d.count = 2
	block := bytes.Clone(p.pack(d))
	segment := append([]byte(segmentMagic), block...)
	f.Add(segment)
	f.Add(segment[:len(segment)-3])
	f.Add(append([]byte(blockMagic), segment...))
	f.Add(appendIndex(bytes.Clone(segment), []place{{3, int64(segmentHead), len(block)}}, map[uint32][]uint32{hashOf("A"): {0}}, int64(len(segment))))
	u, err := newUnpacker()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, _ := scanBlocks(u, data)
		if found.end > int64(len(data)) {
			t.Fatalf("end %d of %d", found.end, len(data))
		}
		for _, b := range found.blocks {
			if b.offset < int64(segmentHead) || b.offset+int64(b.size) > found.end {
				t.Fatalf("block %+v of %d", b, found.end)
			}
		}
		// Checksums are put right, so that what they guard is reached.
		fixed := bytes.Clone(data)
		if len(fixed) >= segmentHead+blockHead {
			copy(fixed, segmentMagic)
			h := fixed[segmentHead:]
			copy(h, blockMagic)
			if size := int(binary.LittleEndian.Uint32(h[36:])); size <= len(h)-blockHead {
				binary.LittleEndian.PutUint32(h[40:], crc(h[blockHead:blockHead+size]))
			}
			binary.LittleEndian.PutUint32(h[44:], crc(h[:44]))
			scanBlocks(u, fixed)
		}
		if x, err := readIndex(bytes.NewReader(data), int64(len(data))); err == nil {
			checkIndex(t, x)
		}
		if x, err := parseIndex(data, int64(len(data))); err == nil {
			checkIndex(t, x)
		}
		for fr, rest, ok := nextFrame(data); ok; fr, rest, ok = nextFrame(rest) {
			fr.frame(0)
		}
	})
}

func checkIndex(t *testing.T, x *index) {
	for at := 0; at < len(x.stations); at += stationSize {
		for _, n := range x.find(binary.LittleEndian.Uint32(x.stations[at:])) {
			if int(n) >= len(x.blocks) {
				t.Fatalf("block %d of %d", n, len(x.blocks))
			}
		}
	}
}
