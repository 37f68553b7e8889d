package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const records = 100_000

// log makes a chain and a checkpoint of every thousandth record.
func log(t testing.TB, n int) ([]Entry, []Checkpoint, ed25519.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	list, signed := make([]Entry, n), []Checkpoint(nil)
	chain(list, nil, 0)
	for i := 999; i < n; i += 1000 {
		signed = append(signed, sign(private, &list[i]))
	}
	return list, signed, public
}

func sign(k ed25519.PrivateKey, e *Entry) Checkpoint {
	c := Checkpoint{Seq: e.Seq, Hash: hex.EncodeToString(e.Hash), At: e.At}
	c.Sign = hex.EncodeToString(ed25519.Sign(k, c.Payload()))
	return c
}

// chain fills a list from an index on, as somebody who knows how would.
func chain(list []Entry, last []byte, from int) {
	for i := from; i < len(list); i++ {
		e := &list[i]
		e.Seq, e.At = int64(i+1), time.Unix(1_790_000_000+int64(i), 0).UTC()
		if e.Action == "" {
			e.Actor, e.Action, e.Subject, e.Detail = "u-1", "door.unlock", fmt.Sprintf("door/%d", i%7), json.RawMessage(`{"reason":"delivery"}`)
		}
		e.Hash = e.Seal(last)
		last = e.Hash
	}
}

func walk(list []Entry, signed []Checkpoint, k ed25519.PublicKey) error {
	v, err := NewVerifier(k, signed)
	if err != nil {
		return err
	}
	for i := range list {
		if err := v.Next(&list[i]); err != nil {
			return err
		}
	}
	_, _, err = v.End()
	return err
}

func TestOneRecordOfAHundredThousand(t *testing.T) {
	whole, signed, key := log(t, records)
	if err := walk(whole, signed, key); err != nil {
		t.Fatal(err)
	}
	v, _ := NewVerifier(key, signed)
	for i := range whole {
		if err := v.Next(&whole[i]); err != nil {
			t.Fatal(err)
		}
	}
	if n, held, err := v.End(); n != records || held != records/1000 || err != nil {
		t.Errorf("%d records, %d checkpoints, %v", n, held, err)
	}
	_, other, _ := ed25519.GenerateKey(nil)
	for name, c := range map[string]struct {
		tamper func([]Entry, []Checkpoint) ([]Entry, []Checkpoint)
		seq    int64
		what   string
	}{
		"one is changed": {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) {
			l[500].Detail = json.RawMessage(`{"reason":"delivered"}`)
			return l, s
		}, 501, Changed},
		"one is put into another hand": {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) { l[77_777].Actor = "u-2"; return l, s }, 77_778, Changed},
		"one is dated back": {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) {
			l[9].At = l[9].At.Add(-time.Hour)
			return l, s
		}, 10, Changed},
		"one is removed":     {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) { return slices.Delete(l, 500, 501), s }, 501, Missing},
		"the first is gone":  {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) { return l[1:], s }, 1, Missing},
		"two change places":  {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) { l[5], l[6] = l[6], l[5]; return l, s }, 6, Missing},
		"the end is cut off": {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) { return l[:records-1], s }, records, CutOff},
		"one is changed and all after it made anew": {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) {
			l[500].Detail = json.RawMessage(`{}`)
			chain(l, l[499].Hash, 500)
			return l, s
		}, 1000, Remade},
		"one is removed and all after it made anew": {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) {
			l = slices.Delete(l, 98_500, 98_501)
			chain(l, l[98_499].Hash, 98_500)
			return l, s
		}, 99_000, Remade},
		"made anew, and checkpoints with it": {func(l []Entry, s []Checkpoint) ([]Entry, []Checkpoint) {
			l[500].Detail = json.RawMessage(`{}`)
			chain(l, l[499].Hash, 500)
			s[0] = sign(other, &l[999])
			return l, s
		}, 1000, Unsigned},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := c.tamper(slices.Clone(whole), slices.Clone(signed))
			var f *Fault
			if err := walk(l, s, key); !errors.As(err, &f) || f.Seq != c.seq || f.What != c.what {
				t.Errorf("found %v, want record %d %s", err, c.seq, c.what)
			}
		})
	}
}

func TestAnExportIsReadBack(t *testing.T) {
	list, signed, key := log(t, 1500)
	var text, points bytes.Buffer
	for i := range list {
		if err := json.NewEncoder(&text).Encode(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range signed {
		if err := json.NewEncoder(&points).Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	back, err := ParseCheckpoints(&points)
	if err != nil || len(back) != 1 {
		t.Fatal(back, err)
	}
	v, err := NewVerifier(key, back)
	if err != nil {
		t.Fatal(err)
	}
	if err := Export(strings.NewReader(text.String()), v); err != nil {
		t.Fatal(err)
	}
	if n, held, err := v.End(); n != 1500 || held != 1 || err != nil {
		t.Error(n, held, err)
	}
}

func FuzzParseCheckpoints(f *testing.F) {
	f.Add([]byte(`{"seq":1,"hash":"` + strings.Repeat("ab", 32) + `","at":"2026-11-23T04:00:00Z","signature":"00"}`))
	f.Add([]byte("{}\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseCheckpoints(bytes.NewReader(b))
		if err == nil {
			for _, c := range list {
				if c.Seq <= 0 || c.SignedBy(make(ed25519.PublicKey, ed25519.PublicKeySize)) {
					t.Errorf("%+v", c)
				}
			}
		}
		v, err := NewVerifier(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = Export(bytes.NewReader(b), v) // it ends
	})
}
