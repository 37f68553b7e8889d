package depot

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Update is firmware that somebody wants at a station.
type Update struct {
	Image    string
	Begin    time.Time // of the download; zero: now
	Install  time.Time // zero: as soon as the station can
	Unsigned bool      // without the signature, though the image has one
	Campaign string    // of which it is part
}

// Update makes an address for an image and asks a station to fetch and install it.
func (s *Service) Update(ctx context.Context, by store.Actor, station string, u Update) (*store.FileJob, error) {
	st, ok := s.o.Journal.Snapshot().Station(station)
	if !ok {
		return nil, fmt.Errorf("station: %w", store.ErrNotFound)
	}
	x, err := s.o.Store.FirmwareImage(ctx, u.Image)
	if err != nil {
		return nil, err
	}
	if !x.Fits(st.Vendor, st.Model) {
		return nil, &store.InvalidError{Field: "image", Reason: "it is for other stations: " + strings.TrimSpace(x.Vendor+" "+x.Model)}
	}
	signed := x.Signature != "" && !u.Unsigned
	action := "UpdateFirmware"
	if v16(st.Protocol) && signed {
		action = "SignedUpdateFirmware"
	}
	now := s.o.Now()
	begin := u.Begin
	if begin.Before(now) {
		begin = now
	}
	begin = begin.UTC().Truncate(time.Second)
	j, location, err := s.create(ctx, store.FileJob{
		Station: station, Kind: store.FileFirmware, State: store.FileAsked, By: by, Action: action, ExpiresAt: begin.Add(firmwareWithin),
		Until: now.Add(answerWithin), Before: st.Firmware, Seen: s.o.Journal.Snapshot().Seq, Image: x.ID, Version: x.Version,
		Signed: signed, Begin: begin, Campaign: u.Campaign, Name: x.Name,
	}, x.Name)
	if err != nil {
		return nil, err
	}
	if action == "UpdateFirmware" && v16(st.Protocol) {
		return s.send(ctx, j, struct {
			Location      string    `json:"location"`
			Retries       int       `json:"retries"`
			RetryInterval int       `json:"retryInterval"`
			Begin         time.Time `json:"retrieveDate"`
		}{location, retries, retryInterval, begin})
	}
	firmware := struct {
		Location    string    `json:"location"`
		Begin       time.Time `json:"retrieveDateTime"`
		Install     time.Time `json:"installDateTime,omitzero"`
		Certificate string    `json:"signingCertificate,omitempty"`
		Signature   string    `json:"signature,omitempty"`
	}{Location: location, Begin: begin, Install: u.Install.UTC().Truncate(time.Second)}
	if signed {
		firmware.Certificate, firmware.Signature = x.Certificate, x.Signature
	}
	return s.send(ctx, j, struct {
		Request       int64 `json:"requestId"`
		Retries       int   `json:"retries"`
		RetryInterval int   `json:"retryInterval"`
		Firmware      any   `json:"firmware"`
	}{j.Seq, retries, retryInterval, firmware})
}

// mostFetched is how many times over a station may fetch an image: some go on where they
// were cut off, some begin again.
const mostFetched = 6

// give gives an image to a station, whole or in parts.
func (s *Service) give(w http.ResponseWriter, r *http.Request, j *store.FileJob) *refusal {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return refuse(http.StatusMethodNotAllowed, "a file is fetched here, with GET; "+method(r)+" is refused")
	}
	x, err := s.o.Store.FirmwareImage(r.Context(), j.Image)
	if err != nil {
		return refuse(http.StatusGone, "the image is not kept any more")
	}
	if j.Fetched >= mostFetched*max(x.Bytes, leastBytes) {
		return refuse(http.StatusTooManyRequests, "the image was fetched too often")
	}
	if no := s.begin(j.ID, false, 0); no != nil {
		return no
	}
	defer s.end(j.ID, false, 0)
	f, err := s.image(x.ID)
	if err != nil {
		return refuse(http.StatusGone, "the image is not kept any more")
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", `"`+x.SHA256+`"`)
	slow := &slowly{ResponseWriter: w, deadline: http.NewResponseController(w).SetWriteDeadline, patience: s.o.Limits.Patience}
	http.ServeContent(slow, r, "", x.MadeAt, f)
	s.fetched(r.Context(), j.ID, slow.sent)
	return nil
}

// fetched notes how much of its image a station took.
func (s *Service) fetched(ctx context.Context, id string, n int64) {
	_, err := s.change(context.WithoutCancel(ctx), id, "", "", func(j *store.FileJob) bool {
		j.Fetched += n
		return n > 0
	})
	if err != nil {
		s.log.DebugContext(ctx, "how much was fetched was not noted", "file", id, "err", err)
	}
}

// slowly writes to a station that must not be too slow.
type slowly struct {
	http.ResponseWriter
	deadline func(time.Time) error
	patience time.Duration
	sent     int64
}

func (s *slowly) Write(p []byte) (int, error) {
	_ = s.deadline(time.Now().Add(s.patience)) // without a deadline there is nothing to move
	n, err := s.ResponseWriter.Write(p)
	s.sent += int64(n)
	return n, err
}
