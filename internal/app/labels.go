package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/decode"
	"github.com/chargewatch/chargewatch/internal/camera/label"
	"github.com/chargewatch/chargewatch/internal/camera/onvif"
	"github.com/chargewatch/chargewatch/internal/camera/stream"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// labels joins those who see things in pictures with the journal.
type labels struct {
	*label.Intake
	s        *Server
	verifier *label.Verifier // nil: none is set up
}

var _ web.Labels = (*labels)(nil)

func (s *Server) newLabels() (*labels, error) {
	l := &labels{s: s}
	l.Intake = label.NewIntake(label.Options{Journal: s.Journal, Plates: s.Store, Camera: func(id string) (label.Place, bool) {
		c, ok := s.Store.Camera(id)
		if !ok {
			return label.Place{}, false
		}
		return label.Place{Site: c.SiteID, Armed: s.Store.Armed(c.SiteID)}, true
	}})
	if s.Config.Verifier == "" {
		return l, nil
	}
	if err := label.ValidVerifierURL(s.Config.Verifier); err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	l.verifier = label.NewVerifier(label.VerifierOptions{
		URL: s.Config.Verifier, Client: s.reach.Client(nil), Pictures: shown{s}, Logger: s.log,
		Take: func(ctx context.Context, r label.Report) error {
			if !l.Admit(r.Camera) {
				return label.ErrTooMany
			}
			return l.Intake.Take(ctx, r)
		},
	})
	return l, nil
}

// run asks the verifier, where there is one, until ctx ends.
func (l *labels) run(ctx context.Context) error {
	if l.verifier == nil || l.s.cameras.pool.Missing() != nil {
		<-ctx.Done()
		return nil
	}
	return l.verifier.Run(ctx)
}

// heard is told of every scene that is in the journal.
func (l *labels) heard(camera string, scene *event.Scene) {
	if l.verifier != nil {
		l.verifier.Heard(camera, scene)
	}
}

// AdmitLabels reports whether a camera has room for one more message.
func (l *labels) AdmitLabels(camera string) bool { return l.Admit(camera) }

// TakeLabels makes what another system saw durable.
func (l *labels) TakeLabels(ctx context.Context, r web.LabelReport) error {
	in := label.Report{Camera: r.Camera, Source: event.LabelsOfWebhook, Engine: r.Engine, At: r.At}
	for _, x := range r.Items {
		in.Items = append(in.Items, label.Seen(x))
	}
	err := l.Intake.Take(ctx, in)
	if errors.Is(err, label.ErrUnknown) {
		return store.ErrNotFound
	}
	return err
}

// seenBy takes in what a camera's own analytics names.
func (l *labels) seenBy(ctx context.Context, camera string, x onvif.Sighting) error {
	if !x.What.Labelled() || x.Phase == event.SceneEnded || !l.Admit(camera) {
		return nil
	}
	return l.Intake.Take(ctx, label.Report{
		Camera: camera, Source: event.LabelsOfCamera, Scene: x.ID, At: x.Since,
		Items: []label.Seen{{Label: event.Label{What: x.What, Score: x.Score, Box: x.Box}, Text: x.Plate}},
	})
}

// watching is the journal as the eyes for motion write to it: who looks at what
// moves hears of it behind the commit.
type watching struct {
	s *Server
}

func (w watching) Append(ctx context.Context, e *event.Event) (fleet.Receipt, error) {
	receipt, err := w.s.Journal.Append(ctx, e)
	if scene, ok := e.Body.(*event.Scene); ok && err == nil {
		w.s.labels.heard(e.Subject.ID, scene)
	}
	return receipt, err
}

var _ camera.Appender = watching{}

// shown are the pictures of cameras that a verifier is shown.
type shown struct{ s *Server }

// pictureOfNow is how old a key picture may be to show what moves.
const pictureOfNow = 10 * time.Second

func (p shown) Key(id string) *stream.Unit {
	hub, release, err := p.s.cameras.Hub(id, camera.Main)
	if err != nil {
		return nil
	}
	defer release()
	u := hub.Key()
	if u == nil || time.Since(u.ReceivedAt) > pictureOfNow {
		return nil
	}
	return u
}

// verifierWidth is enough to know a person by.
const verifierWidth = 960

func (p shown) JPEG(ctx context.Context, id string, u *stream.Unit) ([]byte, error) {
	c, ok := p.s.Store.Camera(id)
	if !ok {
		return nil, store.ErrNotFound
	}
	return p.s.cameras.pool.Show(ctx, "", u, decode.Look{Width: verifierWidth, Hide: masks(c.Private())})
}
