package depot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/coredb"
	"github.com/chargewatch/chargewatch/internal/coredb/coredbtest"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/journal/sqlite"
	"github.com/chargewatch/chargewatch/internal/store"
)

const person = store.Actor("u-1")

// bench is a service on a real store and journal; only the stations are played.
type bench struct {
	*Service
	t     *testing.T
	db    *coredb.DB
	log   *journal.Journal
	st    *store.Store
	data  *os.Root
	web   *httptest.Server
	tight bool

	mu      sync.Mutex
	asked   []json.RawMessage
	answer  event.CommandResult
	between func() // a station was asked and has not answered
}

func (b *bench) Command(_ context.Context, _ store.Actor, _, _ string, payload json.RawMessage) (event.CommandResult, error) {
	b.mu.Lock()
	b.asked = append(b.asked, payload)
	a, between := b.answer, b.between
	a.CommandID = fmt.Sprint("c", len(b.asked))
	b.mu.Unlock()
	if between != nil {
		between()
	}
	return a, nil
}

func open(t *testing.T, limits Limits) *bench {
	t.Helper()
	folder := t.TempDir()
	coredbtest.In(t, folder)
	db, err := coredb.Open(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, db: db, answer: event.CommandResult{Status: "answered", Response: json.RawMessage(`{"status":"Accepted"}`)}}
	if b.log, err = sqlite.Open(t.Context(), sqlite.Options{DB: db}); err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- b.log.Run(context.Background()) }()
	if b.data, err = os.OpenRoot(folder); err != nil {
		t.Fatal(err)
	}
	if b.st, err = store.Open(t.Context(), store.Options{DB: db, Journal: b.log}); err != nil {
		t.Fatal(err)
	}
	b.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.ServeHTTP(w, r) }))
	b.again(limits)
	t.Cleanup(func() {
		b.web.CloseClientConnections()
		b.web.Close()
		if err := errors.Join(b.log.Close(), <-ran, db.Close(), b.data.Close()); err != nil {
			t.Error(err)
		}
	})
	for id, protocol := range map[string]string{"OLD": "ocpp1.6", "NEW": "ocpp2.0.1"} {
		b.say(id, &event.Connected{ConnID: id, Protocol: protocol})
		b.say(id, &event.Boot{Vendor: "Maker", Model: "Post 22", Firmware: "1.0"})
	}
	return b
}

// again is the service after a restart.
func (b *bench) again(limits Limits) {
	b.t.Helper()
	var err error
	b.Service, err = Open(b.t.Context(), Options{
		Data: b.data, Store: b.st, Journal: b.log, Stations: b, Base: func(string) string { return b.web.URL },
		Tight: func() bool { return b.tight }, Limits: limits, Every: 5 * time.Millisecond,
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// follow lets the service hear what stations say.
func (b *bench) follow() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(stop)
	return stop
}

func (b *bench) say(station string, body event.Body) {
	b.t.Helper()
	now := time.Now()
	if _, err := b.log.Append(b.t.Context(), &event.Event{Subject: event.Station(station), At: now, ReceivedAt: now, Origin: event.FromStation, Body: body}); err != nil {
		b.t.Fatal(err)
	}
}

// ask wants a file of a station and returns the address that the station was told.
func (b *bench) ask(station string, w Wish) (*store.FileJob, string) {
	b.t.Helper()
	if w.Kind == "" {
		w.Kind = store.FileDiagnostics
	}
	j, err := b.Ask(b.t.Context(), person, station, w)
	if err != nil {
		b.t.Fatal(err)
	}
	return j, b.told()
}

func (b *bench) told() string {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var p struct {
		Location string
		Log      struct{ RemoteLocation string }
		Firmware struct{ Location string }
	}
	if err := json.Unmarshal(b.asked[len(b.asked)-1], &p); err != nil {
		b.t.Fatal(err)
	}
	return p.Location + p.Log.RemoteLocation + p.Firmware.Location
}

// job is one as it is now.
func (b *bench) job(id string) *store.FileJob {
	b.t.Helper()
	j, err := b.st.FileJob(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return j
}

// until waits for the state of a job.
func (b *bench) until(id string, want store.FileState) *store.FileJob {
	b.t.Helper()
	for range 2000 {
		if j := b.job(id); j.State == want {
			return j
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.t.Fatalf("%+v is not %s", b.job(id), want)
	return nil
}

func (b *bench) send(method, location string, body io.Reader, change ...func(*http.Request)) int {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, location, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, fn := range change {
		fn(r)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}

// left are the names of the files that are kept.
func (b *bench) left() (names []string) {
	b.t.Helper()
	list, err := fs.ReadDir(b.data.FS(), Received)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, x := range list {
		names = append(names, x.Name())
	}
	return names
}

func form(name, text string) (string, io.Reader) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("station", "CP-1")
	part, _ := w.CreateFormFile("upload", name)
	_, _ = io.WriteString(part, text)
	_ = w.Close()
	return w.FormDataContentType(), &b
}

func TestAStationMayPutItsFileInManyWays(t *testing.T) {
	kind, body := form("in-form.log", "log")
	for name, tt := range map[string]struct {
		method, behind, want string
		body                 io.Reader
		kind                 string
	}{
		"to the address":             {"PUT", "", "", strings.NewReader("log"), ""},
		"with a name behind it":      {"PUT", "diag.log", "diag.log", strings.NewReader("log"), "application/gzip"},
		"with one more slash":        {"PUT", "/diag.log", "diag.log", strings.NewReader("log"), ""},
		"with an umlaut and a blank": {"PUT", "M%C3%A4rz%202.log", "März 2.log", strings.NewReader("log"), ""},
		"in chunks":                  {"PUT", "diag.log", "diag.log", struct{ io.Reader }{strings.NewReader("log")}, ""},
		"posted":                     {"POST", "diag.log", "diag.log", strings.NewReader("log"), "text/plain"},
		"posted as a form":           {"POST", "", "in-form.log", body, kind},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, Limits{})
			j, location := b.ask("OLD", Wish{})
			if got := b.send(tt.method, location+tt.behind, tt.body, func(r *http.Request) { r.Header.Set("Content-Type", tt.kind) }); got != http.StatusCreated {
				t.Fatal(got)
			}
			j = b.job(j.ID)
			f, err := b.File(j.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			text, err := io.ReadAll(f)
			if err != nil || string(text) != "log" || j.State != store.FileReceived || j.Name != tt.want || j.Stored != 3 || len(j.SHA256) != 64 {
				t.Errorf("%q %v %+v", text, err, j)
			}
			if got := b.send(tt.method, location+tt.behind, strings.NewReader("again")); got != http.StatusNotFound {
				t.Errorf("a second time: %d", got)
			}
		})
	}
}

func TestHostileUploadsAreRefusedAndReported(t *testing.T) {
	traverse, evil := form(`..\..\core.db`, "x")
	empty, nothing := form("a.log", "")
	for name, tt := range map[string]struct {
		method, behind string
		body           io.Reader
		kind           string
		change         func(*bench, *http.Request)
		want           int
		why            string
	}{
		"too large, said first":     {"PUT", "a", strings.NewReader(strings.Repeat("x", 101)), "", nil, 413, "larger than 100"},
		"too large, found out":      {"PUT", "a", struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 101))}, "", nil, 413, "larger than 100"},
		"another method":            {"DELETE", "a", nil, "", nil, 405, "DELETE is refused"},
		"fetched":                   {"GET", "a", nil, "", nil, 405, "GET is refused"},
		"up a folder":               {"PUT", "..%2fcore.db", strings.NewReader("x"), "", nil, 400, "leads elsewhere"},
		"up a folder, plainly":      {"PUT", "x/../../core.db", strings.NewReader("x"), "", nil, 400, "leads elsewhere"},
		"a folder":                  {"PUT", "logs/a", strings.NewReader("x"), "", nil, 400, "leads elsewhere"},
		"a name with a control":     {"PUT", "a%00b", strings.NewReader("x"), "", nil, 400, "cannot be shown"},
		"a name that turns round":   {"PUT", "a%E2%80%AEgpj.exe", strings.NewReader("x"), "", nil, 400, "cannot be shown"},
		"a name without an end":     {"PUT", strings.Repeat("n", 300), strings.NewReader("x"), "", nil, 400, "cannot be shown"},
		"nothing":                   {"PUT", "a", nil, "", nil, 400, "empty"},
		"a form that leads up":      {"POST", "", evil, traverse, nil, 400, "leads elsewhere"},
		"a form with an empty file": {"POST", "", nothing, empty, nil, 400, "empty"},
		"a form without a boundary": {"POST", "", strings.NewReader("x"), "multipart/form-data", nil, 400, "boundary"},
		"a form that is none":       {"POST", "", strings.NewReader("x"), "multipart/form-data; boundary=x", nil, 400, "no file"},
		"a part of a file":          {"PUT", "a", strings.NewReader("x"), "", func(_ *bench, r *http.Request) { r.Header.Set("Content-Range", "bytes 0-0/2") }, 400, "whole"},
		"a disk that is full":       {"PUT", "a", strings.NewReader("x"), "", func(b *bench, _ *http.Request) { b.tight = true }, 507, "no room"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, Limits{Upload: 100})
			j, location := b.ask("NEW", Wish{})
			other, fine := b.ask("OLD", Wish{})
			got := b.send(tt.method, location+tt.behind, tt.body, func(r *http.Request) {
				r.Header.Set("Content-Type", tt.kind)
				if tt.change != nil {
					tt.change(b, r)
				}
			})
			j = b.job(j.ID)
			if got != tt.want || len(j.Refusals) != 1 || !strings.Contains(j.Refusals[0].Text, tt.why) || j.State != store.FileAccepted {
				t.Errorf("%d, %+v", got, j)
			}
			if left := b.left(); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			b.tight = false
			if got := b.send("PUT", fine, strings.NewReader("log")); got != http.StatusCreated || b.job(other.ID).State != store.FileReceived {
				t.Errorf("another station: %d", got)
			}
			if got := b.send("PUT", location, strings.NewReader("log")); got != http.StatusCreated {
				t.Errorf("the station itself, afterwards: %d", got)
			}
		})
	}
}

func TestAddressesThatAreNotThere(t *testing.T) {
	b := open(t, Limits{})
	j, location := b.ask("NEW", Wish{})
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/files/", "/files", "/files/x", "/files/cwf_" + strings.Repeat("a", 32), u.Path[:len(u.Path)-2], strings.ToUpper(u.Path)} {
		if got := b.send("PUT", b.web.URL+path, strings.NewReader("x")); got != http.StatusNotFound {
			t.Errorf("%s: %d", path, got)
		}
	}
	if _, err := b.Cancel(t.Context(), person, j.ID); err != nil {
		t.Fatal(err)
	}
	if got := b.send("PUT", location, strings.NewReader("x")); got != http.StatusNotFound || b.job(j.ID).State != store.FileCancelled {
		t.Errorf("cancelled: %d", got)
	}
}

// A station that sends a byte now and then, and one whose line breaks, keep nobody
// waiting and leave nothing.
func TestSlowAndBrokenUploads(t *testing.T) {
	b := open(t, Limits{Patience: 50 * time.Millisecond})
	j, location := b.ask("NEW", Wish{})
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	head := "PUT " + u.Path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nsome"
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn) // the server ends it
	if err != nil && len(answer) == 0 || !bytes.Contains(answer, []byte(" 408 ")) {
		t.Errorf("slow: %q %v", answer, err)
	}
	broken, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(broken, head); err != nil {
		t.Fatal(err)
	}
	broken.Close()
	for range 1000 {
		if len(b.job(j.ID).Refusals) == 2 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if r := b.job(j.ID).Refusals; len(r) != 2 || !strings.Contains(r[0].Text, "slowly") || !strings.Contains(r[1].Text, "cut off") {
		t.Errorf("%+v", r)
	}
	if left := b.left(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if got := b.send("PUT", location, strings.NewReader("log")); got != http.StatusCreated {
		t.Errorf("afterwards: %d", got)
	}
}

func TestAllFilesHaveABound(t *testing.T) {
	b := open(t, Limits{Upload: 100, Total: 150})
	_, first := b.ask("OLD", Wish{})
	if got := b.send("PUT", first, strings.NewReader(strings.Repeat("x", 90))); got != http.StatusCreated {
		t.Fatal(got)
	}
	j, second := b.ask("NEW", Wish{})
	if got := b.send("PUT", second, strings.NewReader(strings.Repeat("x", 90))); got != http.StatusInsufficientStorage || len(b.job(j.ID).Refusals) != 1 {
		t.Error(got)
	}
	if got := b.send("PUT", second, strings.NewReader("small")); got != http.StatusCreated {
		t.Error(got)
	}
}

// A server that is killed while a file comes forgets the half of it; the station, which
// got no answer, sends it again to the same address.
func TestAStopInTheMiddle(t *testing.T) {
	b := open(t, Limits{})
	j, location := b.ask("OLD", Wish{})
	for name, text := range map[string]string{j.ID + ".part": "half", j.ID: "whole, and not noted", "f-nobody": "x"} {
		if err := b.data.WriteFile(Received+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.again(Limits{})
	if left := b.left(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if got := b.send("PUT", location, strings.NewReader("log")); got != http.StatusCreated || b.job(j.ID).State != store.FileReceived {
		t.Error(got)
	}
	b.again(Limits{})
	if left := b.left(); len(left) != 1 {
		t.Errorf("what was received: %v", left)
	}
}

func TestWhatAStationSaysAndWhatArrives(t *testing.T) {
	request := func(n int64) *int { i := int(n); return &i }
	b := open(t, Limits{})
	b.follow()
	j, location := b.ask("NEW", Wish{Kind: store.FileSecurityLog})
	b.say("NEW", &event.Log{Status: "Uploading", RequestID: request(j.Seq + 7)}) // of somebody else
	b.say("NEW", &event.Log{Status: "Uploading", RequestID: request(j.Seq)})
	b.until(j.ID, store.FileUploading)
	b.say("NEW", &event.Log{Status: "Uploaded", RequestID: request(j.Seq)})
	b.until(j.ID, store.FileClaimed)
	if _, err := b.change(t.Context(), j.ID, "", "", func(j *store.FileJob) bool { j.Until = time.Now().Add(-time.Second); return true }); err != nil {
		t.Fatal(err)
	}
	b.until(j.ID, store.FileClaimedNotReceived)
	if got := b.send("PUT", location, strings.NewReader("late")); got != http.StatusCreated {
		t.Error(got)
	}
	if j := b.until(j.ID, store.FileReceived); len(j.Steps) != 2 {
		t.Errorf("%+v", j.Steps)
	}

	j, _ = b.ask("OLD", Wish{}) // 1.6 names no request
	b.say("OLD", &event.Log{Status: "Idle", Type: "diagnostics"})
	b.say("OLD", &event.Log{Status: "UploadFailed", Type: "diagnostics"})
	if j := b.until(j.ID, store.FileFailed); j.Code != "UploadFailed" {
		t.Errorf("%+v", j)
	}
}

// What is said while the server is down is not lost: the journal tells it again.
func TestAJobGoesOnAfterARestart(t *testing.T) {
	b := open(t, Limits{})
	j, _ := b.ask("OLD", Wish{})
	b.say("OLD", &event.Log{Status: "Uploading", Type: "diagnostics"})
	b.again(Limits{})
	b.follow()
	b.until(j.ID, store.FileUploading)
	if n := len(b.asked); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestAnswersEndAJob(t *testing.T) {
	for name, tt := range map[string]struct {
		answer event.CommandResult
		state  store.FileState
		code   string
	}{
		"accepted":      {event.CommandResult{Status: "answered", Response: json.RawMessage(`{"status":"Accepted","filename":"a.log"}`)}, store.FileAccepted, ""},
		"as 1.6 says":   {event.CommandResult{Status: "answered", Response: json.RawMessage(`{"fileName":"a.log"}`)}, store.FileAccepted, ""},
		"nonsense":      {event.CommandResult{Status: "answered", Response: json.RawMessage(`[7]`)}, store.FileAccepted, ""},
		"rejected":      {event.CommandResult{Status: "answered", Response: json.RawMessage(`{"status":"Rejected"}`)}, store.FileRefused, "Rejected"},
		"cannot":        {event.CommandResult{Status: "error", ErrorCode: "NotImplemented"}, store.FileRefused, "NotImplemented"},
		"not connected": {event.CommandResult{Status: "offline"}, store.FileOffline, "offline"},
		"silent":        {event.CommandResult{Status: "timeout"}, store.FileAsked, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, Limits{})
			b.answer = tt.answer
			j, _ := b.ask("NEW", Wish{})
			if j.State != tt.state || j.Code != tt.code {
				t.Errorf("%+v", j)
			}
			_, err := b.Ask(t.Context(), person, "NEW", Wish{Kind: store.FileDiagnostics})
			if under := errors.Is(err, ErrUnder); under == tt.state.Over() {
				t.Errorf("another one: %v", err)
			}
		})
	}
}

// A station may be faster with its file than with its answer, and somebody may give up
// before it. Either way the job says by which command it was asked for, and stays over.
func TestAJobThatIsOverBeforeTheAnswer(t *testing.T) {
	b := open(t, Limits{})
	b.answer.Response = json.RawMessage(`{"status":"Accepted","filename":"diag.log"}`)
	b.between = func() {
		if got := b.send("PUT", b.told(), strings.NewReader("log")); got != http.StatusCreated {
			t.Errorf("the file: %d", got)
		}
	}
	j, _ := b.ask("NEW", Wish{})
	if kept := b.job(j.ID); j.Command != "c1" || kept.Command != "c1" || kept.Name != "diag.log" || kept.State != store.FileReceived || kept.Open || kept.Stored != 3 {
		t.Errorf("%+v", kept)
	}
	if err := b.Forget(t.Context(), person, j.ID); err != nil {
		t.Error(err)
	}
	if err := b.Forget(t.Context(), person, j.ID); !errors.Is(err, ErrGone) {
		t.Errorf("deleted twice: %v", err)
	}

	b.between = func() {
		list, err := b.st.OpenFileJobs(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatal(len(list), err)
		}
		if _, err := b.Cancel(t.Context(), person, list[0].ID); err != nil {
			t.Error(err)
		}
	}
	j, _ = b.ask("NEW", Wish{})
	if kept := b.job(j.ID); kept.Command != "c2" || kept.State != store.FileCancelled {
		t.Errorf("%+v", kept)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"/files/cwf_" + strings.Repeat("a", 32) + "/log.tar.gz", "/files/cwf_aa/%2e%2e/x", "/files//", "/files/cwf_" + strings.Repeat("a", 32) + "/%zz", "/files/cwf_" + strings.Repeat("2", 32) + "//..%5c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		token, name, no := parsePath(u)
		if no == nil && (len(token) != len(TokenPrefix)+tokenLength || strings.ContainsAny(name, "/\\\x00") || name == ".." || name == ".") {
			t.Errorf("%q gives %q and %q", path, token, name)
		}
	})
}

func FuzzForm(f *testing.F) {
	kind, body := form("a.log", "log")
	data, err := io.ReadAll(body)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(kind, data)
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=file; filename=\"../../x\"\r\n\r\nlog\r\n--x--\r\n"))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		g, r, err := content(kind, bytes.NewReader(data))
		if err != nil {
			return
		}
		if n, _ := io.Copy(io.Discard, r); n > int64(len(data)) {
			t.Errorf("%d bytes of %d", n, len(data))
		}
		if strings.ContainsAny(g.name, "/\\\x00") || g.name == ".." {
			t.Errorf("the name %q", g.name)
		}
	})
}
