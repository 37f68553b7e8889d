// Package rollup counts what the ports of a site did, so exactly that sums may
// be taken and compared for years: the time of a port in quarter hours, by what
// it was doing, and the energy that went through it.
//
// It promises:
//
//   - Each moment of a port counts once. The milliseconds of a cell add up to
//     the cell, whatever overlaps or is told twice.
//   - Energy is conserved: what the cells of a session hold adds up to what the
//     session took, to the milliwatt-hour, however it is spread.
//   - The result depends on what happened only: not on the order in which it
//     was told, nor on repeats, nor on how a span is cut into days.
//
// Cells and days are UTC: they have 900 seconds and 24 hours, always. Questions
// about hours of the day and days of the week are asked of a place and answered
// with its zone by whoever reads cells.
package rollup

import "time"

// CellLength is the step in which time is counted; Cells of them make a day.
const (
	CellLength = 15 * time.Minute
	Day        = 24 * time.Hour
	Cells      = int(Day / CellLength)
)

// State is what a port does at a moment. Exactly one of them is the case.
type State uint8

// The states. A car is plugged in while a port is Charging, Idle or Blocked.
const (
	Free        State = iota
	Charging          // energy flows
	Idle              // a session is open and no energy flows
	Blocked           // occupied without a session
	Reserved          // for somebody who has not come yet
	Faulted           // the port says that it is broken
	Unavailable       // taken out of service
	Unobserved        // nobody could tell: the station or we were away

	States = 8
)

// Cell is one port's part of a quarter hour, or several ports' together.
type Cell struct {
	Millis  [States]int64
	Starts  int64 // sessions that began
	MilliWh int64
}

// Occupied is for how many milliseconds a car was plugged in.
func (c *Cell) Occupied() int64 { return c.Millis[Charging] + c.Millis[Idle] + c.Millis[Blocked] }

// PowerW is the mean power of the quarter hour.
func (c *Cell) PowerW() float64 { return float64(c.MilliWh) / 1000 / CellLength.Hours() }

// Point is what the ports of a place did in one step of time. Durations are
// seconds of ports: two ports that are busy for a minute make 120.
type Point struct {
	From  time.Time
	Ports int // that the place had in the step
	// Places is how many places were added up; AllBusy is of all of them.
	Places int

	Free        float64
	Occupied    float64 // Charging, Idle and Blocked
	Charging    float64
	Idle        float64
	Blocked     float64
	Reserved    float64
	Faulted     float64
	Unavailable float64
	Unobserved  float64

	Starts   int
	EnergyWh float64
	PeakW    float64 // the highest mean power of a quarter hour in the step, of all ports together
	// Open is for how many seconds any port was operative, AllBusy of these in which
	// none of them was free: time of the place, not of its ports.
	Open, AllBusy float64
}

// Operative is the time for which ports were seen to be able to serve.
func (p *Point) Operative() float64 { return p.Free + p.Occupied + p.Reserved }

// Calendar is all time of all ports.
func (p *Point) Calendar() float64 { return p.Operative() + p.Faulted + p.Unavailable + p.Unobserved }

// Session is one car's stay at a port, heard live or imported.
type Session struct {
	Station     string
	EVSE        int
	Start, End  time.Time
	ChargingEnd time.Time // zero: unknown
	EnergyWh    float64   // NaN: unknown
	PeakW       float64   // zero: unknown
	Token       string    // a stable anonymous name of whoever came; empty: unknown
	Imported    bool
}

// Port is a port whose days are counted.
type Port struct {
	ID      int64
	Site    string
	Station string
	EVSE    int
	Past    bool    // only imports know of it
	RatedW  float64 // zero: unknown
	Current string  // AC, DC or empty: unknown
}
