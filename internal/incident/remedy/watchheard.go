package remedy

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// found is a monitor that a report told of.
type found struct {
	Number int `json:"number"`
	Monitor
}

// is reports whether it is the one that was asked for. Components and variables
// are told in any case of letters; severity and transaction may be left out.
func (f *found) is(m *Monitor) bool {
	return strings.EqualFold(f.Component, m.Component) && strings.EqualFold(f.ComponentInstance, m.ComponentInstance) &&
		strings.EqualFold(f.Variable, m.Variable) && strings.EqualFold(f.VariableInstance, m.VariableInstance) &&
		f.EVSE == m.EVSE && f.Connector == m.Connector && f.Type == m.Type && f.Value == m.Value && f.Severity == m.Severity
}

// watchSent hears that a command is being sent.
func (x *Engine) watchSent(key string) {
	if station, ok := x.watching[key]; ok {
		x.watch[station].Began = true
		x.watchDirty[station] = true
	}
}

// watchLost gives up a command whose outcome nobody tells.
func (x *Engine) watchLost(station string, w *Watch) {
	status := "refused"
	if w.Began {
		status = "timeout"
	}
	x.watchAnswered(station, w, &event.CommandResult{CommandID: w.Command, Status: status})
}

// watchHeard takes the outcome of a command of ours about monitors.
func (x *Engine) watchHeard(b *event.CommandResult) {
	station, ok := x.watching[b.CommandID]
	if !ok {
		return
	}
	x.watchAnswered(station, x.watch[station], b)
}

func (x *Engine) watchAnswered(station string, w *Watch, b *event.CommandResult) {
	delete(x.watching, w.Command)
	x.watchDirty[station] = true
	step, about := w.Doing, w.About
	w.Command, w.Doing, w.About = "", "", nil
	wait := time.Second
	switch {
	case b.Status == "refused" || b.Status == "offline": // it was never sent
		w.Tries++
		wait = min(time.Minute<<min(w.Tries, 6), time.Hour)
	case b.Status == "error":
		x.watchRefused(w, step, about, b.ErrorCode)
	case b.Status != "answered":
		w.Tries++
		wait = min(time.Minute<<min(w.Tries, 6), time.Hour)
		x.watchUnheard(w, step, about)
	case step == watchAsking:
		if w.Tries = 0; x.watchTells(station, w, b.Response) {
			return
		}
	case step == watchClear:
		w.Tries = 0
		x.watchCleared(w, about, b.Response)
	case step == watchLevel:
		w.Tries, w.Level = 0, nil // done, or refused: not asked again until it is told anew
	case step == watchSet:
		w.Tries = 0
		x.watchTaken(w, about, b.Response)
	}
	x.wakeWatch(station, w, wait)
}

// watchUnheard leaves what was asked for in doubt: before it is asked for again
// the station has to say what it watches.
func (x *Engine) watchUnheard(w *Watch, step watchStep, about []int) {
	switch step {
	case watchSet:
		for _, i := range about {
			w.Items[i].Status, w.Items[i].At = watchUnheard, x.now
		}
		w.Check = true
	case watchClear:
		w.Check = true
		if w.Blind {
			x.keep(w, about)
		}
	case watchAsking:
		w.Check = w.Tries < maxTries // it is asked again at its next boot
		if !w.Check {
			w.Tries = 0
		}
	case watchLevel:
		w.Level = nil
	}
}

func (x *Engine) keep(w *Watch, about []int) {
	for _, i := range about {
		w.Items[i].Status, w.Items[i].At = watchKept, x.now
	}
}

// watchRefused takes a CALLERROR.
func (x *Engine) watchRefused(w *Watch, step watchStep, about []int, code string) {
	never := code == "NotImplemented" || code == "NotSupported"
	switch {
	case step == watchAsking:
		w.Blind, w.Check = true, false
	case step == watchLevel:
		w.Level = nil
	case step == watchClear:
		x.keep(w, about)
	case never:
		w.Cannot = CannotNot
	case len(about) > 1: // some take one at a time and do not say so
		w.SetItems = len(about) / 2
	default:
		for _, i := range about {
			w.Items[i].Status, w.Items[i].Reason, w.Items[i].At = watchError, clip(code), x.now
		}
	}
}

func clip(s string) string { return s[:min(len(s), 50)] }

// monitorResult is what a station says about one monitor.
type monitorResult struct {
	ID         *int   `json:"id"`
	Status     string `json:"status"`
	Type       string `json:"type"`
	Severity   int    `json:"severity"`
	StatusInfo struct {
		Reason string `json:"reasonCode"`
	} `json:"statusInfo"`
	Component componentShape `json:"component"`
	Variable  variableShape  `json:"variable"`
}

type componentShape struct {
	Name     string     `json:"name"`
	Instance string     `json:"instance,omitempty"`
	EVSE     *evseShape `json:"evse,omitempty"`
}

type variableShape struct {
	Name     string `json:"name"`
	Instance string `json:"instance,omitempty"`
}

// watchTaken reads what the station said to monitors, each for itself and in any
// order. One that it did not mention is in doubt.
func (x *Engine) watchTaken(w *Watch, about []int, response json.RawMessage) {
	var answer struct {
		Results []monitorResult `json:"setMonitoringResult"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		x.watchUnheard(w, watchSet, about)
		return
	}
	open := slices.Clone(answer.Results)
	for n, i := range about {
		it := &w.Items[i]
		at := slices.IndexFunc(open, func(r monitorResult) bool { return r.about(&it.Monitor) })
		if len(answer.Results) == len(about) && answer.Results[n].about(&it.Monitor) { // in order, as most do
			at = slices.IndexFunc(open, func(r monitorResult) bool { return r == answer.Results[n] })
		}
		it.At = x.now
		if at < 0 {
			it.Status, w.Check = watchUnheard, true
			continue
		}
		r := open[at]
		open = slices.Delete(open, at, at+1)
		it.Status, it.Reason, it.Number = clip(r.Status), clip(r.StatusInfo.Reason), nil
		switch {
		case r.Status == watchAccepted && r.ID == nil: // it watches under a number that it keeps to itself
			it.Status, w.Check = watchUnheard, true
		case r.Status == watchAccepted:
			it.Number = r.ID
		case r.Status == "":
			it.Status = watchError
		}
	}
}

func (r *monitorResult) about(m *Monitor) bool {
	evse := evseShape{}
	if r.Component.EVSE != nil {
		evse = *r.Component.EVSE
	}
	return strings.EqualFold(r.Component.Name, m.Component) && strings.EqualFold(r.Variable.Name, m.Variable) && r.Type == m.Type && r.Severity == m.Severity &&
		(r.Component.EVSE == nil || evse.ID == m.EVSE && (evse.Connector == m.Connector || evse.Connector == 0))
}

func (x *Engine) watchCleared(w *Watch, about []int, response json.RawMessage) {
	var answer struct {
		Results []struct {
			ID     int    `json:"id"`
			Status string `json:"status"`
		} `json:"clearMonitoringResult"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		x.watchUnheard(w, watchClear, about)
		return
	}
	gone := make(map[int]bool)
	for _, i := range about {
		it := &w.Items[i]
		at := slices.IndexFunc(answer.Results, func(r struct {
			ID     int    `json:"id"`
			Status string `json:"status"`
		}) bool {
			return r.ID == *it.Number
		})
		switch {
		case at < 0:
			w.Check = true
		case answer.Results[at].Status == watchAccepted, answer.Results[at].Status == "NotFound":
			gone[i] = true
			continue
		}
		it.Status, it.At = watchKept, x.now
	}
	items := w.Items[:0]
	for i, it := range w.Items {
		if !gone[i] {
			items = append(items, it)
		}
	}
	clear(w.Items[len(items):])
	w.Items = items
}

// watchTells takes the answer to the question what a station watches; true when
// a report follows.
func (x *Engine) watchTells(station string, w *Watch, response json.RawMessage) bool {
	var answer struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		answer.Status = ""
	}
	switch answer.Status {
	case watchAccepted:
		w.Doing = watchHearing
		x.wakeWatch(station, w, reportWithin)
		return true
	case "EmptyResultSet":
		x.compare(w, true)
	case "NotSupported":
		w.Blind, w.Check = true, false
	default:
		w.Check = false
	}
	return false
}

// watchReport takes a part of a report.
func (x *Engine) watchReport(station string, b *event.Report) {
	if b.Type == "base" {
		x.controller(station, b)
		return
	}
	w := x.watch[station]
	if w == nil || b.Type != "monitoring" || w.Doing != watchHearing || b.RequestID != w.Request {
		return
	}
	x.watchDirty[station] = true
	switch list, err := readReport(b.Data); {
	case err != nil, b.SeqNo != w.Parts:
		w.Parts = -1
	default:
		w.Found = append(w.Found, list[:min(len(list), 4*maxWatched-len(w.Found))]...)
	}
	if w.Parts >= 0 {
		w.Parts++
	}
	if !b.More {
		x.watchReported(station, w, w.Parts > 0)
	}
}

// watchReported ends a report; one that is not whole proves nothing absent.
func (x *Engine) watchReported(station string, w *Watch, whole bool) {
	x.compare(w, whole)
	w.Doing, w.Found, w.Parts = "", nil, 0
	x.wakeWatch(station, w, time.Second)
}

// compare holds what a station told against what is known.
func (x *Engine) compare(w *Watch, whole bool) {
	w.Check = false
	if whole {
		w.CheckedAt = x.now
	}
	for i := range w.Items {
		it := &w.Items[i]
		at := slices.IndexFunc(w.Found, func(f found) bool {
			return it.Number != nil && f.Number == *it.Number || it.Number == nil && it.Status == watchUnheard && f.is(&it.Monitor)
		})
		switch {
		case at >= 0:
			if it.Number == nil {
				it.Number, it.Status, it.At = new(w.Found[at].Number), watchAccepted, x.now
			}
		case whole && (it.Number != nil || it.Status == watchUnheard):
			it.Number, it.Status, it.Reason, it.At = nil, "", "", x.now
		}
	}
}

var errReport = errors.New("a report that cannot be read")

func readReport(data json.RawMessage) ([]found, error) {
	var report struct {
		Monitors []struct {
			Component componentShape `json:"component"`
			Variable  variableShape  `json:"variable"`
			List      []struct {
				ID       int     `json:"id"`
				Value    float64 `json:"value"`
				Type     string  `json:"type"`
				Severity int     `json:"severity"`
			} `json:"variableMonitoring"`
		} `json:"monitor"`
	}
	if json.Unmarshal(data, &report) != nil {
		return nil, errReport
	}
	var out []found
	for _, v := range report.Monitors {
		for _, m := range v.List {
			f := found{Number: m.ID, Monitor: Monitor{
				Component: v.Component.Name, ComponentInstance: v.Component.Instance, Variable: v.Variable.Name, VariableInstance: v.Variable.Instance,
				Type: m.Type, Value: m.Value, Severity: m.Severity,
			}}
			if v.Component.EVSE != nil {
				f.EVSE, f.Connector = v.Component.EVSE.ID, v.Component.EVSE.Connector
			}
			out = append(out, f)
		}
	}
	return out, nil
}

// controller reads from a device model what the station says of its monitoring.
func (x *Engine) controller(station string, b *event.Report) {
	if !bytes.Contains(b.Data, []byte("MonitoringCtrlr")) {
		return
	}
	var report struct {
		Data []struct {
			Component  componentShape `json:"component"`
			Variable   variableShape  `json:"variable"`
			Attributes []struct {
				Type  string `json:"type"`
				Value string `json:"value"`
			} `json:"variableAttribute"`
		} `json:"reportData"`
	}
	st := x.n.Station(station)
	if json.Unmarshal(b.Data, &report) != nil || st == nil || !st.Is2x() {
		return
	}
	w := x.watch[station]
	if w == nil {
		w = &Watch{}
		x.watch[station] = w
	}
	x.watchDirty[station] = true
	for _, v := range report.Data {
		if v.Component.Name != "MonitoringCtrlr" || len(v.Attributes) == 0 {
			continue
		}
		text := v.Attributes[0].Value
		n, err := strconv.Atoi(text)
		known := err == nil && n > 0
		switch {
		case v.Variable.Name == "Enabled" || v.Variable.Name == "Available":
			if off := strings.EqualFold(text, "false"); off {
				w.Cannot, w.Firmware = CannotOff, st.Firmware
			} else if w.Cannot == CannotOff && v.Variable.Name == "Enabled" {
				w.Cannot = ""
			}
		case v.Variable.Name == "ItemsPerMessage" && v.Variable.Instance == "SetVariableMonitoring" && known:
			w.SetItems = min(n, maxMonitors)
		case v.Variable.Name == "BytesPerMessage" && v.Variable.Instance == "SetVariableMonitoring" && known:
			w.SetBytes = n
		case v.Variable.Name == "ItemsPerMessage" && v.Variable.Instance == "ClearVariableMonitoring" && known:
			w.ClearItems = min(n, maxMonitors)
		case v.Variable.Name == "ActiveMonitoringLevel" && err == nil && n >= 0 && n <= 9:
			w.Level = &n
		}
	}
	if w.Command == "" && w.Doing == "" {
		x.wakeWatch(station, w, spread(station, watchSpread))
	}
}
