package label

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/event"
)

// Errors that callers tell apart.
var (
	ErrTooMany = errors.New("more labels of this camera than are taken in")
	ErrUnknown = errors.New("there is no such camera")
)

// The measure of one camera: perMinute in the long run, burst at once.
const (
	perMinute = 60
	burst     = 30
)

// Seen is one thing that somebody saw; Text is what a number plate says.
type Seen struct {
	event.Label
	Text string
}

// Report is what a source saw in one picture.
type Report struct {
	Camera string
	Source event.LabelSource
	Engine string
	Scene  string // the motion it belongs to
	// Armed says that the site was to be watched then; without it, it is asked now.
	Armed bool
	At    time.Time // of the picture; zero: now
	Items []Seen
}

// Place is what an Intake has to know of a camera.
type Place struct {
	Site  string
	Armed bool
}

// Plates gives number plates their ids.
type Plates interface {
	PlateID(ctx context.Context, text string) (string, error)
}

// Options are what an Intake is made of.
type Options struct {
	Journal camera.Appender
	Plates  Plates
	Camera  func(id string) (Place, bool)
	Now     func() time.Time // default: time.Now
}

// Count is what became of the labels of a camera.
type Count struct {
	Taken, Dropped uint64
	Last           time.Time // when one was taken
	Source         event.LabelSource
}

// Intake brings labels into the journal.
type Intake struct {
	o Options

	mu  sync.Mutex
	all map[string]*measure
}

type measure struct {
	Count
	tokens float64
	at     time.Time
}

// NewIntake returns one.
func NewIntake(o Options) *Intake {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Intake{o: o, all: make(map[string]*measure)}
}

// Admit reports whether a camera has room for one more report, and takes it.
func (i *Intake) Admit(camera string) bool {
	now := i.o.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	m := i.all[camera]
	if m == nil {
		if _, ok := i.o.Camera(camera); !ok {
			return true // Take says that there is none
		}
		m = &measure{tokens: burst, at: now}
		i.all[camera] = m
	}
	m.tokens = min(burst, m.tokens+now.Sub(m.at).Minutes()*perMinute)
	m.at = now
	if m.tokens < 1 {
		m.Dropped++
		return false
	}
	m.tokens--
	return true
}

// Take makes a report durable that Admit let in.
func (i *Intake) Take(ctx context.Context, r Report) error {
	place, ok := i.o.Camera(r.Camera)
	if !ok {
		return fmt.Errorf("%q: %w", r.Camera, ErrUnknown)
	}
	now := i.o.Now()
	l := &event.Labels{SiteID: place.Site, Source: r.Source, Engine: r.Engine, Scene: r.Scene, Armed: r.Armed || place.Armed, SeenAt: cmp.Or(r.At, now).UTC()}
	best := slices.SortedStableFunc(slices.Values(r.Items), func(a, b Seen) int { return cmp.Compare(b.Score, a.Score) })
	for _, x := range best[:min(len(best), event.MaxLabels)] {
		if !x.What.Labelled() {
			continue
		}
		item := x.Label
		if x.What == event.ScenePlate && x.Text != "" {
			id, err := i.o.Plates.PlateID(ctx, x.Text)
			if err != nil {
				return fmt.Errorf("keep a plate: %w", err)
			}
			item.Plate = id
		}
		l.Items = append(l.Items, item)
	}
	origin := event.FromUs
	if r.Source == event.LabelsOfWebhook {
		origin = event.FromUpstream
	}
	if _, err := i.o.Journal.Append(ctx, &event.Event{Subject: event.Camera(r.Camera), At: now, ReceivedAt: now, Quality: event.TimeReceived, Origin: origin, Body: l}); err != nil {
		return fmt.Errorf("record labels: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if m := i.all[r.Camera]; m != nil {
		m.Taken++
		m.Last, m.Source = now, r.Source
	}
	return nil
}

// Count tells what became of the labels of a camera.
func (i *Intake) Count(camera string) Count {
	i.mu.Lock()
	defer i.mu.Unlock()
	if m := i.all[camera]; m != nil {
		return m.Count
	}
	return Count{}
}

// Forget drops what is known of cameras that are no more.
func (i *Intake) Forget(exists func(id string) bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for id := range i.all {
		if !exists(id) {
			delete(i.all, id)
		}
	}
}
