package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/offsite"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident"
	"github.com/chargewatch/chargewatch/internal/outward"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// copies sends the last minute of cameras to the second place.
type copies struct {
	*offsite.Queue
	s      *Server
	client *http.Client
}

func (s *Server) openCopies(ctx context.Context) error {
	c := &copies{s: s, client: s.reach.Client(nil)}
	var err error
	c.Queue, err = offsite.Open(ctx, offsite.Options{
		Ledger: s.Store, Source: filmed{s.footage}, Teller: s.footage, Sign: s.footage.key.Sign, Logger: s.log,
		Place: func(ctx context.Context) (offsite.Place, error) {
			p, err := s.Store.SecondPlace(ctx)
			if errors.Is(err, store.ErrNotFound) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			return c.place(p)
		},
	})
	if err != nil {
		return fmt.Errorf("open the copies: %w", err)
	}
	s.copies = c
	return nil
}

// place is where copies go.
func (c *copies) place(p store.SecondPlace) (offsite.Place, error) {
	if p.SecretLost {
		return nil, &offsite.Failure{Code: "credentials", Detail: "the secret was sealed with a key that is gone: enter it again"}
	}
	if p.Kind == store.PlaceFolder {
		return &offsite.Folder{Path: p.Folder}, nil
	}
	return &offsite.S3{
		Endpoint: p.Endpoint, Region: p.Region, Bucket: p.Bucket, Prefix: p.Prefix, Access: p.AccessKey, Secret: string(p.Secret),
		HostStyle: p.HostStyle, Client: c.client, Denied: outward.ErrDenied,
	}, nil
}

// RecordingCopy tells the journal, later.
func (f *footage) RecordingCopy(_ context.Context, id string, b event.RecordingCopy) error {
	return f.say(id, &b)
}

// filmed are recordings as copies are made of them.
type filmed struct{ *footage }

func (f filmed) Pictures(ctx context.Context, camera string, from, to time.Time) (offsite.Pictures, error) {
	c, err := f.Store.Clip(ctx, record.Source{Camera: camera, Stream: "main"}, from, to)
	if errors.Is(err, record.ErrNotFound) {
		return offsite.Pictures{}, &offsite.Failure{Code: "noPictures"}
	}
	if err != nil {
		return offsite.Pictures{}, err
	}
	out := offsite.Pictures{ReadSeeker: c, Closer: c, From: c.From, To: c.To, Size: c.Size}
	for _, p := range c.Pieces {
		out.Pieces = append(out.Pieces, offsite.Span{From: p.From.UTC(), To: p.To.UTC()})
	}
	return out, nil
}

const copyHold = "copy/"

// heldForCopy is how long what waits to be copied stays at most.
const heldForCopy = 8 * 24 * time.Hour

func (f filmed) Hold(c offsite.Copy) error {
	return f.footage.Hold(record.Hold{
		ID: copyHold + c.ID, Camera: c.Camera, From: c.From, To: c.To, Class: record.Incident, Until: time.Now().Add(heldForCopy), Reason: c.Incident,
	})
}

func (f filmed) Release(id string) error { return f.footage.Release(copyHold + id) }

// run copies what incidents call for until ctx ends.
func (c *copies) run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { c.s.followIncidents(ctx, c.take) })
	err := c.Run(ctx)
	wg.Wait()
	return err
}

const (
	copiedBefore = time.Minute
	copiedAfter  = 30 * time.Second
	// copiedLate is for how long a crash may hide what calls for copies.
	copiedLate   = time.Hour
	maxCopiedAt  = 16 // cameras of a site
	recordedLate = 3 * time.Second
)

// take looks whether an incident calls for copies: somebody tampers with a camera,
// or security has its worst.
func (c *copies) take(ctx context.Context, in *incident.Incident) {
	at := calledAt(in)
	if at.IsZero() || time.Since(at) > copiedLate {
		return
	}
	if _, err := c.s.Store.SecondPlace(ctx); err != nil {
		if !errors.Is(err, store.ErrNotFound) && ctx.Err() == nil {
			c.s.log.WarnContext(ctx, "the second place cannot be read", "err", err)
		}
		return
	}
	var cameras []string
	for _, text := range in.Subjects {
		if s, err := event.ParseSubject(text); err == nil && s.Type == event.CameraSubject {
			cameras = append(cameras, s.ID)
		}
	}
	for _, id := range c.s.clips.recorded(in.SiteID) {
		if in.SiteID != "" && !slices.Contains(cameras, id) {
			cameras = append(cameras, id)
		}
	}
	// What came since is copied with the minute before, as far as it is on the disk.
	until, minute := laterOf(at, time.Now()), at.Unix()/60
	if most := at.Add(copiedAfter); until.After(most) {
		until = most
	}
	var list []offsite.Copy
	for _, camera := range cameras[:min(len(cameras), maxCopiedAt)] {
		id := func(minute int64, part string) string {
			return fmt.Sprintf("%s/%s/%d/%s", in.ID, camera, minute, part)
		}
		if c.Knows(id(minute, "before")) || c.Knows(id(minute-1, "before")) {
			continue // what goes on is copied once a minute
		}
		x := offsite.Copy{ID: id(minute, "before"), Incident: in.ID, Camera: camera, Site: in.SiteID, From: at.Add(-copiedBefore), To: until}
		list = append(list, x)
		x.ID, x.From, x.To, x.DueAt = id(minute, "after"), at, at.Add(copiedAfter), at.Add(copiedAfter+recordedLate)
		list = append(list, x)
	}
	if len(list) == 0 {
		return
	}
	if err := c.Add(ctx, list...); err != nil && ctx.Err() == nil {
		c.s.log.WarnContext(ctx, "what is to be copied is not noted whole", "incident", in.ID, "err", err)
	}
}

// calledAt is when an incident last called for copies; zero if it does not.
func calledAt(in *incident.Incident) time.Time {
	var at time.Time
	if in.Family != incident.Security {
		return at
	}
	if in.Severity == event.S1 {
		at = in.OpenedAt
	}
	for i := range in.Findings {
		if f := &in.Findings[i]; f.Code == "cameraTampered" || f.Severity == event.S1 {
			at = laterOf(at, f.LastAt)
		}
	}
	return at
}

var _ web.Copies = (*copies)(nil)

// ListCopies lists what goes to the second place, the newest first.
func (c *copies) ListCopies() []web.CopyShape {
	list := c.List()
	out := make([]web.CopyShape, 0, len(list))
	for _, x := range list {
		shape := web.CopyShape{
			ID: x.ID, IncidentID: x.Incident, CameraID: x.Camera, SiteID: x.Site, From: x.From, To: x.To, State: string(x.State),
			AddedAt: x.AddedAt, EndedAt: orNil(x.EndedAt), Tries: x.Tries, Reason: x.Reason, Detail: x.Detail, Bytes: x.Bytes, Name: x.Name, Place: x.Place,
		}
		if x.State == offsite.Waiting {
			shape.NextAt = orNil(x.DueAt)
		}
		out = append(out, shape)
	}
	return out
}

// TryPlace looks whether a place takes copies. A folder is marked as the chosen one.
func (c *copies) TryPlace(ctx context.Context, p store.SecondPlace) error {
	if err := c.choose(p); err != nil {
		return placeError(err)
	}
	place, err := c.place(p)
	if err == nil {
		ctx, done := context.WithTimeout(ctx, 30*time.Second)
		defer done()
		err = offsite.Test(ctx, place)
	}
	return placeError(err)
}

// ChoosePlace prepares a place that was decided for, and sends at once what waits.
func (c *copies) ChoosePlace(ctx context.Context, p store.SecondPlace) error {
	return errors.Join(placeError(c.choose(p)), c.Again(ctx))
}

func placeError(err error) error {
	if err == nil {
		return nil
	}
	why := offsite.Why(err)
	return &web.PlaceError{Code: why.Code, Detail: why.Detail}
}

// choose marks a folder. The data folder is no second place.
func (c *copies) choose(p store.SecondPlace) error {
	if p.Kind != store.PlaceFolder {
		return nil
	}
	folder, err := filepath.EvalSymlinks(p.Folder)
	if err != nil {
		return &offsite.Failure{Code: "notThere", Detail: err.Error()}
	}
	data, err := filepath.Abs(c.s.Config.Data)
	if err == nil {
		data, err = filepath.EvalSymlinks(data)
	}
	if err != nil {
		return fmt.Errorf("find the data folder: %w", err)
	}
	if within(folder, data) || within(data, folder) {
		return &offsite.Failure{Code: "sameFolder", Detail: "the folder is that of the recordings"}
	}
	return (&offsite.Folder{Path: folder}).Choose()
}

func within(inner, outer string) bool {
	rel, err := filepath.Rel(outer, inner)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
