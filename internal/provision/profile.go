package provision

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Profile is how stations are to be set, and which.
type Profile struct {
	ID   string `json:"-"`
	Name string `json:"name"`
	Off  bool   `json:"off,omitempty"`

	// Which stations; what is empty holds for all.
	Sites     []string `json:"sites,omitempty"`
	Vendor    string   `json:"vendor,omitempty"`
	Model     string   `json:"model,omitempty"` // its beginning
	Protocols []string `json:"protocols,omitempty"`

	Settings []Setting `json:"settings"`
	Mend     bool      `json:"mend,omitempty"` // what somebody changed later is set again
	Restart  Restart   `json:"restart,omitempty"`
}

// Setting is one wish of a profile.
type Setting struct {
	Name  string  `json:"name"`
	Value string  `json:"value"`
	DC    *string `json:"dc,omitempty"`     // instead, at stations with direct current
	V16   *string `json:"ocpp16,omitempty"` // instead, at stations of OCPP 1.6
	Leave bool    `json:"leave,omitempty"`  // the station keeps what it has, whatever another profile says
}

// Restart is when a station that wants to be restarted for a setting is.
type Restart string

// When a station is restarted: never while anybody is at it.
const (
	WhenIdle Restart = ""      // when nobody has been at it for some minutes
	AtNight  Restart = "night" // the same, between one and five
	Never    Restart = "never" // somebody does it
)

// Bounds of profiles.
const (
	MaxSettings = 100
	maxName     = 100
	maxValue    = 500
)

// BuiltIn is the id of the profile that comes along.
const BuiltIn = "default"

// Default is the profile that comes along: a station that follows it measures what
// people need to see.
func Default() *Profile {
	const list = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Power.Offered,SoC,Temperature"
	dc, none := "30", ""
	return &Profile{
		ID: BuiltIn, Name: "Default",
		Settings: []Setting{
			{Name: "SampledDataCtrlr/TxUpdatedInterval", Value: "60", DC: &dc},
			{Name: "SampledDataCtrlr/TxUpdatedMeasurands", Value: list},
			{Name: "SampledDataCtrlr/TxEndedMeasurands", Value: "Energy.Active.Import.Register", V16: &none},
			{Name: "AlignedDataCtrlr/Interval", Value: "900"},
			{Name: "OCPPCommCtrlr/MessageAttempts/TransactionEvent", Value: "10"},
			{Name: "OCPPCommCtrlr/MessageAttemptInterval/TransactionEvent", Value: "60"},
			{Name: "OCPPCommCtrlr/WebSocketPingInterval", Value: "60"},
		},
	}
}

// Fault is what of a profile cannot be accepted.
type Fault struct{ Field, Reason string }

func (f *Fault) Error() string { return f.Field + ": " + f.Reason }

// Check says what of a profile cannot be accepted, and writes its names as the table
// does.
func (p *Profile) Check() error {
	if p.Name == "" || utf8.RuneCountInString(p.Name) > maxName || !printable(p.Name) {
		return &Fault{"name", "1 to 100 printable characters"}
	}
	if utf8.RuneCountInString(p.Vendor) > maxName || !printable(p.Vendor) {
		return &Fault{"vendor", "at most 100 printable characters"}
	}
	if utf8.RuneCountInString(p.Model) > maxName || !printable(p.Model) {
		return &Fault{"model", "at most 100 printable characters"}
	}
	for i, x := range p.Protocols {
		if !slices.Contains([]string{"ocpp1.6", "ocpp2.0.1", "ocpp2.1"}, x) {
			return &Fault{"protocols[" + strconv.Itoa(i) + "]", "must be ocpp1.6, ocpp2.0.1 or ocpp2.1"}
		}
	}
	if !slices.Contains([]Restart{WhenIdle, AtNight, Never}, p.Restart) {
		return &Fault{"restart", "must be idle, night or never"}
	}
	if len(p.Settings) == 0 || len(p.Settings) > MaxSettings {
		return &Fault{"settings", "1 to 100 settings"}
	}
	seen := make(map[string]bool)
	for i := range p.Settings {
		s, at := &p.Settings[i], "settings["+strconv.Itoa(i)+"]"
		if k, ok := Find(s.Name); ok {
			s.Name = k.Name
		}
		if why := s.wrong(); why != nil {
			why.Field = at + "." + why.Field
			return why
		}
		if seen[strings.ToLower(s.Name)] {
			return &Fault{at + ".name", "is there twice"}
		}
		seen[strings.ToLower(s.Name)] = true
	}
	return nil
}

func (s *Setting) wrong() *Fault {
	parts := strings.Split(s.Name, "/")
	if len(parts) > 3 || slices.ContainsFunc(parts, func(x string) bool { return x == "" || len(x) > 50 || !printable(x) }) {
		return &Fault{"name", "a component and a variable such as SampledDataCtrlr/TxUpdatedInterval, or a key of OCPP 1.6"}
	}
	if Secret(s.Name) {
		return &Fault{"name", "a secret: change it where the station's password is changed"}
	}
	for _, v := range []*string{&s.Value, s.DC, s.V16} {
		if v == nil || s.Leave {
			continue
		}
		if len(*v) > maxValue || !printable(*v) {
			return &Fault{"value", "at most 500 printable characters"}
		}
		k, _ := Find(s.Name)
		if why := valid(k.Kind, *v); why != "" {
			return &Fault{"value", why}
		}
	}
	return nil
}

func valid(kind Kind, v string) string {
	switch kind {
	case Number:
		if n, err := strconv.Atoi(v); err != nil || n < 0 || n > 1_000_000_000 {
			return "a whole number, not below 0"
		}
	case Flag:
		if v != "true" && v != "false" {
			return "must be true or false"
		}
	case Measurands:
		for _, m := range Split(v) {
			if strings.ContainsAny(m, " ;/") || len(m) > 60 {
				return "measurands such as Power.Active.Import, with commas between them"
			}
		}
	case Text:
	}
	return ""
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Station is what of a station decides how it is to be set.
type Station struct {
	Site, Vendor, Model, Protocol string
	DC                            bool
	List                          bool // its list of cards is kept, and the settings that belong to it
}

func (st *Station) modern() bool { return strings.HasPrefix(st.Protocol, "ocpp2") }

// fits reports whether a profile holds for a station, and how closely it names it.
func (p *Profile) fits(st *Station) (close int, ok bool) {
	if p.Off {
		return 0, false
	}
	if len(p.Sites) > 0 {
		if !slices.Contains(p.Sites, st.Site) {
			return 0, false
		}
		close += 8
	}
	if p.Model != "" {
		if !hasPrefixFold(st.Model, p.Model) {
			return 0, false
		}
		close += 4
	}
	if p.Vendor != "" {
		if !strings.EqualFold(st.Vendor, p.Vendor) {
			return 0, false
		}
		close += 2
	}
	if len(p.Protocols) > 0 {
		if !slices.Contains(p.Protocols, st.Protocol) {
			return 0, false
		}
		close++
	}
	return close, true
}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// Plan is how one station is to be set.
type Plan struct {
	Profiles []string // that hold, the closest last
	Wants    []Want
	Mend     bool
	Restart  Restart
}

// Want is one setting of a station as it is to be.
type Want struct {
	Known
	Value   string
	Profile string // that says so
	// Word is what the station calls it: a key, or component and variable.
	Word string
}

// For makes the plan of a station: of all profiles that hold, the closer one decides
// about each setting. A site is closer than a model, a model than a maker, a maker than
// a version.
func For(all []*Profile, st *Station) Plan {
	type fitting struct {
		p     *Profile
		close int
	}
	var fit []fitting
	for _, p := range all {
		if close, ok := p.fits(st); ok {
			if p.ID == BuiltIn {
				close--
			}
			fit = append(fit, fitting{p, close})
		}
	}
	slices.SortStableFunc(fit, func(a, b fitting) int {
		return cmp.Or(cmp.Compare(a.close, b.close), cmp.Compare(len(a.p.Model), len(b.p.Model)), cmp.Compare(a.p.ID, b.p.ID))
	})
	var plan Plan
	for _, x := range fit {
		plan.Profiles = append(plan.Profiles, x.p.ID)
		plan.Mend, plan.Restart = x.p.Mend, x.p.Restart
		for i := range x.p.Settings {
			plan.take(x.p.ID, &x.p.Settings[i], st)
		}
	}
	return plan
}

// take lets a setting decide, in place of what a profile before said.
func (p *Plan) take(profile string, s *Setting, st *Station) {
	p.Wants = slices.DeleteFunc(p.Wants, func(w Want) bool { return strings.EqualFold(w.Name, s.Name) })
	if s.Leave || st.List && ByList(s.Name) {
		return
	}
	w := Want{Value: s.Value, Profile: profile}
	var known bool
	if w.Known, known = Find(s.Name); !known {
		w.Known = Known{Name: s.Name, Kind: Text}
		if !strings.Contains(s.Name, "/") {
			w.Key = s.Name
		}
	}
	switch {
	case st.modern() && strings.Contains(w.Name, "/"):
		w.Word = w.Name
	case !st.modern() && w.Key != "":
		w.Word = w.Key
	default:
		return // this version has no such setting
	}
	if s.DC != nil && st.DC {
		w.Value = *s.DC
	}
	if s.V16 != nil && !st.modern() {
		w.Value = *s.V16
	}
	if w.Kind == Measurands {
		w.Value = strings.Join(slices.DeleteFunc(Split(w.Value), func(m string) bool { return !Measurand(m, st.modern()) }), ",")
	}
	p.Wants = append(p.Wants, w)
}
