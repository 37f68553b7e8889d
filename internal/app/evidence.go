package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/web"
)

// evidencePacks joins the archive of evidence with the API.
type evidencePacks struct {
	*evidence.Archive
	f *footage
}

var _ web.Evidence = (*evidencePacks)(nil)

func (f *footage) openPacks() error {
	a, err := evidence.OpenArchive(f.s.data, &evidence.Exporter{Store: f.Store, Key: f.key, Software: "chargewatch " + version, Now: time.Now}, f.s.log)
	if err != nil {
		return err
	}
	f.packs = &evidencePacks{a, f}
	return nil
}

// Ask asks for a pack.
func (p *evidencePacks) Ask(_ context.Context, r web.EvidenceRequest) (web.EvidenceShape, error) {
	in := evidence.Request{
		From: r.From, To: r.To, By: r.By, ByName: r.ByName, Reason: r.Reason, Incident: r.Incident, Timeline: r.Timeline,
	}
	for _, c := range r.Cameras {
		for _, src := range p.f.Sources() {
			// The other stream shows the same in less detail: it is for looking at.
			if src.Camera == c.ID && src.Stream == camera.Main {
				in.Cameras = append(in.Cameras, evidence.Wanted{Camera: c.ID, Stream: src.Stream, Label: c.Label, Site: c.SiteID, Clock: p.clock(c.ID)})
			}
		}
	}
	j, err := p.Archive.Ask(in)
	return p.shape(j), noPack(err)
}

// clock is how far a camera's clock is ahead of ours, if it tells the time.
func (p *evidencePacks) clock(id string) *evidence.Clock {
	hub, release, err := p.f.s.cameras.Hub(id, camera.Main)
	if err != nil {
		return nil
	}
	defer release()
	u := hub.Last()
	if u == nil || u.CameraAt.IsZero() {
		return nil
	}
	return &evidence.Clock{AheadMillis: u.CameraAt.Sub(u.ReceivedAt).Milliseconds(), At: u.ReceivedAt.UTC()}
}

func (p *evidencePacks) shape(j evidence.Job) web.EvidenceShape {
	r := j.Request
	out := web.EvidenceShape{
		ID: r.ID, State: string(j.State), Problem: j.Problem, Incident: r.Incident, From: r.From, To: r.To, Reason: r.Reason, By: r.By, ByName: r.ByName,
		AskedAt: j.AskedAt, DoneAt: orNil(j.DoneAt), Bytes: j.Bytes, Segments: j.Segments, Lacking: j.Lacking,
		Fingerprint: evidence.Fingerprint(p.f.key.Public()), Cameras: []string{}, SiteIDs: []string{}, Links: []web.EvidenceLinkShape{},
	}
	if j.State == evidence.Done {
		out.SHA256 = j.Sum.String()
	}
	for _, c := range r.Cameras {
		out.Cameras = append(out.Cameras, c.Camera)
		if !slices.Contains(out.SiteIDs, c.Site) {
			out.SiteIDs = append(out.SiteIDs, c.Site)
		}
	}
	for _, l := range j.Links {
		out.Links = append(out.Links, linkShape(l))
	}
	return out
}

func linkShape(l evidence.Link) web.EvidenceLinkShape {
	return web.EvidenceLinkShape{ID: l.ID, MadeAt: l.MadeAt, ExpiresAt: l.ExpiresAt, Open: l.Open(time.Now()), Taken: l.Taken}
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

// SharedPack is what a link leads to.
func (p *evidencePacks) SharedPack(token string) (web.EvidenceShape, error) {
	j, err := p.Shared(token)
	return p.shape(j), noPack(err)
}

// UnlockPack uses a link.
func (p *evidencePacks) UnlockPack(token, passcode string) (web.EvidenceShape, string, error) {
	j, link, err := p.Unlock(token, passcode)
	if errors.Is(err, evidence.ErrPasscode) {
		j, _ = p.Shared(token)
	}
	return p.shape(j), link, noPack(err)
}

// EvidenceKey is the public key.
func (p *evidencePacks) EvidenceKey() (pem []byte, fingerprint string) {
	k := p.f.key.Public()
	return evidence.PEM(k), evidence.Fingerprint(k)
}

// ChainHeads lists the newest links.
func (p *evidencePacks) ChainHeads() []web.ChainHead {
	var out []web.ChainHead
	for _, h := range p.f.Heads() {
		out = append(out, web.ChainHead{Camera: h.Camera, Stream: h.Stream, Seq: h.Seq, Link: h.Link.String(), To: orNil(h.To)})
	}
	return out
}

// SignHeads signs a list of heads. What is signed says what it is, so that it can
// be taken for nothing else.
func (p *evidencePacks) SignHeads(b []byte) []byte { return p.f.key.Sign(evidence.HeadsPayload(b)) }

// noPack says in the words of the API why there is no pack.
func noPack(err error) error {
	return inWords(err, []reason{
		{evidence.ErrUnknown, http.StatusNotFound, "unknown"},
		{evidence.ErrNothing, http.StatusConflict, "nothing"},
		{evidence.ErrTooLong, http.StatusUnprocessableEntity, "tooLong"},
		{evidence.ErrBusy, http.StatusServiceUnavailable, "busy"},
		{evidence.ErrFull, http.StatusInsufficientStorage, "full"},
		{evidence.ErrLinks, http.StatusConflict, "links"},
		{evidence.ErrLink, http.StatusUnprocessableEntity, "link"},
		{evidence.ErrPasscode, http.StatusForbidden, "passcode"},
		{record.ErrHolds, http.StatusInsufficientStorage, "full"},
	})
}

// errNotWhole ends a check of evidence that found something, or that trusts nobody.
var errNotWhole = errors.New("this is not proved to be as it was recorded")

// verifyEvidence checks a pack. It needs no data folder and no server.
func verifyEvidence(args []string, s streams) error {
	set := flag.NewFlagSet("verify evidence", flag.ContinueOnError)
	set.SetOutput(s.out)
	set.Usage = func() {
		fmt.Fprintln(s.out, "usage: chargewatch verify evidence --key FILE PATH\n\nPATH is the archive, or the folder it was unpacked into. FILE is the public key of\nthe server (GET /api/v1/evidence/key.pem), got by another way than the pack.")
	}
	file := set.String("key", "", "`FILE` with the public key that you trust")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if set.NArg() != 1 {
		return misused("verify evidence needs one PATH: the archive, or the folder it was unpacked into")
	}
	var trusted ed25519.PublicKey
	if *file != "" {
		b, err := os.ReadFile(*file)
		if err != nil {
			return fmt.Errorf("read the key: %w", err)
		}
		if trusted, err = evidence.ParsePublic(b); err != nil {
			return fmt.Errorf("%s: %w", *file, err)
		}
	}
	r, err := evidence.Verify(set.Arg(0), trusted)
	if err != nil {
		return err
	}
	if m := r.Manifest; m != nil {
		fmt.Fprintf(s.out, "pack %s of %s: %s to %s\nreason: %q, asked for by %q\n", m.ID, m.MadeAt.Format(time.RFC3339), m.From.Format(time.RFC3339), m.To.Format(time.RFC3339), m.Reason, m.ByName)
		for _, x := range m.Streams {
			fmt.Fprintf(s.out, "%s/%s: %d segments, %d gaps, %d removed by retention\n", x.Camera, x.Stream, len(x.Segments), len(x.Gaps), len(x.Removed))
		}
	}
	if r.Fingerprint != "" {
		fmt.Fprintf(s.out, "signed by %s\n", r.Fingerprint)
	}
	for _, f := range r.Faults {
		fmt.Fprintf(s.out, "FAULT %s: %s\n", f.Kind, f)
	}
	switch {
	case r.Whole():
		_, err = fmt.Fprintf(s.out, "whole: %d segments are as they were recorded, signed by the key you trust\n", r.Segments)
		return err
	case len(r.Faults) == 0:
		fmt.Fprintf(s.out, "%d segments fit the manifest, but no key was given: whoever has the key above could have made all of it.\nGet the public key by another way and say --key FILE.\n", r.Segments)
	}
	return errNotWhole
}
