package security

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// guessing is C11: different cards are tried at a reader, one after the other, while a
// person is seen there. Whoever forgot which card is the right one has two or three; a
// card that is refused again and again is one card. At a door it makes worse what A03
// tells; at a station it is told of five cards, and is urgent with a person.
func guessing() detect.Detector {
	return detect.Detector{
		ID: "C11", Code: "cardGuessing", Cameras: true, Doors: true,
		Any:  []detect.Source{detect.ChargerSource, detect.DoorSource},
		Uses: []detect.Source{detect.PersonSource},
		Params: []detect.Param{
			{Name: "leastAtDoor", Default: 3, Doc: "how many different cards are refused at a door"},
			{Name: "doorSeconds", Default: 120, Unit: "s", Doc: "within which time"},
			{Name: "leastAtStation", Default: 5, Doc: "how many different cards are refused at a station"},
			{Name: "stationMinutes", Default: 10, Unit: "min", Doc: "within which time"},
		},
		Kinds: []event.Kind{event.KindAccess, event.KindAuthorize, event.KindScene, event.KindLabels},
		On:    guessingOn,
		New:   func() any { return new(guesses) },
	}
}

// guesses are the cards that a reader refused lately.
type guesses struct {
	Tried []guess       `json:"tried,omitempty"`
	Told  detect.Moment `json:"told,omitempty"`
	// Person is set if it was told with one.
	Person bool `json:"person,omitempty"`
}

type guess struct {
	Token string        `json:"token"`
	At    detect.Moment `json:"at"`
}

const maxGuesses = 64

func guessingOn(c *detect.Context, e *event.Event) {
	switch b := e.Body.(type) {
	case *event.Access:
		if b.Allowed {
			c.Forget(0)
			return
		}
		token := b.TokenID
		if token == "" {
			token = b.CredentialID
		}
		tried(c, token)
	case *event.Authorize:
		if b.Status == "Accepted" {
			c.Forget(0)
			return
		}
		tried(c, b.TokenID)
	default:
		if !person(e) {
			return
		}
		for st := range shown(c, c.Station) {
			judgeGuesses(c.Of(st))
		}
		for door := range guarded(c, c.Station) {
			judgeGuesses(c.Of(door))
		}
	}
}

func tried(c *detect.Context, token string) {
	if token == "" {
		return
	}
	m := detect.Memory[guesses](c, 0)
	m.Tried = slices.DeleteFunc(m.Tried, func(g guess) bool { return g.Token == token })
	if m.Tried = append(m.Tried, guess{token, detect.At(c.Now)}); len(m.Tried) > maxGuesses {
		m.Tried = slices.Delete(m.Tried, 0, 1)
	}
	judgeGuesses(c)
}

func judgeGuesses(c *detect.Context) {
	m := detect.Recall[guesses](c, 0)
	if m == nil {
		return
	}
	least, within := wary(c, "leastAtStation"), c.Minutes("stationMinutes")
	if c.Station.Door != nil {
		least, within = wary(c, "leastAtDoor"), seconds(c, "doorSeconds")
	}
	c.Station.Touch()
	if m.Tried = slices.DeleteFunc(m.Tried, func(g guess) bool { return g.At.Ago(c.Now) > within }); len(m.Tried) == 0 {
		c.Forget(0)
		return
	}
	if float64(len(m.Tried)) < least {
		return
	}
	camera, seen := whoTries(c, within)
	if c.Station.Door != nil && !seen || lately(m.Told, c.Now, within) && (m.Person || !seen) {
		return // without a person A03 tells it of a door
	}
	m.Told, m.Person = detect.At(c.Now), seen
	f := event.Finding{Severity: event.S3, Since: m.Tried[0].At.Time(), Facts: []event.Fact{detect.Value("cards", float64(len(m.Tried)), "")}}
	name := c.Station.ID
	if c.Station.Door != nil {
		name = calledDoor(c.Station)
	}
	if seen {
		f.Severity = event.S2
		f.Facts = append(f.Facts, detect.Word("camera", camera))
		f.Text = c.Say("Somebody tries cards at %s: %d different ones were refused within %s, and camera %s sees a person.", name, len(m.Tried), detect.Span(within), camera)
	} else {
		f.Text = c.Say("Somebody tries cards at %s: %d different ones were refused within %s.", name, len(m.Tried), detect.Span(within))
	}
	c.State(0, excused(c, f))
}

func whoTries(c *detect.Context, within time.Duration) (camera string, seen bool) {
	if c.Station.Door != nil {
		return personBefore(c, c.Station, within)
	}
	return personAt(c, c.Station, within)
}
