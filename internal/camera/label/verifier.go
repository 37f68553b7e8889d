package label

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/outward"
)

// Bounds of asking a verifier.
const (
	maxWaiting = 32 // pictures
	tooOld     = 30 * time.Second
	callWithin = 5 * time.Second
	firstPause = time.Second
	longPause  = time.Minute
	tellEvery  = time.Minute // that pictures are dropped
	maxScenes  = 500
)

// looks are when pictures of one motion are shown, from its beginning, until a
// person was seen or it is over.
func looks() []time.Duration {
	return []time.Duration{0, 2 * time.Second, 6 * time.Second, 15 * time.Second}
}

// Pictures are those of cameras.
type Pictures interface {
	// Key is the newest key picture of a camera; nil: there is none of now.
	Key(camera string) *stream.Unit
	// JPEG makes a picture of it, with private parts painted over.
	JPEG(ctx context.Context, camera string, u *stream.Unit) ([]byte, error)
}

// VerifierOptions are what a Verifier is made of.
type VerifierOptions struct {
	URL    string
	Client *http.Client // checks each address as it connects
	Within time.Duration
	Pictures
	// Take is told what was seen.
	Take   func(ctx context.Context, r Report) error
	Logger *slog.Logger
}

// Verifier shows pictures of motion to a process beside us.
type Verifier struct {
	o VerifierOptions

	mu      sync.Mutex
	waiting []job // oldest first
	scenes  map[string]*following
	shown   map[string]*stream.Unit // the last picture of a camera, which is not shown again
	woken   chan struct{}
	status  VerifierStatus
	fails   int
	rest    time.Time
	toldAt  time.Time
}

// VerifierStatus is how the verifier does.
type VerifierStatus struct {
	// State is idle, working or failing.
	State          string
	Engine         string
	Asked, Dropped uint64
	Failed         uint64
	Waiting        int
	AnsweredAt     time.Time
	Took           time.Duration // the last answer
	Reason         string        // of the last failure, without addresses
	FailingSince   time.Time
	NextTry        time.Time
}

// The states of a verifier.
const (
	VerifierIdle    = "idle"
	VerifierWorking = "working"
	VerifierFailing = "failing"
)

// following is motion that goes on.
type following struct {
	camera string
	began  time.Time
	next   int // of looks
	person bool
}

type job struct {
	camera, scene string
	unit          *stream.Unit
	at            time.Time
}

// ValidVerifierURL says what is wrong with the address of a verifier.
func ValidVerifierURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return errors.New("the address of a verifier has the form http://HOST:PORT/PATH")
	}
	return nil
}

// NewVerifier returns one that asks nobody before Run.
func NewVerifier(o VerifierOptions) *Verifier {
	if o.Within <= 0 {
		o.Within = callWithin
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Verifier{o: o, scenes: make(map[string]*following), shown: make(map[string]*stream.Unit), woken: make(chan struct{}, 1), status: VerifierStatus{State: VerifierIdle}}
}

// Heard is told of every scene. Motion that begins at an armed site is looked at.
func (v *Verifier) Heard(camera string, s *event.Scene) {
	switch {
	case s.Phase == event.SceneEnded:
		v.mu.Lock()
		delete(v.scenes, s.ID)
		v.mu.Unlock()
		return
	case !s.Armed, s.What.Tampering(), s.What == event.SceneClockJump, s.What == event.ScenePerson:
		return // a person needs no second look
	}
	now := time.Now()
	v.mu.Lock()
	if s.Phase == event.SceneStarted && len(v.scenes) < maxScenes {
		v.scenes[s.ID] = &following{camera: camera, began: now, next: 1}
	}
	v.mu.Unlock()
	v.show(camera, s.ID, now)
}

// show queues the picture of now.
func (v *Verifier) show(camera, scene string, now time.Time) {
	u := v.o.Key(camera)
	if u == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	// One picture is shown once, however much moves in it.
	if v.shown[camera] == u {
		return
	}
	if len(v.shown) >= maxScenes {
		clear(v.shown)
	}
	v.shown[camera] = u
	if len(v.waiting) == maxWaiting {
		v.waiting = slices.Delete(v.waiting, 0, 1)
		v.dropped(now)
	}
	v.waiting = append(v.waiting, job{camera, scene, u, now})
	select {
	case v.woken <- struct{}{}:
	default:
	}
}

// dropped is called under the lock.
func (v *Verifier) dropped(now time.Time) {
	v.status.Dropped++
	if now.Sub(v.toldAt) >= tellEvery {
		v.toldAt = now
		v.o.Logger.Warn("pictures of motion are not verified: the verifier does not keep up", "dropped", v.status.Dropped)
	}
}

// Status tells how the verifier does.
func (v *Verifier) Status() VerifierStatus {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.status
	s.Waiting = len(v.waiting)
	if s.State == VerifierFailing {
		s.NextTry = v.rest
	}
	return s
}

const lookEvery = 500 * time.Millisecond

// Run asks until ctx ends.
func (v *Verifier) Run(ctx context.Context) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.woken:
		case <-t.C:
			v.again(time.Now())
		}
		for ctx.Err() == nil {
			j, ok := v.next(time.Now())
			if !ok {
				break
			}
			v.ask(ctx, j)
		}
	}
}

// again looks once more at what still moves and has shown no person.
func (v *Verifier) again(now time.Time) {
	type due struct{ camera, scene string }
	var list []due
	v.mu.Lock()
	for id, f := range v.scenes {
		if f.person || f.next >= len(looks()) {
			if now.Sub(f.began) > time.Hour { // its end was never told
				delete(v.scenes, id)
			}
			continue
		}
		if now.Sub(f.began) >= looks()[f.next] {
			f.next++
			list = append(list, due{f.camera, id})
		}
	}
	v.mu.Unlock()
	for _, d := range list {
		v.show(d.camera, d.scene, now)
	}
}

// next is the oldest picture that is still worth it, while the verifier does not
// rest.
func (v *Verifier) next(now time.Time) (job, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for len(v.waiting) > 0 && now.Sub(v.waiting[0].at) > tooOld {
		v.waiting = slices.Delete(v.waiting, 0, 1)
		v.dropped(now)
	}
	if len(v.waiting) == 0 || now.Before(v.rest) {
		return job{}, false
	}
	j := v.waiting[0]
	v.waiting = slices.Delete(v.waiting, 0, 1)
	return j, true
}

func (v *Verifier) ask(ctx context.Context, j job) {
	picture, err := v.o.JPEG(ctx, j.camera, j.unit)
	if err != nil {
		if ctx.Err() == nil {
			v.o.Logger.Debug("a picture for the verifier cannot be made", "camera", j.camera, "err", err)
		}
		return // no fault of the verifier
	}
	began := time.Now()
	answer, err := v.call(ctx, picture)
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	v.mu.Lock()
	v.status.Asked++
	if err != nil {
		v.status.Failed++
		v.failed(err, now)
		v.mu.Unlock()
		return
	}
	if v.status.State == VerifierFailing {
		v.o.Logger.Info("the verifier answers again")
	}
	v.fails, v.rest = 0, time.Time{}
	v.status.State, v.status.Engine, v.status.AnsweredAt, v.status.Took = VerifierWorking, answer.Engine, now, now.Sub(began)
	v.status.Reason, v.status.FailingSince = "", time.Time{}
	if slices.ContainsFunc(answer.Items, func(x Seen) bool { return x.What == event.ScenePerson && x.Score >= 0.5 }) {
		for _, f := range v.scenes {
			f.person = f.person || f.camera == j.camera
		}
	}
	v.mu.Unlock()
	err = v.o.Take(ctx, Report{
		Camera: j.camera, Source: event.LabelsOfVerifier, Engine: answer.Engine, Scene: j.scene, Armed: true, At: j.unit.At, Items: answer.Items,
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrUnknown) {
		v.o.Logger.Warn("labels of the verifier are not recorded", "camera", j.camera, "err", err)
	}
}

// failed is called under the lock. Each failure doubles the rest.
func (v *Verifier) failed(err error, now time.Time) {
	v.rest = now.Add(min(longPause, firstPause<<min(v.fails, 6)))
	v.fails++
	v.status.Reason = reason(err)
	if v.status.State != VerifierFailing {
		v.status.State, v.status.FailingSince = VerifierFailing, now
		v.o.Logger.Warn("the verifier does not answer", "err", err)
	}
}

// Reasons of a failure, as codes.
const (
	ReasonTimeout     = "timeout"
	ReasonUnreachable = "unreachable"
	ReasonAnswer      = "answer"
	ReasonAddress     = "address" // it may not be reached
)

func reason(err error) string {
	var u *url.Error
	switch {
	case errors.Is(err, outward.ErrDenied):
		return ReasonAddress
	case errors.Is(err, context.DeadlineExceeded):
		return ReasonTimeout
	case errors.As(err, &u):
		if u.Timeout() {
			return ReasonTimeout
		}
		return ReasonUnreachable
	}
	return ReasonAnswer
}

// call is the one question that a verifier answers.
func (v *Verifier) call(ctx context.Context, picture []byte) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, v.o.Within)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.o.URL, bytes.NewReader(picture))
	if err != nil {
		return Answer{}, fmt.Errorf("ask the verifier: %w", err)
	}
	r.Header.Set("Content-Type", "image/jpeg")
	r.Header.Set("Accept", "application/json")
	resp, err := v.o.Client.Do(r)
	if err != nil {
		return Answer{}, fmt.Errorf("ask the verifier: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return Answer{}, fmt.Errorf("read the verifier's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return Answer{}, fmt.Errorf("%w: status %d", errAnswer, resp.StatusCode)
	}
	return ParseAnswer(data)
}
