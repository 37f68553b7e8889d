package rule

import (
	"errors"
	"math"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/usage/attempt"
)

// scene is what one evaluation looks at. Any part may be missing.
type scene struct {
	n    *detect.Network
	now  time.Time
	e    *event.Event          // nil when a timer asks
	item *event.ComponentEvent // the one of e that is looked at
	st   *detect.Station
	port *detect.Port
	try  *attempt.Attempt
	site string
	sum  *sums // of the site, made when asked for
}

// errUnknown is what a value says that is not known.
var errUnknown = errors.New("not known")

// maxString bounds what an expression is given of a station's own words.
const maxString = 4096

// clip shortens text to what an expression may see.
func clip(text string) string {
	if len(text) <= maxString {
		return text
	}
	return strings.ToValidUTF8(text[:maxString], "")
}

// ResolveName finds a variable: all are the scene, whose fields differ by type.
func (s *scene) ResolveName(name string) (any, bool) {
	switch name {
	case "event", "station", "port", "session", "attempt", "site":
		return s, true
	}
	return nil, false
}

// Parent is the rest of a scene: there is none.
func (s *scene) Parent() cel.Activation { return nil }

func since(now, at time.Time) (any, bool) {
	if at.IsZero() {
		return nil, false
	}
	return max(0, now.Sub(at).Seconds()), true
}

func known(v *float64) (any, bool) {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil, false
	}
	return *v, true
}

// word is text that is unknown when it is empty.
func word(text string) (any, bool) { return clip(text), text != "" }
