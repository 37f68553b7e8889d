package door

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/chargewatch/chargewatch/internal/mqtt"
	"github.com/chargewatch/chargewatch/internal/mqtt/mqtttest"
)

// said is what was written, by whomever.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestADeviceOnABrokerDoesWhatItIsTold(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Options{})
	heard := make(chan string, 100)
	up := make(chan struct{}, 10)
	hand := mqtt.Dial(t.Context(), mqtt.Options{Broker: mqtt.Broker{Dial: (&net.Dialer{}).DialContext, Address: b.Address}, Changed: func(on bool, _ error) {
		if on {
			up <- struct{}{}
		}
	}})
	for _, topic := range []string{"gate/reader", "stat/gate/POWER", "tele/gate/LWT"} {
		if err := hand.Subscribe(t.Context(), topic, func(m mqtt.Message) { heard <- m.Topic + " " + string(m.Payload) }); err != nil {
			t.Fatal(err)
		}
	}
	<-up
	ctx, stop := context.WithCancel(t.Context())
	commands, say := io.Pipe()
	var out said
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, []string{"--broker", "mqtt://" + b.Address, "--device", "tasmota", "--control"}, commands, &out, io.Discard)
	}()
	until := func(want string) {
		t.Helper()
		for got := range heard {
			if got == want {
				return
			}
		}
	}
	until("tele/gate/LWT Online")
	for _, step := range []struct{ command, want string }{
		{"swipe 04A1 4711", `gate/reader {"card":"04A1","pin":"4711"}`}, {"relay on", "stat/gate/POWER ON"}, {"power off", "tele/gate/LWT Offline"}, {"power on", "tele/gate/LWT Online"},
	} {
		if _, err := io.WriteString(say, step.command+"\n\n"); err != nil {
			t.Fatal(err)
		}
		until(step.want)
	}
	if err := hand.Publish(t.Context(), mqtt.Message{Topic: "cmnd/gate/POWER1", Payload: []byte("ON")}); err != nil {
		t.Fatal(err)
	}
	until("stat/gate/POWER ON")
	stop()
	if status := <-ended; status != 0 || !strings.Contains(out.String(), "tasmota gate") {
		t.Errorf("%d: %s", status, out.String())
	}
	for _, args := range [][]string{{"--broker", "http://x"}, {"--broker", "mqtt://" + b.Address, "--device", "toaster"}} {
		if status := Main(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard); status == 0 {
			t.Errorf("%q is taken", args)
		}
	}
}
