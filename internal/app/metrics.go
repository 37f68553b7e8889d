package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/chargewatch/chargewatch/internal/camera/decode"
)

// videoMetrics says of cameras what a scrape needs: whether the machine keeps up
// with looking at them.
type videoMetrics struct {
	pool             *decode.Pool
	pictures, decode *prometheus.Desc
}

func newVideoMetrics(pool *decode.Pool) *videoMetrics {
	return &videoMetrics{
		pool: pool,
		pictures: prometheus.NewDesc("chargewatch_decoder_pictures_total",
			"Pictures of cameras by what became of them: decoded, dropped for want of time, damaged.", []string{"outcome"}, nil),
		decode: prometheus.NewDesc("chargewatch_decoders", "Processes that decode pictures now.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *videoMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.pictures
	ch <- m.decode
}

// Collect implements prometheus.Collector.
func (m *videoMetrics) Collect(ch chan<- prometheus.Metric) {
	st := m.pool.Stats()
	for _, x := range []struct {
		outcome string
		n       uint64
	}{{"decoded", st.Decoded}, {"dropped", st.Dropped}, {"damaged", st.Damaged}} {
		ch <- prometheus.MustNewConstMetric(m.pictures, prometheus.CounterValue, float64(x.n), x.outcome)
	}
	ch <- prometheus.MustNewConstMetric(m.decode, prometheus.GaugeValue, float64(st.Children))
}
