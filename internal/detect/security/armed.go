package security

import (
	"cmp"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// whileArmed is V03: something moves at a site that is armed. All that goes on
// before one camera at a time is one finding.
//
// What has no name is S3: at night leaves move, and foxes. Labels say what it is. A
// person makes it S2, and S1 where doors are watched; at ports it stays S3, since
// drivers come at night too, until somebody stays there and charges nothing (V04).
// Where somebody works who was sent, or was let in at a door of the camera, it stays S3. Labels never end it, and no other detector of ours asks them: a raid (V05), loitering
// (V04) and tampering (V02) are told whatever a label says. Where labels come at all,
// a few seconds are waited for them; where none come, nothing waits.
func whileArmed() detect.Detector {
	return detect.Detector{
		ID: "V03", Code: "motionArmed", Cameras: true,
		Any:  []detect.Source{detect.MotionSource, detect.PersonSource},
		Uses: []detect.Source{detect.PersonSource, detect.VehicleSource},
		Params: []detect.Param{
			{Name: "leastPercent", Default: 0, Unit: "%", Doc: "share of the picture or zone that has to move"},
			{Name: "labelPercent", Default: 50, Unit: "%", Doc: "how sure a label has to be to count"},
			{Name: "badgeSeconds", Default: 180, Unit: "s", Doc: "how long who was let in at a door explains a person before its camera"},
			{Name: "labelSeconds", Default: 3, Unit: "s", Doc: "how long is waited for what it is, where labels came within the last hour"},
		},
		Kinds: []event.Kind{event.KindScene, event.KindLabels, event.KindServerStarted},
		On:    armedOn,
		Due:   armedDue,
		New:   func() any { return new(watched) },
	}
}

// watched is what goes on before a camera, and what it is.
type watched struct {
	scenes
	First *event.Scene `json:"first,omitempty"` // what is told of it
	// Person and Harmless are how sure labels are, in percent; Told is said already.
	Person   float64 `json:"person,omitempty"`
	Harmless float64 `json:"harmless,omitempty"`
	By       string  `json:"by,omitempty"` // who said so
	Told     bool    `json:"told,omitempty"`
	// Labelled is when the last label of another than the camera itself came, whatever
	// it said: what a camera says comes with its motion and is not waited for.
	Labelled detect.Moment `json:"labelled,omitempty"`
}

// labelsAlive is how long a source of labels is taken to be at work.
const labelsAlive = time.Hour

func armedOn(c *detect.Context, e *event.Event) {
	if c.Station.Camera == nil {
		return
	}
	switch b := e.Body.(type) {
	case *event.ServerStarted: // motion does not outlive us
		c.Cancel("label")
		c.Clear("motionArmed", 0)
		c.Forget(0)
	case *event.Labels:
		labelled(c, b)
	case *event.Scene:
		if moves(b.What) {
			moved(c, b)
		}
	}
}

func moved(c *detect.Context, b *event.Scene) {
	m := detect.Recall[watched](c, 0)
	switch {
	case b.Phase == event.SceneSeen:
		if b.Armed {
			c.State(0, armedFinding(c, b, nil))
		}
		return
	case b.Phase == event.SceneStarted && (!b.Armed || b.What == event.SceneMotion && b.Percent < c.Param("leastPercent")),
		m == nil && b.Phase == event.SceneEnded:
		return
	}
	m = detect.Memory[watched](c, 0)
	m.note(b, c.Now)
	if b.Phase == event.SceneStarted {
		switch b.What {
		case event.ScenePerson:
			m.Person, m.By = 100, b.Source
		case event.SceneVehicle:
			m.Harmless, m.By = max(m.Harmless, 1), b.Source
		default: // what was seen elsewhere says nothing of this
			m.Harmless = 0
		}
		if m.First == nil {
			first := *b
			m.First = &first
		}
		judge(c, m)
		return
	}
	if len(m.Open) > 0 {
		return
	}
	if !c.Waiting("label") {
		over(c, m)
	}
}

// labelled takes in what somebody saw.
func labelled(c *detect.Context, b *event.Labels) {
	m := detect.Recall[watched](c, 0)
	if b.Source != event.LabelsOfCamera {
		m = detect.Memory[watched](c, 0)
		m.Labelled = detect.At(c.Now)
	}
	least := max(c.Param("labelPercent"), 1)
	person := 100 * b.Best(event.ScenePerson)
	harmless := 100 * max(b.Best(event.SceneVehicle), b.Best(event.SceneAnimal), b.Best(event.ScenePlate))
	switch {
	case m == nil || m.First == nil: // nothing moves as far as we know; somebody may be there all the same
		if b.Armed && person >= least {
			c.State(0, armedFinding(c, &event.Scene{What: event.ScenePerson, Source: string(b.Source), Since: b.SeenAt}, &watched{Person: person, By: string(b.Source)}))
		}
		return
	case person >= least && person > m.Person:
		m.Person, m.By = person, string(b.Source)
	case person < least && harmless >= least && m.Person == 0:
		m.Harmless, m.By = max(m.Harmless, harmless), string(b.Source)
	default:
		return
	}
	c.Cancel("label")
	judge(c, m)
	if len(m.Open) == 0 {
		over(c, m)
	}
}

// judge tells what is known, unless a label may still say more.
func judge(c *detect.Context, m *watched) {
	wait := time.Duration(c.Param("labelSeconds") * float64(time.Second))
	unknown := m.Person == 0 && m.Harmless == 0
	switch {
	case m.Told || !unknown || wait <= 0 || m.Labelled.IsZero() || m.Labelled.Ago(c.Now) > labelsAlive:
		tell(c, m)
	case !c.Waiting("label"):
		c.Wake("label", c.Now.Add(wait))
	}
}

func tell(c *detect.Context, m *watched) {
	f := armedFinding(c, m.First, m)
	for _, o := range c.Station.Open {
		if o.Code == "motionArmed" && o.EVSE == 0 && o.Severity == f.Severity && (m.Person > 0 || m.Harmless > 0) {
			c.More(0, f)
			m.Told = true
			return
		}
	}
	c.Raise(0, f)
	m.Told = true
}

func armedDue(c *detect.Context, _ string) {
	m := detect.Recall[watched](c, 0)
	if m == nil || m.First == nil {
		return
	}
	if !m.Told {
		tell(c, m)
	}
	if len(m.Open) == 0 {
		over(c, m)
	}
}

// over ends what went on. That labels come is remembered.
func over(c *detect.Context, m *watched) {
	c.Clear("motionArmed", 0)
	if m.Labelled.IsZero() || m.Labelled.Ago(c.Now) > labelsAlive {
		c.Forget(0)
		return
	}
	*m = watched{Labelled: m.Labelled}
}

func armedFinding(c *detect.Context, b *event.Scene, m *watched) event.Finding {
	const person = "There is a person before camera %s while the site is armed."
	text, certain := "Something moves before camera %s while the site is armed.", false
	switch b.What {
	case event.ScenePerson:
		text, certain = person, true
	case event.SceneVehicle:
		text = "There is a vehicle before camera %s while the site is armed."
	case event.SceneLineCrossing:
		text = "A line was crossed before camera %s while the site is armed."
	}
	f := event.Finding{
		Severity: event.S3, Since: b.Since,
		Facts: []event.Fact{detect.Word("what", string(b.What)), detect.Word("seenBy", b.Source), detect.Value("percent", b.Percent, "%")},
	}
	ports := slices.Clone(b.Ports)
	watches, guards := len(b.Ports) > 0, len(b.Doors) > 0
	if m != nil {
		for _, x := range m.Open {
			watches, guards = watches || len(x.Ports) > 0, guards || len(x.Doors) > 0
			ports = append(ports, x.Ports...)
		}
		switch {
		case m.Person > 0:
			text, certain = person, true
			f.Facts = append(f.Facts, detect.Word("label", string(event.ScenePerson)), detect.Word("labelledBy", m.By))
		case m.Harmless > 0:
			text = "An animal or a vehicle, and no person as far as was seen, is before camera %s while the site is armed."
			f.Facts = append(f.Facts, detect.Word("label", "noPerson"), detect.Word("labelledBy", m.By))
		}
		// Who says nothing of how sure it is, is not quoted with a figure.
		if sure := cmp.Or(m.Person, m.Harmless); sure > 1 && sure < 100 {
			f.Facts = append(f.Facts, detect.Value("certain", sure, "%"))
		}
	}
	if certain {
		f.Severity = ofPerson(c, watches, guards)
	}
	f.Text = c.Say(text, called(c.Station))
	if b.Zone != "" {
		f.Facts = append(f.Facts, detect.Word("zone", b.Zone))
	}
	slices.Sort(ports)
	for _, p := range slices.Compact(ports) {
		f.Facts = append(f.Facts, detect.Word("port", p))
	}
	return f
}

// letIn reports that somebody was let in at a door of the camera a moment ago.
func letIn(c *detect.Context) bool {
	for door := range guarded(c, c.Station) {
		if lately(door.Door.LetIn, c.Now, seconds(c, "badgeSeconds")) {
			return true
		}
	}
	return false
}

// ofPerson is how severe it is that somebody is there while the site is armed.
func ofPerson(c *detect.Context, ports, doors bool) event.Severity {
	switch {
	case c.Network().Worked(c.Station.SiteID), letIn(c):
		return event.S3
	case doors:
		return event.S1
	case ports:
		return event.S3 // a driver, or V04 will tell
	}
	return event.S2
}
