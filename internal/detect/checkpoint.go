package detect

import (
	"container/heap"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// Version of the fold. A checkpoint of another version is not loaded.
const Version = 2

// Meta is what the engine keeps beside stations.
type Meta struct {
	Version   int       `json:"version"`
	Seq       uint64    `json:"seq"`
	Now       time.Time `json:"now"`
	StartedAt time.Time `json:"startedAt"`
	Swept     Moment    `json:"swept,omitempty"`
	Settings  Settings  `json:"settings,omitempty"`
	// Armed are the sites where what moves matters.
	Armed []string `json:"armed,omitempty"`
	// Present are those who work at sites, by order.
	Present map[string]Presence `json:"present,omitempty"`
	// Places are where sites are.
	Places map[string]Place `json:"places,omitempty"`
	// Models are the operator's own entries of the catalogue.
	Models []fleet.OwnModel `json:"models,omitempty"`
	// Guards are the sites that are on their guard.
	Guards guards `json:"guards,omitzero"`
	// Common is what detectors remember of the whole network.
	Common map[string]json.RawMessage `json:"common,omitempty"`
}

// saved is a station as it is stored.
type saved struct {
	*Station
	Conn   uint64                     `json:"conn,omitempty"`
	Layout []event.EVSELayout         `json:"layout,omitempty"`
	Report []event.EVSELayout         `json:"report,omitempty"`
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
	meta := Meta{Version: Version, Seq: x.seq, Now: x.now, StartedAt: x.Network.StartedAt, Swept: x.swept, Settings: maps.Clone(x.settings)}
	meta.Present, meta.Places = maps.Clone(x.Network.present), maps.Clone(x.Network.places)
	meta.Guards, meta.Models = x.Network.guards.clone(), x.models.Own()
	meta.Armed = slices.Sorted(maps.Keys(x.Network.armed))
	for d, m := range x.common {
		data, err := json.Marshal(m)
		if err != nil {
			return Meta{}, fmt.Errorf("encode what %s knows of all: %w", d.ID, err)
		}
		if meta.Common == nil {
			meta.Common = make(map[string]json.RawMessage)
		}
		meta.Common[d.ID] = data
	}
	return meta, nil
}

func (s *Station) encode() ([]byte, error) {
	out := saved{Station: s, Conn: s.conn, ByHand: s.byHand, Layout: s.layout, Report: s.reported}
	for _, m := range s.memory {
		data, err := json.Marshal(m.value)
		if err != nil {
			return nil, fmt.Errorf("encode memory of %s: %w", m.d.ID, err)
		}
		if out.Memory == nil {
			out.Memory = make(map[string]json.RawMessage)
		}
		out.Memory[m.d.ID+"/"+strconv.Itoa(m.evse)] = data
	}
	return json.Marshal(out)
}

// Restore sets the engine to a checkpoint; Load adds its stations.
func (x *Engine) Restore(m Meta) error {
	if m.Version != Version {
		return fmt.Errorf("a checkpoint of version %d, this is %d", m.Version, Version)
	}
	x.seq, x.now, x.Network.StartedAt, x.swept = m.Seq, m.Now, m.StartedAt, m.Swept
	if m.Settings != nil {
		x.settings = m.Settings
	}
	x.models = x.models.With(m.Models)
	for _, site := range m.Armed {
		x.Network.armed[site] = struct{}{}
	}
	maps.Copy(x.Network.present, m.Present)
	maps.Copy(x.Network.places, m.Places)
	g := m.Guards.clone()
	maps.Copy(x.Network.guards.Hits, g.Hits)
	maps.Copy(x.Network.guards.Eased, g.Eased)
	maps.Copy(x.Network.guards.Denied, g.Denied)
	for id, data := range m.Common {
		d := x.byID[id]
		if d == nil || d.NewCommon == nil {
			continue
		}
		value := d.NewCommon()
		if err := json.Unmarshal(data, value); err != nil {
			return fmt.Errorf("decode what %s knows of all: %w", id, err)
		}
		x.common[d] = value
	}
	return nil
}

// Load adds a station of a checkpoint. Memory of a detector that is no more is
// dropped.
func (x *Engine) Load(data []byte) error {
	in := saved{Station: &Station{}}
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("decode a station: %w", err)
	}
	n, st := &x.Network, in.Station
	st.byHand, st.layout, st.reported, st.conn = in.ByHand, in.Layout, in.Report, in.Conn
	if st.Make == nil {
		st.Make = &Make{}
	}
	st.Make = n.make(*st.Make)
	if builtin := x.models.Layout(st.Vendor, st.Model, st.Is2x()); event.SameLayout(st.layout, builtin) {
		st.layout = builtin // shared by all of the model
	}
	for i := range st.Ports {
		p := &st.Ports[i]
		if p.Rating == nil {
			p.Rating = &Rating{}
		}
		p.Rating = n.rating(*p.Rating)
	}
	for _, name := range slices.Sorted(maps.Keys(in.Memory)) {
		id, port, _ := strings.Cut(name, "/")
		d := x.byID[id]
		evse, err := strconv.Atoi(port)
		if d == nil || d.New == nil || err != nil {
			continue
		}
		m := d.New()
		if err := json.Unmarshal(in.Memory[name], m); err != nil {
			return fmt.Errorf("decode memory of %s at %s: %w", id, st.ID, err)
		}
		st.memory = append(st.memory, memory{d, evse, m})
	}
	if !st.Charges() {
		n.addOther(st)
	} else {
		n.add(st)
		n.move(st, "")
	}
	for _, t := range st.Timers {
		heap.Push(&x.alarms, alarm{due: t.Due, station: st.ID, key: t.Key})
	}
	return nil
}
