package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// doorsResult is cards shown at the door of an independent simulator of
// controllers, and the server killed in between.
type doorsResult struct {
	Server  string  `json:"server"`
	Swipes  int     `json:"swipes"`
	Away    int     `json:"ofThemWhileTheServerWasDown"`
	Lost    int     `json:"lost"`
	Twice   int     `json:"toldTwice"`
	Granted int     `json:"granted"`
	Feed    latency `json:"swipeToFeed"`
	Behind  float64 `json:"secondsFromStartToAllToldAfterTheKill"`
}

func (r *doorsResult) row() (head, row []string) {
	return []string{"server", "swipes", "while it was down", "lost", "told twice", "swipe to feed p50 / p95 / p99 / max ms", "kill: process start to all told s"},
		[]string{
			r.Server, fmt.Sprint(r.Swipes), fmt.Sprint(r.Away), fmt.Sprint(r.Lost), fmt.Sprint(r.Twice),
			fmt.Sprintf("%.2f / %.2f / %.2f / %.0f", r.Feed.P50, r.Feed.P95, r.Feed.P99, r.Feed.Max), fmt.Sprintf("%.2f", r.Behind),
		}
}

const (
	doorSerial = 405419896
	doorCard   = 6154410
	doorsAway  = 100 // the simulator remembers 256 records
)

// doorPeer is the simulator of the uhppoted project.
type doorPeer struct {
	cmd       *exec.Cmd
	udp, rest string
}

func (l *lab) startDoorPeer(ctx context.Context) (*doorPeer, error) {
	program := filepath.Join(l.dir, "uhppote-simulator")
	build := exec.CommandContext(ctx, "go", "build", "-mod=mod", "-o", program, "github.com/uhppoted/uhppote-simulator/cmd/uhppote-simulator")
	build.Dir = "test/peers/uhppote"
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the simulator of controllers: %w\n%s", err, out)
	}
	p := &doorPeer{}
	for _, into := range []*string{&p.udp, &p.rest} {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		*into = fmt.Sprintf("127.0.0.1:%d", port)
	}
	devices := filepath.Join(l.dir, "controllers")
	if err := os.MkdirAll(devices, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for controllers: %w", err)
	}
	p.cmd = exec.Command(program, "--bind", p.udp, "--rest", p.rest, "--devices", devices)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the simulator of controllers: %w", err)
	}
	hands := p.hands()
	var err error
	for range 500 {
		if err = hands.do(ctx, http.MethodPost, "", map[string]any{"device-id": doorSerial, "device-type": "UT0311-L04", "compressed": false}, nil); err == nil {
			return p, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, errors.Join(err, p.end())
}

func (p *doorPeer) hands() *api {
	return &api{base: "http://" + p.rest + "/uhppote/simulator", client: &http.Client{Timeout: 5 * time.Second}}
}

func (p *doorPeer) swipe(ctx context.Context) (granted bool, err error) {
	var r struct {
		Granted bool `json:"access-granted"`
	}
	err = p.hands().do(ctx, http.MethodPost, fmt.Sprintf("/%d/swipe", doorSerial), map[string]any{"door": 1, "card-number": doorCard, "direction": 1}, &r)
	return r.Granted, err
}

func (p *doorPeer) end() error {
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed
	return err
}

// doors shows a card a thousand times and kills the server on the way.
func doors(ctx context.Context, l *lab, swipes int) (*doorsResult, error) {
	p, err := l.startDoorPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer p.end() //nolint:errcheck // it is only a simulator
	flags := []string{"--allow-net", p.udp, "--door-listen", "127.0.0.1:0"}
	srv, err := l.startChargewatch(ctx, "", false, flags...)
	if err != nil {
		return nil, err
	}
	defer func() { srv.kill() }()
	token, err := l.mint(srv.data)
	if err != nil {
		return nil, err
	}
	srv.api.token = token
	if err := setUpDoor(ctx, srv.api, p.udp); err != nil {
		return nil, err
	}
	r := &doorsResult{Server: "chargewatch", Swipes: swipes, Away: doorsAway}
	shown := 0
	swipe := func() error {
		granted, err := p.swipe(ctx)
		shown++
		if granted {
			r.Granted++
		}
		return err
	}
	for range 600 { // until it is let in; these count too
		if err := swipe(); err != nil {
			return r, err
		}
		if r.Granted > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if r.Granted == 0 {
		return r, errors.New("the card is never let in")
	}
	time.Sleep(time.Second)
	var hist histogram
	paced := func(n int) error {
		heard, stop, err := hearAccess(ctx, srv)
		if err != nil {
			return err
		}
		defer stop()
		time.Sleep(200 * time.Millisecond)
		for range n {
			at := time.Now()
			if err := swipe(); err != nil {
				return err
			}
			select {
			case when := <-heard:
				hist.add(when.Sub(at))
			case <-time.After(5 * time.Second):
				return errors.New("a swipe is not on the feed within 5 s")
			}
			time.Sleep(10 * time.Millisecond)
		}
		return nil
	}
	before := (swipes - doorsAway) / 2
	if err := paced(before); err != nil {
		return r, err
	}
	for range 20 { // and at once, as the server dies
		if err := swipe(); err != nil {
			return r, err
		}
	}
	data := srv.data
	srv.kill()
	for range doorsAway - 20 {
		if err := swipe(); err != nil {
			return r, err
		}
	}
	if srv, err = l.startChargewatch(ctx, data, false, flags...); err != nil {
		return r, err
	}
	srv.api.token = token
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		told, err := toldAccess(ctx, srv.api)
		if err != nil {
			return r, err
		}
		if told >= shown || time.Now().After(end) {
			break
		}
	}
	r.Behind = round(time.Since(srv.began).Seconds(), 2)
	if err := paced(swipes - doorsAway - before); err != nil {
		return r, err
	}
	time.Sleep(time.Second)
	told, err := toldAccess(ctx, srv.api)
	if err != nil {
		return r, err
	}
	r.Feed, r.Swipes, r.Lost, r.Twice = hist.latency(), shown, max(shown-told, 0), max(told-shown, 0)
	log.Printf("doors: %d swipes, %d told, p99 %.1f ms", shown, told, r.Feed.P99)
	if r.Lost+r.Twice > 0 {
		return r, fmt.Errorf("%d swipes lost, %d told twice", r.Lost, r.Twice)
	}
	return r, nil
}

// setUpDoor makes a site with one door and somebody who may enter.
func setUpDoor(ctx context.Context, a *api, udp string) error {
	var card struct{ ID string }
	for _, x := range []struct {
		path string
		body any
		into any
	}{
		{"/sites", map[string]any{"id": "yard", "name": "Yard"}, nil},
		{"/controllers", map[string]any{"id": "board", "siteId": "yard", "driver": "uhppote", "address": udp, "serial": doorSerial}, nil},
		{"/doors", map[string]any{"id": "gate", "siteId": "yard", "kind": "gate", "controller": "board", "number": 1}, nil},
		{"/credentials", map[string]any{"idToken": fmt.Sprint(doorCard)}, &card},
	} {
		if err := a.do(ctx, http.MethodPost, "/api/v1"+x.path, x.body, x.into); err != nil {
			return err
		}
	}
	// What happened before the door was ours is not ours to tell.
	for range 500 {
		var door struct{ State string }
		if err := a.do(ctx, http.MethodGet, "/api/v1/doors/gate", nil, &door); err != nil {
			return err
		}
		if door.State == "locked" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return a.do(ctx, http.MethodPost, "/api/v1/policies", map[string]any{
		"name": "Technicians", "to": []any{map[string]any{"credential": card.ID}}, "kinds": []string{"gate"},
	}, nil)
}

// hearAccess tells when somebody was at a door by the live feed.
func hearAccess(ctx context.Context, srv *server) (<-chan time.Time, func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	conn, _, err := websocket.Dial(ctx, strings.Replace(srv.api.base, "http", "ws", 1)+"/api/v1/live", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + srv.api.token}}, HTTPClient: &http.Client{},
	})
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("listen to the live feed: %w", err)
	}
	if err := conn.Write(ctx, websocket.MessageText, []byte(`{"topics":["access"]}`)); err != nil {
		cancel()
		return nil, nil, errors.Join(fmt.Errorf("ask for doors: %w", err), conn.CloseNow())
	}
	heard := make(chan time.Time, 64)
	go func() {
		defer conn.CloseNow() //nolint:errcheck // nothing is left to say
		for {
			_, data, err := conn.Read(ctx)
			if err != nil {
				return
			}
			if strings.HasPrefix(string(data), `{"type":"access"`) {
				select {
				case heard <- time.Now():
				default:
				}
			}
		}
	}()
	return heard, cancel, nil
}

// toldAccess counts what the log of doors has.
func toldAccess(ctx context.Context, a *api) (n int, err error) {
	for cursor := ""; ; {
		var page struct {
			Items      []struct{ Seq uint64 }
			NextCursor string
		}
		if err := a.do(ctx, http.MethodGet, "/api/v1/access/events?limit=200&cursor="+cursor, nil, &page); err != nil {
			return n, err
		}
		n += len(page.Items)
		if cursor = page.NextCursor; cursor == "" {
			return n, nil
		}
	}
}
