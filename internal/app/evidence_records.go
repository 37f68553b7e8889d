package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/frames"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
	"github.com/chargewatch/chargewatch/internal/web"
)

// Bounds of what lies beside the pictures of a pack.
const (
	mostFrames     = 50_000 // of a station
	mostDoorEvents = 20_000
	mostAudit      = 100_000
)

// packRecords gathers what else was recorded about an incident: messages of its
// stations, doors of its sites, and what people did.
type packRecords struct {
	s     *Server
	trail *auditTrail
}

func (p packRecords) gather(ctx context.Context, r evidence.Request) ([]evidence.Records, error) {
	var out []evidence.Records
	for _, id := range r.Stations {
		x, err := p.frames(ctx, id, r.From, r.To)
		if err != nil {
			return nil, err
		}
		if len(x.Lines) > 0 {
			out = append(out, x)
		}
	}
	doors, people, err := p.doors(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(doors.Lines) > 0 {
		out = append(out, doors)
	}
	acts, points, actors, err := p.acts(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(acts.Lines) > 0 {
		out = append(out, acts)
		if len(points.Lines) > 0 {
			out = append(out, points)
		}
	}
	if r.People {
		names, err := p.names(ctx, people, actors)
		if err != nil {
			return nil, err
		}
		if len(names.Lines) > 0 {
			out = append(out, names)
		}
	}
	return out, nil
}

// recordedFrame is a message as it lies in a pack. Numbers of cards are masked and
// secrets are gone.
type recordedFrame struct {
	At   time.Time       `json:"at"`
	From string          `json:"from"` // station or server
	Data json.RawMessage `json:"data"`
}

func (p packRecords) frames(ctx context.Context, id string, from, to time.Time) (evidence.Records, error) {
	out := evidence.Records{Kind: evidence.Frames, About: id}
	for before := frames.Cursor(""); ; {
		page, next, err := p.s.frames.Read(ctx, frames.Query{Station: id, Before: before, Limit: journal.MaxLimit})
		if err != nil {
			return out, fmt.Errorf("read the messages of %s: %w", id, err)
		}
		older := false
		for _, f := range page {
			if older = f.At.Before(from); older || !f.At.Before(to) {
				continue
			}
			x := recordedFrame{At: f.At.UTC(), From: "server", Data: json.RawMessage(web.Masked(f.Data))}
			if f.Direction == frames.In {
				x.From = "station"
			}
			if len(x.Data) == 0 {
				x.Data = json.RawMessage(`"not JSON"`)
			}
			if err := addLine(&out, x); err != nil {
				return out, err
			}
		}
		if out.Cut = len(out.Lines) >= mostFrames; older || next == "" || out.Cut {
			break
		}
		before = next
	}
	slices.Reverse(out.Lines)
	return out, nil
}

func addLine(to *evidence.Records, x any) error {
	line, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("write a record: %w", err)
	}
	to.Lines = append(to.Lines, line)
	return nil
}

// doorKinds are what is told of doors.
func doorKinds() []event.Kind {
	return []event.Kind{event.KindDoorState, event.KindDoorAlarm, event.KindAccess, event.KindDoorCommand, event.KindControllerFault}
}

func (p packRecords) doors(ctx context.Context, r evidence.Request) (out evidence.Records, people []string, err error) {
	out.Kind = evidence.DoorEvents
	among := p.openings(r.Sites)
	if len(among) == 0 {
		return out, nil, nil
	}
	q := journal.EventQuery{Among: among, Kinds: doorKinds(), From: r.From, To: r.To, Limit: journal.MaxLimit}
	for {
		page, next, err := p.s.Journal.Events(ctx, q)
		if err != nil {
			return out, nil, fmt.Errorf("read the events of doors: %w", err)
		}
		for _, e := range page {
			if err := addLine(&out, web.ShapeOf(e)); err != nil {
				return out, nil, err
			}
			if b, ok := e.Body.(*event.Access); ok && b.PersonID != "" {
				people = append(people, b.PersonID)
			}
		}
		if out.Cut = len(out.Lines) >= mostDoorEvents; next == "" || out.Cut {
			break
		}
		q.Before = next
	}
	slices.Reverse(out.Lines)
	return out, people, nil
}

// openings are the doors and controllers of some sites.
func (p packRecords) openings(sites []string) []event.Subject {
	var out []event.Subject
	for _, d := range p.s.Store.Doors() {
		if slices.Contains(sites, d.SiteID) {
			out = append(out, event.Door(d.ID))
		}
	}
	for _, c := range p.s.Store.Controllers() {
		if slices.Contains(sites, c.SiteID) {
			out = append(out, event.Controller(c.ID))
		}
	}
	return out
}

// errEnough ends a walk.
var errEnough = errors.New("enough")

// acts is the part of the audit log from the first act about the incident or its
// sites since the beginning of the time of the pack. Acts about other things are whole
// for who may read them, and else there by their hash alone.
func (p packRecords) acts(ctx context.Context, r evidence.Request) (out, points evidence.Records, actors []string, err error) {
	out.Kind, points.Kind = evidence.AuditSlice, evidence.Checkpoints
	p.trail.mark(ctx) // so that what was done until now is signed
	about := p.about(r)
	var before *store.AuditEntry
	var first, last int64
	err = p.s.Store.WalkAudit(ctx, func(e *store.AuditEntry) error {
		mine := !e.At.Before(r.From) && about(e.Subject)
		if first == 0 && !mine {
			x := *e
			before = &x
			return nil
		}
		if first == 0 && before != nil {
			if err := addLine(&out, audit.Part{Entry: *before, Withheld: true}); err != nil {
				return err
			}
		}
		if first == 0 {
			first = e.Seq
		}
		if mine {
			actors = append(actors, string(e.Actor))
		}
		last = e.Seq
		if err := addLine(&out, audit.Part{Entry: *e, Withheld: !mine && !r.Audit}); err != nil {
			return err
		}
		if len(out.Lines) >= mostAudit {
			out.Cut = true
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return out, points, nil, fmt.Errorf("read the audit log: %w", err)
	}
	if first == 0 {
		return out, points, nil, nil
	}
	points.Lines, err = p.trail.between(first-1, last)
	return out, points, actors, err
}

// about says whether the subject of an act is the incident, its sites or what is there.
func (p packRecords) about(r evidence.Request) func(string) bool {
	own := map[string]bool{"incident/" + r.Incident: true}
	for _, site := range r.Sites {
		own["site/"+site] = true
		for _, e := range p.s.Store.StationsOf(site) {
			own["station/"+e.ID] = true
		}
	}
	for _, id := range r.Stations {
		own["station/"+id] = true
	}
	for _, c := range r.Cameras {
		own["camera/"+c.Camera] = true
	}
	for _, x := range p.openings(r.Sites) {
		own[x.String()] = true
	}
	return func(subject string) bool {
		head, rest, _ := strings.Cut(subject, "/")
		id, _, _ := strings.Cut(rest, "/")
		return own[subject] || own[head+"/"+id]
	}
}

// names are those of people and users that records name by ids.
func (p packRecords) names(ctx context.Context, people, actors []string) (evidence.Records, error) {
	out := evidence.Records{Kind: evidence.Names}
	type named struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	slices.Sort(people)
	for _, id := range slices.Compact(people) {
		x, err := p.s.Store.Person(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue // forgotten since
		}
		if err != nil {
			return out, fmt.Errorf("read who somebody is: %w", err)
		}
		if err := addLine(&out, named{id, x.Name}); err != nil {
			return out, err
		}
	}
	slices.Sort(actors)
	actors = slices.Compact(actors)
	users, err := p.s.Store.UserNames(ctx, actors)
	if err != nil {
		return out, fmt.Errorf("read who somebody is: %w", err)
	}
	for _, id := range actors {
		if users[id] != "" {
			if err := addLine(&out, named{id, users[id]}); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// between are the checkpoints of some records, as they are kept here.
func (a *auditTrail) between(first, last int64) ([][]byte, error) {
	entries, err := fs.ReadDir(a.s.data.FS(), auditFolder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the checkpoints: %w", err)
	}
	var out [][]byte
	for _, e := range entries {
		f, err := a.s.data.Open(path.Join(auditFolder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("open the checkpoints: %w", err)
		}
		list, err := audit.ParseCheckpoints(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("read the checkpoints: %w", err)
		}
		for _, c := range list {
			if c.Seq < first || c.Seq > last {
				continue
			}
			line, err := json.Marshal(c)
			if err != nil {
				return nil, fmt.Errorf("write a checkpoint: %w", err)
			}
			out = append(out, bytes.Clone(line))
		}
	}
	return out, nil
}
