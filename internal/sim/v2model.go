package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	reportChunk = 20
	maxMonitors = 100
)

// monitor is a variable monitor the central system installed.
type monitor struct {
	ID        int
	Component component2
	Variable  variable2
	Type      string
	Value     float64
	Severity  int

	periodic bool
	last     string // value at the last look
	known    bool
}

// splitKey reads Component/Variable[/Instance].
func splitKey(key string) (component, variable, instance string) {
	component, rest, _ := strings.Cut(key, "/")
	variable, instance, _ = strings.Cut(rest, "/")
	return
}

func keyOf(c component2, v variable2) string {
	if v.Instance != "" {
		return c.Name + "/" + v.Name + "/" + v.Instance
	}
	return c.Name + "/" + v.Name
}

// knowsComponent tells an unknown component from an unknown variable.
func (d *v2) knowsComponent(name string) bool {
	return slices.ContainsFunc(d.st.f.catalogue(d.st).list, func(v variable) bool {
		c, _, _ := splitKey(v.key)
		return strings.EqualFold(c, name)
	}) || slices.ContainsFunc(d.hardware(), func(x hardwareItem) bool { return strings.EqualFold(x.component.Name, name) })
}

// hardwareValue answers for variables of ports and plugs.
func (d *v2) hardwareValue(c component2, v variable2) (string, bool) {
	if c.EVSE == nil {
		return "", false
	}
	e := d.st.evse(c.EVSE.ID)
	if e == nil {
		return "", false
	}
	for _, x := range d.hardware() {
		same := x.component.EVSE != nil && *x.component.EVSE == *c.EVSE
		if same && strings.EqualFold(x.component.Name, c.Name) && strings.EqualFold(x.variable.Name, v.Name) {
			return x.value, true
		}
	}
	return "", false
}

type hardwareItem struct {
	component component2
	variable  variable2
	value     string
	kind      string
	unit      string
	max       float64
}

// hardware lists ports and plugs as device-model variables.
func (d *v2) hardware() []hardwareItem {
	var out []hardwareItem
	for _, e := range d.st.evses {
		at := component2{Name: "EVSE", EVSE: &evseRef2{ID: e.id}}
		phases := e.model.Phases
		if phases == 0 {
			phases = 3
		}
		out = append(out,
			hardwareItem{at, variable2{Name: "AvailabilityState"}, status2(e.primary().status), "OptionList", "", 0},
			hardwareItem{at, variable2{Name: "Available"}, strconv.FormatBool(e.operative), "boolean", "", 0},
			hardwareItem{at, variable2{Name: "Power"}, fmt.Sprint(round1(e.powerW)), "decimal", "W", e.model.RatedW},
			hardwareItem{at, variable2{Name: "SupplyPhases"}, strconv.Itoa(phases), "integer", "", 0},
		)
		for _, c := range e.conns {
			at := component2{Name: "Connector", EVSE: &evseRef2{e.id, c.id}}
			out = append(out,
				hardwareItem{at, variable2{Name: "AvailabilityState"}, status2(c.status), "OptionList", "", 0},
				hardwareItem{at, variable2{Name: "Available"}, strconv.FormatBool(e.operative), "boolean", "", 0},
				hardwareItem{at, variable2{Name: "ConnectorType"}, string(c.plug), "string", "", 0},
				hardwareItem{at, variable2{Name: "SupplyPhases"}, strconv.Itoa(phases), "integer", "", 0},
			)
			for _, part := range hardWired() {
				out = append(out, hardwareItem{component2{Name: part, EVSE: at.EVSE}, variable2{Name: "Problem"},
					strconv.FormatBool(e.fault != nil && e.fault.kind.component == part), "boolean", "", 0})
			}
			if e.dc() {
				out = append(out, hardwareItem{component2{Name: "TemperatureSensor", EVSE: at.EVSE}, variable2{Name: "Temperature"},
					fmt.Sprint(round1(e.contacts())), "decimal", "Celsius", 150})
			}
		}
	}
	return out
}

// hardWired are parts whose problems the firmware tells anyway: nobody can add a
// monitor of them.
func hardWired() []string { return []string{"Connector", "ConnectorPlugRetentionLock"} }

// contacts is how hot a plug says it is.
func (e *evse) contacts() float64 {
	if size, ok := e.st.failing(Overheats, e); ok {
		return max(size, e.plugC)
	}
	return e.plugC
}

type getResult2 struct {
	Status    string     `json:"attributeStatus"`
	Type      string     `json:"attributeType,omitempty"`
	Value     *string    `json:"attributeValue,omitempty"`
	Component component2 `json:"component"`
	Variable  variable2  `json:"variable"`
}

func (d *v2) getVariables(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Data []struct {
			Type      string     `json:"attributeType"`
			Component component2 `json:"component"`
			Variable  variable2  `json:"variable"`
		} `json:"getVariableData"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	results := make([]getResult2, 0, len(r.Data))
	for _, q := range r.Data {
		x := getResult2{Component: q.Component, Variable: q.Variable, Type: q.Type}
		v := st.f.catalogue(st).find(keyOf(q.Component, q.Variable))
		hw, isHW := d.hardwareValue(q.Component, q.Variable)
		switch {
		case q.Type != "" && q.Type != "Actual":
			x.Status = "NotSupportedAttributeType"
		case isHW:
			x.Status, x.Value = "Accepted", &hw
		case v == nil && !d.knowsComponent(q.Component.Name):
			x.Status = "UnknownComponent"
		case v == nil:
			x.Status = "UnknownVariable"
		case v.writeOnly:
			x.Status = "Rejected"
		default:
			x.Status, x.Value = "Accepted", new(d.value(v))
		}
		results = append(results, x)
	}
	return struct {
		Results []getResult2 `json:"getVariableResult"`
	}{results}, nil
}

// value reads a variable, with the few that are alive.
func (d *v2) value(v *variable) string {
	st := d.st
	switch v.key {
	case "ClockCtrlr/DateTime":
		return st.stamp(st.now)
	case "LocalAuthListCtrlr/Entries":
		return strconv.Itoa(len(st.list.entries))
	case "SmartChargingCtrlr/Entries/ChargingProfiles":
		return strconv.Itoa(len(st.profiles))
	case "OCPPCommCtrlr/HeartbeatInterval":
		return strconv.Itoa(int(st.set.heartbeat.Seconds()))
	}
	return st.get(v.key)
}

func (d *v2) setVariables(raw json.RawMessage) (any, error) {
	type result struct {
		Type      string     `json:"attributeType,omitempty"`
		Status    string     `json:"attributeStatus"`
		Component component2 `json:"component"`
		Variable  variable2  `json:"variable"`
	}
	r, err := decode[struct {
		Data []struct {
			Type      string     `json:"attributeType"`
			Value     string     `json:"attributeValue"`
			Component component2 `json:"component"`
			Variable  variable2  `json:"variable"`
		} `json:"setVariableData"`
	}](raw)
	if err != nil {
		return nil, err
	}
	results := make([]result, 0, len(r.Data))
	for _, q := range r.Data {
		x := result{Type: q.Type, Component: q.Component, Variable: q.Variable}
		key := keyOf(q.Component, q.Variable)
		switch {
		case q.Type != "" && q.Type != "Actual":
			x.Status = "NotSupportedAttributeType"
		case d.st.f.catalogue(d.st).find(key) == nil:
			x.Status = "UnknownVariable"
			if !d.knowsComponent(q.Component.Name) {
				x.Status = "UnknownComponent"
			}
		default:
			x.Status = d.st.change(key, q.Value)
		}
		results = append(results, x)
	}
	return struct {
		Results []result `json:"setVariableResult"`
	}{results}, nil
}

type attribute2 struct {
	Type       string  `json:"type,omitempty"`
	Value      *string `json:"value,omitempty"`
	Mutability string  `json:"mutability,omitempty"`
}

type characteristics2 struct {
	Unit    string  `json:"unit,omitempty"`
	Kind    string  `json:"dataType"`
	Max     float64 `json:"maxLimit,omitempty"`
	Monitor bool    `json:"supportsMonitoring"`
}

type reportItem2 struct {
	Component       component2       `json:"component"`
	Variable        variable2        `json:"variable"`
	Attributes      []attribute2     `json:"variableAttribute"`
	Characteristics characteristics2 `json:"variableCharacteristics"`
}

// inventory is the whole device model, or only what can be set.
func (d *v2) inventory(settableOnly bool) []reportItem2 {
	var out []reportItem2
	known := d.st.f.catalogue(d.st)
	for i := range known.list {
		v := &known.list[i]
		if settableOnly && d.st.readOnly(v) {
			continue
		}
		component, name, instance := splitKey(v.key)
		a := attribute2{Type: "Actual", Mutability: "ReadWrite"}
		switch {
		case v.writeOnly:
			a.Mutability = "WriteOnly"
		default:
			a.Value = new(d.value(v))
			if d.st.readOnly(v) {
				a.Mutability = "ReadOnly"
			}
		}
		c := characteristics2{Kind: v.dataType()}
		if v.key == "LocalAuthListCtrlr/Entries" {
			c.Max = maxLocalList
		}
		out = append(out, reportItem2{component2{Name: component}, variable2{name, instance}, []attribute2{a}, c})
	}
	if settableOnly {
		return out
	}
	for _, h := range d.hardware() {
		out = append(out, reportItem2{h.component, h.variable, []attribute2{{"Actual", &h.value, "ReadOnly"}}, characteristics2{h.unit, h.kind, h.max, h.kind != "string"}})
	}
	return out
}

func (v *variable) dataType() string {
	switch v.kind {
	case intVar:
		return "integer"
	case boolVar:
		return "boolean"
	case measurandsVar:
		return "MemberList"
	}
	return "string"
}

func (d *v2) report(action string, raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Request int    `json:"requestId"`
		Base    string `json:"reportBase"`
		Wanted  []struct {
			Component component2 `json:"component"`
			Variable  *variable2 `json:"variable"`
		} `json:"componentVariable"`
	}](raw)
	if err != nil {
		return nil, err
	}
	items := d.inventory(r.Base == "ConfigurationInventory")
	switch {
	case action == "GetBaseReport" && r.Base == "SummaryInventory":
		items = slices.DeleteFunc(items, func(x reportItem2) bool {
			return x.Variable.Name != "AvailabilityState" && x.Variable.Name != "Problem"
		})
	case action == "GetBaseReport" && r.Base != "FullInventory" && r.Base != "ConfigurationInventory":
		return answer("NotSupported")
	case len(r.Wanted) > 0:
		items = slices.DeleteFunc(items, func(x reportItem2) bool {
			for _, w := range r.Wanted {
				if strings.EqualFold(w.Component.Name, x.Component.Name) && (w.Variable == nil || strings.EqualFold(w.Variable.Name, x.Variable.Name)) {
					return false
				}
			}
			return true
		})
	}
	if len(items) == 0 {
		return answer("EmptyResultSet")
	}
	st := d.st
	st.after(time.Second, func() {
		seq := 0
		for chunk := range slices.Chunk(items, reportChunk) {
			st.say(&call{action: "NotifyReport", payload: struct {
				Request int           `json:"requestId"`
				At      string        `json:"generatedAt"`
				More    bool          `json:"tbc"`
				Seq     int           `json:"seqNo"`
				Data    []reportItem2 `json:"reportData"`
			}{r.Request, st.stamp(st.now), (seq+1)*reportChunk < len(items), seq, chunk}})
			seq++
		}
	})
	return answer("Accepted")
}

func (d *v2) setMonitoring(raw json.RawMessage) (any, error) {
	type result struct {
		ID        *int       `json:"id,omitempty"`
		Status    string     `json:"status"`
		Type      string     `json:"type"`
		Severity  int        `json:"severity"`
		Component component2 `json:"component"`
		Variable  variable2  `json:"variable"`
	}
	r, err := decode[struct {
		Data []struct {
			ID        *int          `json:"id"`
			Value     float64       `json:"value"`
			Type      string        `json:"type"`
			Severity  int           `json:"severity"`
			Component component2    `json:"component"`
			Variable  variable2     `json:"variable"`
			Stream    *streamParams `json:"periodicEventStream"`
		} `json:"setMonitoringData"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	if st.monitors == nil {
		st.monitors = make(map[int]monitor)
	}
	if most, err := strconv.Atoi(st.get("MonitoringCtrlr/ItemsPerMessage/SetVariableMonitoring")); err == nil && len(r.Data) > most {
		return nil, &callError{"OccurrenceConstraintViolation", "at most " + strconv.Itoa(most) + " monitors in a message"}
	}
	results := make([]result, 0, len(r.Data))
	for _, q := range r.Data {
		m := monitor{Component: q.Component, Variable: q.Variable, Type: q.Type, Value: q.Value, Severity: q.Severity, periodic: q.Type == "Periodic"}
		x := result{Status: d.takes(&m, q.ID), Type: q.Type, Severity: q.Severity, Component: q.Component, Variable: q.Variable}
		if x.Status == "Accepted" {
			st.nextID++
			m.ID = st.nextID
			if q.ID != nil {
				m.ID = *q.ID
			}
			before, running := st.monitors[m.ID]
			st.monitors[m.ID] = m
			x.ID = &m.ID
			switch {
			case q.Stream != nil && st.version == V21:
				st.after(time.Second, func() { d.openStream(m, *q.Stream) })
			case m.periodic && !(running && before.periodic):
				d.periodically(m.ID)
			case !m.periodic:
				d.watch()
			}
		}
		results = append(results, x)
	}
	return struct {
		Results []result `json:"setMonitoringResult"`
	}{results}, nil
}

// takes says what the firmware thinks of a monitor.
func (d *v2) takes(m *monitor, id *int) string {
	st := d.st
	_, isHW := d.hardwareValue(m.Component, m.Variable)
	switch {
	case !isHW && st.f.catalogue(st).find(keyOf(m.Component, m.Variable)) == nil:
		if !d.knowsComponent(m.Component.Name) {
			return "UnknownComponent"
		}
		return "UnknownVariable"
	case m.supports() != nil:
		return "UnsupportedMonitorType"
	case len(st.monitors) >= maxMonitors:
		return "Rejected"
	case m.Variable.Name == "Problem" && slices.Contains(hardWired(), m.Component.Name):
		return "Duplicate"
	}
	for _, o := range st.monitors {
		if id == nil && o.Type == m.Type && o.Severity == m.Severity && keyOf(o.Component, o.Variable) == keyOf(m.Component, m.Variable) && sameEVSE(o.Component.EVSE, m.Component.EVSE) {
			return "Duplicate"
		}
	}
	return "Accepted"
}

func sameEVSE(a, b *evseRef2) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func (d *v2) clearMonitoring(raw json.RawMessage) (any, error) {
	type result struct {
		Status string `json:"status"`
		ID     int    `json:"id"`
	}
	r, err := decode[struct {
		IDs []int `json:"id"`
	}](raw)
	if err != nil {
		return nil, err
	}
	results := make([]result, 0, len(r.IDs))
	for _, id := range r.IDs {
		x := result{"NotFound", id}
		if _, ok := d.st.monitors[id]; ok {
			delete(d.st.monitors, id)
			d.closeStreams(id)
			x.Status = "Accepted"
		}
		results = append(results, x)
	}
	return struct {
		Results []result `json:"clearMonitoringResult"`
	}{results}, nil
}

func (d *v2) monitoringReport(raw json.RawMessage) (any, error) {
	r, err := decode[struct {
		Request int `json:"requestId"`
	}](raw)
	if err != nil {
		return nil, err
	}
	st := d.st
	if len(st.monitors) == 0 {
		return answer("EmptyResultSet")
	}
	type setting struct {
		ID       int     `json:"id"`
		Tx       bool    `json:"transaction"`
		Value    float64 `json:"value"`
		Type     string  `json:"type"`
		Severity int     `json:"severity"`
	}
	type item struct {
		Component component2 `json:"component"`
		Variable  variable2  `json:"variable"`
		Monitors  []setting  `json:"variableMonitoring"`
	}
	ids := make([]int, 0, len(st.monitors))
	for id := range st.monitors {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	items := make([]item, 0, len(ids))
	for _, id := range ids {
		m := st.monitors[id]
		items = append(items, item{m.Component, m.Variable, []setting{{m.ID, false, m.Value, m.Type, m.Severity}}})
	}
	st.after(time.Second, func() {
		st.say(&call{action: "NotifyMonitoringReport", payload: struct {
			Request int    `json:"requestId"`
			Seq     int    `json:"seqNo"`
			At      string `json:"generatedAt"`
			More    bool   `json:"tbc"`
			Data    []item `json:"monitor"`
		}{r.Request, 0, st.stamp(st.now), false, items}})
	})
	return answer("Accepted")
}
