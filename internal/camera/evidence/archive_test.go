package evidence_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/evidence"
	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

func (p *place) archive(t *testing.T, now *time.Time) (a *evidence.Archive, stop func()) {
	t.Helper()
	return p.archiveWith(t, now, ffmpeg(t))
}

func (p *place) archiveWith(t *testing.T, now *time.Time, tool string) (a *evidence.Archive, stop func()) {
	t.Helper()
	a, err := evidence.OpenArchive(p.data, &evidence.Exporter{
		Store: p.store, Key: p.key, Software: "test", Now: func() time.Time { return *now }, FFmpeg: tool,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		_ = a.Run(ctx)
		close(done)
	}()
	stop = func() {
		cancel()
		<-done
		_ = a.Close()
	}
	return a, stop
}

func finished(t *testing.T, a *evidence.Archive, id string) evidence.Job {
	t.Helper()
	for {
		if j, ok := a.Job(id); !ok {
			t.Fatal("the job is gone")
		} else if j.State == evidence.Done || j.State == evidence.Failed {
			return j
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAPackIsMadeAndKept(t *testing.T) {
	p := filmed(t, 3*time.Minute)
	now := noon().Add(time.Hour)
	a, stop := p.archive(t, &now)
	asked, err := a.Ask(p.request(2 * time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	j := finished(t, a, asked.Request.ID)
	if j.State != evidence.Done || j.Segments != 4 || j.Lacking != 0 || j.Request.Reason != "cable theft" {
		t.Fatalf("%+v", j)
	}
	if held := p.store.Holds("gate"); len(held) != 1 || held[0].Class != record.Evidence {
		t.Errorf("held %+v", held)
	}
	nothing := p.request(time.Minute)
	nothing.From, nothing.To = nothing.From.Add(24*time.Hour), nothing.To.Add(24*time.Hour)
	if asked, err = a.Ask(nothing); err != nil {
		t.Fatal(err)
	}
	if j := finished(t, a, asked.Request.ID); j.State != evidence.Failed || j.Problem != "nothing" {
		t.Errorf("%+v", j)
	}
	for _, bad := range []func(*evidence.Request){
		func(r *evidence.Request) { r.To = r.From.Add(25 * time.Hour) }, func(r *evidence.Request) { r.Cameras = nil }, func(r *evidence.Request) { r.To = r.From },
	} {
		r := p.request(time.Minute)
		bad(&r)
		if _, err := a.Ask(r); err == nil {
			t.Errorf("%+v is made", r)
		}
	}
	stop()
	a, stop = p.archive(t, &now)
	defer stop()
	if list := a.Jobs(); len(list) != 2 || list[0].State == evidence.Queued {
		t.Fatalf("after a restart: %+v", list)
	}
	f, err := a.Open(j.Request.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if n, err := io.Copy(sum, f); err != nil || n != j.Bytes || segment.Sum(sum.Sum(nil)) != j.Sum {
		t.Errorf("%d bytes, %v", n, err)
	}
	if r := evidence.VerifyArchive(f, j.Bytes, evidence.Trust{Key: p.key.Public()}); !r.Whole() {
		t.Errorf("%v", r.Faults)
	}
}

func TestALinkNeedsItsPasscodeAndEnds(t *testing.T) {
	p := filmed(t, time.Minute)
	now := noon().Add(time.Hour)
	a, stop := p.archive(t, &now)
	defer stop()
	asked, err := a.Ask(p.request(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	id := asked.Request.ID
	finished(t, a, id)
	_, token, passcode, err := a.Share(id, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if j, err := a.Shared(token); err != nil || j.Request.ID != id {
		t.Errorf("%v", err)
	}
	if _, _, err := a.Unlock(token, "wrong", true); !errors.Is(err, evidence.ErrPasscode) {
		t.Errorf("a wrong passcode: %v", err)
	}
	if _, _, err := a.Unlock("wrong", passcode, true); !errors.Is(err, evidence.ErrLink) {
		t.Errorf("a wrong token: %v", err)
	}
	if j, _, err := a.Unlock(token, passcode[:4]+"-"+passcode[4:8]+" "+passcode[8:], true); err != nil || j.Request.ID != id {
		t.Errorf("the passcode as it is read: %v", err)
	}
	if j, _ := a.Job(id); j.Links[0].Taken != 1 || j.Links[0].Wrong != 1 {
		t.Errorf("%+v", j.Links)
	}
	for range 9 {
		_, _, _ = a.Unlock(token, "wrong", true) // each counts
	}
	if _, _, err := a.Unlock(token, passcode, true); !errors.Is(err, evidence.ErrLink) {
		t.Errorf("after ten wrong ones: %v", err)
	}
	l, token, passcode, err := a.Share(id, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Unshare(id, l.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Unlock(token, passcode, true); !errors.Is(err, evidence.ErrLink) {
		t.Errorf("one that was ended: %v", err)
	}
	_, token, passcode, err = a.Share(id, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	if _, _, err := a.Unlock(token, passcode, true); !errors.Is(err, evidence.ErrLink) {
		t.Errorf("an old one: %v", err)
	}
	if _, _, _, err := a.Share(id, now.Add(100*24*time.Hour)); err == nil {
		t.Error("a link for ever")
	}
}
