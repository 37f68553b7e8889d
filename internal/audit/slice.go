package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
)

// Part is a record in a slice of the log. Where it is withheld, only its place in the
// chain is given.
type Part struct {
	Entry
	Withheld bool `json:"withheld,omitempty"`
}

// MarshalJSON writes a withheld record without what it says.
func (p Part) MarshalJSON() ([]byte, error) {
	if !p.Withheld {
		return json.Marshal(p.Entry)
	}
	return json.Marshal(struct {
		Seq      int64  `json:"seq"`
		Hash     []byte `json:"hash"`
		Withheld bool   `json:"withheld"`
	}{p.Seq, p.Hash, true})
}

// SliceReport is what a check of a slice found.
type SliceReport struct {
	First, Last int64 // records of it
	Shown       int   // that are whole
	Withheld    int
	Held        int // checkpoints that fit
	Faults      []Fault
}

const maxSliceFaults = 20

// Slice checks a part of a log: that no record between its first and last is missing,
// that each shown one fits the hash before and its own, and that checkpoints within fit
// and were signed by the key. The first is there for its hash alone.
func Slice(r io.Reader, k ed25519.PublicKey, points []Checkpoint) (SliceReport, error) {
	var out SliceReport
	fault := func(seq int64, what string) {
		if len(out.Faults) < maxSliceFaults {
			out.Faults = append(out.Faults, Fault{seq, what})
		}
	}
	signed := make(map[int64]Checkpoint, len(points))
	for _, c := range points {
		if k != nil && !c.SignedBy(k) {
			fault(c.Seq, Unsigned)
			continue
		}
		signed[c.Seq] = c
	}
	var last []byte
	err := lines(r, func(line []byte) error {
		var p Part
		if err := json.Unmarshal(line, &p); err != nil || p.Seq <= 0 {
			fault(out.Last+1, Shape)
			return nil
		}
		begins := out.First == 0
		if begins {
			out.First = p.Seq
		} else if p.Seq != out.Last+1 {
			fault(out.Last+1, Missing)
			last = nil
		}
		switch {
		case p.Withheld:
			out.Withheld++
		case last == nil && p.Seq != 1:
			out.Shown++
			if begins {
				fault(p.Seq-1, Missing)
			}
		default:
			out.Shown++
			if !bytes.Equal(p.Seal(last), p.Hash) {
				fault(p.Seq, Changed)
			}
		}
		if c, ok := signed[p.Seq]; ok {
			if c.Hash != hex.EncodeToString(p.Hash) {
				fault(p.Seq, Remade)
			} else {
				out.Held++
			}
		}
		out.Last, last = p.Seq, slices.Clone(p.Hash)
		return nil
	})
	return out, err
}
