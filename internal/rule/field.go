package rule

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/chargewatch/chargewatch/internal/event"
)

// field is one value that an expression can ask for.
type field struct {
	of, name string
	typ      kindOf
	unit     string
	en, de   string // what it is
	// kinds are those after which it is known; none: always, as far as anybody is.
	kinds []event.Kind
	get   func(*scene) (any, bool)
}

// kindOf is the type of a value.
type kindOf uint8

const (
	text kindOf = iota
	number
	whole
	truth
	moment
	words
	numbers
)

func (k kindOf) String() string {
	return [...]string{"string", "double", "int", "bool", "timestamp", "list(string)", "map(string, double)"}[k]
}

func (k kindOf) cel() *cel.Type {
	switch k {
	case number:
		return cel.DoubleType
	case whole:
		return cel.IntType
	case truth:
		return cel.BoolType
	case moment:
		return cel.TimestampType
	case words:
		return cel.ListType(cel.StringType)
	case numbers:
		return cel.MapType(cel.StringType, cel.DoubleType)
	}
	return cel.StringType
}

func (f *field) list() bool { return f.typ == words || f.typ == numbers }

func (f *field) path() string { return f.of + "." + f.name }

// objects are the variables, in the order in which they are explained.
func objects() []string { return []string{"event", "port", "session", "attempt", "station", "site"} }

// fields lists every value, by variable.
func fields() []field {
	return slices.Concat(eventFields(), portFields(), sessionFields(), attemptFields(), stationFields(), siteFields())
}

// fieldOf finds a value by its name, nil if there is none.
func fieldOf(path string) *field {
	if !strings.Contains(path, ".") {
		return nil
	}
	list := fields()
	if i := slices.IndexFunc(list, func(f field) bool { return f.path() == path }); i >= 0 {
		return &list[i]
	}
	return nil
}

// Kinds are what rules can follow.
func Kinds() []event.Kind {
	return []event.Kind{
		event.KindStatus, event.KindMeter, event.KindTransaction, KindAttempt, event.KindAuthorize, event.KindComponent,
		event.KindConnected, event.KindDisconnected, event.KindBoot, event.KindSecurity, event.KindFirmware, event.KindLog,
		event.KindDataTransfer, event.KindReservation, event.KindMessage, event.KindCommand, event.KindCommandResult,
		event.KindSessionInferred, event.KindFinding, event.KindDriverReport, event.KindConfigured, event.KindServerStarted,
	}
}
