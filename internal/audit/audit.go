// Package audit is the chain of what people did: each record holds the hash of the
// one before, so that none can be changed or left out without breaking it. A chain
// alone does not tell when its end is cut off or when all of it is made anew.
// Checkpoints do: they are signed, and leave the machine while the log grows.
//
// It is pure: the store keeps the records, the wiring signs and carries away.
package audit

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Actor is who acts: the opaque id of a user or an API token, or "system".
type Actor string

// Entry is one act. Detail carries no secret, name or token value.
type Entry struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Actor   Actor           `json:"actor"`
	Action  string          `json:"action"`
	Subject string          `json:"subject"`
	Detail  json.RawMessage `json:"detail"`
	Hash    []byte          `json:"hash"`
}

// Seal hashes the entry with the hash of the one before. Every field is preceded by
// its length, so that no two entries read alike.
func (e *Entry) Seal(last []byte) []byte {
	h := sha256.New()
	field := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	field(last)
	field(binary.BigEndian.AppendUint64(nil, uint64(e.Seq)))
	field(binary.BigEndian.AppendUint64(nil, uint64(e.At.UnixMilli())))
	field([]byte(e.Actor))
	field([]byte(e.Action))
	field([]byte(e.Subject))
	field(e.Detail)
	return h.Sum(nil)
}

// Checkpoint is the end of the chain at a time, signed.
type Checkpoint struct {
	Seq  int64     `json:"seq"`
	Hash string    `json:"hash"` // of the record, in hexadecimal
	At   time.Time `json:"at"`
	Sign string    `json:"signature,omitempty"` // Ed25519, in hexadecimal
}

// Payload is what the signature covers.
func (c Checkpoint) Payload() []byte {
	return fmt.Appendf(nil, "chargewatch audit 1\n%d\n%s\n%s\n", c.Seq, c.Hash, c.At.UTC().Format(time.RFC3339))
}

// SignedBy reports whether a key signed it.
func (c Checkpoint) SignedBy(k ed25519.PublicKey) bool {
	sign, err := hex.DecodeString(c.Sign)
	return err == nil && len(k) == ed25519.PublicKeySize && ed25519.Verify(k, c.Payload(), sign)
}

// Fault is the first thing found wrong.
type Fault struct {
	Seq  int64 // of the record
	What string
}

// The ways in which a log is wrong.
const (
	Changed  = "changed"      // its hash is another one
	Missing  = "missing"      // it was removed
	CutOff   = "cut off"      // the log ends before it
	Remade   = "made anew"    // the chain holds, and is not the one that was signed
	Unsigned = "not signed"   // a checkpoint that the key did not sign
	Shape    = "not a record" // it cannot be read
)

func (f *Fault) Error() string {
	if f.What == Unsigned {
		return fmt.Sprintf("the checkpoint at record %d was not signed by this key", f.Seq)
	}
	return fmt.Sprintf("record %d: %s", f.Seq, f.What)
}

// Verifier walks a log from its first record on.
type Verifier struct {
	last   []byte
	seq    int64
	signed map[int64]Checkpoint
	newest Checkpoint
	held   int
}

// NewVerifier prepares a walk. Checkpoints that the key did not sign are a fault:
// whoever forges a log forges those that do not fit.
func NewVerifier(k ed25519.PublicKey, list []Checkpoint) (*Verifier, error) {
	v := &Verifier{signed: make(map[int64]Checkpoint, len(list))}
	for _, c := range list {
		if !c.SignedBy(k) {
			return nil, &Fault{c.Seq, Unsigned}
		}
		v.signed[c.Seq] = c
		if c.Seq > v.newest.Seq {
			v.newest = c
		}
	}
	return v, nil
}

// Next takes the next record.
func (v *Verifier) Next(e *Entry) error {
	v.seq++
	switch {
	case e.Seq != v.seq:
		return &Fault{v.seq, Missing}
	case !bytes.Equal(e.Seal(v.last), e.Hash):
		return &Fault{e.Seq, Changed}
	}
	if c, ok := v.signed[e.Seq]; ok {
		if c.Hash != hex.EncodeToString(e.Hash) {
			return &Fault{e.Seq, Remade}
		}
		v.held++
	}
	v.last = e.Hash
	return nil
}

// End says whether the log reaches as far as was signed, and how long it is.
func (v *Verifier) End() (records int64, checkpoints int, err error) {
	if v.newest.Seq > v.seq {
		err = &Fault{v.seq + 1, CutOff}
	}
	return v.seq, v.held, err
}

const (
	maxLine        = 1 << 20
	maxCheckpoints = 2_000_000
)

// ErrCheckpoints is returned for what is no list of checkpoints.
var ErrCheckpoints = errors.New("not a list of checkpoints")

// ParseCheckpoints reads one a line.
func ParseCheckpoints(r io.Reader) ([]Checkpoint, error) {
	var out []Checkpoint
	err := lines(r, func(line []byte) error {
		var c Checkpoint
		if err := json.Unmarshal(line, &c); err != nil || c.Seq <= 0 || len(c.Hash) != 2*sha256.Size {
			return fmt.Errorf("line %d: %w", len(out)+1, ErrCheckpoints)
		}
		if out = append(out, c); len(out) > maxCheckpoints {
			return fmt.Errorf("more than %d: %w", maxCheckpoints, ErrCheckpoints)
		}
		return nil
	})
	return out, err
}

// Export walks the records of an exported log, one a line.
func Export(r io.Reader, v *Verifier) error { return ExportEach(r, v, func(*Entry) {}) }

// ExportEach is Export that gives each record that fits.
func ExportEach(r io.Reader, v *Verifier, each func(*Entry)) error {
	return lines(r, func(line []byte) error {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return &Fault{v.seq + 1, Shape}
		}
		if err := v.Next(&e); err != nil {
			return err
		}
		each(&e)
		return nil
	})
}

func lines(r io.Reader, each func([]byte) error) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), maxLine)
	for in.Scan() {
		if line := bytes.TrimSpace(in.Bytes()); len(line) > 0 {
			if err := each(line); err != nil {
				return err
			}
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("read a line: %w", err)
	}
	return nil
}
