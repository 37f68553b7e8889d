package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/depot"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// Depot brings files to stations and takes files from them.
type Depot interface {
	Ask(ctx context.Context, by store.Actor, station string, w depot.Wish) (*store.FileJob, error)
	Update(ctx context.Context, by store.Actor, station string, u depot.Update) (*store.FileJob, error)
	Cancel(ctx context.Context, by store.Actor, id string) (*store.FileJob, error)
	Forget(ctx context.Context, by store.Actor, id string) error
	File(id string) (*os.File, error)
	AddImage(ctx context.Context, by store.Actor, x store.FirmwareImage, r io.Reader) (*store.FirmwareImage, error)
	SignImage(ctx context.Context, by store.Actor, id, signature, certificate string) (*store.FirmwareImage, error)
	DropImage(ctx context.Context, by store.Actor, id string) error
}

// StationFileShape is a file on its way to or from a station.
type StationFileShape struct {
	ID        string     `json:"id"`
	Station   string     `json:"station"`
	Kind      string     `json:"kind" enum:"diagnostics,securityLog,firmware"`
	State     string     `json:"state" enum:"asked,accepted,scheduled,uploading,claimed,downloading,paused,downloaded,verified,installing,rebooting,installed,received,updated,refused,offline,failed,claimedNotReceived,claimedNotUpdated,timedOut,cancelled" doc:"claimed: said to be uploaded, installed: said to be installed; received and updated: seen here"`
	Over      bool       `json:"over" doc:"nothing more is expected"`
	Action    string     `json:"action" doc:"by which the station was asked"`
	RequestID int64      `json:"requestId"`
	CommandID string     `json:"commandId"`
	MadeAt    time.Time  `json:"madeAt"`
	By        string     `json:"by" doc:"id of who asked"`
	ByName    string     `json:"byName" doc:"empty for those who may not know"`
	ChangedAt time.Time  `json:"changedAt" doc:"of the state"`
	Until     *time.Time `json:"until" doc:"when the state is given up; null: it is not"`
	ExpiresAt time.Time  `json:"expiresAt" doc:"of the address that the station was given"`
	Code      string     `json:"code" doc:"why it did not work: a word of OCPP, or the state in which nothing came; empty otherwise"`
	Detail    string     `json:"detail" doc:"what the station said about that"`
	From      *time.Time `json:"from" doc:"of what was asked for; null: the station decides"`
	To        *time.Time `json:"to"`

	File    *StationFileContent `json:"file" doc:"null: none has come"`
	Update  *StationFileUpdate  `json:"update" doc:"null: not firmware"`
	Steps   []StationFileStep   `json:"steps" doc:"what the station said, oldest first"`
	Refused []StationFileStep   `json:"refused" doc:"what was tried at its address in vain; the first of it"`
}

// StationFileContent is a file that came.
type StationFileContent struct {
	Name         string    `json:"name" doc:"that the station gave it"`
	Bytes        int64     `json:"bytes"`
	SHA256       string    `json:"sha256"`
	ReceivedAt   time.Time `json:"receivedAt"`
	Kept         bool      `json:"kept" doc:"it can be downloaded"`
	Downloadable bool      `json:"downloadable" doc:"by who asks"`
}

// StationFileUpdate is what firmware is about.
type StationFileUpdate struct {
	ImageID      string    `json:"imageId"`
	Version      string    `json:"version"`
	Before       string    `json:"before" doc:"the version that ran when it was asked for"`
	Signed       bool      `json:"signed"`
	BeginAt      time.Time `json:"beginAt" doc:"of the download"`
	FetchedBytes int64     `json:"fetchedBytes" doc:"it took so far, what was taken again included"`
	CampaignID   string    `json:"campaignId" doc:"empty: of none"`
}

// StationFileStep is something that happened to a file.
type StationFileStep struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

type (
	stationFilesInput struct {
		Station string `path:"station" maxLength:"48"`
		Cursor  string `query:"cursor" maxLength:"32"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	stationFileInput struct {
		Station string `path:"station" maxLength:"48"`
		File    string `path:"transfer" maxLength:"40"`
	}
	askFileInput struct {
		Station string `path:"station" maxLength:"48"`
		Body    struct {
			Kind   string     `json:"kind" enum:"diagnostics,securityLog"`
			From   *time.Time `json:"from,omitempty"`
			To     *time.Time `json:"to,omitempty"`
			GetLog bool       `json:"getLog,omitempty" doc:"ask a station of OCPP 1.6 with GetLog of its security extension for diagnostics too"`
		}
	}
	askUpdateInput struct {
		Station string `path:"station" maxLength:"48"`
		Body    struct {
			ImageID   string     `json:"imageId" maxLength:"40"`
			BeginAt   *time.Time `json:"beginAt,omitempty" doc:"of the download; default: now"`
			InstallAt *time.Time `json:"installAt,omitempty" doc:"default: as soon as it can"`
			Unsigned  bool       `json:"unsigned,omitempty" doc:"without the signature, though the image has one"`
		}
	}
	stationFileOutput struct{ Body StationFileShape }
)

func (s *Server) registerFiles() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"files"}}
	}
	add(s, atStation(StationsRead), op("listStationFiles", http.MethodGet, "/stations/{station}/files",
		"Files that it was asked for and firmware that it was to get, newest first"), s.listStationFiles)
	ask := op("askStationFile", http.MethodPost, "/stations/{station}/files", "Ask for diagnostics or for its security log")
	ask.DefaultStatus = http.StatusAccepted
	ask.Description = "Answers when the station has answered; the file comes later. One is under way at a time."
	add(s, atStation(StationsCommand), ask, s.askStationFile)
	update := op("updateFirmware", http.MethodPost, "/stations/{station}/firmware", "Have it fetch and install an image of the library")
	update.DefaultStatus = http.StatusAccepted
	add(s, atStation(StationsCommand), update, s.askUpdate)
	cancel := op("cancelStationFile", http.MethodPost, "/stations/{station}/files/{transfer}/cancel", "Take its address away and wait for it no longer; the station is not told, OCPP has no word for it")
	add(s, atStation(StationsCommand), cancel, s.cancelStationFile)
	forget := op("deleteStationFile", http.MethodDelete, "/stations/{station}/files/{transfer}", "Delete a file that came; that it came stays")
	forget.DefaultStatus = http.StatusNoContent
	add(s, atStation(StationsWrite), forget, s.deleteStationFile)
	s.raw(http.MethodGet, base+"/stations/{station}/files/{transfer}/content", atStation(FilesRead), s.stationFile)
	s.registerFirmware()
}

var errNoDepot = problemf(http.StatusNotImplemented, "this server takes and brings no files of stations")

// fileProblem says what a person can mend.
func fileProblem(err error) error {
	for known, status := range map[error]int{
		depot.ErrUnder: http.StatusConflict, depot.ErrOver: http.StatusConflict, depot.ErrNoRoom: http.StatusInsufficientStorage,
		depot.ErrGone: http.StatusGone, depot.ErrNoAddress: http.StatusConflict,
		depot.ErrImageLarge: http.StatusRequestEntityTooLarge, depot.ErrImageEmpty: http.StatusUnprocessableEntity,
		depot.ErrSignature: http.StatusUnprocessableEntity, depot.ErrCertificate: http.StatusUnprocessableEntity,
		depot.ErrBase64: http.StatusUnprocessableEntity, depot.ErrKey: http.StatusUnprocessableEntity,
	} {
		if errors.Is(err, known) {
			return problemf(status, known.Error())
		}
	}
	return err
}

// mayReadFile reports whether the caller may see a file itself.
func (s *Server) mayReadFile(ctx context.Context, j *store.FileJob) bool {
	site, ok := s.siteOf(j.Station)
	return ok && j.Kind != store.FileFirmware && scope(ctx, FilesRead).Allows(site) &&
		(j.Kind != store.FileSecurityLog || scope(ctx, SecurityLogsRead).Allows(site))
}

func (s *Server) stationFileShapes(ctx context.Context, list []*store.FileJob) ([]StationFileShape, error) {
	names := map[string]string{}
	if !scope(ctx, NotesRead).Empty() {
		var ids []string
		for _, j := range list {
			ids = append(ids, string(j.By))
		}
		var err error
		if names, err = s.o.Store.UserNames(ctx, ids); err != nil {
			return nil, err
		}
	}
	out := make([]StationFileShape, 0, len(list))
	for _, j := range list {
		x := StationFileShape{
			ID: j.ID, Station: j.Station, Kind: string(j.Kind), State: string(j.State), Over: j.State.Over(), Action: j.Action, RequestID: j.Seq,
			CommandID: j.Command, MadeAt: j.MadeAt, By: string(j.By), ByName: names[string(j.By)], ChangedAt: j.ChangedAt.UTC(), Until: instant(j.Until),
			ExpiresAt: j.ExpiresAt.UTC(), Code: j.Code, Detail: oneTime(j.Detail), From: instant(j.From), To: instant(j.To),
			Steps: fileSteps(j.Steps), Refused: fileSteps(j.Refusals),
		}
		if !j.ReceivedAt.IsZero() {
			x.File = &StationFileContent{
				Name: j.Name, Bytes: j.Stored, SHA256: j.SHA256, ReceivedAt: j.ReceivedAt.UTC(), Kept: j.Stored > 0,
				Downloadable: j.Stored > 0 && s.mayReadFile(ctx, j),
			}
		}
		if j.Kind == store.FileFirmware {
			x.Update = &StationFileUpdate{
				ImageID: j.Image, Version: j.Version, Before: j.Before, Signed: j.Signed, BeginAt: j.Begin.UTC(), FetchedBytes: j.Fetched, CampaignID: j.Campaign,
			}
		}
		out = append(out, x)
	}
	return out, nil
}

func fileSteps(list []store.FileStep) []StationFileStep {
	out := make([]StationFileStep, 0, len(list))
	for _, x := range list {
		out = append(out, StationFileStep{x.At.UTC(), oneTime(x.Text)})
	}
	return out
}

func (s *Server) oneStationFile(ctx context.Context, j *store.FileJob, err error) (*stationFileOutput, error) {
	if err != nil {
		return nil, fileProblem(err)
	}
	list, err := s.stationFileShapes(ctx, []*store.FileJob{j})
	if err != nil {
		return nil, err
	}
	return &stationFileOutput{list[0]}, nil
}

func (s *Server) listStationFiles(ctx context.Context, in *stationFilesInput) (*listOutput[StationFileShape], error) {
	before := int64(0)
	if in.Cursor != "" {
		var err error
		if before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || before < 1 {
			return nil, errCursor
		}
	}
	list, err := s.o.Store.FileJobs(ctx, store.FileJobQuery{Station: in.Station, Before: before, Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	next := ""
	if len(list) > in.Limit {
		list = list[:in.Limit]
		next = strconv.FormatInt(list[len(list)-1].Seq, 10)
	}
	out, err := s.stationFileShapes(ctx, list)
	if err != nil {
		return nil, err
	}
	return listOf(out, next), nil
}

func (s *Server) askStationFile(ctx context.Context, in *askFileInput) (*stationFileOutput, error) {
	if s.o.Depot == nil {
		return nil, errNoDepot
	}
	w := depot.Wish{Kind: store.FileKind(in.Body.Kind), Log: in.Body.GetLog, From: wholeSecond(in.Body.From), To: wholeSecond(in.Body.To)}
	if !w.From.IsZero() && !w.To.IsZero() && !w.From.Before(w.To) {
		return nil, &store.InvalidError{Field: "to", Reason: "must be after from"}
	}
	j, err := s.o.Depot.Ask(ctx, who(ctx).actor(), in.Station, w)
	return s.oneStationFile(ctx, j, err)
}

// wholeSecond is a time as OCPP writes it, zero if none was given.
func wholeSecond(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

func (s *Server) askUpdate(ctx context.Context, in *askUpdateInput) (*stationFileOutput, error) {
	if s.o.Depot == nil {
		return nil, errNoDepot
	}
	j, err := s.o.Depot.Update(ctx, who(ctx).actor(), in.Station, depot.Update{
		Image: in.Body.ImageID, Begin: wholeSecond(in.Body.BeginAt), Install: wholeSecond(in.Body.InstallAt), Unsigned: in.Body.Unsigned,
	})
	return s.oneStationFile(ctx, j, err)
}

// fileOf returns a file of that station and no other.
func (s *Server) fileOf(ctx context.Context, station, id string) (*store.FileJob, error) {
	if s.o.Depot == nil {
		return nil, errNoDepot
	}
	j, err := s.o.Store.FileJob(ctx, id)
	if err == nil && j.Station != station {
		err = store.ErrNotFound
	}
	return j, err
}

func (s *Server) cancelStationFile(ctx context.Context, in *stationFileInput) (*stationFileOutput, error) {
	if _, err := s.fileOf(ctx, in.Station, in.File); err != nil {
		return nil, err
	}
	j, err := s.o.Depot.Cancel(ctx, who(ctx).actor(), in.File)
	return s.oneStationFile(ctx, j, err)
}

func (s *Server) deleteStationFile(ctx context.Context, in *stationFileInput) (*struct{}, error) {
	if _, err := s.fileOf(ctx, in.Station, in.File); err != nil {
		return nil, err
	}
	return nil, fileProblem(s.o.Depot.Forget(ctx, who(ctx).actor(), in.File))
}

// stationFile gives a file that came to a person. What is in it was written elsewhere:
// it is never shown by the browser under our name.
func (s *Server) stationFile(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	j, err := s.fileOf(ctx, r.PathValue("station"), r.PathValue("transfer"))
	switch {
	case err != nil:
	case j.Kind == store.FileFirmware:
		err = store.ErrNotFound
	case !s.mayReadFile(ctx, j):
		err = errForbidden
	case j.Stored == 0:
		err = depot.ErrGone
	}
	if err != nil {
		writeProblem(w, s.problem(ctx, fileProblem(err)))
		return
	}
	f, err := s.o.Depot.File(j.ID)
	if err != nil {
		writeProblem(w, s.problem(ctx, fileProblem(err)))
		return
	}
	defer f.Close()
	if err := s.o.Store.Record(ctx, who(ctx).actor(), "station.file.download", event.Station(j.Station).String(),
		map[string]any{"file": j.ID, "kind": j.Kind, "sha256": j.SHA256}); err != nil {
		writeProblem(w, s.problem(ctx, err))
		return
	}
	name := j.Name
	if name == "" {
		name = j.Station + "-" + string(j.Kind)
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox")
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", j.ReceivedAt, f)
}
