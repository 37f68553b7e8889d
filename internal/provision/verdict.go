package provision

import (
	"slices"
	"strconv"
	"strings"
)

// State is how a setting of a station stands.
type State string

// The states of a setting.
const (
	Unread       State = "unread"       // the station was not asked, or did not say
	AsWanted     State = "same"         // as the profile asks
	Differs      State = "differs"      // and is to be set
	Accepted     State = "accepted"     // set, and not yet seen in what the station measures
	Verified     State = "verified"     // seen in what it measures
	Partly       State = "partly"       // of a list of measurands the station takes only some
	Refused      State = "refused"      // it does not take the value
	ReadOnly     State = "readOnly"     // it cannot be changed
	NotSupported State = "notSupported" // it does not know the setting
	AtRestart    State = "atRestart"    // it takes the value when it restarts
	Unanswered   State = "unanswered"   // it did not answer, or said what nobody understands
)

// Value is what a station says of a setting.
type Value struct {
	Text     *string // nil: there is one and it does not say which
	ReadOnly bool
}

// Verdict is how a setting of a station stands.
type Verdict struct {
	Name    string   `json:"name"`
	Word    string   `json:"word"`
	Kind    Kind     `json:"kind"`
	Effect  Effect   `json:"effect,omitempty"`
	Want    string   `json:"want"`
	Is      *string  `json:"is"`
	State   State    `json:"state"`
	Said    string   `json:"said,omitempty"`    // the station, in its own word
	Missing []string `json:"missing,omitempty"` // of the measurands that are wanted
	Unseen  []string `json:"unseen,omitempty"`  // of those that it took, not in what it measured
	Profile string   `json:"profile"`
	Drifted bool     `json:"drifted,omitempty"` // it was as wanted once, and somebody changed it
	Applied string   `json:"applied,omitempty"` // the value that it was given or found with
	Done    bool     `json:"done,omitempty"`    // Applied holds
}

// Holds reports whether the station does what the profile asks, as far as it can.
func (v *Verdict) Holds() bool {
	switch v.State {
	case AsWanted, Accepted, Verified, Partly, NotSupported, ReadOnly:
		return true
	case Unread, Differs, Refused, AtRestart, Unanswered:
	}
	return false
}

// Measures reports whether it shows in what the station measures as the profile asks.
func (v *Verdict) Measures() bool {
	return v.State == AsWanted || v.State == Accepted || v.State == Verified || v.State == Partly
}

// Taken is which measurands stations of a model and firmware take for a setting.
type Taken struct {
	Yes []string `json:"yes"`
	No  []string `json:"no"`
}

// Wish is what of a list of measurands a station is asked to take: without those that
// others of its kind refused.
func (t *Taken) Wish(value string) []string {
	wish := Split(value)
	if t == nil {
		return wish
	}
	return missing(wish, t.No)
}

// Compare says how settings of a station stand to what is wanted. nil for what it said
// means that it was asked and does not know the setting.
func Compare(plan *Plan, is map[string]*Value, taken map[string]*Taken, before []Verdict) []Verdict {
	out := make([]Verdict, 0, len(plan.Wants))
	for i := range plan.Wants {
		w := &plan.Wants[i]
		v := Verdict{Name: w.Name, Word: w.Word, Kind: w.Kind, Effect: w.Effect, Want: w.Value, Profile: w.Profile, State: Unread}
		was := find(before, w.Name)
		if was != nil {
			v.Applied, v.Done = was.Applied, was.Done && was.Want == w.Value
		}
		if found, asked := is[strings.ToLower(w.Word)]; asked {
			v.compare(w, found, taken[w.Word])
			v.remember(was)
		} else if was != nil && was.Want == w.Value {
			v = *was
			v.Profile = w.Profile
		}
		out = append(out, v)
	}
	return out
}

func find(list []Verdict, name string) *Verdict {
	i := slices.IndexFunc(list, func(v Verdict) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

func (v *Verdict) compare(w *Want, found *Value, taken *Taken) {
	switch {
	case found == nil:
		v.State = NotSupported
		return
	case found.Text == nil:
		v.State, v.Said = Unread, "the station does not tell the value"
		return
	}
	v.Is = found.Text
	want := w.Value
	if w.Kind == Measurands {
		want = strings.Join(taken.Wish(w.Value), ",")
		v.Missing = missing(Split(w.Value), Split(want))
	}
	switch {
	case Same(w.Kind, *found.Text, want):
		v.State = AsWanted
		if len(v.Missing) > 0 {
			v.State = Partly
		}
	case found.ReadOnly:
		v.State = ReadOnly
	default:
		v.State = Differs
		v.Missing = nil
	}
}

// remember keeps what was found out about a setting that is still as it was.
func (v *Verdict) remember(was *Verdict) {
	switch {
	case was == nil:
	case was.Want != v.Want:
		v.Done = false
	case (v.State == AsWanted || v.State == Partly) && was.State == AtRestart: // it has the value, and does not go by it
		v.State, v.Said = AtRestart, was.Said
	case v.State == AsWanted || v.State == Partly:
		if was.State == Verified || was.State == Accepted {
			v.State, v.Unseen = was.State, was.Unseen
		}
	case v.State == Differs && v.Done && v.Is != nil && !Same(v.Kind, *v.Is, v.Applied):
		v.Drifted = true
	case v.State == Differs && (was.State == Refused || was.State == AtRestart || was.State == Partly) && was.Is != nil && v.Is != nil && Same(v.Kind, *was.Is, *v.Is):
		v.State, v.Said, v.Missing = was.State, was.Said, was.Missing
	}
	if v.State == AsWanted || v.State == Partly || v.State == Verified || v.State == Accepted {
		v.Done = true
		if v.Is != nil {
			v.Applied = *v.Is
		}
	}
}

// Took notes what a station said to being given a value.
func (v *Verdict) Took(value, said string) {
	v.Said = said
	switch said {
	case "Accepted":
		v.State, v.Is, v.Applied, v.Done, v.Drifted = AsWanted, &value, value, true, false
		if v.Effect != NoEffect {
			v.State, v.Unseen = Accepted, nil
		}
		v.Missing = nil
		if v.Kind == Measurands {
			if v.Missing = missing(Split(v.Want), Split(value)); len(v.Missing) > 0 && v.Effect == NoEffect {
				v.State = Partly
			}
		}
	case "RebootRequired":
		v.State, v.Applied, v.Done, v.Drifted = AtRestart, value, true, false
	case "NotSupported", "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType":
		v.State = NotSupported
	case "Rejected":
		v.State = Refused
	default:
		v.State = Unanswered
	}
}

// Probe finds out which measurands a station takes: all at once, and one more at a time
// where it refuses that. What it accepted last is what it has.
type Probe struct {
	list  []string // asked for now
	taken []string
	left  []string
	one   bool
	no    []string
	most  int
	done  bool
	full  bool
}

// NewProbe begins with a wish; most is how many the station has room for, 0: it does
// not say.
func NewProbe(wish []string, most int) *Probe {
	p := &Probe{most: most, list: wish}
	if most > 0 && len(wish) > most {
		p.list, p.full = wish[:most], true
	}
	p.left = slices.Clone(p.list)
	return p
}

// Next is the list to be tried; false when nothing is left.
func (p *Probe) Next() ([]string, bool) { return p.list, !p.done }

// Said takes what the station said to the list.
func (p *Probe) Said(accepted bool) {
	switch {
	case !p.one && accepted:
		p.taken, p.done = p.list, true
		return
	case !p.one:
		p.one = true
	case accepted:
		p.taken, p.left = p.list, p.left[1:]
	default:
		p.no, p.left = append(p.no, p.left[0]), p.left[1:]
	}
	if len(p.left) == 0 {
		p.done = true
		return
	}
	p.list = append(slices.Clone(p.taken), p.left[0])
}

// Taken is what the station takes. Whether it refuses a measurand is known only where
// it was asked for one at a time, and took any.
func (p *Probe) Taken() (list []string, found *Taken) {
	if !p.done || !p.one || len(p.taken) == 0 {
		return p.taken, nil
	}
	return p.taken, &Taken{Yes: p.taken, No: p.no}
}

// Limit reads how many measurands a list can hold.
func Limit(v *Value) int {
	if v == nil || v.Text == nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(*v.Text))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
