// Package past reads files of charging sessions from before we listened, as they come
// from other systems: with headers in some language, dates in some order and the dirt
// that real files have.
//
// It promises that nothing is silent: each row of a file ends as imported, imported
// with something mended (and what), quarantined (and why) or a duplicate, and these
// add up to the rows. What cannot be told from the file is asked, never guessed: an
// Examination says what a person has to decide. The same file read in the same way
// gives the same sessions in the same order, so that an import that stopped goes on
// where it was.
//
// What is bounded: the length of a line, the columns, the rows and the different names
// in a file, before anything of it is interpreted.
package past

import (
	"errors"
	"time"
)

// Bounds of a file.
const (
	MaxBytes   = 256 << 20
	MaxRows    = 1_000_000
	maxRecord  = 64 << 10
	maxColumns = 256
	maxCell    = 1000 // characters that are looked at
	maxNames   = 200_000
	maxPort    = 64
	headRows   = 400 // that the guess looks at
)

// What makes a file as a whole unreadable.
var (
	ErrEmpty   = errors.New("the file is empty")
	ErrHeader  = errors.New("no line names columns that are known: the first line has to")
	ErrColumns = errors.New("more than 256 columns")
	ErrRows    = errors.New("more than a million rows: take it in parts")
	ErrNames   = errors.New("more than 200,000 different stations and sites: is the mapping right?")
	ErrMapping = errors.New("the mapping needs a column for the start, and one for the end or the duration")
	ErrBytes   = errors.New("larger than 256 MiB: take it in parts")
)

// Outcome is what a row came to.
type Outcome uint8

// The outcomes of a row. They add up to the rows of a file.
const (
	Imported    Outcome = iota + 1
	Repaired            // imported, with something mended
	Quarantined         // not imported: it cannot be believed
	Duplicate           // stands already
)

var outcomes = [...]string{"", "imported", "repaired", "quarantined", "duplicate"}

func (o Outcome) String() string { return outcomes[o] }

// Kind is what was found in a row or in a file.
type Kind uint8

// What is found. Those of repairs mend something, those of quarantine end a row, those
// of flags are kept as they are and marked, and notes are of the whole file.
const (
	KindNone Kind = iota
	// Repairs.
	DatesSwapped    // day and month stood in each other's place
	AutumnHour      // the end lay in the hour that comes twice and was taken as its second time
	SpringHour      // the clock never showed that time; an hour was added
	EndFromDuration // no believable end; it was made of the duration
	EndTrimmed      // the next session at the port proves that the car was gone
	EnergyNegative  // negative energy is taken as unknown
	EnergyAbsurd    // more energy than the port can give in that time is taken as unknown
	SiteTidied      // spaces in the name of the site
	SiteMerged      // another spelling of the site, merged as a person said
	SiteFilled      // no site, but its station has one in other rows
	PortAssumed     // no connector named; it was taken as the first
	// Quarantine.
	NoStart
	NoEnd
	End1970
	EndBeforeStart
	NoStation
	NoSite
	NotMatched // the person left the site out
	TooLong
	InFuture
	Overlap
	WrongColumns
	LineTooLong
	// Duplicates.
	Twice   // twice in the file
	Here    // here already, by an import
	Watched // recorded by ourselves
	// Flags.
	LongStay
	ZeroDuration
	ZeroEnergy
	AutumnUnclear // the start or end lies in the hour that comes twice and was taken as its first time
	// Notes.
	Latin1
	BlankLines
	HeaderAgain
	PortsUnnamed
	Hole
	Spellings
	DatesUnclear
	kinds
)

var kindNames = [kinds]string{
	KindNone: "", DatesSwapped: "datesSwapped", AutumnHour: "autumnHour", SpringHour: "springHour", EndFromDuration: "endFromDuration",
	EndTrimmed: "endTrimmed", EnergyNegative: "energyNegative", EnergyAbsurd: "energyAbsurd", SiteTidied: "siteTidied", SiteMerged: "siteMerged",
	SiteFilled: "siteFilled", PortAssumed: "portAssumed", NoStart: "noStart", NoEnd: "noEnd", End1970: "end1970", EndBeforeStart: "endBeforeStart",
	NoStation: "noStation", NoSite: "noSite", NotMatched: "notMatched", TooLong: "tooLong", InFuture: "inFuture", Overlap: "overlap",
	WrongColumns: "wrongColumns", LineTooLong: "lineTooLong", Twice: "twice", Here: "here", Watched: "watched", LongStay: "longStay",
	ZeroDuration: "zeroDuration", ZeroEnergy: "zeroEnergy", AutumnUnclear: "autumnUnclear", Latin1: "latin1", BlankLines: "blankLines", HeaderAgain: "headerAgain",
	PortsUnnamed: "portsUnnamed", Hole: "hole", Spellings: "spellings", DatesUnclear: "datesUnclear",
}

func (k Kind) String() string { return kindNames[k] }

// Kinds lists what can be found.
func Kinds() []Kind {
	out := make([]Kind, 0, kinds-1)
	for k := range kinds {
		if k != KindNone {
			out = append(out, k)
		}
	}
	return out
}

// Class is what a finding means for rows: repaired, quarantined, duplicate, flagged or
// note.
func (k Kind) Class() string {
	switch {
	case k <= PortAssumed:
		return "repaired"
	case k <= LineTooLong:
		return "quarantined"
	case k <= Watched:
		return "duplicate"
	case k <= AutumnUnclear:
		return "flagged"
	}
	return "note"
}

// Field is what a column may hold.
type Field string

// The fields.
const (
	Site         Field = "site"
	Station      Field = "station"
	Port         Field = "port"
	Start        Field = "start"
	StartTime    Field = "startTime" // where start holds the date only
	End          Field = "end"
	EndTime      Field = "endTime"
	Duration     Field = "duration"
	ChargingEnd  Field = "chargingEnd"
	ChargingTime Field = "chargingTime"
	Energy       Field = "energy"
	PeakPower    Field = "peakPower"
	RatedPower   Field = "ratedPower" // a number of kW, or a text that names it
	Token        Field = "token"
)

// Fields lists them in the order in which people look for them.
func Fields() []Field {
	return []Field{Site, Station, Port, Start, StartTime, End, EndTime, Duration, ChargingEnd, ChargingTime, Energy, PeakPower, RatedPower, Token}
}

// Mapping says which column (from 0) holds what, and how it is to be read.
type Mapping struct {
	Columns map[Field]int `json:"columns"`
	// Zone is whose clock the times without an offset are of; empty: nobody said.
	Zone string `json:"zone,omitempty"`
	// IgnoreOffsets reads a time as of Zone though it carries an offset.
	IgnoreOffsets bool `json:"ignoreOffsets,omitempty"`
	// Dates is how dates are read; empty: as the file shows.
	Dates DateOrder `json:"dates,omitempty"`
	// Decimal is "." or ","; empty: as the file shows.
	Decimal string `json:"decimal,omitempty"`
	// EnergyUnit is Wh, kWh or MWh, TimeUnit s, min, h or hms; empty: as header and
	// values show.
	EnergyUnit string `json:"energyUnit,omitempty"`
	TimeUnit   string `json:"timeUnit,omitempty"`
	// LongDays is from how many days on a stay is flagged; 0: 7.
	LongDays int `json:"longDays,omitempty"`
	// MaxKWh is the most energy of a session that is believed; 0: 300.
	MaxKWh float64 `json:"maxKWh,omitempty"`
	// Quiet takes times in which nothing stands in the file as times in which nothing
	// happened, however unlikely; without it they are holes.
	Quiet bool `json:"quiet,omitempty"`
	// Merge gives a spelling of a site's name the spelling that counts.
	Merge map[string]string `json:"merge,omitempty"`
}

// DateOrder is how the numbers of a date are read.
type DateOrder string

// The orders.
const (
	DatesAuto   DateOrder = ""
	DayFirst    DateOrder = "dayFirst"   // 05/06/2018 is in June
	MonthFirst  DateOrder = "monthFirst" // 05/06/2018 is in May; 2018-05-06 too
	DatesSwap   DateOrder = "swapped"    // 2018-05-06 is in June, wherever that can be
	DatesAsISO  DateOrder = "asWritten"  // 2018-05-06 is in May
	defaultLong           = 7
	defaultMost           = 300
)

// Session is a session of the file that is taken.
type Session struct {
	Line        int
	Site        string // as the file calls it, tidied and merged
	Station     string
	Port        int
	Start, End  time.Time
	ChargingEnd time.Time // zero: unknown
	EnergyWh    float64   // NaN: unknown
	PeakW       float64   // NaN: unknown
	Token       string
	Flag        string // what was mended or is odd, by comma
}

// Cover says when the file knows of a port.
type Cover struct {
	Site, Station string
	Port          int
	From, To      time.Time
	RatedW        float64 // NaN: unknown
}

// Line is a row that was not taken, or not as it stood.
type Line struct {
	Number  int
	Outcome Outcome
	Kind    Kind
	Text    string // as it stands, without the token
}

// Finding is what was found in a file, with examples.
type Finding struct {
	Kind     Kind      `json:"-"`
	Count    int       `json:"count"`
	Examples []Example `json:"examples"`
}

// Example shows a finding at one row.
type Example struct {
	Line   int    `json:"line"`
	Before string `json:"before"`
	After  string `json:"after,omitempty"`
}

// SiteName is a site as the file calls it.
type SiteName struct {
	Name     string
	Rows     int
	Stations int
	// Alike are other names in the file that may be the same place.
	Alike []string
}
