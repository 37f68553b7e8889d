package health

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// standing is a monitor of OCPP 2.x that stands: its id and the severity it was
// given. A variable may have several, which are passed and cleared each for
// itself.
type standing struct {
	ID       int `json:"id"`
	Severity int `json:"severity"`
}

// severities is where the severities of a station's monitors are remembered: no
// port has this number.
const severities = -1

// maxSeverities bounds the monitors that are remembered of a station.
const maxSeverities = 256

// severityOf is the severity of what a monitor told. Events of OCPP 2.0.1 do not
// carry it: then it is what the monitor was given, if that was ever heard.
func severityOf(c *detect.Context, item *event.ComponentEvent) (n int, told bool) {
	if item.Severity != nil {
		return *item.Severity, true
	}
	if m := detect.Recall[problems](c, severities); m != nil && item.MonitorID != nil {
		n, told = m.Severities[*item.MonitorID]
	}
	return n, told
}

// faultLearn remembers the severities of monitors, whoever set them.
func faultLearn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.CommandResult:
		if !bytes.Contains(b.Response, []byte("setMonitoringResult")) {
			return
		}
		var answer struct {
			Results []struct {
				ID       *int   `json:"id"`
				Status   string `json:"status"`
				Severity int    `json:"severity"`
			} `json:"setMonitoringResult"`
		}
		if json.Unmarshal(b.Response, &answer) != nil {
			return
		}
		for _, r := range answer.Results {
			if r.ID != nil && r.Status == "Accepted" {
				remember(c, *r.ID, r.Severity)
			}
		}
	case *event.Report:
		if b.Type != "monitoring" {
			return
		}
		var report struct {
			Monitors []struct {
				List []struct {
					ID       int `json:"id"`
					Severity int `json:"severity"`
				} `json:"variableMonitoring"`
			} `json:"monitor"`
		}
		if json.Unmarshal(b.Data, &report) != nil {
			return
		}
		for _, v := range report.Monitors {
			for _, m := range v.List {
				remember(c, m.ID, m.Severity)
			}
		}
	}
}

func remember(c *detect.Context, id, severity int) {
	m := detect.Memory[problems](c, severities)
	if m.Severities == nil {
		m.Severities = make(map[int]int)
	}
	if _, known := m.Severities[id]; !known && len(m.Severities) >= maxSeverities {
		delete(m.Severities, slices.Min(slices.Collect(maps.Keys(m.Severities))))
	}
	m.Severities[id] = severity
}

// alarmed rates a problem by the worst of the monitors that stand.
func (p *problem) alarmed() {
	p.Severity, p.Safety = p.Rated, p.RatedSafety
	if len(p.Alarms) > 0 {
		p.monitored(slices.MinFunc(p.Alarms, func(a, b standing) int { return a.Severity - b.Severity }).Severity)
	}
}

// drop takes a monitor away that no longer stands. It reports whether the
// problem lasts: another monitor stands, or the one that cleared had not raised
// it.
func (p *problem) drop(monitor *int) (lasts bool) {
	if monitor == nil || len(p.Alarms) == 0 {
		return false
	}
	p.Alarms = slices.DeleteFunc(p.Alarms, func(a standing) bool { return a.ID == *monitor })
	return len(p.Alarms) > 0
}
