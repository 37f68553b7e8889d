package offsite

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// book is a ledger in a folder: one file a row.
type book struct{ dir string }

func (b book) file(id string) string { return filepath.Join(b.dir, hex.EncodeToString([]byte(id))) }

func (b book) Copies(context.Context) ([]json.RawMessage, error) {
	files, err := filepath.Glob(filepath.Join(b.dir, "*[0-9a-f]"))
	var out []json.RawMessage
	for _, f := range files {
		data, readErr := os.ReadFile(f)
		err = errors.Join(err, readErr)
		out = append(out, data)
	}
	return out, err
}

func (b book) PutCopy(_ context.Context, id string, data json.RawMessage) error {
	if err := os.WriteFile(b.file(id)+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(b.file(id)+".new", b.file(id))
}

func (b book) DropCopies(_ context.Context, ids []string) error {
	var errs []error
	for _, id := range ids {
		errs = append(errs, os.Remove(b.file(id)))
	}
	return errors.Join(errs...)
}

// films has a film of every camera but one, and notes what is held.
type films struct {
	mu   sync.Mutex
	held map[string]bool
}

func filmOf(camera string) []byte { return bytes.Repeat([]byte("film of "+camera+"\n"), 5000) }

func (f *films) Pictures(_ context.Context, camera string, from, to time.Time) (Pictures, error) {
	if camera == "blind" {
		return Pictures{}, &Failure{Code: "noPictures"}
	}
	b := filmOf(camera)
	return Pictures{ReadSeeker: bytes.NewReader(b), Closer: io.NopCloser(nil), From: from, To: to, Size: int64(len(b)), Pieces: []Span{{from, to}}}, nil
}

func (f *films) Hold(c Copy) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.held = make(map[string]bool)
	}
	f.held[c.ID] = true
	return nil
}

func (f *films) Release(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.held, id)
	return nil
}

// shelf is a place in memory that can be out of order.
type shelf struct {
	mu     sync.Mutex
	broken error
	things map[string][]byte
	tries  []string
}

func (s *shelf) Put(_ context.Context, o Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries = append(s.tries, o.Name)
	if s.broken != nil {
		return s.broken
	}
	b, err := io.ReadAll(o.Body)
	if err != nil || int64(len(b)) != o.Size || sha256.Sum256(b) != o.Sum {
		return fmt.Errorf("not what was said: %w", err)
	}
	if s.things == nil {
		s.things = make(map[string][]byte)
	}
	s.things[o.Name] = b
	return nil
}

func (s *shelf) String() string { return "the shelf" }

func (s *shelf) Remove(context.Context, string) error { return errors.New("nothing leaves here") }

func (s *shelf) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

// ears hear what is told.
type ears struct {
	mu   sync.Mutex
	said []string
}

func (e *ears) RecordingCopy(_ context.Context, camera string, b event.RecordingCopy) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = append(e.said, fmt.Sprintf("%s failed=%v %s", camera, b.Failed, b.Reason))
	return nil
}

type office struct {
	*Queue
	t     *testing.T
	dir   string
	films films
	shelf *shelf
	ears  ears
	none  bool
	stop  func()
}

func opened(t *testing.T, dir string, s *shelf) *office {
	t.Helper()
	o := &office{t: t, dir: dir, shelf: s}
	var err error
	if o.Queue, err = Open(t.Context(), Options{
		Ledger: book{dir}, Source: &o.films, Teller: &o.ears,
		Place: func(context.Context) (Place, error) {
			if o.none {
				return nil, nil
			}
			return s, nil
		},
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = o.Run(ctx) }()
	o.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(o.stop)
	return o
}

func (o *office) add(cameras ...string) {
	o.t.Helper()
	for _, c := range cameras {
		at := time.Now()
		if err := o.Add(o.t.Context(), Copy{ID: c, Incident: "inc-1", Camera: c, Site: "mall/north", From: at.Add(-time.Minute), To: at}); err != nil {
			o.t.Fatal(err)
		}
	}
}

func (o *office) states() string {
	var out []string
	for _, c := range o.List() {
		out = append(out, strings.TrimSpace(c.ID+" "+string(c.State)+" "+c.Reason))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestWhatIsTamperedWithIsCopiedAtOnceWithWhatItIs(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		o := opened(t, dir, s)
		o.o.Sign = func(b []byte) []byte { return ed25519.Sign(private, b) }
		o.add("gate", "yard", "blind")
		synctest.Wait()
		if got := o.states(); got != "blind failed noPictures, gate done, yard done" {
			t.Error(got)
		}
		for name, b := range s.things {
			if !strings.HasPrefix(name, "chargewatch/mall_north/19991231/2359") {
				t.Errorf("it lies at %s", name)
			}
			video, ok := strings.CutSuffix(name, ".json")
			if !ok {
				continue
			}
			var x signed
			var m Manifest
			if err := errors.Join(json.Unmarshal(b, &x), json.Unmarshal(x.Manifest, &m)); err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(s.things[video+".mp4"])
			if m.File != video+".mp4" || m.SHA256 != hex.EncodeToString(sum[:]) || len(m.Pieces) != 1 || m.Incident != "inc-1" || !bytes.Equal(s.things[m.File], filmOf(m.Camera)) {
				t.Errorf("%+v", m)
			}
			if !ed25519.Verify(public, append([]byte(signedPrefix), x.Manifest...), x.Signature) {
				t.Error("the manifest is not signed")
			}
		}
		if len(s.things) != 4 || len(o.films.held) != 0 || len(o.ears.said) != 0 {
			t.Errorf("%d things, held %v, said %v", len(s.things), o.films.held, o.ears.said)
		}
		n := len(s.tries)
		o.add("gate")
		synctest.Wait()
		if len(s.tries) != n {
			t.Error("it was copied twice")
		}
		o.stop()
	})
}

func TestAPlaceThatIsAwayIsToldOnceAndEverythingArrivesInTheEnd(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{broken: &Failure{Code: "unreachable"}}
		o := opened(t, dir, s)
		o.add("gate", "yard", "door")
		time.Sleep(time.Second)
		if len(o.ears.said) != 0 {
			t.Errorf("told at the first failure: %v", o.ears.said)
		}
		time.Sleep(time.Hour)
		if got := o.states(); got != "door waiting unreachable, gate waiting unreachable, yard waiting unreachable" {
			t.Error(got)
		}
		if len(o.ears.said) != 1 || !strings.HasSuffix(o.ears.said[0], "failed=true unreachable") {
			t.Errorf("%v", o.ears.said)
		}
		if n := len(s.tries); n < 30 || n > 90 {
			t.Errorf("%d tries in an hour", n)
		}
		told, _, _ := strings.Cut(o.ears.said[0], " ")
		o.stop()
		s.set(nil)
		o = opened(t, dir, s) // the server was started again
		time.Sleep(10 * time.Minute)
		if got := o.states(); got != "door done, gate done, yard done" {
			t.Error(got)
		}
		if !slices.Equal(o.ears.said, []string{told + " failed=false "}) {
			t.Errorf("%v", o.ears.said)
		}
		s.set(&Failure{Code: "full"})
		o.add("late")
		time.Sleep(6 * 24 * time.Hour)
		if got := o.states(); !strings.Contains(got, "late waiting full") {
			t.Error(got)
		}
		time.Sleep(2 * 24 * time.Hour)
		if got := o.states(); !strings.Contains(got, "late failed tooLate") {
			t.Error(got)
		}
		o.stop()
	})
}

func TestTheNewestIsCopiedAndTheOldestGivesWayWhenTooManyWait(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{broken: &Failure{Code: "unreachable"}}
		o := opened(t, dir, s)
		for i := range MaxWaiting + 3 {
			o.add(fmt.Sprintf("cam-%03d", i))
			time.Sleep(time.Millisecond)
		}
		dropped := 0
		for _, c := range o.List() {
			if c.Reason == "dropped" {
				dropped++
				if c.ID > "cam-009" {
					t.Errorf("%s gave way", c.ID)
				}
			}
		}
		if dropped != 3 || len(o.films.held) != MaxWaiting {
			t.Errorf("%d gave way, %d are held", dropped, len(o.films.held))
		}
		time.Sleep(6 * time.Minute)
		o.none = true
		time.Sleep(6 * time.Minute)
		for _, c := range o.List() {
			if c.State != Failed || c.Told {
				t.Fatalf("without a place: %+v", c)
			}
		}
		if n := len(o.ears.said); n != 2 {
			t.Errorf("said %v", o.ears.said)
		}
		o.stop()
	})
}

func TestAFolderTakesWholeFilesAndIsTheOneThatWasChosen(t *testing.T) {
	dir := t.TempDir()
	f := &Folder{Path: dir}
	fails := func(step, code string, err error) {
		t.Helper()
		if x := Why(err); err == nil || x.Code != code {
			t.Errorf("%s: %v, want %s", step, err, code)
		}
	}
	fails("not chosen", "notThere", Test(t.Context(), f))
	if err := errors.Join(f.Choose(), f.Choose(), Test(t.Context(), f)); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(dir + "/chargewatch/*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	put := func(name string, body io.ReadSeeker) error {
		return f.Put(t.Context(), Object{Name: name, Body: body})
	}
	if err := put("chargewatch/a/b.mp4", strings.NewReader("film")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(dir + "/chargewatch/a/b.mp4"); err != nil || string(b) != "film" {
		t.Errorf("%q, %v", b, err)
	}
	if put("../outside", strings.NewReader("x")) == nil {
		t.Error("it wrote outside of its folder")
	}
	if err := os.Symlink("/tmp", dir+"/chargewatch/link"); err != nil {
		t.Fatal(err)
	}
	if put("chargewatch/link/outside", strings.NewReader("x")) == nil {
		t.Error("it followed a link out of its folder")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fails("told to stop", "timeout", f.Put(ctx, Object{Name: "c", Body: strings.NewReader("x")}))
	if _, err := os.Stat(dir + "/c.part"); err == nil {
		t.Error("half a file is left")
	}
	if err := os.Remove(dir + "/" + markName); err != nil {
		t.Fatal(err)
	}
	fails("its disk is not mounted", "notThere", put("d", strings.NewReader("x")))
	fails("no such folder", "notThere", (&Folder{Path: dir + "/none"}).Choose())
}
