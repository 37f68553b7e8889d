package security

import (
	"math"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// twoPlaces is C10: one token is used at two places faster than a car gets from one to
// the other: it was copied. The way is that of the crow, at a speed that no road of
// that length allows, and the minutes are for what is done at either end; places that
// are nearer than some kilometres are not compared, since whoever meets a broken charger
// goes on to the next.
//
// A number plate that differs makes it worse. Stations where nobody shows a token, and
// starts from afar, say nothing of where its holder is; nor do simulated ones, whose
// drivers are drawn for each visit and live nowhere.
func twoPlaces() detect.Detector {
	return detect.Detector{
		ID: "C10", Code: "tokenTwoPlaces", Doors: true,
		Needs: []detect.Source{detect.ChargerSource, detect.PlaceSource},
		Uses:  []detect.Source{detect.DoorSource, detect.PlateSource},
		Params: []detect.Param{
			{Name: "speedKmh", Default: 130, Unit: "km/h", Doc: "how fast a car gets from one to the other"},
			{Name: "restMinutes", Default: 10, Unit: "min", Doc: "what is needed at either end beside the way"},
			{Name: "leastKm", Default: 10, Unit: "km", Doc: "how far apart places have to be"},
			{Name: "againMinutes", Default: 720, Unit: "min", Doc: "how long the same is not told again of a token"},
		},
		Kinds:     []event.Kind{event.KindTransaction, event.KindAuthorize, event.KindAccess},
		On:        twoPlacesOn,
		NewCommon: func() any { return &uses{Tokens: make(map[string]*use)} },
	}
}

// uses are where tokens were last used.
type uses struct {
	Tokens map[string]*use `json:"tokens,omitempty"`
	Swept  detect.Moment   `json:"swept,omitempty"`
}

type use struct {
	Site  string        `json:"site"`
	Where string        `json:"where"` // the station or door
	At    detect.Moment `json:"at"`
	Plate string        `json:"plate,omitempty"`
	Told  detect.Moment `json:"told,omitempty"`
}

const (
	maxTokens = 20_000
	useKept   = 24 * time.Hour // nothing is so far on one land
	plateNear = 5 * time.Minute
)

func twoPlacesOn(c *detect.Context, e *event.Event) {
	token := ""
	switch b := e.Body.(type) {
	case *event.Transaction:
		if b.Stage == event.TransactionStarted && b.RemoteStartID == nil && !b.Offline && (b.TokenStatus == "" || b.TokenStatus == "Accepted") {
			token = b.TokenID
		}
	case *event.Authorize:
		if b.Status == "Accepted" {
			token = b.TokenID
		}
	case *event.Access:
		if shownBySomebody(b) {
			token = b.TokenID
		}
	}
	if token == "" || c.Station.SiteID == "" || c.Station.FreeVend || c.Station.Simulated || e.Late() {
		return
	}
	all := detect.Common[uses](c)
	all.sweep(c.Now)
	was := all.Tokens[token]
	now := &use{Site: c.Station.SiteID, Where: c.Station.ID, At: detect.At(c.Now), Plate: plateAt(c)}
	if c.Station.Door != nil {
		now.Where = calledDoor(c.Station)
	}
	if was == nil && len(all.Tokens) >= maxTokens {
		return
	}
	all.Tokens[token] = now
	if was == nil {
		return
	}
	if now.Told = was.Told; was.Site == now.Site {
		if now.Plate == "" {
			now.Plate = was.Plate
		}
		return
	}
	far, known := c.Network().Distance(was.Site, now.Site)
	way := time.Duration(far/max(c.Param("speedKmh"), 1)*float64(time.Hour)) + c.Minutes("restMinutes")
	if !known || far < c.Param("leastKm") || was.At.Ago(c.Now) >= way || lately(was.Told, c.Now, c.Minutes("againMinutes")) {
		return
	}
	now.Told = now.At
	f := event.Finding{
		Severity: event.S3, Since: was.At.Time(), Shared: []string{},
		Facts: []event.Fact{
			{Name: "usedBefore", Text: was.Where, At: was.At.Time()}, detect.Word("token", token),
			detect.Value("distance", math.Round(far), "km"), detect.Value("needed", math.Round(way.Minutes()), "min"),
		},
		Text: c.Say("One token was used at %s and %s later here, %.0f km away: no car is so fast.", was.Where, detect.Span(was.At.Ago(c.Now)), far),
	}
	if was.Plate != "" && now.Plate != "" && was.Plate != now.Plate {
		f.Severity = event.S2
		f.Text += " " + c.Say("The number plates differ.")
	}
	c.State(e.Subject.EVSE, f)
}

// sweep forgets what no car is under way for any more.
func (u *uses) sweep(now time.Time) {
	if lately(u.Swept, now, time.Hour) {
		return
	}
	u.Swept = detect.At(now)
	for token, x := range u.Tokens {
		if x.At.Ago(now) > useKept {
			delete(u.Tokens, token)
		}
	}
}

// plateAt is the plate that was seen last at the station or door, of lately.
func plateAt(c *detect.Context) string {
	list := c.Network().CamerasAt(c.Station)
	if c.Station.Door != nil {
		list = c.Network().CamerasOf(c.Station)
	}
	for cam := range list {
		if s := &cam.Camera.Seen; s.PlateID != "" && s.Plate.Lately(c.Now, plateNear) {
			return s.PlateID
		}
	}
	return ""
}
