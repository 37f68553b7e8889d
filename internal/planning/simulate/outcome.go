package simulate

import "math"

// Hour is what happened in one hour of the week, over all weeks that count.
type Hour struct {
	Hours    float64 // of it that were played
	Arrived  float64
	Waited   float64 // who did not plug in at once, whether they left or not
	WaitSum  float64 // hours, of those served
	Late     float64 // waited longer than Run.Late, served or not
	Lost     float64 // drove on before they could plug in
	Failed   float64 // late or lost: whom the promise was broken to
	Started  float64 // of those who arrived in the hour
	EnergyWh float64 // delivered in the hour
	Busy     float64 // port hours
	AllBusy  float64 // hours in which no working port was free
}

func (h *Hour) add(o Hour, sign float64) {
	h.Hours += sign * o.Hours
	h.Arrived += sign * o.Arrived
	h.Waited += sign * o.Waited
	h.WaitSum += sign * o.WaitSum
	h.Late += sign * o.Late
	h.Lost += sign * o.Lost
	h.Failed += sign * o.Failed
	h.Started += sign * o.Started
	h.EnergyWh += sign * o.EnergyWh
	h.Busy += sign * o.Busy
	h.AllBusy += sign * o.AllBusy
}

// Balance counts all cars and all energy of a run, the warm-up included: what
// came in is what went out and what is left, exactly.
type Balance struct {
	Arrived, Started, Lost, Waiting, Left, Plugged int
	Interrupted                                    int     // of those that left: their port failed
	WantedWh                                       float64 // of those who started
	DeliveredWh                                    float64 // to those who left
	UnservedWh                                     float64 // what they left without
	OnBoardWh                                      float64 // delivered to those still plugged in
	OwedWh                                         float64 // what those still want
	MeteredWh                                      float64 // at the connection, by quarter hours
	WaitSum                                        float64 // hours, of all, by driver
	QueueSum                                       float64 // hours, by the length of the queue over time
	PluggedSum                                     float64 // hours, by driver
	BusySum                                        float64 // hours, by ports over time
}

// Outcome is what one replication brought.
type Outcome struct {
	Hours    float64
	ByHour   [Week]Hour
	Balance  Balance
	PeakW    float64   // highest mean of a quarter hour
	Months   []float64 // the same for each 30 days
	MostW    float64   // highest power at any instant
	Unserved float64   // Wh that drivers left without although their port was up
	Stretch  float64   // hours that sharing power cost drivers, of those who left
	waits    []uint32  // histogram of waits above zero, of those served
	waitsOf  int       // of how many
}

// Total is the sum over all hours of the week.
func (o *Outcome) Total() Hour {
	var t Hour
	for h := range o.ByHour {
		t.add(o.ByHour[h], 1)
	}
	return t
}

// Over is the sum over some hours of the week.
func (o *Outcome) Over(in *[Week]bool) Hour {
	var t Hour
	for h := range o.ByHour {
		if in[h] {
			t.add(o.ByHour[h], 1)
		}
	}
	return t
}

// The histogram of waits has 128 steps in each doubling: 0.8 % wide.
const (
	waitBits  = 52 - 7
	waitLeast = (1023 - 20) << 7 // 2⁻²⁰ hours
	waitSlots = 40 << 7
)

func slot(wait float64) int {
	return max(0, min(waitSlots-1, int(math.Float64bits(wait)>>waitBits)-waitLeast))
}

// WaitQuantile is the wait that a share p of those served, in the hours of
// Run.Of, in some outcomes did
// not exceed.
func WaitQuantile(p float64, outcomes ...*Outcome) float64 {
	var started, waited float64
	slots := make([]float64, waitSlots)
	for _, o := range outcomes {
		started += float64(o.waitsOf)
		for i, n := range o.waits {
			slots[i] += float64(n)
			waited += float64(n)
		}
	}
	need := p*started - (started - waited)
	if need <= 0 {
		return 0
	}
	for i, n := range slots {
		if need <= n {
			low := math.Float64frombits(uint64(i+waitLeast) << waitBits)
			high := math.Float64frombits(uint64(i+waitLeast+1) << waitBits)
			return low + (high-low)*need/n
		}
		need -= n
	}
	return math.Float64frombits(uint64(waitLeast+waitSlots) << waitBits)
}
