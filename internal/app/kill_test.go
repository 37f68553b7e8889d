package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/incident/remedy"
	"github.com/chargewatch/chargewatch/internal/store"
)

// The child of the kill test is this test binary again. Its clock goes faster
// than the wall's, from a moment that all lives share.
const (
	childFolder = "APP_TEST_FOLDER"
	childPort   = "APP_TEST_OCPP"
	childBegan  = "APP_TEST_BEGAN"
	killSpeed   = 60
	killed      = 20 // times
	fleetOfKill = 80
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		mendUntilKilled(folder)
	}
	os.Exit(m.Run())
}

// mendUntilKilled is a whole server whose stations are in trouble, one after
// the other, and that cycles their ports.
func mendUntilKilled(folder string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
	}
	ms, err := strconv.ParseInt(os.Getenv(childBegan), 10, 64)
	fail(err)
	began := time.UnixMilli(ms)
	c := config.Default()
	c.Data, c.HTTP, c.OCPP, c.WebRTC = folder, "127.0.0.1:0", os.Getenv(childPort), "off"
	ctx := context.Background()
	s, err := New(ctx, c, Options{
		Logger: slog.New(slog.DiscardHandler), tick: 20 * time.Millisecond,
		now: func() time.Time { return began.Add(killSpeed * time.Since(began)) },
	})
	fail(err)
	go func() { fail(s.Run(ctx)) }()
	if len(s.Store.Stations()) == 0 {
		for i := range fleetOfKill {
			_, _, err := s.Store.EnrolStation(ctx, store.System, store.NewStation{ID: fmt.Sprint("K", i)})
			fail(err)
		}
		fail(s.Store.SetPolicy(ctx, store.System, remedy.PolicyMode, remedy.Everywhere, []byte(`{"mode":"on"}`)))
		fail(s.Store.SetPolicy(ctx, store.System, remedy.PolicyPlaybook, "cycle", []byte(
			`{"id":"cycle","name":"Cycle","enabled":true,"when":{"codes":["killTest"]},"steps":[{"do":"availabilityCycle","seconds":20}]}`)))
	}
	go func() { // trouble when told so
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			now := time.Now()
			_, err := s.Journal.Append(ctx, &event.Event{
				Subject: event.Port(lines.Text(), 1, 1), At: now, ReceivedAt: now, Origin: event.FromUs,
				Body: &event.Finding{Code: "killTest", Severity: event.S3, Text: "trouble of a test"},
			})
			fail(err)
		}
	}()
	// Before that nothing is known of what the life before was about to do.
	fail(s.live.Reached(ctx, s.Journal.Snapshot().Seq))
	for {
		r := s.live.Remedies()
		fmt.Println(len(r.Owed), len(r.Runs))
		time.Sleep(50 * time.Millisecond)
	}
}

// charger is a station of OCPP 1.6 with one port that outlives the servers.
type charger struct {
	id string

	mu    sync.Mutex
	out   bool           // of service
	went  int            // times that it went
	heard map[string]int // commands by message id
}

func (s *charger) state() (out bool, went int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out, s.went
}

// live connects again and again until ctx ends.
func (s *charger) live(ctx context.Context, url string, went func()) {
	for ctx.Err() == nil {
		c, _, err := websocket.Dial(ctx, url+s.id, &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}})
		if err == nil {
			s.serve(ctx, c, went)
			c.CloseNow()
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *charger) serve(ctx context.Context, c *websocket.Conn, went func()) {
	n := 0
	say := func(action string, payload any) bool {
		n++
		data, err := json.Marshal([]any{2, fmt.Sprint(s.id, "-", n), action, payload})
		return err == nil && c.Write(ctx, websocket.MessageText, data) == nil
	}
	status := func() bool {
		word := "Available"
		if out, _ := s.state(); out {
			word = "Unavailable"
		}
		return say("StatusNotification", map[string]any{"connectorId": 1, "errorCode": "NoError", "status": word})
	}
	if !say("BootNotification", map[string]any{"chargePointVendor": "Test", "chargePointModel": "Kill"}) {
		return
	}
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			return
		}
		var f []json.RawMessage
		var kind int
		var id, action string
		if json.Unmarshal(data, &f) != nil || len(f) < 3 || json.Unmarshal(f[0], &kind) != nil || json.Unmarshal(f[1], &id) != nil {
			continue
		}
		if kind == 3 {
			if id == s.id+"-1" && !status() {
				return
			}
			continue
		}
		if kind != 2 || json.Unmarshal(f[2], &action) != nil {
			continue
		}
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		s.mu.Lock()
		s.heard[id]++
		if action == "ChangeAvailability" {
			if s.out = strings.Contains(string(f[3]), "Inoperative"); s.out {
				s.went++
				went()
			}
		}
		s.mu.Unlock()
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		if c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `[3,%q,{"status":"Accepted"}]`, id)) != nil || !status() {
			return
		}
	}
}

func TestKilledInTheMiddleOfPlaybooksNoPortStaysOutAndNothingIsSentTwice(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().String()
	free.Close()
	folder, began := t.TempDir(), time.Now().UnixMilli()
	ctx, stop := context.WithCancel(t.Context())
	var fleet []*charger
	var living sync.WaitGroup
	defer living.Wait()
	defer stop()
	went := make(chan struct{}, 1000)
	for i := range fleetOfKill {
		s := &charger{id: fmt.Sprint("K", i), heard: map[string]int{}}
		fleet = append(fleet, s)
		living.Go(func() { s.live(ctx, "ws://"+port+"/ocpp/", func() { went <- struct{}{} }) })
	}
	next := 0
	for life := range killed + 1 {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		child := exec.Command(exe)
		child.Env = append(os.Environ(), childFolder+"="+folder, childPort+"="+port, childBegan+"="+fmt.Sprint(began))
		child.Stderr = os.Stderr
		in, err1 := child.StdinPipe()
		out, err2 := child.StdoutPipe()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatalf("life %d: the child ended by itself", life)
		}
		if life == killed { // the last may finish
			for lines.Text() != "0 0" && lines.Scan() {
			}
			child.Process.Kill()
			child.Wait() //nolint:errcheck // it was killed
			break
		}
		go func() {
			for lines.Scan() {
			}
		}()
		for range 3 {
			fmt.Fprintf(in, "K%d\n", next%fleetOfKill)
			next++
		}
		for len(went) > 0 {
			<-went
		}
		select {
		case <-went: // a port is out; the way back is somewhere between here and there
			time.Sleep(time.Duration(rand.IntN(900)) * time.Millisecond)
		case <-time.After(20 * time.Second):
			t.Errorf("life %d: nothing was done", life)
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		child.Wait() //nolint:errcheck // it was killed
	}
	outages, commands := 0, 0
	for _, s := range fleet {
		isOut, n := s.state()
		outages += n
		if isOut {
			t.Errorf("%s was left out of service", s.id)
		}
		s.mu.Lock()
		for id, n := range s.heard {
			commands++
			if n > 1 {
				t.Errorf("%s heard %s %d times", s.id, id, n)
			}
		}
		s.mu.Unlock()
	}
	t.Logf("%d kills, %d ports taken out and brought back, %d commands, none twice", killed, outages, commands)
	if outages < killed {
		t.Errorf("only %d ports went out of service under %d kills", outages, killed)
	}
}
