package depot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Wish is a file that somebody wants of a station.
type Wish struct {
	Kind     store.FileKind // FileDiagnostics or FileSecurityLog
	From, To time.Time      // of what it is about; zero: the station decides
	// Log asks a station of OCPP 1.6 with GetLog of its security extension for
	// diagnostics too.
	Log bool
}

// Ask makes an address and asks a station to put a file there. The job is durable
// before the station is asked; what it answers is in the job when Ask returns.
func (s *Service) Ask(ctx context.Context, by store.Actor, station string, w Wish) (*store.FileJob, error) {
	st, ok := s.o.Journal.Snapshot().Station(station)
	if !ok {
		return nil, fmt.Errorf("station: %w", store.ErrNotFound)
	}
	action := "GetLog"
	if v16(st.Protocol) && w.Kind == store.FileDiagnostics && !w.Log {
		action = "GetDiagnostics"
	}
	now := s.o.Now()
	j, location, err := s.create(ctx, store.FileJob{
		Station: station, Kind: w.Kind, State: store.FileAsked, By: by, Action: action, ExpiresAt: now.Add(uploadWithin),
		Until: now.Add(answerWithin), From: w.From, To: w.To, Before: st.Firmware, Seen: s.o.Journal.Snapshot().Seq,
	}, "")
	if err != nil {
		return nil, err
	}
	var payload any
	if action == "GetDiagnostics" {
		payload = struct {
			Location      string    `json:"location"`
			Retries       int       `json:"retries"`
			RetryInterval int       `json:"retryInterval"`
			Start         time.Time `json:"startTime,omitzero"`
			Stop          time.Time `json:"stopTime,omitzero"`
		}{location, retries, retryInterval, w.From, w.To}
	} else {
		log := struct {
			Location string    `json:"remoteLocation"`
			Oldest   time.Time `json:"oldestTimestamp,omitzero"`
			Latest   time.Time `json:"latestTimestamp,omitzero"`
		}{location, w.From, w.To}
		kind := "DiagnosticsLog"
		if w.Kind == store.FileSecurityLog {
			kind = "SecurityLog"
		}
		payload = struct {
			Log           any    `json:"log"`
			Type          string `json:"logType"`
			Request       int64  `json:"requestId"`
			Retries       int    `json:"retries"`
			RetryInterval int    `json:"retryInterval"`
		}{log, kind, j.Seq, retries, retryInterval}
	}
	return s.send(ctx, j, payload)
}

// How often stations are to try again, and after how many seconds.
const (
	retries       = 3
	retryInterval = 60
)

func v16(protocol string) bool { return strings.HasSuffix(protocol, "1.6") }

// create keeps a job with an address of its own. At a station one file of a kind is under
// way at a time: in OCPP 1.6 nothing else tells them apart.
func (s *Service) create(ctx context.Context, x store.FileJob, name string) (j *store.FileJob, location string, err error) {
	if s.o.Tight() {
		return nil, "", ErrNoRoom
	}
	token, kept := newToken()
	if location, err = s.location(x.Station, token, name); err != nil {
		return nil, "", err
	}
	x.Address = kept
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay(x.Station, func(o *store.FileJob) bool { return !o.State.Over() && isFirmware(o) == isFirmware(&x) }) != nil {
		return nil, "", ErrUnder
	}
	// What an older job of the kind may still have become is over.
	for _, old := range s.jobs {
		if old.Station == x.Station && isFirmware(old) == isFirmware(&x) {
			ended := clone(old)
			ended.Open = false
			if err := s.o.Store.PutFileJob(ctx, ended); err != nil {
				return nil, "", err
			}
			s.drop(old)
		}
	}
	if j, err = s.o.Store.CreateFileJob(ctx, x); err != nil {
		return nil, "", err
	}
	s.admit(j)
	return j, location, nil
}

// send asks a station, once, and takes its answer into the job.
func (s *Service) send(ctx context.Context, j *store.FileJob, payload any) (*store.FileJob, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode a request: %w", err)
	}
	ctx = context.WithoutCancel(ctx) // the caller may go away, what was sent goes on
	a, err := s.o.Stations.Command(ctx, j.By, j.Station, j.Action, text)
	now := s.o.Now()
	after, kept := s.change(ctx, j.ID, "", "", func(j *store.FileJob) bool {
		if err != nil {
			move(j, store.FileFailed, now, 0)
			j.Code, j.ExpiresAt = "notSent", now
			return true
		}
		j.Command = a.CommandID
		takeAnswer(j, &a, now)
		return true
	})
	if errors.Is(kept, ErrOver) {
		after, kept = s.answered(ctx, j.ID, &a)
	}
	return after, errors.Join(err, kept)
}

// answered notes by which command a job was asked for that ended before the answer to it
// came: its file was faster, or somebody cancelled it. How it ended stays.
func (s *Service) answered(ctx context.Context, id string, a *event.CommandResult) (*store.FileJob, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, err := s.o.Store.FileJob(ctx, id)
	if err != nil || a.CommandID == "" {
		return j, err
	}
	j.Command = a.CommandID
	nameIt(j, a)
	return j, s.o.Store.PutFileJob(ctx, j)
}

// nameIt takes the name that a station gives its file.
func nameIt(j *store.FileJob, a *event.CommandResult) {
	var said struct {
		Name16 string `json:"fileName"`
		Name   string `json:"filename"`
	}
	// A station may answer anything; what cannot be read says nothing.
	_ = json.Unmarshal(a.Response, &said)
	if name := said.Name16 + said.Name; j.Name == "" && name != "" {
		j.Name, _ = cleanName(name)
	}
}

// takeAnswer takes what a station answered to being asked.
func takeAnswer(j *store.FileJob, a *event.CommandResult, now time.Time) {
	nameIt(j, a)
	var said struct {
		Status string `json:"status"`
	}
	_ = json.Unmarshal(a.Response, &said) // what cannot be read says nothing
	switch a.Status {
	case "answered":
		switch said.Status {
		case "", "Accepted", "AcceptedCanceled":
			if j.State == store.FileAsked { // what it did since counts for more
				within := beginWithin
				if isFirmware(j) {
					within = max(0, j.Begin.Sub(now)) + fetchWithin
				}
				move(j, store.FileAccepted, now, within)
			}
		default:
			move(j, store.FileRefused, now, 0)
			j.Code = said.Status
		}
	case "error", "refused":
		move(j, store.FileRefused, now, 0)
		j.Code, j.Detail = a.ErrorCode, clip(a.Description)
	case "offline":
		move(j, store.FileOffline, now, 0)
		j.Code = "offline"
	default: // it may have heard, and do it
		j.Code = a.Status
	}
}

func clip(text string) string {
	text = strings.ToValidUTF8(text, "")
	if len(text) > 200 {
		text = text[:200]
	}
	return text
}

// Cancel ends a job by its address; a station is not told, for OCPP has no word for it.
func (s *Service) Cancel(ctx context.Context, by store.Actor, id string) (*store.FileJob, error) {
	return s.change(ctx, id, by, "cancel", func(j *store.FileJob) bool {
		move(j, store.FileCancelled, s.o.Now(), 0)
		return true
	})
}

// Forget removes the file of a job.
func (s *Service) Forget(ctx context.Context, by store.Actor, id string) error {
	return s.discard(ctx, by, "delete", id)
}
