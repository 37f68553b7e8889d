package health

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
)

// wear is D14: contactors that stick, and those that near the end of their life.
// One that stays closed leaves voltage on a plug in somebody's hand: nothing is
// waited for. Switching under load wears many times more than without.
func wear() detect.Detector {
	return detect.Detector{
		ID: "D14", Code: "contactorWear",
		Params: []detect.Param{
			{Name: "ratedCycles", Default: 100_000, Doc: "cycles without load that the contactor is rated for"},
			{Name: "ratedLoadCycles", Default: 5_000, Doc: "openings under load that it is rated for"},
			{Name: "wearPercent", Default: 80, Unit: "%", Doc: "share of either from which on it is told"},
		},
		Kinds: []event.Kind{event.KindStatus, event.KindComponent},
		On:    wearOn,
		Ended: wearEnded,
		New:   func() any { return new(cycles) },
	}
}

// cycles are those of a port since it is known.
type cycles struct {
	N      uint32   `json:"n,omitempty"`
	Loaded uint32   `json:"loaded,omitempty"` // opened while current flowed
	Told   uint32   `json:"told,omitempty"`   // by the station's own counter
	Weld   []string `json:"weld,omitempty"`   // what said that it sticks
}

const welded = "contactorWelded"

func wearOn(c *detect.Context, e *event.Event) {
	now := detect.At(c.Now)
	for i := range c.Station.Ports {
		if p := &c.Station.Ports[i]; p.HeardAt == now {
			weldStatus(c, p.EVSE, &p.Condition)
		}
	}
	if c.Station.Own.HeardAt == now {
		weldStatus(c, 0, &c.Station.Own)
	}
	b, ok := e.Body.(*event.Component)
	if !ok {
		return
	}
	for i := range b.Items {
		item := &b.Items[i]
		evse := item.EVSE
		if c.Station.Port(evse) == nil {
			evse = 0
		}
		contactor := strings.Contains(strings.ToLower(item.Component), "contactor") || strings.Contains(strings.ToLower(item.Component), "relay")
		if contactor && item.Variable == "Count" {
			wearCount(c, evse, item.Value)
			continue
		}
		source := item.Component + "." + item.Variable
		gone := item.Cleared || item.Value == "false" || item.Value == "0"
		if gone {
			weldGone(c, evse, source)
		} else if sticks(item.TechCode) || sticks(item.TechInfo) || sticks(item.Variable) || sticks(item.VariableInst) {
			weldFound(c, evse, source, firstOf(item.TechCode, item.TechInfo, item.Variable), item.TechInfo)
		}
	}
}

func weldStatus(c *detect.Context, evse int, k *detect.Condition) {
	if f := k.Fault; f != nil && (sticks(f.Code) || sticks(f.VendorCode) || sticks(f.Info)) {
		weldFound(c, evse, fromStatus, firstOf(f.VendorCode, f.Code), f.Info)
	} else if k.Status != fleet.Unknown {
		weldGone(c, evse, fromStatus)
	}
}

// sticks reads the words for a contactor that does not open.
func sticks(text string) bool {
	if text == "" {
		return false
	}
	text = strings.ToLower(text)
	switch text {
	case "cx017", "evsecontactorfault":
		return true
	}
	part := strings.Contains(text, "contactor") || strings.Contains(text, "relay")
	return strings.Contains(text, "weld") || part && (strings.Contains(text, "stuck") || strings.Contains(text, "sticking"))
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

func weldFound(c *detect.Context, evse int, source, code, info string) {
	m := detect.Memory[cycles](c, evse)
	if !slices.Contains(m.Weld, source) && len(m.Weld) < maxProblems {
		m.Weld = append(m.Weld, source)
	}
	f := event.Finding{
		Code: welded, Severity: event.S1, Safety: true,
		Text:  c.Say("A contactor does not open (%s): there may be voltage on the plug.", code),
		Facts: []event.Fact{{Name: "code", Text: code, Seq: c.Seq}, detect.Value("cycles", float64(m.N), "")},
	}
	if info != "" {
		f.Facts = append(f.Facts, detect.Word("info", info))
	}
	c.Raise(evse, f)
}

func weldGone(c *detect.Context, evse int, source string) {
	m := detect.Recall[cycles](c, evse)
	if m == nil || !slices.Contains(m.Weld, source) {
		return
	}
	c.Station.Touch()
	m.Weld = slices.DeleteFunc(m.Weld, func(s string) bool { return s == source })
	if len(m.Weld) == 0 {
		c.Clear(welded, evse, detect.Word("clearedBy", source))
	}
}

func wearCount(c *detect.Context, evse int, value string) {
	var n uint32
	if _, err := fmt.Sscanf(value, "%d", &n); err != nil || n == 0 {
		return
	}
	m := detect.Memory[cycles](c, evse)
	if n < m.Told { // a new contactor
		*m = cycles{Weld: m.Weld}
		c.Clear("contactorWear", evse, detect.Value("cycles", float64(n), ""))
	}
	m.Told = n
	wearJudge(c, evse, m)
}

func wearEnded(c *detect.Context, t *detect.Ended) {
	if t.EnergyWh <= 0 && t.PeakW <= 0 {
		return
	}
	m := detect.Memory[cycles](c, t.Port.EVSE)
	m.N++
	switch t.Reason {
	case "EmergencyStop", "PowerLoss", "PowerQuality", "OvercurrentFault", "GroundFault", "ImmediateReset", "HardReset", "EVDisconnected", "UnlockCommand":
		if l := t.Live; l.PowerW != nil && *l.PowerW > 1000 && t.At.Sub(l.At) < event.LateAfter {
			m.Loaded++
		}
	}
	wearJudge(c, t.Port.EVSE, m)
}

func wearJudge(c *detect.Context, evse int, m *cycles) {
	n := max(m.N, m.Told)
	light, loaded := 100*float64(n)/max(c.Param("ratedCycles"), 1), 100*float64(m.Loaded)/max(c.Param("ratedLoadCycles"), 1)
	if worn := max(light, loaded); worn >= c.Param("wearPercent") {
		c.Raise(evse, event.Finding{
			Severity: event.S3,
			Text:     c.Say("The contactor has used up %.0f %% of its rated life: %d cycles, %d of them opened under load.", worn, n, m.Loaded),
			Facts: []event.Fact{
				detect.Value("wear", worn, "%"), detect.Value("cycles", float64(n), ""), detect.Value("underLoad", float64(m.Loaded), ""),
			},
		})
	}
}
