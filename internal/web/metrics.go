package web

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// metrics says of the network what a scrape needs: counts by state, never a
// series for each station.
type metrics struct {
	s        *Server
	ports    *prometheus.Desc
	free     *prometheus.Desc
	stations *prometheus.Desc
	power    *prometheus.Desc
	sessions *prometheus.Desc
	ready    *prometheus.Desc
	live     *prometheus.Desc
	waiting  *prometheus.Desc
	seq      *prometheus.Desc
}

func newMetrics(s *Server) *metrics {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("chargewatch_"+name, help, labels, nil)
	}
	m := &metrics{
		s:        s,
		ports:    d("ports", "Ports of accepted stations by state; offline ones count as offline.", "state"),
		free:     d("ports_free", "Ports where a session could start now."),
		stations: d("stations", "Stations by state: online, offline, pending, rejected.", "state"),
		power:    d("power_watts", "Power drawn at all ports that are online."),
		sessions: d("sessions_active", "Open sessions."),
		ready:    d("journal_ready", "1 while the journal can commit."),
		live:     d("live_clients", "Sockets and streams of the live feed."),
		waiting:  d("commands_waiting", "Commands that wait for an answer."),
		seq:      d("journal_sequence", "Sequence of the last event folded."),
	}
	s.o.Metrics.MustRegister(m)
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.ports, m.free, m.stations, m.power, m.sessions, m.ready, m.live, m.waiting, m.seq} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	snap := m.s.o.Fleet.Snapshot()
	states := make(map[string]int)
	rejected := 0
	for st := range snap.Stations() {
		if st.Onboarding == event.OnboardingRejected {
			rejected++
		}
	}
	sum := m.s.summary(snap, Scope{all: true}, Scope{all: true})
	for i := range fleet.Statuses {
		name := fleet.Status(i).String()
		states[name] = sum.Ports.ByStatus[name]
	}
	states["Offline"] = sum.Ports.Offline
	for state, n := range states {
		gauge(m.ports, float64(n), state)
	}
	gauge(m.free, float64(sum.Ports.Free))
	gauge(m.stations, float64(sum.Stations.Online), "online")
	gauge(m.stations, float64(sum.Stations.Offline), "offline")
	gauge(m.stations, float64(sum.Stations.Pending), "pending")
	gauge(m.stations, float64(rejected), "rejected")
	gauge(m.power, sum.PowerW)
	gauge(m.sessions, float64(sum.Sessions.Active))
	gauge(m.ready, float64(bit(m.s.o.Fleet.Ready() == nil)))
	gauge(m.live, float64(m.s.hub.size.Load()))
	gauge(m.waiting, float64(m.s.sending.waiting()))
	ch <- prometheus.MustNewConstMetric(m.seq, prometheus.CounterValue, float64(snap.Seq))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.s.o.Metrics, promhttp.HandlerOpts{})
}
