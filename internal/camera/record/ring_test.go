package record

import (
	"bytes"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
)

// fill shows n pictures of 10 bytes, ten a second, a key picture every second.
func fill(r *ring, from, n int) {
	for i := from; i < from+n; i++ {
		r.add(&stream.Unit{
			DTS: time.Duration(i), At: time.Unix(0, 0).Add(time.Duration(i) * 100 * time.Millisecond), Key: i%10 == 0, Epoch: 1,
			NALUs: [][]byte{bytes.Repeat([]byte{byte(i)}, 4), bytes.Repeat([]byte{byte(i)}, 6)},
		})
	}
}

func kept(r *ring, from time.Time) (out []int) {
	r.replay(from, func(u *stream.Unit) {
		out = append(out, int(u.DTS))
		if len(u.NALUs) != 2 || u.NALUs[0][3] != byte(u.DTS) || u.NALUs[1][5] != byte(u.DTS) || len(u.NALUs[1]) != 6 {
			panic("another picture")
		}
	})
	return out
}

func TestTheRingKeepsTheNewestGroups(t *testing.T) {
	for sentence, c := range map[string]struct {
		length      time.Duration
		most        int
		first, last int
		lost        uint64
	}{
		"as many as cover the time":           {3 * time.Second, 1 << 20, 60, 97, 0},
		"all while they are few":              {time.Hour, 1 << 20, 0, 97, 0},
		"no more than the bytes":              {time.Hour, 450, 60, 97, 0},
		"nothing if one group is too large":   {time.Hour, 50, -1, -1, 98},
		"the group that grows is always kept": {time.Millisecond, 1 << 20, 90, 97, 0},
	} {
		t.Run(sentence, func(t *testing.T) {
			r := &ring{length: c.length, most: c.most}
			defer r.clear()
			fill(r, 0, 98)
			got := kept(r, time.Time{})
			if c.first < 0 {
				if len(got) != 0 || r.lost == 0 {
					t.Errorf("%v, lost %d", got, r.lost)
				}
				return
			}
			if len(got) != c.last-c.first+1 || got[0] != c.first || r.lost != c.lost || r.bytes != 10*len(got) {
				t.Errorf("%v, %d bytes, lost %d", got, r.bytes, r.lost)
			}
		})
	}
	r := &ring{length: time.Hour, most: 1 << 20}
	fill(r, 0, 35)
	if got := kept(r, time.Unix(2, 500_000_000)); got[0] != 20 {
		t.Errorf("from a time on: %v", got)
	}
	if got := kept(r, time.Unix(100, 0)); got[0] != 30 {
		t.Errorf("from now on: %v", got)
	}
	r.add(&stream.Unit{DTS: 35, Broken: true, Key: true, Epoch: 2, NALUs: [][]byte{{35, 35, 35, 35}, {35, 35, 35, 35, 35, 35}}})
	if got := kept(r, time.Time{}); len(got) != 1 {
		t.Errorf("behind a hole: %v", got)
	}
	r.clear()
}
