package station

import (
	"net"
	"net/http"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/servertest/rawsocket"
)

// plugRaw connects a station that writes its frames by hand.
func (b *bench) plugRaw(t *testing.T, id string) *rawsocket.Conn {
	t.Helper()
	b.people.set(id, Enrolment{Onboarding: event.OnboardingAccepted})
	near, far := net.Pipe()
	b.pipes.accept <- far
	c, res, err := rawsocket.Open(near, "/ocpp/"+id, rawsocket.Opening+rawsocket.Speaks16)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res, err)
	}
	return c
}

// pong answers one ping.
func pong(t *testing.T, c *rawsocket.Conn) {
	t.Helper()
	op, payload, err := c.Next()
	if err != nil || op != rawsocket.Ping {
		t.Fatalf("no ping but %d %q %v", op, payload, err)
	}
	if _, err := c.Write(rawsocket.Frame(rawsocket.Pong, payload)); err != nil {
		t.Fatal(err)
	}
}
