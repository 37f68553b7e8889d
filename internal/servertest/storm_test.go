package servertest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/source/station"
)

// talker is a station that never stops talking, and answers what it is asked.
type talker struct {
	c        *websocket.Conn
	sent     int
	answered atomic.Int64
	asked    atomic.Int64
}

// talk sends the next call as soon as the last one is answered, until ctx ends.
func (k *talker) talk(ctx context.Context, t *testing.T) {
	now := time.Now().UTC().Format(time.RFC3339)
	for ctx.Err() == nil {
		k.sent++
		id := fmt.Sprint("c", k.sent)
		frame := `[2,"` + id + `","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"` + now + `","sampledValue":[{"value":"` +
			fmt.Sprint(k.sent) + `","measurand":"Power.Active.Import","unit":"W"}]}]}]`
		if err := k.c.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Errorf("send: %v", err)
			return
		}
		for {
			_, data, err := k.c.Read(t.Context())
			if err != nil {
				t.Errorf("read: %v", err)
				return
			}
			if command, ok := strings.CutPrefix(string(data), `[2,"`); ok {
				command, _, _ = strings.Cut(command, `"`)
				k.asked.Add(1)
				if err := k.c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `[3,%q,{"status":"Accepted"}]`, command)); err != nil {
					t.Errorf("answer: %v", err)
					return
				}
				continue
			}
			if string(data) != `[3,"`+id+`",{}]` {
				t.Errorf("answer to %s: %s", id, data)
			}
			k.answered.Add(1)
			break
		}
	}
}

// Two hundred stations talk without a pause while all are asked something at the
// same moment, some of them several things: every command is answered, and so is
// every call.
func TestACommandStorm(t *testing.T) {
	t.Parallel()
	const stations, commands = 200, 250
	s := servertest.Start(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var talking, asking sync.WaitGroup
	talkers := make([]*talker, stations)
	for i := range talkers {
		id := fmt.Sprintf("T%03d", i)
		s.Enrol(t, id)
		talkers[i] = &talker{c: dial(t, s, id, "ocpp1.6")}
		talking.Go(func() { talkers[i].talk(ctx, t) })
	}
	servertest.Eventually(t, "everybody's first answer", func() bool {
		for _, k := range talkers {
			if k.answered.Load() == 0 {
				return false
			}
		}
		return true
	})
	var answered atomic.Int64
	for i := range commands {
		asking.Go(func() {
			o := s.Endpoint.Send(t.Context(), fmt.Sprintf("T%03d", i%stations), fmt.Sprintf("5f9c1c2e-0000-4000-8000-%012d", i), "TriggerMessage", []byte(`{"requestedMessage":"Heartbeat"}`))
			if o.Status == station.Answered {
				answered.Add(1)
			} else {
				t.Errorf("command %d: %+v", i, o)
			}
		})
	}
	asking.Wait()
	after := make([]int64, stations)
	for i, k := range talkers {
		after[i] = k.answered.Load()
	}
	servertest.Eventually(t, "an answer to everybody after the storm", func() bool {
		for i, k := range talkers {
			if k.answered.Load() == after[i] {
				return false
			}
		}
		return true
	})
	stop()
	talking.Wait()
	if answered.Load() != commands {
		t.Errorf("%d commands answered", answered.Load())
	}
	for i, k := range talkers {
		each := int64(commands / stations)
		if i < commands%stations {
			each++
		}
		if k.asked.Load() != each || k.answered.Load() != int64(k.sent) {
			t.Errorf("T%03d was asked %d times, had %d of %d calls answered", i, k.asked.Load(), k.answered.Load(), k.sent)
		}
	}
}
