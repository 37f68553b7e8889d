package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestASliceOfTheLog(t *testing.T) {
	public, private, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	var all []Part
	var last []byte
	for i := range 20 {
		e := Entry{Seq: int64(i + 1), At: time.Unix(int64(i), 0).UTC(), Actor: "u-1", Action: "door.unlock", Subject: fmt.Sprint("door/", i%3), Detail: json.RawMessage(`{"n":1}`)}
		e.Hash = e.Seal(last)
		last = e.Hash
		all = append(all, Part{Entry: e})
	}
	mark := func(seq int64) Checkpoint {
		c := Checkpoint{Seq: seq, Hash: hex.EncodeToString(all[seq-1].Hash), At: time.Unix(100, 0).UTC()}
		c.Sign = hex.EncodeToString(ed25519.Sign(private, c.Payload()))
		return c
	}
	tests := map[string]struct {
		change func(parts []Part, points []Checkpoint) ([]Part, []Checkpoint)
		faults []Fault
		shown  int
	}{
		"whole":                    {func(p []Part, c []Checkpoint) ([]Part, []Checkpoint) { return p, c }, nil, 8},
		"from the first record on": {func(_ []Part, c []Checkpoint) ([]Part, []Checkpoint) { return slices.Clone(all), c }, nil, 20},
		"a record that says something else": {func(p []Part, c []Checkpoint) ([]Part, []Checkpoint) {
			p[3].Detail = json.RawMessage(`{"n":2}`)
			return p, c
		}, []Fault{{8, Changed}}, 8},
		"a record that is gone": {func(p []Part, c []Checkpoint) ([]Part, []Checkpoint) { return slices.Delete(p, 3, 4), c }, []Fault{{8, Missing}}, 7},
		"another hash of one that is withheld": {func(p []Part, c []Checkpoint) ([]Part, []Checkpoint) {
			p[2].Hash = slices.Repeat([]byte{1}, 32)
			return p, c
		}, []Fault{{8, Changed}}, 8},
		"the hash before the first is not there": {func(p []Part, c []Checkpoint) ([]Part, []Checkpoint) { return p[1:], c }, []Fault{{5, Missing}}, 8},
		"a checkpoint of another chain": {func(p []Part, c []Checkpoint) ([]Part, []Checkpoint) {
			x := c[0]
			x.Hash = hex.EncodeToString(make([]byte, 32))
			x.Sign = hex.EncodeToString(ed25519.Sign(private, x.Payload()))
			return p, []Checkpoint{x}
		}, []Fault{{14, Remade}}, 8},
		"a checkpoint that nobody signed": {func(p []Part, c []Checkpoint) ([]Part, []Checkpoint) {
			c[0].At = c[0].At.Add(time.Second)
			return p, c
		}, []Fault{{14, Unsigned}}, 8},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			parts := slices.Clone(all[4:14]) // records 5 to 14
			parts[0].Withheld, parts[2].Withheld = true, true
			for i := range parts {
				parts[i].Hash = slices.Clone(parts[i].Hash)
			}
			parts, points := tc.change(parts, []Checkpoint{mark(14)})
			var b bytes.Buffer
			for _, p := range parts {
				line, err := json.Marshal(p)
				if err != nil {
					t.Fatal(err)
				}
				b.Write(append(line, '\n'))
				if p.Withheld && bytes.Contains(line, []byte("door")) {
					t.Errorf("it says what is withheld: %s", line)
				}
			}
			got, err := Slice(&b, public, points)
			if err != nil || !slices.Equal(got.Faults, tc.faults) || got.Shown != tc.shown {
				t.Errorf("%v %+v", err, got)
			}
		})
	}
}

func FuzzSlice(f *testing.F) {
	f.Add([]byte(`{"seq":1,"hash":"AAAA","withheld":true}` + "\n" + `{"seq":2,"at":"2026-01-01T00:00:00Z","actor":"a","action":"b","subject":"c","detail":{},"hash":"AAAA"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := Slice(bytes.NewReader(b), nil, nil); err == nil && len(r.Faults) > maxSliceFaults {
			t.Errorf("%d faults", len(r.Faults))
		}
	})
}
