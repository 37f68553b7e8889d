package depot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/store"
)

const (
	maxName     = 150
	maxRefusals = 20
	maxParts    = 16
	// leastBytes must come, or be taken, within the patience.
	leastBytes = 4 << 10
)

// refusal is a transfer that is not let through.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return r.why }

func refuse(status int, why string) *refusal { return &refusal{status, why} }

// parsePath takes the address apart: /files/TOKEN, behind it at most the name of a file.
// It reads the path as it was sent: nothing in it is resolved.
func parsePath(u *url.URL) (token, name string, no *refusal) {
	rest, ok := strings.CutPrefix(u.EscapedPath(), Path)
	if !ok {
		return "", "", refuse(http.StatusNotFound, "not an address of a file")
	}
	token, rest, _ = strings.Cut(rest, "/")
	if len(token) != len(TokenPrefix)+tokenLength || !strings.HasPrefix(token, TokenPrefix) {
		return "", "", refuse(http.StatusNotFound, "not an address of a file")
	}
	rest = strings.TrimLeft(rest, "/") // some put one more in between
	if rest == "" {
		return token, "", nil
	}
	name, err := url.PathUnescape(rest)
	if err != nil {
		return token, "", refuse(http.StatusBadRequest, "the name of the file cannot be read")
	}
	if _, ok := cleanName(name); !ok {
		return token, "", refuse(http.StatusBadRequest, "the name of the file leads elsewhere or cannot be shown")
	}
	return token, name, nil
}

// cleanName makes a name that a station gave fit to be shown; false: it is not just the
// name of a file.
func cleanName(name string) (string, bool) {
	ok := utf8.ValidString(name) && !strings.ContainsAny(name, `/\`) && name != "." && name != ".."
	name = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			ok = false
			return -1
		}
		return c
	}, name[strings.LastIndexAny(name, `/\`)+1:])
	if r := []rune(name); len(r) > maxName {
		name, ok = string(r[:maxName]), false
	}
	if name == "." || name == ".." {
		return "", false
	}
	return name, ok
}

// ServeHTTP is where stations put and get their files.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, name, no := parsePath(r.URL)
	var j *store.FileJob
	if token != "" {
		s.mu.Lock()
		j = s.jobs[s.address[sha256.Sum256([]byte(token))]]
		s.mu.Unlock()
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case j == nil:
		no = refuse(http.StatusNotFound, "not an address of a file")
	case no != nil:
	case !s.o.Now().Before(j.ExpiresAt):
		no = refuse(http.StatusGone, "the address has ended")
	case isFirmware(j):
		no = s.give(w, r, j)
	default:
		no = s.take(w, r, j, name)
	}
	if no == nil {
		return
	}
	if j != nil {
		s.refused(r.Context(), j.ID, no.why)
	}
	// The body is not read on: a station that goes on sending is cut off.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second))
	w.Header().Set("Connection", "close")
	http.Error(w, no.why, no.status)
}

// refused keeps at the job what was tried in vain. The first ones are kept as they
// happen, then only counted.
func (s *Service) refused(ctx context.Context, id, why string) {
	now := s.o.Now()
	_, err := s.change(context.WithoutCancel(ctx), id, "", "", func(j *store.FileJob) bool {
		if len(j.Refusals) >= maxRefusals {
			return false
		}
		j.Refused++
		j.Refusals = append(j.Refusals, store.FileStep{At: now, Text: why})
		return true
	})
	if err != nil && !errors.Is(err, ErrOver) {
		s.log.WarnContext(ctx, "a refused file was not noted", "file", id, "err", err)
	}
}

// begin makes room for a transfer; end gives it back.
func (s *Service) begin(id string, exclusive bool, bytes int64) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running >= s.o.Limits.Transfers {
		return refuse(http.StatusServiceUnavailable, "too many files are under way")
	}
	if exclusive {
		if _, busy := s.busy[id]; busy {
			return refuse(http.StatusConflict, "this file is being sent already")
		}
		if s.kept+s.coming+bytes > s.o.Limits.Total {
			return refuse(http.StatusInsufficientStorage, "the room for files of stations is used up")
		}
		s.busy[id] = struct{}{}
	}
	s.running++
	s.coming += bytes
	return nil
}

func (s *Service) end(id string, exclusive bool, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	s.coming -= bytes
	if exclusive {
		delete(s.busy, id)
	}
}

// take takes a file from a station.
func (s *Service) take(w http.ResponseWriter, r *http.Request, j *store.FileJob, name string) *refusal {
	limit := s.o.Limits.Upload
	switch {
	case r.Method != http.MethodPut && r.Method != http.MethodPost:
		w.Header().Set("Allow", "PUT, POST")
		return refuse(http.StatusMethodNotAllowed, "a file is put here, with PUT or POST; "+method(r)+" is refused")
	case r.Header.Get("Content-Range") != "":
		return refuse(http.StatusBadRequest, "a file is sent whole")
	case r.ContentLength > limit && !isForm(r), r.ContentLength > limit+multipartRoom:
		return refuse(http.StatusRequestEntityTooLarge, tooLarge(limit))
	case s.o.Tight():
		return refuse(http.StatusInsufficientStorage, "the disk has no room for files now")
	}
	expect := r.ContentLength
	if expect < 0 {
		expect = limit
	}
	if no := s.begin(j.ID, true, expect); no != nil {
		return no
	}
	defer s.end(j.ID, true, expect)
	body := http.MaxBytesReader(w, r.Body, limit+multipartRoom)
	steady := newSteady(body, http.NewResponseController(w).SetReadDeadline, s.o.Limits.Patience)
	got, err := s.receive(j.ID, r.Header.Get("Content-Type"), steady, limit)
	if err != nil {
		s.log.InfoContext(r.Context(), "a file of a station was not taken", "station", j.Station, "file", j.ID, "err", err)
		return whyNot(err, limit)
	}
	if got.name == "" {
		got.name = name
	}
	if err := s.received(r.Context(), j.ID, got); err != nil {
		if errors.Is(err, ErrOver) {
			return refuse(http.StatusGone, "the address has ended")
		}
		s.log.WarnContext(r.Context(), "a file of a station was not kept", "station", j.Station, "file", j.ID, "err", err)
		return refuse(http.StatusInternalServerError, "the file could not be kept")
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

func isForm(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "multipart/form-data"
}

// multipartRoom is what may stand around a file in a form.
const multipartRoom = 64 << 10

func method(r *http.Request) string {
	if len(r.Method) > 10 {
		return "another method"
	}
	return r.Method
}

func tooLarge(limit int64) string { return fmt.Sprintf("the file is larger than %d bytes", limit) }

// whyNot says why a file did not come.
func whyNot(err error, limit int64) *refusal {
	var no *refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &no):
		return no
	case errors.As(err, &large):
		return refuse(http.StatusRequestEntityTooLarge, tooLarge(limit))
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return refuse(http.StatusInsufficientStorage, "the disk is full")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(http.StatusRequestTimeout, "the file came too slowly")
	}
	return refuse(http.StatusBadRequest, "the file was cut off")
}

// got is a file as it came.
type got struct {
	name, kind string
	size       int64
	sum        string
}

// receive writes a file, syncs it and gives it its place. A failure leaves nothing.
func (s *Service) receive(id, kind string, r io.Reader, limit int64) (g got, err error) {
	if g, r, err = content(kind, r); err != nil {
		return g, err
	}
	part := path.Join(Received, id+".part")
	f, err := s.o.Data.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return g, fmt.Errorf("keep the file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.remove(Received, id+".part"))
		}
	}()
	h := sha256.New()
	g.size, err = copyFile(f, h, r, limit)
	if err == nil && g.size == 0 {
		err = refuse(http.StatusBadRequest, "the file is empty")
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return g, err
	}
	g.sum = hex.EncodeToString(h.Sum(nil))
	if err = s.o.Data.Rename(part, path.Join(Received, id)); err != nil {
		return g, fmt.Errorf("keep the file: %w", err)
	}
	return g, nil
}

// copyFile copies at most limit bytes; one more is too many.
func copyFile(to io.Writer, h hash.Hash, r io.Reader, limit int64) (int64, error) {
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(to, h)}, struct{ io.Reader }{io.LimitReader(r, limit+1)}, make([]byte, 64<<10))
	if err == nil && n > limit {
		return n, refuse(http.StatusRequestEntityTooLarge, tooLarge(limit))
	}
	if err != nil {
		return n, fmt.Errorf("copy the file: %w", err)
	}
	return n, nil
}

// content finds the file in what was sent: the whole body, or the first file of a form.
func content(kind string, r io.Reader) (got, io.Reader, error) {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil || media != "multipart/form-data" {
		if len(media) > 80 {
			media = ""
		}
		return got{kind: media}, r, nil
	}
	if params["boundary"] == "" {
		return got{}, nil, refuse(http.StatusBadRequest, "the form has no boundary")
	}
	form := multipart.NewReader(r, params["boundary"])
	for range maxParts {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return got{}, nil, fmt.Errorf("read the form: %w", err)
		}
		if part.FileName() == "" && part.FormName() != "file" {
			continue
		}
		name, _ := cleanName(rawFileName(part))
		g := got{name: name}
		if media, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err == nil && len(media) <= 80 {
			g.kind = media
		}
		if bad := rawFileName(part); strings.Contains(bad, "..") && strings.ContainsAny(bad, `/\`) {
			return got{}, nil, refuse(http.StatusBadRequest, "the name of the file leads elsewhere or cannot be shown")
		}
		return g, part, nil
	}
	return got{}, nil, refuse(http.StatusBadRequest, "the form holds no file")
}

// rawFileName is the name in a part as it was sent: FileName has cut off a path already.
func rawFileName(part *multipart.Part) string {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}

// received notes that the file of a job is here.
func (s *Service) received(ctx context.Context, id string, g got) error {
	now := s.o.Now()
	_, err := s.change(context.WithoutCancel(ctx), id, "", "", func(j *store.FileJob) bool {
		move(j, store.FileReceived, now, 0)
		j.Code, j.Detail = "", ""
		j.Stored, j.SHA256, j.ReceivedAt, j.Type = g.size, g.sum, now, g.kind
		if g.name != "" {
			j.Name = g.name
		}
		return true
	})
	if err != nil {
		return errors.Join(err, s.remove(Received, id))
	}
	s.mu.Lock()
	s.kept += g.size
	s.mu.Unlock()
	return nil
}

// File opens the file of a job for a person.
func (s *Service) File(id string) (*os.File, error) {
	f, err := s.o.Data.Open(path.Join(Received, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("open a file: %w", err)
	}
	return f, nil
}

// steady reads from a station that must not be too slow: within the patience something
// worth the wait must come, or the connection ends.
type steady struct {
	r        io.Reader
	deadline func(time.Time) error
	patience time.Duration
	due      int // bytes until the deadline moves
}

func newSteady(r io.Reader, deadline func(time.Time) error, patience time.Duration) *steady {
	return &steady{r: r, deadline: deadline, patience: patience}
}

func (s *steady) Read(p []byte) (int, error) {
	if s.due <= 0 {
		// Without a deadline there is nothing to move, as in tests of this type alone.
		_ = s.deadline(time.Now().Add(s.patience))
		s.due = leastBytes
	}
	n, err := s.r.Read(p)
	s.due -= n
	return n, err
}
