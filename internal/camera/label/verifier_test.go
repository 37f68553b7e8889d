package label

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/outward"
)

// process is a verifier: it answers as it is told to, over a network in memory.
type process struct {
	mu     sync.Mutex
	asked  []string
	answer func(body string) (int, string)
	slow   time.Duration
}

func (p *process) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.asked = append(p.asked, string(body))
	answer, slow := p.answer, p.slow
	p.mu.Unlock()
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "image/jpeg" {
		return nil, errors.New("not the one call")
	}
	select {
	case <-time.After(slow):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	status, text := answer(string(body))
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

func (p *process) pictures() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// album has a new picture each two seconds, as cameras have key pictures.
type album struct {
	mu  sync.Mutex
	all map[string]*stream.Unit
}

func (a *album) Key(camera string) *stream.Unit {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.all[camera]
	if u == nil || time.Since(u.At) >= 2*time.Second {
		u = &stream.Unit{At: time.Now()}
		a.all[camera] = u
	}
	return u
}

func (a *album) JPEG(_ context.Context, camera string, _ *stream.Unit) ([]byte, error) {
	return []byte("picture of " + camera), nil
}

type reports struct {
	mu   sync.Mutex
	list []Report
}

func (r *reports) take(_ context.Context, x Report) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, x)
	return nil
}

func (r *reports) all() []Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list
}

func verifying(t *testing.T, p *process, test func(v *Verifier, told *reports)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		told := &reports{}
		v := NewVerifier(VerifierOptions{URL: "http://verifier.example/", Client: &http.Client{Transport: p}, Pictures: &album{all: map[string]*stream.Unit{}}, Take: told.take})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- v.Run(ctx) }()
		test(v, told)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func motion(id string, phase event.ScenePhase) *event.Scene {
	return &event.Scene{ID: id, What: event.SceneMotion, Phase: phase, Armed: true}
}

const (
	aPerson = `{"engine":"test","labels":[{"what":"person","score":0.9}]}`
	nothing = `{"engine":"test","labels":[]}`
)

func TestAPictureOfMotionIsShownAtOnce(t *testing.T) {
	p := &process{answer: func(string) (int, string) { return 200, aPerson }}
	verifying(t, p, func(v *Verifier, told *reports) {
		v.Heard("gate", motion("1", event.SceneStarted))
		synctest.Wait()
		all := told.all()
		if len(all) != 1 || all[0].Camera != "gate" || all[0].Scene != "1" || !all[0].Armed || all[0].Source != event.LabelsOfVerifier || len(all[0].Items) != 1 {
			t.Fatalf("told %+v", all)
		}
		time.Sleep(time.Minute) // a person needs no second look
		if n := p.pictures(); n != 1 {
			t.Errorf("%d pictures were shown", n)
		}
		if s := v.Status(); s.State != VerifierWorking || s.Engine != "test" || s.Asked != 1 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestWhatNobodyAskedForIsNotShown(t *testing.T) {
	p := &process{answer: func(string) (int, string) { return 200, nothing }}
	verifying(t, p, func(v *Verifier, _ *reports) {
		v.Heard("gate", &event.Scene{ID: "1", What: event.SceneMotion, Phase: event.SceneStarted})
		v.Heard("gate", &event.Scene{ID: "2", What: event.SceneCovered, Phase: event.SceneStarted, Armed: true})
		v.Heard("gate", &event.Scene{ID: "3", What: event.ScenePerson, Phase: event.SceneStarted, Armed: true})
		time.Sleep(time.Minute)
		if n := p.pictures(); n != 0 {
			t.Errorf("%d pictures were shown", n)
		}
	})
}

func TestWhileSomethingMovesItIsLookedAtAgain(t *testing.T) {
	p := &process{answer: func(string) (int, string) { return 200, nothing }}
	verifying(t, p, func(v *Verifier, told *reports) {
		v.Heard("gate", motion("1", event.SceneStarted))
		time.Sleep(10 * time.Second)
		if n := p.pictures(); n != 3 {
			t.Errorf("%d pictures in ten seconds", n)
		}
		v.Heard("gate", motion("1", event.SceneEnded))
		time.Sleep(time.Minute)
		if n := p.pictures(); n != 3 {
			t.Errorf("%d pictures after its end", n)
		}
		if all := told.all(); len(all) != 3 || len(all[0].Items) != 0 {
			t.Errorf("that it saw nothing is told too: %+v", all)
		}
	})
}

func TestAVerifierThatFailsIsLeftInPeace(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		text   string
		slow   time.Duration
		want   string
	}{
		"it is broken":          {500, "", 0, ReasonAnswer},
		"it says nonsense":      {200, "<html>", 0, ReasonAnswer},
		"it redirects":          {302, "", 0, ReasonAnswer},
		"it does not come back": {200, aPerson, time.Hour, ReasonTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			p := &process{answer: func(string) (int, string) { return c.status, c.text }, slow: c.slow}
			verifying(t, p, func(v *Verifier, told *reports) {
				for i := range 300 { // ten minutes of motion
					v.Heard("gate", motion(string(rune('a'+i%20)), event.SceneStarted))
					time.Sleep(2 * time.Second)
				}
				if n := p.pictures(); n > 20 {
					t.Errorf("it was asked %d times in ten minutes", n)
				}
				if s := v.Status(); s.State != VerifierFailing || s.Reason != c.want || s.FailingSince.IsZero() || len(told.all()) != 0 {
					t.Errorf("status %+v", s)
				}
				p.mu.Lock()
				p.answer, p.slow = func(string) (int, string) { return 200, aPerson }, 0
				p.mu.Unlock()
				time.Sleep(longPause + time.Second)
				v.Heard("gate", motion("back", event.SceneStarted))
				time.Sleep(time.Second)
				if s := v.Status(); s.State != VerifierWorking || len(told.all()) == 0 {
					t.Errorf("it is back, and the status is %+v", s)
				}
			})
		})
	}
}

func TestAFloodDropsTheOldestPicturesAndSaysSo(t *testing.T) {
	p := &process{answer: func(string) (int, string) { return 200, nothing }, slow: 500 * time.Millisecond}
	verifying(t, p, func(v *Verifier, told *reports) {
		for i := range 3 * maxWaiting {
			v.Heard("cam"+string(rune('A'+i)), motion("m"+string(rune('A'+i)), event.SceneSeen))
		}
		if s := v.Status(); s.Waiting > maxWaiting || s.Dropped == 0 {
			t.Errorf("status %+v", s)
		}
		time.Sleep(2 * time.Minute)
		s := v.Status()
		if s.Asked+s.Dropped != 3*maxWaiting || s.Waiting != 0 {
			t.Errorf("status %+v", s)
		}
		all := told.all()
		if len(all) == 0 || all[len(all)-1].Camera != "cam"+string(rune('A'+3*maxWaiting-1)) {
			t.Errorf("the newest was not looked at: %d reports", len(all))
		}
	})
}

func TestAnAddressOutOfReachIsNotAsked(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here := l.Addr().(*net.TCPAddr).AddrPort()
	for name, c := range map[string]struct {
		exactly []netip.AddrPort
		denied  bool
	}{
		"this machine":                 {nil, true},
		"this machine, if it is named": {[]netip.AddrPort{here}, false},
	} {
		t.Run(name, func(t *testing.T) {
			served := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, aPerson) })}
			if !c.denied {
				go served.Serve(l) //nolint:errcheck // ends with the test
				defer served.Close()
			}
			v := NewVerifier(VerifierOptions{URL: "http://" + here.String() + "/", Client: outward.New(outward.Options{Exactly: c.exactly}).Client(nil)})
			a, err := v.call(t.Context(), []byte("picture"))
			if c.denied != errors.Is(err, outward.ErrDenied) || c.denied && reason(err) != ReasonAddress || !c.denied && len(a.Items) != 1 {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

// journal keeps what is appended.
type journal struct{ list []*event.Event }

func (j *journal) Append(_ context.Context, e *event.Event) (fleet.Receipt, error) {
	j.list = append(j.list, e)
	return fleet.Receipt{}, nil
}

func (j *journal) PlateID(_ context.Context, text string) (string, error) { return "p-" + text, nil }

func TestOneCameraCannotFloodTheJournal(t *testing.T) {
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	j := &journal{}
	in := NewIntake(Options{Journal: j, Plates: j, Now: func() time.Time { return now }, Camera: func(id string) (Place, bool) {
		return Place{Site: "mall", Armed: true}, id != "none"
	}})
	taken := func(camera string) int {
		n := 0
		for range 600 { // ten a second for a minute
			now = now.Add(100 * time.Millisecond)
			if in.Admit(camera) {
				n++
				if err := in.Take(t.Context(), Report{Camera: camera, Source: event.LabelsOfWebhook, Items: []Seen{{Label: event.Label{What: event.ScenePlate}, Text: "X1"}, {Label: event.Label{What: event.SceneMotion}}}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		return n
	}
	if n := taken("gate"); n < perMinute || n > perMinute+burst {
		t.Errorf("%d in a minute", n)
	}
	if c := in.Count("gate"); c.Dropped == 0 || c.Taken+c.Dropped != 600 || c.Source != event.LabelsOfWebhook {
		t.Errorf("counted %+v", c)
	}
	if n := taken("yard"); n < perMinute {
		t.Errorf("the other camera has %d", n)
	}
	l := j.list[0].Body.(*event.Labels)
	if l.SiteID != "mall" || !l.Armed || len(l.Items) != 1 || l.Items[0].Plate != "p-X1" || j.list[0].Origin != event.FromUpstream {
		t.Errorf("appended %+v", l)
	}
	if err := in.Take(t.Context(), Report{Camera: "none"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a camera that is none: %v", err)
	}
	in.Forget(func(id string) bool { return id == "yard" })
	if c := in.Count("gate"); c.Taken != 0 {
		t.Errorf("it is remembered: %+v", c)
	}
}

func TestAPictureInWhichMuchMovesIsShownOnce(t *testing.T) {
	p := &process{answer: func(string) (int, string) { return 200, aPerson }}
	verifying(t, p, func(v *Verifier, _ *reports) {
		for _, id := range []string{"1", "2", "3"} {
			v.Heard("gate", motion(id, event.SceneStarted))
		}
		time.Sleep(time.Minute) // and the person in it is that of all three
		if n := p.pictures(); n != 1 {
			t.Errorf("%d pictures were shown", n)
		}
	})
}
