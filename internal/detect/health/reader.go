package health

import (
	"math/bits"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// deadReader is D26: cars are plugged in and no card is read. Measured against
// the station's own past, so that a site where most people use an app is no
// alarm; where nobody has to show anything it is off.
func deadReader() detect.Detector {
	return detect.Detector{
		ID: "D26", Code: "deadReader",
		Params: []detect.Param{
			{Name: "plugIns", Default: 10, Doc: "last plug-ins that are compared"},
			{Name: "percentOfUsual", Default: 50, Unit: "%", Doc: "share of the usual cards per plug-in below which it is told"},
			{Name: "learnPlugIns", Default: 30, Doc: "plug-ins before those that tell what is usual"},
			{Name: "usualPercent", Default: 30, Unit: "%", Doc: "where fewer plug-ins come with a card the reader says nothing"},
		},
		Tried: readerTried,
		New:   func() any { return new(cards) },
	}
}

// cards tells which plug-ins of a station came with a card read there.
type cards struct {
	Last  uint32  `json:"last,omitempty"` // the newest, one bit each, the newest lowest
	Have  int     `json:"have,omitempty"` // bits of Last that are used
	N     float64 `json:"n,omitempty"`    // plug-ins before
	Read  float64 `json:"read,omitempty"` // of them with a card
	Again int     `json:"again,omitempty"`
}

const (
	weighCards  = 200
	cardsProven = 3
)

func readerTried(c *detect.Context, a *attempt.Attempt) {
	if a.EVSE == 0 || c.Station.FreeVend {
		return
	}
	switch a.Reason {
	case attempt.Faulted, attempt.StationLost, attempt.Restarted, attempt.PowerLoss, attempt.TakenOut:
		if a.Token == "" {
			return // there was something else to fail at
		}
	}
	m := detect.Memory[cards](c, 0)
	read := a.Token != "" && !a.Remote
	window := min(max(int(c.Param("plugIns")), 1), 32)
	open := c.Station.IsOpen("deadReader", 0)
	for m.Have >= window { // the oldest of the window becomes the past, unless the window is sick
		if m.Last>>(m.Have-1)&1 == 1 {
			m.Read++
			m.N++
		} else if !open {
			m.N++
		}
		m.Have--
		m.Last &= 1<<m.Have - 1
	}
	if m.N >= weighCards {
		m.N, m.Read = m.N/2, m.Read/2
	}
	m.Last <<= 1
	if read {
		m.Last |= 1
		m.Again++
	} else {
		m.Again = 0
	}
	m.Have++
	if open && m.Again >= cardsProven {
		m.Last, m.Have = 0, 0
		c.Clear("deadReader", 0, detect.Value("cardsInRow", float64(m.Again), ""))
		return
	}
	if m.Have < window || m.N < c.Param("learnPlugIns") {
		return
	}
	n := float64(bits.OnesCount32(m.Last))
	share, usual := 100*n/float64(m.Have), 100*m.Read/m.N
	if usual < c.Param("usualPercent") || share >= usual*c.Param("percentOfUsual")/100 {
		return
	}
	c.Raise(0, event.Finding{
		Severity: event.S2,
		Text:     c.Say("Of the last %d plug-ins %.0f came with a card read at the station; usual are %.0f %%.", m.Have, n, usual),
		Facts: []event.Fact{
			detect.Value("plugIns", float64(m.Have), ""), detect.Value("cards", n, ""), detect.Value("share", share, "%"), detect.Value("usual", usual, "%"),
		},
	})
}
