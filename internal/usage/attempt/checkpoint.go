package attempt

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Version names the form of a stored Fold. Another one is refused: the fold is
// then made again from the journal.
const Version = 1

// ErrVersion is returned for a Fold that another version stored.
var ErrVersion = errors.New("stored by another version")

// ErrStored is returned for a stored Fold that cannot be one of ours.
var ErrStored = errors.New("no fold of tries")

type stored struct {
	Version  int          `json:"v"`
	Last     time.Time    `json:"last,omitzero"`
	Ports    []storedPort `json:"ports,omitempty"`
	Waiting  []*Attempt   `json:"waiting,omitempty"`
	Commands []asked      `json:"commands,omitempty"`
	Refused  []Attempt    `json:"refused,omitempty"`
}

type storedPort struct {
	Slot       int           `json:"slot"`
	Open       *Attempt      `json:"open,omitempty"`
	Idle       bool          `json:"idle,omitempty"`
	Started    bool          `json:"started,omitempty"`
	StartedAt  time.Time     `json:"startedAt,omitzero"`
	Lost       bool          `json:"lost,omitempty"`
	Faulted    bool          `json:"faulted,omitempty"`
	Fault      string        `json:"fault,omitempty"`
	Suspended  string        `json:"suspended,omitempty"`
	MeterStart *float64      `json:"meterStart,omitempty"`
	Charging   time.Time     `json:"charging,omitzero"`
	Charged    time.Duration `json:"charged,omitempty"`
}

// MarshalJSON writes the fold for a checkpoint.
func (f *Fold) MarshalJSON() ([]byte, error) {
	out := stored{Version: Version, Last: f.last}
	if s := f.s; s != nil {
		out.Waiting, out.Commands, out.Refused = s.waiting, s.commands, s.refused
		for _, p := range s.ports {
			out.Ports = append(out.Ports, storedPort{
				Slot: p.slot, Open: p.open, Idle: p.idle, Started: p.started, StartedAt: p.startedAt, Lost: p.lost, Faulted: p.faulted, Fault: p.fault,
				Suspended: p.suspended, MeterStart: p.meterStart, Charging: p.charging, Charged: p.charged,
			})
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote; the fold goes on as if it had
// never stopped.
func (f *Fold) UnmarshalJSON(data []byte) error {
	var in stored
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("reading a stored fold of tries: %w", err)
	}
	if in.Version != Version {
		return fmt.Errorf("version %d: %w", in.Version, ErrVersion)
	}
	if len(in.Ports) > maxPorts || len(in.Waiting) > maxWaiting || len(in.Commands) > maxCommands || len(in.Refused) > maxRefused {
		return fmt.Errorf("more than one station may have: %w", ErrStored)
	}
	if slices.Contains(in.Waiting, nil) {
		return fmt.Errorf("a token is missing: %w", ErrStored)
	}
	s := &state{waiting: in.Waiting, commands: in.Commands, refused: in.Refused}
	for i, p := range in.Ports {
		if p.Slot == 0 || p.Open == nil && p.Started || i > 0 && in.Ports[i-1].Slot >= p.Slot {
			return fmt.Errorf("port %d: %w", p.Slot, ErrStored)
		}
		s.ports = append(s.ports, &port{
			slot: p.Slot, open: p.Open, idle: p.Idle, started: p.Started, startedAt: p.StartedAt, lost: p.Lost, faulted: p.Faulted, fault: p.Fault,
			suspended: p.Suspended, meterStart: p.MeterStart, charging: p.Charging, charged: p.Charged,
		})
	}
	*f = Fold{s: s, last: in.Last}
	f.settle()
	return nil
}
