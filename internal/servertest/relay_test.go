package servertest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	"github.com/lorenzodonini/ocpp-go/ws"

	"github.com/chargewatch/chargewatch/internal/config"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/sim"
	"github.com/chargewatch/chargewatch/internal/source/station"
	"github.com/chargewatch/chargewatch/internal/store"
)

// onLoopback lets a server reach systems on this machine.
func onLoopback(c *config.Config) { c.AllowNet = append(c.AllowNet, "127.0.0.1") }

// relayTo has all stations of a site relayed to a system.
func relayTo(t *testing.T, s *servertest.Server, url string, stations ...string) {
	t.Helper()
	if _, err := s.Store.CreateUpstream(t.Context(), store.System, store.Upstream{ID: "theirs", Name: "Theirs", URL: url, Proof: store.ProofStation}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.CreateSite(t.Context(), store.System, store.Site{ID: "relayed"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.SetRelaying(t.Context(), store.System, event.Site("relayed"), func(r *store.Relaying) { r.Upstream = "theirs" }); err != nil {
		t.Fatal(err)
	}
	for _, id := range stations {
		if _, _, err := s.Store.EnrolStation(t.Context(), store.System, store.NewStation{ID: id, SiteID: "relayed"}); err != nil {
			t.Fatal(err)
		}
	}
}

// tee copies what goes over the connections to a place, as bytes.
type tee struct {
	net.Listener
	mu    sync.Mutex
	wires []*teed
}

type teed struct{ up, down bytes.Buffer }

func newTee(t *testing.T, to string) *tee {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &tee{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			w := &teed{}
			x.mu.Lock()
			x.wires = append(x.wires, w)
			x.mu.Unlock()
			copying := func(dst, src net.Conn, into *bytes.Buffer) {
				buf := make([]byte, 32<<10)
				for {
					n, err := src.Read(buf)
					x.mu.Lock()
					into.Write(buf[:n])
					x.mu.Unlock()
					if n > 0 {
						if _, err := dst.Write(buf[:n]); err != nil {
							break
						}
					}
					if err != nil {
						break
					}
				}
				dst.Close()
				src.Close()
			}
			go copying(far, near, &w.up)
			go copying(near, far, &w.down)
		}
	}()
	return x
}

// messages are those of the first connection, each with its kind in front.
func (x *tee) messages(t *testing.T) (up, down []string) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.wires) == 0 {
		t.Fatal("nobody connected")
	}
	return webSocket(t, x.wires[0].up.Bytes()), webSocket(t, x.wires[0].down.Bytes())
}

// webSocket reads the messages of one direction of a connection (RFC 6455).
func webSocket(t *testing.T, data []byte) []string {
	t.Helper()
	_, rest, ok := bytes.Cut(data, []byte("\r\n\r\n"))
	if !ok {
		return nil
	}
	r := bufio.NewReader(bytes.NewReader(rest))
	var out []string
	var message []byte
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(r, head); err != nil {
			return out
		}
		n := uint64(head[1] & 0x7f)
		switch n {
		case 126:
			var v uint16
			if binary.Read(r, binary.BigEndian, &v) != nil {
				return out
			}
			n = uint64(v)
		case 127:
			if binary.Read(r, binary.BigEndian, &n) != nil {
				return out
			}
		}
		var mask [4]byte
		if head[1]&0x80 != 0 {
			if _, err := io.ReadFull(r, mask[:]); err != nil {
				return out
			}
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(r, payload); err != nil {
			return out
		}
		for i := range payload {
			payload[i] ^= mask[i%4]
		}
		switch op := head[0] & 0x0f; op {
		case 0, 1, 2:
			if op != 0 {
				message = []byte(fmt.Sprintf("%d ", op))
			}
			message = append(message, payload...)
			if head[0]&0x80 != 0 {
				out = append(out, string(message))
			}
		}
	}
}

// csms16 is a central system of ocpp-go.
type csms16 struct {
	core.CentralSystemHandler
	mu     sync.Mutex
	nextTx int
}

func (c *csms16) OnBootNotification(string, *core.BootNotificationRequest) (*core.BootNotificationConfirmation, error) {
	return core.NewBootNotificationConfirmation(types.NewDateTime(time.Now()), 240, core.RegistrationStatusAccepted), nil
}

func (c *csms16) OnAuthorize(string, *core.AuthorizeRequest) (*core.AuthorizeConfirmation, error) {
	return core.NewAuthorizationConfirmation(types.NewIdTagInfo(types.AuthorizationStatusAccepted)), nil
}

func (c *csms16) OnHeartbeat(string, *core.HeartbeatRequest) (*core.HeartbeatConfirmation, error) {
	return core.NewHeartbeatConfirmation(types.NewDateTime(time.Now())), nil
}

func (c *csms16) OnStatusNotification(string, *core.StatusNotificationRequest) (*core.StatusNotificationConfirmation, error) {
	return core.NewStatusNotificationConfirmation(), nil
}

func (c *csms16) OnMeterValues(string, *core.MeterValuesRequest) (*core.MeterValuesConfirmation, error) {
	return core.NewMeterValuesConfirmation(), nil
}

func (c *csms16) OnStartTransaction(string, *core.StartTransactionRequest) (*core.StartTransactionConfirmation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nextTx++
	return core.NewStartTransactionConfirmation(types.NewIdTagInfo(types.AuthorizationStatusAccepted), 2_000_000_000+c.nextTx), nil
}

func (c *csms16) OnStopTransaction(string, *core.StopTransactionRequest) (*core.StopTransactionConfirmation, error) {
	return core.NewStopTransactionConfirmation(), nil
}

func startCSMS16(t *testing.T) (cs ocpp16.CentralSystem, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port // the library cannot be asked for its own
	l.Close()
	cs = ocpp16.NewCentralSystem(nil, ws.NewServer())
	cs.SetCoreHandler(&csms16{})
	go cs.Start(port, "/ocpp/{ws}")
	t.Cleanup(cs.Stop)
	address = fmt.Sprintf("127.0.0.1:%d", port)
	servertest.Eventually(t, "the central system listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return cs, address
}

// What a charge point of ocpp-go and a central system of ocpp-go say to each other
// through us is the same at both ends, byte for byte, and a session in the journal.
func TestARelayBetweenTwoOfOCPPGo(t *testing.T) {
	s := servertest.Start(t, onLoopback)
	cs, address := startCSMS16(t)
	far := newTee(t, address)
	relayTo(t, s, "ws://"+far.Addr().String()+"/ocpp", "GO16")
	near := newTee(t, s.OCPPAddress())
	p := &point16{}
	cp := ocpp16.NewChargePoint("GO16", nil, ws.NewClient())
	cp.SetCoreHandler(p)
	cp.SetRemoteTriggerHandler(p)
	if err := cp.Start("ws://" + near.Addr().String() + "/ocpp"); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(cp.Stop)
	defer stop()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(cp.BootNotification("Model X", "Vendor Y"))
	for i := range 10 {
		must(cp.Authorize("CARD-1"))
		tx, err := cp.StartTransaction(1, "CARD-1", 1000*i, types.NewDateTime(time.Now()))
		must(nil, err)
		must(cp.MeterValues(1, []types.MeterValue{{Timestamp: types.NewDateTime(time.Now()), SampledValue: []types.SampledValue{{Value: fmt.Sprint(1000*i + 500)}}}},
			func(r *core.MeterValuesRequest) { r.TransactionId = &tx.TransactionId }))
		asked := make(chan error, 1)
		must(nil, cs.ChangeConfiguration("GO16", func(_ *core.ChangeConfigurationConfirmation, err error) { asked <- err }, "AuthorizationKey", "0123456789abcdef"))
		must(nil, <-asked)
		if o := s.Endpoint.Send(t.Context(), "GO16", fmt.Sprintf("command-%d", i), "ClearCache", []byte(`{}`)); o.Status != station.Answered {
			t.Errorf("ours: %+v", o)
		}
		must(cp.StopTransaction(1000*i+1000, types.NewDateTime(time.Now().Add(time.Second)), tx.TransactionId))
	}
	servertest.Eventually(t, "ten sessions", func() bool {
		list, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: "GO16"})
		return err == nil && len(list) == 10 && list[0].State == fleet.SessionEnded && list[0].TransactionID == "2000000010"
	})
	list, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: "GO16"})
	must(nil, err)
	for _, x := range list {
		if x.EnergyWh != 1000 || x.TokenStatus != "Accepted" || len(x.Flags) > 0 {
			t.Errorf("%+v", x)
		}
	}
	stop()
	servertest.Eventually(t, "offline", func() bool { return !s.Station(t, "GO16").Online })
	nearUp, nearDown := near.messages(t)
	farUp, farDown := far.messages(t)
	ours := func(m string) bool { return strings.Contains(m, `"ClearCache"`) }
	ids := map[string]bool{}
	for _, m := range nearDown {
		if ours(m) {
			ids[strings.Split(m, `"`)[1]] = true
		}
	}
	if len(ids) != 10 {
		t.Errorf("%d of our own questions", len(ids))
	}
	nearDown = slices.DeleteFunc(nearDown, ours)
	nearUp = slices.DeleteFunc(nearUp, func(m string) bool { return strings.HasPrefix(m, "1 [3,") && ids[strings.Split(m, `"`)[1]] })
	if len(farUp) < 50 || !slices.Equal(nearUp, farUp) || !slices.Equal(nearDown, farDown) {
		t.Errorf("the ends differ: %d and %d up, %d and %d down", len(nearUp), len(farUp), len(nearDown), len(farDown))
	}
	events, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Subject: event.Station("GO16"), Kinds: []event.Kind{event.KindCommand, event.KindCommandResult}, Limit: 100})
	must(nil, err)
	if len(events) != 20 {
		t.Errorf("%d events of what upstream asked", len(events))
	}
	for _, e := range events {
		if body, err := event.AppendBody(nil, e.Body); err != nil || bytes.Contains(body, []byte("0123456789abcdef")) {
			t.Errorf("a password in the journal: %s %v", body, err)
		}
	}
}

// The same frames make the same sessions in a server that answers them itself and in
// one that only listens to them on their way there.
func TestASimulatedFleetThroughTheRelay(t *testing.T) {
	t.Parallel()
	direct := servertest.Start(t)
	relay := servertest.Start(t, onLoopback)
	plan := sim.Plan{Tokens: sim.Tokens(7, 20)}
	for i, v := range []sim.Version{sim.V16, sim.V201, sim.V21} {
		p := sim.Park([]int{12, 5, 3}[i], v, fmt.Sprintf("R%d-", i), uint64(i))
		plan.Sites = p.Sites
		plan.Stations = append(plan.Stations, p.Stations...)
	}
	var ids []string
	for i := range plan.Stations {
		plan.Stations[i].Quirks, plan.Stations[i].Model.Quirks = harmless[i%len(harmless)], 0
		ids = append(ids, plan.Stations[i].ID)
	}
	direct.Enrol(t, ids...)
	for i, token := range plan.Tokens {
		if i%5 != 0 {
			direct.Credential(t, token.ID)
		}
	}
	relayTo(t, relay, strings.TrimSuffix(direct.URL, "/"), ids...)
	scenario, err := sim.FindScenario("offline-flush")
	if err != nil {
		t.Fatal(err)
	}
	stations, err := sim.New(sim.Options{
		URL: "ws://" + relay.OCPPAddress() + "/ocpp", Plan: plan, Scenario: scenario, Seed: 7, Speed: 60, Start: time.Now().Add(-2 * time.Hour),
		History: 4 * time.Hour, Replay: true, Ramp: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	var work sync.WaitGroup
	work.Go(func() {
		if err := stations.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	ended := func(s *servertest.Server) map[string]string {
		out := map[string]string{}
		for _, id := range ids {
			list, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: id, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range list {
				out[id+" "+x.TransactionID] = fmt.Sprintf("%d/%d %s %s %s..%s %v Wh peak %v SoC %v..%v %s %v token %v remote %v", x.EVSE, x.Connector, x.State, x.TokenStatus,
					x.StartedAt.UTC().Format(time.DateTime), x.EndedAt.UTC().Format(time.DateTime), x.EnergyWh, x.PeakPowerW, orNone(x.SoCStart), orNone(x.SoCEnd), x.StopReason, x.Flags, x.TokenID != "", x.RemoteStart)
			}
		}
		return out
	}
	for n := 0; n < 40 && ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		n = len(ended(direct))
	}
	stop()
	work.Wait()
	servertest.Eventually(t, "the end of all connections", func() bool {
		for _, s := range []*servertest.Server{direct, relay} {
			for st := range s.Journal.Snapshot().Stations() {
				if st.Online {
					return false
				}
			}
		}
		return true
	})
	want, got := ended(direct), ended(relay)
	if len(want) < 40 {
		t.Errorf("only %d sessions: the test shows too little", len(want))
	}
	// The one call of a station that was under way when it stopped may have reached
	// one of the two only: its session, still active, may differ.
	active := func(session string) bool {
		return session == "" || strings.Contains(session, " "+string(fleet.SessionActive)+" ")
	}
	cut, faults := map[string]bool{}, 0
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] == want[id] {
			continue
		}
		station, _, _ := strings.Cut(id, " ")
		if (active(want[id]) || active(got[id])) && !cut[station] {
			cut[station] = true
			continue
		}
		if faults++; faults <= 5 {
			t.Errorf("%s\ndirect  %s\nrelayed %s", id, want[id], got[id])
		}
	}
	if faults > 0 || len(want)-len(cut) < 30 || len(got) < len(want)-len(cut) || len(got) > len(want)+len(cut) {
		t.Errorf("%d of %d sessions differ; %d relayed; %d cut off", faults, len(want), len(got), len(cut))
	}
	if gaps := relay.Endpoint.Health("theirs").Gaps.Load(); gaps > 0 {
		t.Errorf("%d frames were not read", gaps)
	}
}

func orNone(v *float64) any {
	if v == nil {
		return "none"
	}
	return *v
}

// A station goes from us to another system and back, each by one request.
func TestOneRequestHasAStationRelayedAndBack(t *testing.T) {
	s := servertest.Start(t, onLoopback)
	_, address := startCSMS16(t)
	relayTo(t, s, "ws://"+address+"/ocpp")
	s.Enrol(t, "CP1")
	_, token, err := s.Store.CreateAPIToken(t.Context(), store.System, store.APIToken{Name: "test", Grants: []store.Grant{{Role: store.RoleAdmin, Sites: []string{store.AllSites}}}})
	if err != nil {
		t.Fatal(err)
	}
	change := func(upstream string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+s.HTTPAddress()+"/api/v1/stations/CP1", strings.NewReader(`{"upstream":"`+upstream+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%d %s %v", resp.StatusCode, body, err)
		}
	}
	boot := func() string {
		c, _, err := websocket.Dial(t.Context(), s.URL+"CP1", &websocket.DialOptions{Subprotocols: []string{"ocpp1.6"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if err := c.Write(t.Context(), websocket.MessageText, []byte(`[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]`)); err != nil {
			t.Fatal(err)
		}
		_, answer, err := c.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Until it is asked to come again it stays with whom it came to.
		gone := make(chan error, 1)
		go func() { _, _, err := c.Read(context.Background()); gone <- err }()
		if s.Endpoint.Relayed("CP1") == "" {
			change("theirs")
		} else {
			change("none")
		}
		if err := <-gone; websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("told with %v", err)
		}
		return string(answer)
	}
	for _, interval := range []string{"300", "240", "300"} {
		if answer := boot(); !strings.Contains(answer, `"interval":`+interval) {
			t.Errorf("%s, want an interval of %s", answer, interval)
		}
	}
}
