package app

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os/exec"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/camera/onvif"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/web"
)

// evidencePacks joins the archive of evidence with the API.
type evidencePacks struct {
	*evidence.Archive
	f     *footage
	heads *headsAway
	tool  string // ffmpeg; empty: there is none
}

var _ web.Evidence = (*evidencePacks)(nil)

func (f *footage) openPacks() error {
	heads, err := evidence.OpenHeads(f.s.data, f.Store, f.key, time.Now)
	if err != nil {
		return err
	}
	tool, err := exec.LookPath("ffmpeg")
	if err != nil {
		tool = "" // the page says so
	}
	f.s.trail = newAuditTrail(f.s, f.key)
	a, err := evidence.OpenArchive(f.s.data, &evidence.Exporter{
		Store: f.Store, Key: f.key, Heads: heads, Software: "chargewatch " + version, Now: time.Now, Clock: clockState, FFmpeg: tool,
		Records: packRecords{f.s, f.s.trail}.gather,
		Room: func() (uint64, error) {
			free, _, _, err := f.s.guard.Room()
			return free - min(free, roomKept), err
		},
	}, f.s.log)
	if err != nil {
		return errors.Join(err, heads.Close())
	}
	f.packs = &evidencePacks{a, f, newHeadsAway(heads, f.s), tool}
	return nil
}

// roomKept is what a pack leaves free on the disk.
const roomKept = 1 << 30

// Close closes what was opened.
func (p *evidencePacks) Close() error { return errors.Join(p.Archive.Close(), p.heads.heads.Close()) }

// run makes packs and leaves heads elsewhere until ctx ends.
func (p *evidencePacks) run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- p.Archive.Run(ctx) }()
	p.heads.run(ctx)
	return <-ended
}

// Ask asks for a pack.
func (p *evidencePacks) Ask(_ context.Context, r web.EvidenceRequest) (web.EvidenceShape, error) {
	in := evidence.Request{
		From: r.From, To: r.To, By: r.By, ByName: r.ByName, Reason: r.Reason, Incident: r.Incident, Timeline: r.Timeline, Language: r.Language,
		Sites: r.Sites, Stations: r.Stations, People: r.People, Audit: r.Audit,
	}
	for _, c := range r.Cameras {
		for _, src := range p.f.Sources() {
			// The other stream shows the same in less detail: it is for looking at.
			if src.Camera == c.ID && src.Stream == camera.Main {
				one := evidence.Wanted{Camera: c.ID, Stream: src.Stream, Label: c.Label, Site: c.SiteID, Clock: p.clock(c.ID)}
				if site, ok := p.f.s.Store.Site(c.SiteID); ok {
					one.Zone = site.TimeZone
				}
				in.Cameras = append(in.Cameras, one)
			}
		}
	}
	j, err := p.Archive.Ask(in)
	return p.shape(j), noPack(err)
}

// clock is how far a camera's clock is ahead of ours, if it tells the time.
func (p *evidencePacks) clock(id string) *evidence.Clock {
	if x, ok := p.f.s.devices.watch.Status(id); ok && x.State == onvif.Listening {
		return &evidence.Clock{AheadMillis: x.ClockOffset.Milliseconds(), At: time.Now().UTC(), Source: "onvif"}
	}
	hub, release, err := p.f.s.cameras.Hub(id, camera.Main)
	if err != nil {
		return nil
	}
	defer release()
	u := hub.Last()
	if u == nil || u.CameraAt.IsZero() {
		return nil
	}
	return &evidence.Clock{AheadMillis: u.CameraAt.Sub(u.ReceivedAt).Milliseconds(), At: u.ReceivedAt.UTC(), Source: "rtcp"}
}

func (p *evidencePacks) shape(j evidence.Job) web.EvidenceShape {
	r := j.Request
	out := web.EvidenceShape{
		ID: r.ID, State: string(j.State), Problem: j.Problem, Incident: r.Incident, Original: r.Of, From: r.From, To: r.To, Reason: r.Reason, By: r.By, ByName: r.ByName,
		AskedAt: j.AskedAt, DoneAt: orNil(j.DoneAt), DoneBytes: j.DoneBytes, TotalBytes: j.TotalBytes, Bytes: j.Bytes, Segments: j.Segments, Lacking: j.Lacking, Held: p.Held(j),
		Fingerprint: evidence.Fingerprint(p.f.key.Public()), Cameras: []web.EvidenceCamera{}, SiteIDs: []string{}, Links: []web.EvidenceLinkShape{},
	}
	if j.State == evidence.Done {
		out.SHA256 = j.Sum.String()
	}
	if d := j.Deletion; d != nil {
		out.Deletion = &web.EvidenceDeletion{By: d.By, ByName: d.ByName, At: d.At, Reason: d.Reason}
	}
	for _, c := range r.Cameras {
		out.Cameras = append(out.Cameras, web.EvidenceCamera{ID: c.Camera, Label: c.Label})
		if !slices.Contains(out.SiteIDs, c.Site) {
			out.SiteIDs = append(out.SiteIDs, c.Site)
		}
	}
	for _, site := range r.Sites {
		if !slices.Contains(out.SiteIDs, site) {
			out.SiteIDs = append(out.SiteIDs, site)
		}
	}
	for _, l := range j.Links {
		out.Links = append(out.Links, linkShape(l))
	}
	return out
}

func linkShape(l evidence.Link) web.EvidenceLinkShape {
	return web.EvidenceLinkShape{
		ID: l.ID, MadeAt: l.MadeAt, ExpiresAt: l.ExpiresAt, Open: l.Open(time.Now()), Ended: l.Ended, Seen: l.Seen, Taken: l.Taken, Wrong: l.Wrong, UsedAt: orNil(l.UsedAt),
	}
}

// Packs lists all packs, newest first.
func (p *evidencePacks) Packs() []web.EvidenceShape {
	jobs := p.Jobs()
	out := make([]web.EvidenceShape, 0, len(jobs))
	for _, j := range jobs {
		out = append(out, p.shape(j))
	}
	return out
}

// Pack returns one pack.
func (p *evidencePacks) Pack(id string) (web.EvidenceShape, bool) {
	j, ok := p.Job(id)
	return p.shape(j), ok
}

// OpenPack opens the file of a pack.
func (p *evidencePacks) OpenPack(id string) (web.FootageClip, error) {
	f, err := p.Open(id)
	if err != nil {
		return web.FootageClip{}, noPack(err)
	}
	return web.FootageClip{ReadSeeker: f, Closer: f}, nil
}

// OpenPackFile opens a clip or a sheet of a pack.
func (p *evidencePacks) OpenPackFile(id, file string) (web.FootageClip, error) {
	f, err := p.OpenFile(id, file)
	if err != nil {
		return web.FootageClip{}, noPack(err)
	}
	return web.FootageClip{ReadSeeker: f, Closer: f}, nil
}

// PackContent is what a pack holds.
func (p *evidencePacks) PackContent(id string) (web.EvidenceContent, error) {
	m, err := p.Manifest(id)
	if err != nil {
		return web.EvidenceContent{}, noPack(err)
	}
	out := web.EvidenceContent{Derived: m.Original != nil}
	for _, s := range m.Streams {
		one := web.EvidenceContentCamera{Name: cmp.Or(s.Label, s.Camera)}
		for _, c := range s.Clips {
			one.Clips = append(one.Clips, web.EvidenceClip{File: c.File, From: c.From, To: c.To, Bytes: c.Bytes})
		}
		out.Cameras = append(out.Cameras, one)
	}
	return out, nil
}

// SharePack makes a link.
func (p *evidencePacks) SharePack(id string, until time.Time) (web.EvidenceLinkShape, string, error) {
	l, token, passcode, err := p.Share(id, until)
	out := linkShape(l)
	out.Passcode = passcode[:min(4, len(passcode))]
	for i := 4; i+4 <= len(passcode); i += 4 {
		out.Passcode += "-" + passcode[i:i+4]
	}
	return out, token, noPack(err)
}

// UnsharePack ends a link.
func (p *evidencePacks) UnsharePack(id, link string) error { return noPack(p.Unshare(id, link)) }

// HidePack makes a pack with the pictures of another, of which parts are hidden.
func (p *evidencePacks) HidePack(_ context.Context, id string, h web.EvidenceHiding) (web.EvidenceShape, error) {
	hide := make(map[string][]area.Polygon)
	for camera, list := range h.Hide {
		for _, corners := range list {
			hide[camera] = append(hide[camera], mask(corners))
		}
	}
	j, err := p.Redact(id, hide, evidence.Request{By: h.By, ByName: h.ByName, Reason: h.Reason, Language: h.Language})
	return p.shape(j), noPack(err)
}

// DeletePack ends a pack.
func (p *evidencePacks) DeletePack(id string, d web.EvidenceDeletion) (web.EvidenceShape, error) {
	j, err := p.Delete(id, evidence.Deletion{By: d.By, ByName: d.ByName, Reason: d.Reason})
	return p.shape(j), noPack(err)
}

// SharedPack is what a link leads to.
func (p *evidencePacks) SharedPack(token string) (web.EvidenceShape, error) {
	j, err := p.Shared(token)
	return p.shape(j), noPack(err)
}

// UnlockPack uses a link.
func (p *evidencePacks) UnlockPack(token, passcode string, take bool) (web.EvidenceShape, string, error) {
	j, link, err := p.Unlock(token, passcode, take)
	if errors.Is(err, evidence.ErrPasscode) {
		j, _ = p.Shared(token)
	}
	return p.shape(j), link, noPack(err)
}

// EvidenceKey is what somebody needs who checks packs.
func (p *evidencePacks) EvidenceKey() web.EvidenceKeyShape {
	k := p.f.key.Public()
	out := web.EvidenceKeyShape{Fingerprint: evidence.Fingerprint(k), PEM: string(evidence.PEM(k)), CanHide: p.tool != ""}
	p.heads.tell(&out)
	return out
}

// ChainHeads signs the newest links.
func (p *evidencePacks) ChainHeads() (time.Time, []web.ChainHead) {
	at, list := p.heads.heads.Now()
	out := make([]web.ChainHead, 0, len(list))
	for _, h := range list {
		out = append(out, web.ChainHead{Camera: h.Camera, Stream: h.Stream, Seq: h.Seq, Link: h.Link.String(), To: &h.To, At: h.At, Signature: h.Sign})
	}
	return at, out
}

// noPack says in the words of the API why there is no pack.
func noPack(err error) error {
	return inWords(err, []reason{
		{evidence.ErrUnknown, http.StatusNotFound, "unknown"},
		{evidence.ErrNothing, http.StatusConflict, "nothing"},
		{evidence.ErrTooLong, http.StatusUnprocessableEntity, "tooLong"},
		{evidence.ErrLongPainted, http.StatusUnprocessableEntity, "tooLong"},
		{evidence.ErrNoPainter, http.StatusConflict, "ffmpeg"},
		{evidence.ErrDerived, http.StatusConflict, "derived"},
		{evidence.ErrBusy, http.StatusServiceUnavailable, "busy"},
		{evidence.ErrFull, http.StatusInsufficientStorage, "full"},
		{evidence.ErrLinks, http.StatusConflict, "links"},
		{evidence.ErrLink, http.StatusUnprocessableEntity, "link"},
		{evidence.ErrPasscode, http.StatusForbidden, "passcode"},
		{record.ErrHolds, http.StatusInsufficientStorage, "full"},
	})
}
