package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

const maxStreams = 4

// stream is a periodic event stream of OCPP 2.1: a monitored value collected
// for a while and sent with SEND, which nobody answers.
type stream struct {
	id        int
	monitor   monitor
	interval  time.Duration // between two messages
	values    int           // in a message
	collected []streamValue
	began     time.Time
	next      *timer
}

type streamValue struct {
	After float64 `json:"t"` // seconds since the base time
	Value string  `json:"v"`
}

// streamParams is how a stream is configured on the wire.
type streamParams struct {
	Interval int `json:"interval,omitempty"`
	Values   int `json:"values,omitempty"`
}

type constantStream struct {
	ID      int          `json:"id"`
	Monitor int          `json:"variableMonitoringId"`
	Params  streamParams `json:"params"`
}

func (s *stream) constant() constantStream {
	return constantStream{s.id, s.monitor.ID, streamParams{int(s.interval.Seconds()), s.values}}
}

func (s *stream) set(p streamParams) {
	s.interval = time.Duration(max(1, min(p.Interval, 3600))) * time.Second
	s.values = max(1, min(p.Values, 60))
}

// openStream asks the central system to take a stream for a monitor it just
// set, and starts sending once it agrees.
func (d *v2) openStream(m monitor, p streamParams) {
	if len(d.streams) >= maxStreams {
		return
	}
	d.nextStream++
	s := &stream{id: d.nextStream, monitor: m}
	s.set(p)
	st := d.st
	st.say(&call{action: "OpenPeriodicEventStream", payload: struct {
		Data constantStream `json:"constantStreamData"`
	}{s.constant()}, done: func(raw json.RawMessage, err error) {
		var a statusAnswer
		if err != nil || json.Unmarshal(raw, &a) != nil || a.Status != "Accepted" {
			return
		}
		d.streams = append(d.streams, s)
		d.collect(s)
	}})
}

// collect takes the next value; a full message goes out.
func (d *v2) collect(s *stream) {
	st := d.st
	s.next = st.after(s.interval/time.Duration(s.values), func() {
		if st.wire != nil && st.accepted {
			if len(s.collected) == 0 {
				s.began = st.now
			}
			st.step()
			s.collected = append(s.collected, streamValue{round1(st.now.Sub(s.began).Seconds()), d.monitored(s.monitor)})
			if len(s.collected) >= s.values {
				st.say(&call{send: true, action: "NotifyPeriodicEventStream", payload: struct {
					ID      int           `json:"id"`
					Pending int           `json:"pending"`
					Base    string        `json:"basetime"`
					Data    []streamValue `json:"data"`
				}{s.id, 0, st.stamp(s.began), s.collected}})
				s.collected = nil
			}
		}
		d.collect(s)
	})
}

// monitored reads the value a monitor watches.
func (d *v2) monitored(m monitor) string {
	if v, ok := d.hardwareValue(m.Component, m.Variable); ok {
		return v
	}
	if v := d.st.f.catalogue(d.st).find(keyOf(m.Component, m.Variable)); v != nil && !v.writeOnly {
		return d.value(v)
	}
	return ""
}

func (d *v2) adjustStream(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		ID     int          `json:"id"`
		Params streamParams `json:"params"`
	}](raw)
	if err != nil {
		return nil, err
	}
	for _, s := range d.streams {
		if s.id == r.ID {
			s.set(r.Params)
			return answer("Accepted")
		}
	}
	return answer("Rejected")
}

func (d *v2) getStreams() (any, error) {
	list := make([]constantStream, len(d.streams))
	for i, s := range d.streams {
		list[i] = s.constant()
	}
	return struct {
		List []constantStream `json:"constantStreamData,omitempty"`
	}{list}, nil
}

// closeStreams ends the streams of a monitor that was cleared.
func (d *v2) closeStreams(monitorID int) {
	d.streams = slices.DeleteFunc(d.streams, func(s *stream) bool {
		if s.monitor.ID != monitorID {
			return false
		}
		d.st.timers.stop(s.next)
		d.st.say(&call{action: "ClosePeriodicEventStream", payload: struct {
			ID int `json:"id"`
		}{s.id}})
		return true
	})
}

// periodically tells the value of a monitor as often as it says.
func (d *v2) periodically(id int) {
	st := d.st
	m, ok := st.monitors[id]
	if !ok || !m.periodic {
		return
	}
	st.after(max(time.Second, time.Duration(m.Value*float64(time.Second))), func() {
		m, ok := st.monitors[id]
		if !ok || !m.periodic {
			return
		}
		st.step()
		if st.wire != nil && st.accepted {
			d.monitorEvent(m, d.monitored(m), false)
		}
		d.periodically(id)
	})
}

// watchEvery is how often values are held against thresholds.
const watchEvery = 10 * time.Second

// watch holds all values against their monitors, now and then, as long as there
// are any.
func (d *v2) watch() {
	st := d.st
	if d.looking || len(st.monitors) == 0 {
		return
	}
	d.looking = true
	st.after(watchEvery, func() {
		d.looking = false
		st.step()
		for _, id := range slices.Sorted(maps.Keys(st.monitors)) {
			m := st.monitors[id]
			if m.periodic {
				continue
			}
			value := d.monitored(m)
			if due, cleared := m.due(value); due && st.wire != nil && st.accepted {
				d.monitorEvent(m, value, cleared)
			}
			m.last, m.known = value, true
			st.monitors[id] = m
		}
		d.watch()
	})
}

// due tells whether a new value is worth an event, and whether it ends an
// alarm.
func (m *monitor) due(value string) (due, cleared bool) {
	if m.Type == "Periodic" {
		return true, false
	}
	if !m.known {
		return m.beyond(value) && m.Type != "Delta", false
	}
	if m.Type == "Delta" {
		was, err1 := strconv.ParseFloat(m.last, 64)
		is, err2 := strconv.ParseFloat(value, 64)
		if err1 != nil || err2 != nil {
			return value != m.last, false
		}
		return is-was >= m.Value && m.Value > 0 || was-is >= m.Value && m.Value > 0, false
	}
	was, is := m.beyond(m.last), m.beyond(value)
	return was != is, was
}

func (m *monitor) beyond(value string) bool {
	v, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		return false
	case m.Type == "UpperThreshold":
		return v > m.Value
	case m.Type == "LowerThreshold":
		return v < m.Value
	}
	return false
}

func (d *v2) monitorEvent(m monitor, value string, cleared bool) {
	x := d.event(d.st.now, m.Component.Name, m.Variable.Name, value, m.Component.EVSE)
	x.Component, x.Variable = m.Component, m.Variable
	x.Kind, x.Cleared, x.Monitor = "CustomMonitor", cleared, m.ID
	switch m.Type {
	case "Periodic":
		x.Trigger = "Periodic"
	case "UpperThreshold", "LowerThreshold":
		x.Trigger = "Alerting"
	}
	if d.st.version == V21 {
		x.Severity = &m.Severity
	}
	d.notify([]eventData2{x}, false)
}

// supports tells whether this firmware can evaluate a monitor.
func (m *monitor) supports() error {
	switch m.Type {
	case "UpperThreshold", "LowerThreshold", "Delta":
		return nil
	case "Periodic":
		if m.Value > 0 {
			return nil
		}
	}
	return fmt.Errorf("monitor type %q with value %v", m.Type, m.Value)
}
