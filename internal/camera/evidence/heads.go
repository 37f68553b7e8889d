package evidence

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// SignedHead is the end of a chain at a time, signed. Whoever keeps it elsewhere
// can tell later whether the chain was made anew: not even the key can change what
// has already left.
type SignedHead struct {
	Camera string      `json:"camera"`
	Stream string      `json:"stream"`
	Seq    uint64      `json:"seq"`
	Link   segment.Sum `json:"link"`
	To     time.Time   `json:"to"`                  // the last picture under it
	At     time.Time   `json:"at"`                  // it was signed
	Sign   string      `json:"signature,omitempty"` // Ed25519, in hexadecimal
}

// Payload is what the signature covers.
func (h SignedHead) Payload() []byte {
	h.Sign = ""
	b, err := json.Marshal(h)
	if err != nil {
		return nil // it holds nothing that JSON refuses
	}
	return append([]byte("chargewatch head 1\n"), b...)
}

// signedBy reports whether a key signed the head.
func (h SignedHead) signedBy(k ed25519.PublicKey) bool {
	sign, err := hex.DecodeString(h.Sign)
	return err == nil && len(k) == ed25519.PublicKeySize && ed25519.Verify(k, h.Payload(), sign)
}

// ErrHeads is returned for a list of heads that is none.
var ErrHeads = errors.New("not a list of heads of chains")

// Bounds of lists of heads.
const (
	maxHeadsFile = 256 << 20
	maxHeadsLine = 4 << 20
	maxHeads     = 2_000_000
)

// headList is how heads are written: one JSON object for each time they were taken.
type headList struct {
	At    time.Time    `json:"at"`
	Heads []SignedHead `json:"heads"`
}

// ParseHeads reads lists of heads: what the server answers, or the lines that it
// leaves elsewhere.
func ParseHeads(r io.Reader) ([]SignedHead, error) {
	in := json.NewDecoder(io.LimitReader(r, maxHeadsFile))
	var out []SignedHead
	for {
		var l headList
		err := in.Decode(&l)
		if errors.Is(err, io.EOF) && len(out) > 0 {
			return out, nil
		}
		if err != nil {
			return nil, errors.Join(ErrHeads, err)
		}
		for _, h := range l.Heads {
			if !plainName.MatchString(h.Camera) || !plainName.MatchString(h.Stream) || h.Seq == 0 {
				return nil, fmt.Errorf("head of %q/%q: %w", h.Camera, h.Stream, ErrHeads)
			}
		}
		if out = append(out, l.Heads...); len(out) > maxHeads {
			return nil, fmt.Errorf("more than %d heads: %w", maxHeads, ErrHeads)
		}
	}
}

// Heads takes the heads of all chains from time to time, signs them and keeps them.
// It gives them to whoever leaves them off the machine.
type Heads struct {
	dir   *os.Root
	store *record.Store
	key   *Key
	now   func() time.Time
	mu    sync.Mutex
}

const (
	headsFolder = "heads"
	// KeepHeads is how long heads are kept here.
	KeepHeads = 400 * 24 * time.Hour
)

// OpenHeads opens the heads that a data folder keeps.
func OpenHeads(data *os.Root, store *record.Store, key *Key, now func() time.Time) (*Heads, error) {
	if err := data.Mkdir(headsFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the folder of heads: %w", err)
	}
	dir, err := data.OpenRoot(headsFolder)
	if err != nil {
		return nil, fmt.Errorf("open the folder of heads: %w", err)
	}
	return &Heads{dir: dir, store: store, key: key, now: now}, nil
}

// Close closes the folder.
func (h *Heads) Close() error { return h.dir.Close() }

// Now signs the heads of all chains as they are.
func (h *Heads) Now() (at time.Time, list []SignedHead) {
	at = h.now().UTC().Truncate(time.Millisecond)
	list = []SignedHead{}
	for _, x := range h.store.Heads() {
		one := SignedHead{Camera: x.Camera, Stream: x.Stream, Seq: x.Seq, Link: x.Link, To: x.To.UTC(), At: at}
		one.Sign = hex.EncodeToString(h.key.Sign(one.Payload()))
		list = append(list, one)
	}
	return at, list
}

func headsFile(at time.Time) string { return at.UTC().Format("20060102") + ".jsonl" }

// Take signs the heads and keeps them. The line is what is to be left elsewhere;
// it is empty while nothing is recorded.
func (h *Heads) Take() (line []byte, n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, list := h.Now()
	if len(list) == 0 {
		return nil, 0, nil
	}
	if line, err = json.Marshal(headList{at, list}); err != nil {
		return nil, 0, fmt.Errorf("write heads of chains: %w", err)
	}
	line = append(line, '\n')
	f, err := h.dir.OpenFile(headsFile(at), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("keep heads of chains: %w", err)
	}
	// A line that a crash cut off must not swallow this one: it begins anew.
	_, err = f.Write(append([]byte{'\n'}, line...))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, 0, fmt.Errorf("keep heads of chains: %w", err)
	}
	return line, len(list), h.expire(at)
}

func (h *Heads) expire(now time.Time) error {
	entries, err := fs.ReadDir(h.dir.FS(), ".")
	if err != nil {
		return fmt.Errorf("list the folder of heads: %w", err)
	}
	oldest := headsFile(now.Add(-KeepHeads))
	for _, e := range entries {
		if e.Name() >= oldest {
			break // they are in order
		}
		if err := h.dir.Remove(e.Name()); err != nil {
			return fmt.Errorf("remove old heads: %w", err)
		}
	}
	return nil
}

// Of lists the heads of a stream that were taken between two times, oldest first.
// A list that cannot be read is left out: what it lacks others may have.
func (h *Heads) Of(src record.Source, from, to time.Time) ([]SignedHead, error) {
	var out []SignedHead
	for day := from.UTC().Truncate(24 * time.Hour); !day.After(to); day = day.Add(24 * time.Hour) {
		f, err := h.dir.Open(headsFile(day))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open heads of chains: %w", err)
		}
		in := bufio.NewScanner(f)
		in.Buffer(make([]byte, 64<<10), maxHeadsLine)
		for in.Scan() {
			var l headList
			if !bytes.Contains(in.Bytes(), []byte(`"`+src.Camera+`"`)) || json.Unmarshal(in.Bytes(), &l) != nil {
				continue
			}
			i := slices.IndexFunc(l.Heads, func(x SignedHead) bool { return x.Camera == src.Camera && x.Stream == src.Stream })
			if i >= 0 && !l.At.Before(from) && !l.At.After(to) && len(out) < maxNotes {
				out = append(out, l.Heads[i])
			}
		}
		if err := errors.Join(in.Err(), f.Close()); err != nil && !errors.Is(err, bufio.ErrTooLong) {
			return nil, fmt.Errorf("read heads of chains: %w", err)
		}
	}
	return out, nil
}
