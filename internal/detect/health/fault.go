package health

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/knowledge"
)

// fault is D03: what the station itself reports as broken. A status Faulted or
// an error code of OCPP 1.6, and the problems of OCPP 2.x, each one condition.
//
// What is dangerous is told at once; everything else has to last, for stations
// report a fault for the second in which a plug sits badly. What a code means is
// known to the packs of package knowledge. It is over when the
// station says so, or when a car charged there since and it is not dangerous.
func fault(k *knowledge.Knowledge) detect.Detector {
	return detect.Detector{
		ID: "D03", Code: "fault",
		Params: []detect.Param{
			{Name: "debounceSeconds", Default: 60, Unit: "s", Doc: "how long a fault has to last that endangers nobody"},
		},
		Kinds: []event.Kind{event.KindStatus, event.KindComponent, event.KindCommandResult, event.KindReport},
		On:    func(c *detect.Context, e *event.Event) { faultOn(c, k, e) },
		Due:   faultDue,
		Ended: faultCharged,
		New:   func() any { return new(problems) },
	}
}

// problems are those of a port, or of the station (EVSE 0).
type problems struct {
	List []problem `json:"list,omitempty"`
	// Severities of monitors by their id, kept once for a station.
	Severities map[int]int `json:"severities,omitempty"`
}

// maxProblems bounds what a station can invent at one port.
const maxProblems = 16

// problem is one fault as the station told it.
type problem struct {
	Code string `json:"code"` // of the condition
	// Source is what has the problem: the status, or component and variable.
	Source     string         `json:"source,omitempty"`
	Error      string         `json:"error,omitempty"`
	VendorID   string         `json:"vendorId,omitempty"`
	VendorCode string         `json:"vendorCode,omitempty"`
	Info       string         `json:"info,omitempty"`
	Severity   event.Severity `json:"severity"`
	Safety     bool           `json:"safety,omitempty"`
	Meaning    string         `json:"meaning,omitempty"`
	MeaningDE  string         `json:"meaningDe,omitempty"`
	Entry      string         `json:"entry,omitempty"` // of the knowledge
	Since      detect.Moment  `json:"since"`
	Seq        uint64         `json:"seq,omitempty"`
	// Alarms are the monitors that told of it; Rated is how bad it is without them.
	Alarms      []standing     `json:"alarms,omitempty"`
	Rated       event.Severity `json:"rated,omitempty"`
	RatedSafety bool           `json:"ratedSafety,omitempty"`
}

const fromStatus = "status"

func faultOn(c *detect.Context, k *knowledge.Knowledge, e *event.Event) {
	st := c.Station
	switch b := e.Body.(type) {
	case *event.CommandResult, *event.Report:
		faultLearn(c, e)
		return
	case *event.Component:
		for i := range b.Items {
			faultItem(c, k, &b.Items[i], e.Late())
		}
	}
	now := detect.At(c.Now)
	if st.Own.HeardAt == now {
		faultStatus(c, k, 0, &st.Own, e.Late())
	}
	for i := range st.Ports {
		if p := &st.Ports[i]; p.HeardAt == now {
			faultStatus(c, k, p.EVSE, &p.Condition, e.Late())
		}
	}
}

// faultStatus follows what a connector says with its status.
func faultStatus(c *detect.Context, k *knowledge.Knowledge, evse int, now *detect.Condition, late bool) {
	m := detect.Recall[problems](c, evse)
	if m == nil && now.Fault == nil {
		return
	}
	var p problem
	if f := now.Fault; f != nil {
		p = problem{Source: fromStatus, Error: f.Code, VendorID: f.VendorID, VendorCode: f.VendorCode, Info: f.Info, Since: f.Since}
		if p.rate(c, k, now.Status == fleet.Faulted) {
			faultTold(c, evse, p, late)
		} else {
			p.Code = ""
		}
	}
	if m == nil {
		m = detect.Recall[problems](c, evse)
	}
	if m == nil {
		return
	}
	for _, old := range slices.Clone(m.List) {
		if old.Source == fromStatus && old.Code != p.Code {
			faultGone(c, evse, old.Code, detect.Word("status", now.Status.String()))
		}
	}
}

// faultItem follows a monitored variable.
func faultItem(c *detect.Context, k *knowledge.Knowledge, item *event.ComponentEvent, late bool) {
	if item.Variable == "AvailabilityState" {
		return // the view took it as a status
	}
	evse := item.EVSE
	if c.Station.Port(evse) == nil {
		evse = 0
	}
	source := strings.Join([]string{item.Component, item.Instance, item.Variable, strconv.Itoa(item.Connector)}, "/")
	yes := item.Value == "true" || item.Value == "1"
	no := item.Value == "false" || item.Value == "0"
	isProblem := isProblemVariable(item.Variable) && yes
	alerted := item.Trigger == "Alerting" && !no
	if item.Cleared || isProblemVariable(item.Variable) && no {
		m := detect.Recall[problems](c, evse)
		if m == nil {
			return // cleared and never raised: it began before our time
		}
		for i := 0; i < len(m.List); i++ {
			old := &m.List[i]
			if old.Source != source || item.TechCode != "" && old.VendorCode != "" && old.VendorCode != item.TechCode {
				continue
			}
			c.Station.Touch()
			if old.drop(item.MonitorID) {
				if old.alarmed(); c.Station.IsOpen(old.Code, evse) {
					faultRaise(c, evse, old)
				}
				continue
			}
			faultGone(c, evse, old.Code, detect.Word("clearedBy", item.Component+"."+item.Variable))
			i--
		}
		return
	}
	if !isProblem && !alerted {
		return
	}
	p := problem{
		Source: source, Error: item.Component + "." + item.Variable, VendorID: c.Station.Vendor, VendorCode: item.TechCode, Info: item.TechInfo,
		Since: detect.At(c.Now), Seq: c.Seq,
	}
	if alerted && p.Info == "" {
		p.Info = item.Value
	}
	p.rate(c, k, true)
	p.Rated, p.RatedSafety = p.Severity, p.Safety
	if n, told := severityOf(c, item); told || item.MonitorID != nil {
		a := standing{Severity: 9}
		if told {
			a.Severity = n
		} else {
			a.Severity = unrated(p.Severity)
		}
		if item.MonitorID != nil {
			a.ID = *item.MonitorID
		}
		if m := detect.Recall[problems](c, evse); m != nil {
			if i := slices.IndexFunc(m.List, func(old problem) bool { return old.Code == p.Code }); i >= 0 {
				p.Alarms = slices.DeleteFunc(m.List[i].Alarms, func(o standing) bool { return o.ID == a.ID })
			}
		}
		if len(p.Alarms) < maxProblems {
			p.Alarms = append(p.Alarms, a)
		}
		p.alarmed()
	}
	faultTold(c, evse, p, late)
}

// unrated is the severity of a monitor that says as much as the fault by itself.
func unrated(s event.Severity) int {
	switch s {
	case event.S1, event.S2:
		return 3
	case event.S3:
		return 5
	}
	return 6
}

func isProblemVariable(name string) bool {
	switch name {
	case "Problem", "Tripped", "Overload", "Failure", "Fault":
		return true
	}
	return false
}

// monitored takes the severity that a monitor of OCPP 2.x was given: 0 danger,
// 1 to 3 failures, 4 and 5 errors, from 6 on warnings and notices.
func (p *problem) monitored(n int) {
	switch {
	case n == 0:
		p.Severity, p.Safety = event.S1, true
	case p.Safety && n > 3: // a monitor that was set too mild makes nothing safe
	case p.Safety:
		p.Severity = min(p.Severity, event.S2)
	case n <= 3:
		p.Severity = event.S2
	case n <= 5:
		p.Severity = event.S3
	default:
		p.Severity = event.S4
	}
}

// faultTold takes a fault. What is told late may be one of a queue that goes on to
// tell that it is over, so even danger has to last then.
func faultTold(c *detect.Context, evse int, p problem, late bool) {
	m := detect.Memory[problems](c, evse)
	i := slices.IndexFunc(m.List, func(old problem) bool { return old.Code == p.Code })
	switch {
	case i >= 0:
		p.Since, p.Seq = m.List[i].Since, m.List[i].Seq
		m.List[i] = p
	case len(m.List) >= maxProblems:
		return
	default:
		p.Seq = c.Seq
		m.List = append(m.List, p)
	}
	key := strconv.Itoa(evse) + "/" + p.Code
	switch {
	case p.Safety && !late || c.Station.IsOpen(p.Code, evse):
		c.Cancel(key)
		faultRaise(c, evse, &p)
	case !c.Waiting(key):
		c.Wake(key, c.Now.Add(time.Duration(c.Param("debounceSeconds")*float64(time.Second))))
	}
}

func faultDue(c *detect.Context, key string) {
	port, code, _ := strings.Cut(key, "/")
	evse, _ := strconv.Atoi(port)
	m := detect.Recall[problems](c, evse)
	if m == nil {
		return
	}
	for i := range m.List {
		if m.List[i].Code == code {
			faultRaise(c, evse, &m.List[i])
		}
	}
}

func faultRaise(c *detect.Context, evse int, p *problem) {
	f := event.Finding{Code: p.Code, Severity: p.Severity, Safety: p.Safety, Since: p.Since.Time()}
	switch {
	case evse == 0 && p.Meaning != "":
		f.Text = c.Say("The station reports %s: %s.", p.name(), detect.Meaning{EN: p.Meaning, DE: p.MeaningDE})
	case evse == 0:
		f.Text = c.Say("The station reports %s.", p.name())
	case p.Meaning != "":
		f.Text = c.Say("The port reports %s: %s.", p.name(), detect.Meaning{EN: p.Meaning, DE: p.MeaningDE})
	default:
		f.Text = c.Say("The port reports %s.", p.name())
	}
	f.Facts = []event.Fact{{Name: "errorCode", Text: p.Error, Seq: p.Seq}}
	for _, x := range []event.Fact{detect.Word("vendorErrorCode", p.VendorCode), detect.Word("vendor", p.VendorID), detect.Word("info", p.Info), detect.Word("knowledge", p.Entry)} {
		if x.Text != "" {
			f.Facts = append(f.Facts, x)
		}
	}
	if age := p.Since.Ago(c.Now); age >= time.Second {
		f.Facts = append(f.Facts, detect.Value("lastedSeconds", age.Seconds(), "s"))
	}
	c.Raise(evse, f)
}

func (p *problem) name() string {
	if p.VendorCode != "" && p.VendorCode != p.Error {
		return p.Error + " (" + p.VendorCode + ")"
	}
	return p.Error
}

func faultGone(c *detect.Context, evse int, code string, why event.Fact) {
	m := detect.Memory[problems](c, evse)
	m.List = slices.DeleteFunc(m.List, func(old problem) bool { return old.Code == code })
	c.Cancel(strconv.Itoa(evse) + "/" + code)
	c.Clear(code, evse, why)
	if len(m.List) == 0 {
		c.Forget(evse)
	}
}

// faultCharged ends what a charge disproves; a danger it does not.
func faultCharged(c *detect.Context, t *detect.Ended) {
	if t.EnergyWh < provenWh {
		return
	}
	m := detect.Recall[problems](c, t.Port.EVSE)
	if m == nil {
		return
	}
	for _, p := range slices.Clone(m.List) {
		if !p.Safety && p.Since < detect.At(t.StartedAt) && p.Source != fromStatus {
			faultGone(c, t.Port.EVSE, p.Code, detect.Value("chargedSince", t.EnergyWh/1000, "kWh"))
		}
	}
}

// provenWh is the energy of a charge that proves a port.
const provenWh = 500
