package mqtt_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/mqtt/mqtttest"
	"github.com/chargewatch/chargewatch/internal/pki"
)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// line is a client and what it tells.
type line struct {
	*mqtt.Client
	ups   chan bool
	heard chan mqtt.Message
}

func connect(t *testing.T, b mqtt.Broker, filters ...string) *line {
	t.Helper()
	l := &line{ups: make(chan bool, 100), heard: make(chan mqtt.Message, 1000)}
	if b.Dial == nil {
		b.Dial = dial
	}
	l.Client = mqtt.New(mqtt.Options{Broker: b, Changed: func(up bool, _ error) { l.ups <- up }})
	for _, f := range filters {
		if err := l.Subscribe(t.Context(), f, func(m mqtt.Message) { l.heard <- m }); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *line) is(t *testing.T, up bool) {
	t.Helper()
	if got := <-l.ups; got != up {
		t.Fatalf("up: %v, want %v (%v)", got, up, l.State().Err)
	}
}

func (l *line) say(t *testing.T, m mqtt.Message) {
	t.Helper()
	if err := l.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsPublishedIsHeardByWhoAsked(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{})
	l := connect(t, mqtt.Broker{Address: b.Address}, "yard/+/state", "all/#")
	l.is(t, true)
	for _, topic := range []string{"yard/gate/state", "yard/gate/other", "elsewhere", "all/of/this"} {
		l.say(t, mqtt.Message{Topic: topic, Payload: []byte(topic), Retain: true})
	}
	for _, want := range []string{"yard/gate/state", "all/of/this"} {
		if m := <-l.heard; m.Topic != want || string(m.Payload) != want || m.Retain || m.Cut {
			t.Errorf("heard %+v, want %s", m, want)
		}
	}
	// Who asks later hears what the broker kept.
	if err := l.Subscribe(t.Context(), "elsewhere", func(m mqtt.Message) { l.heard <- m }); err != nil {
		t.Fatal(err)
	}
	if m := <-l.heard; m.Topic != "elsewhere" || !m.Retain {
		t.Errorf("heard %+v", m)
	}
}

func TestABrokerThatComesBackIsAskedAgain(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{})
	l := connect(t, mqtt.Broker{Address: b.Address}, "door")
	l.is(t, true)
	b.Stop()
	l.is(t, false)
	if err := l.Publish(t.Context(), mqtt.Message{Topic: "door"}); !errors.Is(err, mqtt.ErrAway) {
		t.Errorf("published without a broker: %v", err)
	}
	b.Begin()
	l.is(t, true)
	l.say(t, mqtt.Message{Topic: "door", Payload: []byte("back")})
	if m := <-l.heard; string(m.Payload) != "back" {
		t.Errorf("heard %+v", m)
	}
}

func TestWhatIsTooLargeIsPassedOver(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{})
	l := connect(t, mqtt.Broker{Address: b.Address}, "door")
	l.is(t, true)
	l.say(t, mqtt.Message{Topic: "door", Payload: []byte(strings.Repeat("[", 500_000))})
	l.say(t, mqtt.Message{Topic: "door", Payload: []byte("small")})
	if m := <-l.heard; !m.Cut || m.Payload != nil || m.Topic != "door" {
		t.Errorf("heard %d bytes, cut %v", len(m.Payload), m.Cut)
	}
	if m := <-l.heard; string(m.Payload) != "small" || m.Cut {
		t.Errorf("heard %+v", m)
	}
	if s := l.State(); s.Cut != 1 || !s.Up {
		t.Errorf("%+v", s)
	}
	if err := l.Publish(t.Context(), mqtt.Message{Topic: "door", Payload: make([]byte, 2<<20)}); err == nil {
		t.Error("2 MiB were published")
	}
}

func TestWhoIsNotLetInHearsWhy(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{User: "me", Password: "pw", Rules: "user me\ntopic readwrite door/#\n"})
	for name, tc := range map[string]struct {
		broker mqtt.Broker
		want   string
	}{
		"without a password":     {mqtt.Broker{Address: b.Address}, "code 5"},
		"with a wrong one":       {mqtt.Broker{Address: b.Address, User: "me", Password: "no"}, "code 5"},
		"with the right one":     {mqtt.Broker{Address: b.Address, User: "me", Password: "pw"}, ""},
		"where nobody listens":   {mqtt.Broker{Address: "127.0.0.1:1"}, "refused"},
		"out of reach":           {mqtt.Broker{Address: b.Address, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not allowed") }}, "not allowed"},
		"with a name that is no": {mqtt.Broker{Address: b.Address, TLS: &tls.Config{ServerName: "x"}}, "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			l := connect(t, tc.broker, "door/1")
			l.is(t, tc.want == "")
			if err := l.State().Err; tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

func TestABrokerProvesItself(t *testing.T) {
	ours := func() (*pki.Authority, []tls.Certificate) {
		root, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		a, err := pki.Own(root, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := a.Server(time.Now(), []string{"127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		return a, pairs
	}
	authority, pairs := ours()
	another, _ := ours()
	key, err := x509.MarshalPKCS8PrivateKey(pairs[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for _, der := range pairs[0].Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	dir := t.TempDir()
	o := mqtttest.Options{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for file, text := range map[string][]byte{o.Certificate: chain, o.Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := mqtttest.Start(t, o)
	for name, tc := range map[string]struct {
		authority []byte
		want      bool
	}{"by the authority that we know": {authority.PEM(), true}, "by another": {another.PEM(), false}, "by one of this machine": {nil, false}} {
		t.Run(name, func(t *testing.T) {
			at, err := mqtt.ParseURL("mqtts://" + b.Address)
			if err != nil {
				t.Fatal(err)
			}
			conf, err := at.TLS(string(tc.authority))
			if err != nil {
				t.Fatal(err)
			}
			connect(t, mqtt.Broker{Address: at.Address, TLS: conf}).is(t, tc.want)
		})
	}
}

func TestMessagesAreHandedOverInOrder(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{})
	l := connect(t, mqtt.Broker{Address: b.Address}, "say/#")
	l.is(t, true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, five := range []bool{false, true} {
		once := mqtt.Broker{Dial: dial, Address: b.Address, Five: five}
		if err := once.Send(ctx, mqtt.Message{Topic: "say/1", Payload: []byte("1"), ContentType: "text/plain", Key: "k"}, mqtt.Message{Topic: "say/2"}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"say/1", "say/2"} {
			if m := <-l.heard; m.Topic != want {
				t.Errorf("heard %+v, want %s", m, want)
			}
		}
		if err := once.Send(ctx, mqtt.Message{Topic: "say/#"}); err == nil {
			t.Error("published under a name for many")
		}
	}
}
