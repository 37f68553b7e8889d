package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// life is a server between its start and its kill.
type life struct {
	t     *testing.T
	cmd   *exec.Cmd
	http  string
	token string
}

// begin starts a server and waits until it is ready.
func begin(t *testing.T, folder, ocpp string) *life {
	t.Helper()
	cmd := exec.Command("chargewatch", "serve", "--data", folder, "--http", "127.0.0.1:0", "--ocpp", ocpp, "--onboarding", "open", "--log", "warn")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l := &life{t: t, cmd: cmd}
	t.Cleanup(l.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := regexp.MustCompile(`is ready: (https?://[^/\s]+)`).FindStringSubmatch(lines.Text()); m != nil {
			l.http = m[1]
			break
		}
	}
	if l.http == "" {
		t.Fatal("the server ended before it was ready")
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // until its end
	secret, err := exec.Command("chargewatch", "token", "create", "--name", "kill", "--role", "admin", "--data", folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	l.token = strings.TrimSpace(string(secret))
	return l
}

// kill ends it at once, as a loss of power does.
func (l *life) kill() {
	if l.cmd.ProcessState == nil {
		l.cmd.Process.Kill() //nolint:errcheck // it may be gone
		l.cmd.Wait()         //nolint:errcheck // it was killed
	}
}

// ask uses the API and reads the answer into something.
func (l *life) ask(method, path string, body []byte, into any) {
	l.t.Helper()
	r, err := http.NewRequest(method, l.http+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+l.token)
	if json.Valid(body) {
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode/100 != 2 {
		l.t.Fatalf("%s %s: %s %s %v", method, path, a.Status, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			l.t.Fatalf("%s: %v", text, err)
		}
	}
}

// file is what the API tells of one.
type file struct {
	ID, State string
	File      *struct {
		Bytes  int64
		SHA256 string
		Kept   bool
	}
	Update *struct{ FetchedBytes int64 }
}

// newest is the newest job of the station, once it has a state.
func (l *life) newest(state string) (f file) {
	l.t.Helper()
	var list struct{ Items []file }
	for end := time.Now().Add(readyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		l.ask(http.MethodGet, "/stations/KILL/files", nil, &list)
		if len(list.Items) > 0 && list.Items[0].State == state {
			return list.Items[0]
		}
	}
	l.t.Fatalf("%+v, none is %s", list.Items, state)
	return f
}

// post is a station of OCPP 1.6 that says yes and tells where files are to go.
type post struct {
	t    *testing.T
	conn *websocket.Conn
	told chan string
	n    int
}

func connect(t *testing.T, ocpp, firmware string) *post {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+ocpp+"/ocpp/KILL", &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() }) //nolint:errcheck // it may be gone
	p := &post{t: t, conn: c, told: make(chan string, 4)}
	answered := make(chan struct{}, 16)
	go p.listen(answered)
	p.say("BootNotification", map[string]any{"chargePointVendor": "Test", "chargePointModel": "Kill", "firmwareVersion": firmware})
	<-answered
	return p
}

func (p *post) say(action string, payload any) {
	p.t.Helper()
	p.n++
	data, err := json.Marshal([]any{2, fmt.Sprint("s", p.n), action, payload})
	if err == nil {
		err = p.conn.Write(context.Background(), websocket.MessageText, data)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) listen(answered chan<- struct{}) {
	for {
		_, data, err := p.conn.Read(context.Background())
		if err != nil {
			return
		}
		var frame []json.RawMessage
		var kind int
		var id string
		if json.Unmarshal(data, &frame) != nil || len(frame) < 3 || json.Unmarshal(frame[0], &kind) != nil || json.Unmarshal(frame[1], &id) != nil {
			continue
		}
		if kind != 2 {
			select {
			case answered <- struct{}{}:
			default:
			}
			continue
		}
		var asked struct{ Location string }
		if len(frame) == 4 && json.Unmarshal(frame[3], &asked) == nil && asked.Location != "" {
			p.told <- asked.Location
		}
		if p.conn.Write(context.Background(), websocket.MessageText, fmt.Appendf(nil, `[3,%q,{}]`, id)) != nil {
			return
		}
	}
}

// raw opens a connection to an address and sends the head of a request.
func raw(t *testing.T, location, method, more string) (net.Conn, string) {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, u.RequestURI(), u.Host, more)
}

// bytesIn adds up the files of a folder.
func bytesIn(t *testing.T, folder string) (n int64) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if info, err := x.Info(); err == nil { // it may go meanwhile
			n += info.Size()
		}
	}
	return n
}

// holds waits until a folder holds so many bytes at least.
func holds(t *testing.T, folder string, least int64) {
	t.Helper()
	for end := time.Now().Add(readyWithin); bytesIn(t, folder) < least; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s holds %d bytes", folder, bytesIn(t, folder))
		}
	}
}

// A server is killed while a file comes, while firmware is fetched and while an image is
// brought. Nothing of the halves is left, and each job goes on where it was.
func TestKilledInTheMiddleOfFiles(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ocpp := free.Addr().String() // the address that the station knows must outlive the server
	free.Close()
	folder := t.TempDir()
	received, images := filepath.Join(folder, "files"), filepath.Join(folder, "firmware")
	const size = 8 << 20
	whole := bytes.Repeat([]byte("what happened, line by line\n"), size/28+1)[:size]

	l := begin(t, folder, ocpp)
	p := connect(t, ocpp, "1.0")
	l.ask(http.MethodPost, "/stations/KILL/files", []byte(`{"kind":"diagnostics"}`), nil)
	location := <-p.told
	l.newest("accepted")
	c, head := raw(t, location+"diag.log", http.MethodPut, fmt.Sprintf("Content-Length: %d\r\n", size))
	if _, err := c.Write(append([]byte(head), whole[:size/2]...)); err != nil {
		t.Fatal(err)
	}
	holds(t, received, size/4)
	l.kill()
	if bytesIn(t, received) == 0 {
		t.Fatal("it was not killed in the middle")
	}

	l = begin(t, folder, ocpp)
	if n := bytesIn(t, received); n != 0 {
		t.Errorf("%d bytes of the half are left", n)
	}
	if f := l.newest("accepted"); f.File != nil { // neither here nor given up
		t.Errorf("%+v", f)
	}
	p = connect(t, ocpp, "1.0")
	r, err := http.NewRequest(http.MethodPut, location+"diag.log", bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if f := l.newest("received"); a.StatusCode != http.StatusCreated || f.File == nil || f.File.Bytes != size || !f.File.Kept {
		t.Errorf("%s, %+v", a.Status, f)
	}
	if n := bytesIn(t, received); n != size {
		t.Errorf("%d bytes are kept", n)
	}

	// Firmware: the half that the station has stays good, and the rest follows.
	var image struct{ ID string }
	l.ask(http.MethodPost, "/firmware/images?name=kill.bin&version=2.0", whole, &image)
	l.ask(http.MethodPost, "/stations/KILL/firmware", []byte(`{"imageId":"`+image.ID+`"}`), nil)
	location = <-p.told
	p.say("FirmwareStatusNotification", map[string]any{"status": "Downloading"})
	l.newest("downloading")
	c, head = raw(t, location, http.MethodGet, "")
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(c)
	a, err = http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	have := make([]byte, size/4)
	if _, err := io.ReadFull(a.Body, have); err != nil {
		t.Fatal(err)
	}
	// And at the same time somebody brings another image.
	bringing, head := raw(t, l.http+"/api/v1/firmware/images?name=half.bin&version=3.0", http.MethodPost,
		fmt.Sprintf("Authorization: Bearer %s\r\nContent-Length: %d\r\n", l.token, size))
	if _, err := bringing.Write(append([]byte(head), whole[:size/2]...)); err != nil {
		t.Fatal(err)
	}
	holds(t, images, size+size/4)
	l.kill()

	l = begin(t, folder, ocpp)
	if n := bytesIn(t, images); n != size {
		t.Errorf("%d bytes of images, want the one that is whole", n)
	}
	l.newest("downloading")
	p = connect(t, ocpp, "1.0")
	if r, err = http.NewRequest(http.MethodGet, location, nil); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-", len(have)))
	if a, err = http.DefaultClient.Do(r); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(a.Body)
	a.Body.Close()
	if err != nil || a.StatusCode != http.StatusPartialContent || !bytes.Equal(append(have, rest...), whole) {
		t.Errorf("%s, %d and %d bytes, %v", a.Status, len(have), len(rest), err)
	}
	p.say("FirmwareStatusNotification", map[string]any{"status": "Installed"})
	l.newest("installed")
	p.say("BootNotification", map[string]any{"chargePointVendor": "Test", "chargePointModel": "Kill", "firmwareVersion": "2.0"})
	if f := l.newest("updated"); f.Update == nil || f.Update.FetchedBytes < int64(len(rest)) {
		t.Errorf("%+v", f)
	}
	var library struct{ Items []struct{ ID string } }
	l.ask(http.MethodGet, "/firmware/images", nil, &library)
	if len(library.Items) != 1 || library.Items[0].ID != image.ID {
		t.Errorf("%+v", library)
	}
}
