package fleet

import (
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/event"
)

// ModelFault is what of an entry of the catalogue cannot be accepted.
type ModelFault struct{ Field, Reason string }

func (f *ModelFault) Error() string { return f.Field + ": " + f.Reason }

// Bounds of an entry. Those of catalogue.schema.json are the same; a test holds them
// together.
const (
	maxModelName    = 50
	minModelSource  = 8
	maxModelSource  = 500
	maxModelEVSEs   = 16
	maxModelPlugs   = 8
	leastW          = 1000
	maxGroupName    = 20
	maxMeasurands   = 64
	maxModelQuirks  = 32
	maxRebootKeys   = 100
	maxModelPhases  = 3
	quirkName       = `^[A-Za-z][A-Za-z0-9]{0,49}$`
	configurationID = `^[A-Za-z][A-Za-z0-9_.]{0,49}$`
)

// ConnectorTypes are those of OCPP 2.0.1 that an entry can name: c is a cable, s a
// socket.
func ConnectorTypes() []string {
	return []string{
		"cCCS1", "cCCS2", "cG105", "cTesla", "cType1", "cType2", "s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7",
		"sType2", "sType3", "Other1PhMax16A", "Other1PhOver16A", "Other3Ph", "Pan", "wInductive", "wResonant",
	}
}

// KnownMeasurands are those of OCPP that a station can be known to refuse.
func KnownMeasurands() []string {
	return []string{
		"Current.Export", "Current.Import", "Current.Offered", "Energy.Active.Export.Interval", "Energy.Active.Export.Register",
		"Energy.Active.Import.Interval", "Energy.Active.Import.Register", "Energy.Reactive.Export.Interval", "Energy.Reactive.Export.Register",
		"Energy.Reactive.Import.Interval", "Energy.Reactive.Import.Register", "Frequency", "Power.Active.Export", "Power.Active.Import",
		"Power.Factor", "Power.Offered", "Power.Reactive.Export", "Power.Reactive.Import", "RPM", "SoC", "Temperature", "Voltage",
	}
}

// Check says what of an entry cannot be: what catalogue.schema.json says, and what a
// schema cannot say.
func (m *Model) Check() error {
	if f := m.wrong(); f != nil {
		return f
	}
	return nil
}

func (m *Model) wrong() *ModelFault {
	switch {
	case !plainText(m.Vendor, 1, maxModelName):
		return &ModelFault{"vendor", "1 to 50 characters, as the station reports"}
	case !plainText(m.Model, 1, maxModelName):
		return &ModelFault{"model", "1 to 50 characters with which the reported model begins"}
	case !plainText(m.Source, minModelSource, maxModelSource):
		return &ModelFault{"source", "8 to 500 characters: where the facts were read, so that anybody can look"}
	case len(m.EVSEs) == 0 || len(m.EVSEs) > maxModelEVSEs:
		return &ModelFault{"evses", "1 to 16 ports"}
	}
	connectors := make(map[int]bool)
	for i := range m.EVSEs {
		l, at := &m.EVSEs[i], "evses["+strconv.Itoa(i)+"]"
		if l.EVSE != i+1 {
			return &ModelFault{at + ".evse", "ports count up from 1"}
		}
		if f := wrongEVSE(l); f != nil {
			return &ModelFault{at + "." + f.Field, f.Reason}
		}
		for j, c := range l.Connectors {
			if connectors[c.Connector] {
				return &ModelFault{at + ".connectors[" + strconv.Itoa(j) + "].connector", "is there twice: connectors count over the whole station"}
			}
			connectors[c.Connector] = true
		}
	}
	if len(m.Quirks) > maxModelQuirks || repeated(m.Quirks) || !all(m.Quirks, quirkName) {
		return &ModelFault{"quirks", "at most 32 names of habits, each once"}
	}
	return m.Configuration.wrong()
}

func wrongEVSE(l *event.EVSELayout) *ModelFault {
	power := func(w float64) bool { return w == 0 || w >= leastW && w <= impossibleW }
	switch {
	case l.PublicID != "":
		return &ModelFault{"publicId", "is of a station, not of a model"}
	case l.Current != "AC" && l.Current != "DC":
		return &ModelFault{"current", "must be AC or DC"}
	case !power(l.RatedW):
		return &ModelFault{"ratedW", "1000 to 1500000 watts; left out if not known"}
	case l.Phases < 0 || l.Phases > maxModelPhases || l.Phases != 0 && l.Current == "DC":
		return &ModelFault{"phases", "1 to 3, of AC"}
	case l.Group != "" && !plainText(l.Group, 1, maxGroupName):
		return &ModelFault{"group", "at most 20 characters"}
	case !power(l.GroupW):
		return &ModelFault{"groupW", "1000 to 1500000 watts; left out if not known"}
	case l.Group == "" && l.GroupW != 0:
		return &ModelFault{"groupW", "only of a group"}
	case l.Group == "" && l.Exclusive:
		return &ModelFault{"exclusive", "only in a group"}
	case len(l.Connectors) == 0 || len(l.Connectors) > maxModelPlugs:
		return &ModelFault{"connectors", "1 to 8 connectors"}
	}
	for i, c := range l.Connectors {
		at := "connectors[" + strconv.Itoa(i) + "]"
		if c.Connector < 1 || c.Connector > maxConnectors {
			return &ModelFault{at + ".connector", "1 to 32"}
		}
		if c.Type != "" && !slices.Contains(ConnectorTypes(), c.Type) {
			return &ModelFault{at + ".type", "a ConnectorEnumType of OCPP 2.0.1"}
		}
	}
	return nil
}

func (c *Configuration) wrong() *ModelFault {
	for i, x := range c.Unsupported {
		if !slices.Contains(KnownMeasurands(), x) {
			return &ModelFault{"configuration.unsupported[" + strconv.Itoa(i) + "]", "a measurand of OCPP"}
		}
	}
	switch {
	case repeated(c.Unsupported):
		return &ModelFault{"configuration.unsupported", "each once"}
	case len(c.RebootAfter) > maxRebootKeys || repeated(c.RebootAfter) || !all(c.RebootAfter, configurationID):
		return &ModelFault{"configuration.rebootAfter", "names of settings, each once"}
	case c.MaxMeasurands < 0 || c.MaxMeasurands > maxMeasurands:
		return &ModelFault{"configuration.maxMeasurands", "1 to 64; left out if not known"}
	}
	return nil
}

func repeated(list []string) bool {
	for i, x := range list {
		if slices.Contains(list[:i], x) {
			return true
		}
	}
	return false
}

func all(list []string, pattern string) bool {
	re := regexp.MustCompile(pattern)
	return !slices.ContainsFunc(list, func(x string) bool { return !re.MatchString(x) })
}

func plainText(text string, least, most int) bool {
	if n := utf8.RuneCountInString(text); n < least || n > most || !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return true
}
