package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of files that go to and come from stations.
const (
	MaxOpenFileJobs = 20_000
	// fileJobsOfStation is how many are remembered of a station, beside open ones.
	fileJobsOfStation = 200
)

// FileKind is what a file is about.
type FileKind string

// The kinds of files.
const (
	FileDiagnostics FileKind = "diagnostics"
	FileSecurityLog FileKind = "securityLog"
	FileFirmware    FileKind = "firmware"
)

// FileState is how far a file is.
type FileState string

// The states of a file on its way. Those of firmware come from the station; so do
// FileUploading and what it says of failure.
const (
	FileAsked       FileState = "asked" // sent, and not answered yet
	FileAccepted    FileState = "accepted"
	FileScheduled   FileState = "scheduled"
	FileUploading   FileState = "uploading"
	FileClaimed     FileState = "claimed" // said to be uploaded; it may be on its way
	FileDownloading FileState = "downloading"
	FilePaused      FileState = "paused"
	FileDownloaded  FileState = "downloaded"
	FileVerified    FileState = "verified"
	FileInstalling  FileState = "installing"
	FileRebooting   FileState = "rebooting"
	FileInstalled   FileState = "installed" // said to be; no boot has told the version yet

	FileReceived           FileState = "received"
	FileUpdated            FileState = "updated" // a boot told the new version
	FileRefused            FileState = "refused" // by the station
	FileOffline            FileState = "offline"
	FileFailed             FileState = "failed"
	FileClaimedNotReceived FileState = "claimedNotReceived"
	FileClaimedNotUpdated  FileState = "claimedNotUpdated"
	FileTimedOut           FileState = "timedOut"
	FileCancelled          FileState = "cancelled"
)

// Over reports whether nothing more is expected. What a station does late may still
// change it.
func (s FileState) Over() bool {
	switch s {
	case FileReceived, FileUpdated, FileRefused, FileOffline, FileFailed, FileClaimedNotReceived, FileClaimedNotUpdated, FileTimedOut, FileCancelled:
		return true
	}
	return false
}

// FileJob is a file on its way to or from a station.
type FileJob struct {
	Seq     int64     `json:"-"` // the requestId
	ID      string    `json:"-"`
	Station string    `json:"-"`
	Kind    FileKind  `json:"-"`
	State   FileState `json:"-"`
	Open    bool      `json:"-"` // something may still become of it
	Stored  int64     `json:"-"` // bytes of the file that is kept
	MadeAt  time.Time `json:"-"`
	By      Actor     `json:"-"`

	Action    string    `json:"action"`             // by which it was asked for
	Command   string    `json:"command,omitempty"`  // its id
	Address   []byte    `json:"address,omitempty"`  // SHA-256 of what its address cannot be guessed without
	ExpiresAt time.Time `json:"expiresAt,omitzero"` // of the address
	ChangedAt time.Time `json:"changedAt,omitzero"` // of the state
	Until     time.Time `json:"until,omitzero"`     // when the state is given up
	Seen      uint64    `json:"seen,omitempty"`     // event of the journal that was taken last
	Code      string    `json:"code,omitempty"`     // why it did not work, in a word: of OCPP where it has one
	Detail    string    `json:"detail,omitempty"`   // why it did not work, for people

	Name       string    `json:"name,omitempty"` // that the station gives the file
	Type       string    `json:"type,omitempty"` // that it says the file has
	SHA256     string    `json:"sha256,omitempty"`
	ReceivedAt time.Time `json:"receivedAt,omitzero"`
	RemovedAt  time.Time `json:"removedAt,omitzero"` // of the file
	From       time.Time `json:"from,omitzero"`      // of what is asked for
	To         time.Time `json:"to,omitzero"`

	Image    string    `json:"image,omitempty"`
	Version  string    `json:"version,omitempty"` // that the image is to bring
	Before   string    `json:"before,omitempty"`  // that ran when it was asked for
	Signed   bool      `json:"signed,omitempty"`
	Begin    time.Time `json:"begin,omitzero"` // of the download
	Fetched  int64     `json:"fetched,omitempty"`
	Campaign string    `json:"campaign,omitempty"`

	Steps    []FileStep `json:"steps,omitempty"`    // what the station said, oldest first
	Refusals []FileStep `json:"refusals,omitempty"` // what was tried at the address in vain
	Refused  int        `json:"refused,omitempty"`  // how often in all
}

// FileStep is something that happened to a file.
type FileStep struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

const fileColumns = `seq, id, station, kind, state, open, stored, made_at, by, data`

func scanFileJob(row interface{ Scan(...any) error }) (*FileJob, error) {
	x := &FileJob{}
	var made int64
	var data string
	if err := row.Scan(&x.Seq, &x.ID, &x.Station, &x.Kind, &x.State, &x.Open, &x.Stored, &made, &x.By, &data); err != nil {
		return nil, err
	}
	x.MadeAt = fromMillis(made)
	return x, json.Unmarshal([]byte(data), x)
}

// CreateFileJob notes that a file is wanted, before the station is asked.
func (s *Store) CreateFileJob(ctx context.Context, x FileJob) (*FileJob, error) {
	x.ID, x.MadeAt, x.Open = newID("f-"), fromMillis(millis(s.now())), true
	x.ChangedAt = x.MadeAt
	text, err := json.Marshal(&x)
	if err != nil {
		return nil, fmt.Errorf("encode a file: %w", err)
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		var open int
		if err := tx.QueryRow(`SELECT count(*) FROM file_jobs WHERE open = 1`).Scan(&open); err != nil {
			return fmt.Errorf("count files: %w", err)
		}
		if open >= MaxOpenFileJobs {
			return fmt.Errorf("files under way: %w", ErrFull)
		}
		if _, err := tx.Exec(`DELETE FROM file_jobs WHERE seq IN (SELECT seq FROM file_jobs WHERE station = ? AND open = 0 AND stored = 0 ORDER BY seq DESC LIMIT -1 OFFSET ?)`,
			x.Station, fileJobsOfStation-1); err != nil {
			return fmt.Errorf("make room for a file: %w", err)
		}
		done, err := tx.Exec(`INSERT INTO file_jobs (id, station, kind, state, open, made_at, by, data) VALUES (?,?,?,?,1,?,?,?)`,
			x.ID, x.Station, string(x.Kind), string(x.State), millis(x.MadeAt), string(x.By), string(text))
		if err != nil {
			return fmt.Errorf("write a file: %w", err)
		}
		if x.Seq, err = done.LastInsertId(); err != nil {
			return fmt.Errorf("write a file: %w", err)
		}
		return s.audit(tx, x.By, "station.file.ask", event.Station(x.Station).String(), map[string]any{"file": x.ID, "kind": x.Kind, "image": x.Image, "version": x.Version})
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// PutFileJob keeps what became of a file.
func (s *Store) PutFileJob(ctx context.Context, x *FileJob) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return s.putFileJob(tx, x) })
}

func (s *Store) putFileJob(tx *sql.Tx, x *FileJob) error {
	text, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("encode a file: %w", err)
	}
	done, err := tx.Exec(`UPDATE file_jobs SET state = ?, open = ?, stored = ?, data = ? WHERE id = ?`, string(x.State), x.Open, x.Stored, string(text), x.ID)
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("file %s: %w", x.ID, ErrNotFound))
	}
	return nil
}

// ActOnFileJob is PutFileJob for what a person did.
func (s *Store) ActOnFileJob(ctx context.Context, by Actor, act string, x *FileJob) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := s.putFileJob(tx, x); err != nil {
			return err
		}
		return s.audit(tx, by, "station.file."+act, event.Station(x.Station).String(), map[string]any{"file": x.ID, "kind": x.Kind})
	})
}

// FileJobQuery selects files, newest first.
type FileJobQuery struct {
	Station string   // empty: all
	Kind    FileKind // empty: all
	Image   string
	Before  int64 // zero: the newest
	Limit   int
}

// FileJobs lists files on their way and those that came.
func (s *Store) FileJobs(ctx context.Context, q FileJobQuery) ([]*FileJob, error) {
	text, args := `SELECT `+fileColumns+` FROM file_jobs WHERE true`, []any(nil)
	for _, c := range []struct {
		set  bool
		text string
		arg  any
	}{
		{q.Station != "", ` AND station = ?`, q.Station},
		{q.Kind != "", ` AND kind = ?`, string(q.Kind)},
		{q.Image != "", ` AND data ->> 'image' = ?`, q.Image},
		{q.Before > 0, ` AND seq < ?`, q.Before},
	} {
		if c.set {
			text, args = text+c.text, append(args, c.arg)
		}
	}
	return s.fileJobs(ctx, text+` ORDER BY seq DESC LIMIT ?`, append(args, q.Limit)...)
}

// OpenFileJobs are those of which something may still become, oldest first.
func (s *Store) OpenFileJobs(ctx context.Context) ([]*FileJob, error) {
	return s.fileJobs(ctx, `SELECT `+fileColumns+` FROM file_jobs WHERE open = 1 ORDER BY seq`)
}

// StoredFileJobs are those whose file is kept, oldest first.
func (s *Store) StoredFileJobs(ctx context.Context) ([]*FileJob, error) {
	return s.fileJobs(ctx, `SELECT `+fileColumns+` FROM file_jobs WHERE stored > 0 ORDER BY seq`)
}

func (s *Store) fileJobs(ctx context.Context, text string, args ...any) ([]*FileJob, error) {
	var out []*FileJob
	err := s.query(ctx, "files", text, args, func(r *sql.Rows) error {
		x, err := scanFileJob(r)
		out = append(out, x)
		return err
	})
	return out, err
}

// FileJob returns one.
func (s *Store) FileJob(ctx context.Context, id string) (*FileJob, error) {
	x, err := scanFileJob(s.db.Reader().QueryRowContext(ctx, `SELECT `+fileColumns+` FROM file_jobs WHERE id = ?`, id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("file: %w", ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read a file: %w", err)
	}
	return x, nil
}
