package offsite

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The npm package s3rver is a store of others. It knows who signs and not whether the
// signature is right: that is what the published examples are for. "npm ci" in
// test/schemas installs it; make test does that.
const peers = "../../../test/schemas/node_modules"

// peer starts it with a bucket "pictures".
func peer(t *testing.T) (endpoint, folder string) {
	t.Helper()
	program := filepath.Join(peers, "s3rver/bin/s3rver.js")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("make test installs the peer, or npm ci in test/schemas: %v", err)
	}
	folder = t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "node", program, "-d", folder, "-a", "127.0.0.1", "-p", "0", "--no-vhost-buckets", "--configure-bucket", "pictures")
	c.WaitDelay = 5 * time.Second
	out, err := c.StdoutPipe()
	if err == nil {
		c.Stderr = c.Stdout
		err = c.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = c.Wait() })
	address := regexp.MustCompile(`listening on ([0-9.]+:[0-9]+)`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://" + m[1], folder
		}
	}
	t.Fatal("the peer did not start")
	return "", ""
}

func TestAStoreOfOthersTakesCopies(t *testing.T) {
	endpoint, _ := peer(t)
	s := &S3{Endpoint: endpoint, Region: "us-east-1", Bucket: "pictures", Prefix: "/north site/", Access: "S3RVER", Secret: "S3RVER", Client: http.DefaultClient}
	if err := Test(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	film := strings.Repeat("film with ümlauts & more\n", 40_000)
	put := func(s *S3, name string) error {
		return s.Put(t.Context(), Object{Name: name, Kind: "video/mp4", Body: strings.NewReader(film), Size: int64(len(film)), Sum: sumOf([]byte(film))})
	}
	const name = "chargewatch/a b/20261122/2015-gate+1.mp4"
	for range 2 { // the second replaces the first
		if err := put(s, name); err != nil {
			t.Fatal(err)
		}
	}
	u, err := s.address(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(r, credentials{"S3RVER", "S3RVER"}, "us-east-1", sumOf(nil), time.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || string(b) != film || resp.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("%d bytes of %s came back: %v", len(b), resp.Header.Get("Content-Type"), err)
	}
	_ = resp.Body.Close()
	for code, spoil := range map[string]func(*S3){
		"credentials": func(s *S3) { s.Access = "wrong" },
		"noBucket":    func(s *S3) { s.Bucket = "another" },
		"unreachable": func(s *S3) { s.Endpoint = "http://127.0.0.1:1" },
	} {
		x := *s
		spoil(&x)
		if err := put(&x, name); err == nil || Why(err).Code != code {
			t.Errorf("want %s: %v", code, err)
		}
	}
}

func TestAHostileStoreIsCutOff(t *testing.T) {
	denied := errors.New("not within reach")
	for sentence, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"an answer without end": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, "refused"},
		"a way elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusTemporaryRedirect)
		}, "redirected"},
		"an error with entities": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Error><Code>&b;</Code></Error>`)
		}, "answered"},
		"an error with lines for our log": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, "<Error><Code>No\nSuch</Code><Message>"+strings.Repeat("x", 5000)+"</Message></Error>")
		}, "answered"},
		"no room": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInsufficientStorage) }, "full"},
		"it hangs up": {func(w http.ResponseWriter, _ *http.Request) {
			panic(http.ErrAbortHandler)
		}, "unreachable"},
	} {
		t.Run(sentence, func(t *testing.T) {
			srv := httptest.NewServer(c.answer)
			defer srv.Close()
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			err := Test(t.Context(), &S3{Endpoint: srv.URL, Region: "r", Bucket: "b", Access: "a", Secret: "very-secret", Client: client, Denied: denied})
			why := Why(err)
			if err == nil || why.Code != c.code || len(why.Detail) > 1000 || strings.ContainsAny(why.Detail, "\n\r") || strings.Contains(err.Error(), "very-secret") {
				t.Errorf("%v, want %s", err, c.code)
			}
		})
	}
	out := &http.Client{Transport: refusing{denied}}
	if err := Test(t.Context(), &S3{Endpoint: "https://store.example", Bucket: "b", Client: out, Denied: denied}); Why(err).Code != "notAllowed" {
		t.Errorf("an address that is out of reach: %v", err)
	}
}

type refusing struct{ err error }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("dial: %w", r.err)
}

func TestWhereAnObjectLies(t *testing.T) {
	for _, c := range []struct {
		s    S3
		want string
	}{
		{S3{Endpoint: "https://s3.example:9000", Bucket: "b"}, "https://s3.example:9000/b/x%20y/z.mp4"},
		{S3{Endpoint: "https://s3.example/", Bucket: "b", Prefix: "p/q/"}, "https://s3.example/b/p/q/x%20y/z.mp4"},
		{S3{Endpoint: "https://s3.example", Bucket: "b", HostStyle: true}, "https://b.s3.example/x%20y/z.mp4"},
	} {
		u, err := c.s.address("x y/z.mp4")
		if err != nil || u.String() != c.want {
			t.Errorf("%v, %v, want %s", u, err, c.want)
		}
	}
	if _, err := (&S3{Endpoint: "nonsense"}).address("x"); err == nil {
		t.Error("an address without a host was used")
	}
}

func FuzzReadError(f *testing.F) {
	f.Add([]byte(`<?xml version="1.0"?><Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>`))
	f.Add([]byte("<Error><Code>\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		code, message := readError(b)
		if len([]rune(code)) > 201 || len([]rune(message)) > 201 || strings.ContainsAny(code+message, "\r\n") {
			t.Errorf("%q %q", code, message)
		}
	})
}

const (
	childFolder = "CHARGEWATCH_TEST_COPIES"
	childStore  = "CHARGEWATCH_TEST_STORE"
)

// The child of the kill test is this test binary again: it copies until it is killed.
func TestMain(m *testing.M) {
	dir, endpoint := os.Getenv(childFolder), os.Getenv(childStore)
	if dir == "" {
		os.Exit(m.Run())
	}
	q, err := Open(context.Background(), Options{
		Ledger: book{dir}, Source: &films{}, Teller: &ears{},
		Place: func(context.Context) (Place, error) {
			return &S3{Endpoint: endpoint, Region: "r", Bucket: "b", Access: "a", Secret: "s", Client: http.DefaultClient}, nil
		},
	})
	if err == nil && len(q.List()) == 0 {
		err = q.Add(context.Background(), Copy{ID: "gate", Incident: "i", Camera: "gate", From: time.Now().Add(-time.Minute), To: time.Now()})
	}
	if err == nil {
		err = q.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestWhatWasBeingSentAsTheServerWasKilledArrivesLater(t *testing.T) {
	half, killed, whole := make(chan struct{}, 10), make(chan struct{}), make(chan string, 10)
	hang := true // of the first connection; one request at a time
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hang {
			hang = false
			_, _ = io.ReadFull(r.Body, make([]byte, 1000))
			half <- struct{}{}
			<-killed
			return
		}
		if b, err := io.ReadAll(r.Body); err == nil && int64(len(b)) == r.ContentLength {
			p, _ := url.PathUnescape(r.URL.Path)
			whole <- fmt.Sprintf("%s %v", filepath.Ext(p), string(b) == string(filmOf("gate")))
		}
	}))
	defer srv.Close()
	dir := t.TempDir()
	child := func() *exec.Cmd {
		c := exec.CommandContext(t.Context(), os.Args[0])
		c.Env = append(os.Environ(), childFolder+"="+dir, childStore+"="+srv.URL)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := child()
	<-half
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	close(killed)
	rows, err := book{dir}.Copies(t.Context())
	var c Copy
	if err != nil || len(rows) != 1 || json.Unmarshal(rows[0], &c) != nil || c.State != Sending {
		t.Fatalf("%s, %v", rows, err)
	}
	second := child()
	for _, want := range []string{".mp4 true", ".json false"} {
		if got := <-whole; got != want {
			t.Errorf("%s arrived, want %s", got, want)
		}
	}
	for c.State != Done {
		if rows, err = (book{dir}).Copies(t.Context()); err != nil || len(rows) != 1 || json.Unmarshal(rows[0], &c) != nil {
			t.Fatalf("%s, %v", rows, err)
		}
		time.Sleep(time.Millisecond)
	}
	_ = second.Process.Kill()
	_ = second.Wait()
}
