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
	relay    relayMetrics
}

// relayMetrics are of the central systems that stations are relayed to: people name
// them, one by one, so they are few.
type relayMetrics struct{ stations, connects, frames, unread, losses, refusals, unreached, added *prometheus.Desc }

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
	m.relay = relayMetrics{
		stations:  d("relay_stations", "Stations connected to another central system through this server.", "upstream"),
		connects:  d("relay_connects_total", "Connections of stations that it accepted.", "upstream"),
		frames:    d("relay_frames_total", "Frames passed on, both ways.", "upstream"),
		unread:    d("relay_unread_frames_total", "Frames that went on and could not be recorded.", "upstream"),
		losses:    d("relay_losses_total", "Connections that it ended or let hang.", "upstream"),
		refusals:  d("relay_refusals_total", "Stations that it refused.", "upstream"),
		unreached: d("relay_unreached_total", "Stations that did not come to it.", "upstream"),
		added:     d("relay_added_seconds", "How much later than without this server a frame arrives.", "upstream"),
	}
	s.o.Metrics.MustRegister(m)
	return m
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.ports, m.free, m.stations, m.power, m.sessions, m.ready, m.live, m.waiting, m.seq} {
		ch <- d
	}
	r := &m.relay
	for _, d := range []*prometheus.Desc{r.stations, r.connects, r.frames, r.unread, r.losses, r.refusals, r.unreached, r.added} {
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
	m.collectRelays(ch)
}

func (m *metrics) collectRelays(ch chan<- prometheus.Metric) {
	if m.s.o.Relays == nil {
		return
	}
	for _, u := range m.s.o.Store.Upstreams() {
		h := m.s.o.Relays.RelayHealth(u.ID)
		ch <- prometheus.MustNewConstMetric(m.relay.stations, prometheus.GaugeValue, float64(h.Stations), u.ID)
		for d, n := range map[*prometheus.Desc]int64{
			m.relay.connects: h.Connects, m.relay.frames: h.Frames, m.relay.unread: h.Gaps,
			m.relay.losses: h.Losses, m.relay.refusals: h.Refusals, m.relay.unreached: h.Unreached,
		} {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), u.ID)
		}
		upTo := make(map[float64]uint64, len(h.Added.UpTo))
		for d, n := range h.Added.UpTo {
			upTo[d.Seconds()] = n
		}
		ch <- prometheus.MustNewConstHistogram(m.relay.added, h.Added.Count, h.Added.Sum.Seconds(), upTo, u.ID)
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.s.o.Metrics, promhttp.HandlerOpts{})
}
