package frames

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
