package detect

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Version of the fold. A checkpoint of another version is not loaded.
const Version = 1

// Meta is what the engine keeps beside stations.
type Meta struct {
	Version   int       `json:"version"`
	Seq       uint64    `json:"seq"`
	Now       time.Time `json:"now"`
	StartedAt time.Time `json:"startedAt"`
	Settings  Settings  `json:"settings,omitempty"`
}

// saved is a station as it is stored.
type saved struct {
	*Station
	Layout []event.EVSELayout         `json:"layout,omitempty"`
	ByHand bool                       `json:"byHand,omitempty"`
	Memory map[string]json.RawMessage `json:"memory,omitempty"` // by DETECTOR/EVSE
}

// Checkpoint returns the engine's own state and calls each with the stations
// that changed since the last one. A station that is gone has nil data.
func (x *Engine) Checkpoint(each func(id string, data []byte) error) (Meta, error) {
	for id, st := range x.Network.stations {
		if !st.dirty {
			continue
		}
		data, err := st.encode()
		if err != nil {
			return Meta{}, fmt.Errorf("encode what is known of %s: %w", id, err)
		}
		if err := each(id, data); err != nil {
			return Meta{}, err
		}
		st.dirty = false
	}
	for id := range x.Network.gone {
		if err := each(id, nil); err != nil {
			return Meta{}, err
		}
		delete(x.Network.gone, id)
	}
	return Meta{Version: Version, Seq: x.seq, Now: x.now, StartedAt: x.Network.StartedAt, Settings: x.settings}, nil
}

func (s *Station) encode() ([]byte, error) {
	out := saved{Station: s, ByHand: s.byHand}
	if s.byHand {
		out.Layout = s.layout
	}
	for key, m := range s.memory {
		data, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("encode memory of %s: %w", key.detector, err)
		}
		if out.Memory == nil {
			out.Memory = make(map[string]json.RawMessage)
		}
		out.Memory[key.detector+"/"+strconv.Itoa(key.evse)] = data
	}
	return json.Marshal(out)
}

// Restore sets the engine to a checkpoint; Load adds its stations.
func (x *Engine) Restore(m Meta) {
	x.seq, x.now, x.Network.StartedAt = m.Seq, m.Now, m.StartedAt
	if m.Settings != nil {
		x.settings = m.Settings
	}
}

// Load adds a station of a checkpoint. Memory of a detector that is no more is
// dropped.
func (x *Engine) Load(data []byte) error {
	in := saved{Station: &Station{}}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("decode a station: %w", err)
	}
	st := in.Station
	st.byHand, st.layout = in.ByHand, in.Layout
	if !st.byHand {
		st.layout = x.layouts.Of(st.Vendor, st.Model)
	}
	for name, data := range in.Memory {
		id, port, _ := strings.Cut(name, "/")
		d := x.byID[id]
		evse, err := strconv.Atoi(port)
		if d == nil || d.New == nil || err != nil {
			continue
		}
		m := d.New()
		if err := json.Unmarshal(data, m); err != nil {
			return fmt.Errorf("decode memory of %s at %s: %w", id, st.ID, err)
		}
		if st.memory == nil {
			st.memory = make(map[memoryKey]any)
		}
		st.memory[memoryKey{id, evse}] = m
	}
	x.Network.stations[st.ID] = st
	x.Network.move(st, "")
	for _, t := range st.Timers {
		heap.Push(&x.alarms, alarm{due: t.Due, station: st.ID, key: t.Key})
	}
	return nil
}
