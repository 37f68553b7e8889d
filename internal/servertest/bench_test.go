package servertest_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/servertest/rawsocket"
)

// BenchmarkClosedLoop is a thousand stations that send MeterValues with ten
// samples and StatusNotification in turn, each as soon as it was answered. The
// stations share the process and its cores with the server, so this is for
// profiles; test/load/bench has the figures.
func BenchmarkClosedLoop(b *testing.B) {
	const stations = 1000
	s := servertest.Start(b)
	conns := make([]*rawsocket.Conn, stations)
	for i := range conns {
		id := fmt.Sprintf("B%04d", i)
		s.Enrol(b, id)
		conn, err := net.Dial("tcp", s.OCPPAddress())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		c, r, err := rawsocket.Open(conn, "/ocpp/"+id, rawsocket.Opening+rawsocket.Speaks16)
		if err != nil || r.StatusCode != 101 {
			b.Fatal(r, err)
		}
		conns[i] = c
	}
	var sample strings.Builder
	for i, m := range []string{
		"Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "SoC",
		"Current.Offered", "Power.Offered", "Temperature", "Frequency", "Power.Factor",
	} {
		if i > 0 {
			sample.WriteByte(',')
		}
		fmt.Fprintf(&sample, `{"value":"%d","context":"Sample.Periodic","format":"Raw","measurand":%q,"location":"Outlet"}`, 100+i, m)
	}
	now := time.Now().UTC().Format(time.RFC3339)
	status := []string{"Preparing", "Available"}
	var left atomic.Int64
	left.Store(int64(b.N))
	var work sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for _, c := range conns {
		work.Go(func() {
			for n := 0; left.Add(-1) >= 0; n++ {
				text := fmt.Sprintf(`[2,"%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":%q,"timestamp":%q}]`, n, status[n/2%2], now)
				if n%2 == 0 {
					text = fmt.Sprintf(`[2,"%d","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":%q,"sampledValue":[%s]}]}]`, n, now, sample.String())
				}
				if _, err := c.Write(rawsocket.Frame(rawsocket.Text, text)); err != nil {
					b.Error(err)
					return
				}
				for {
					op, answer, err := c.Next()
					if err != nil {
						b.Error(err)
						return
					}
					if op == rawsocket.Text {
						if !strings.HasPrefix(answer, "[3,") {
							b.Error(answer)
						}
						break
					}
				}
			}
		})
	}
	work.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
