package event

import "time"

// Labels say what somebody saw in one picture of a camera: persons, vehicles,
// animals, number plates. A verifier that looked and saw nothing says so with no
// item.
type Labels struct {
	SiteID string      `json:"siteId,omitempty"`
	Source LabelSource `json:"source"`
	// Engine is what the source calls itself.
	Engine string `json:"engine,omitempty"`
	// Scene is the id of the motion that they belong to, where there is one.
	Scene string `json:"scene,omitempty"`
	// Armed is whether the site was to be watched at that time.
	Armed bool    `json:"armed,omitempty"`
	Items []Label `json:"items,omitempty"`
	// SeenAt is when the picture was taken.
	SeenAt time.Time `json:"seenAt,omitzero"`
}

// Label is one thing in a picture.
type Label struct {
	What  SceneKind `json:"what"` // person, vehicle, animal or plate
	Score float64   `json:"score,omitempty"`
	// Box is left, top, width and height as shares of the picture; all zero: not
	// known where.
	Box [4]float64 `json:"box,omitzero"`
	// Plate refers to a number plate by an opaque id; the plate can be erased.
	Plate string `json:"plate,omitempty"`
	// Number is how many of it there are, where the source counts and gives no box of
	// each; zero: one.
	Number int `json:"number,omitempty"`
}

// LabelSource is the closed set of who sees labels.
type LabelSource string

// The sources of labels.
const (
	LabelsOfCamera   LabelSource = "camera"   // its own analytics
	LabelsOfWebhook  LabelSource = "webhook"  // another system
	LabelsOfVerifier LabelSource = "verifier" // the process that looks at pictures of motion
)

// MaxLabels bounds the items of one event.
const MaxLabels = 32

// Labelled reports whether it is one of the things that labels name.
func (k SceneKind) Labelled() bool {
	switch k {
	case ScenePerson, SceneVehicle, SceneAnimal, ScenePlate:
		return true
	}
	return false
}

// Best is how sure the source is of the surest item of a kind; zero: there is none.
// One that says nothing of how sure it is, is taken at its word.
func (l *Labels) Best(kind SceneKind) float64 {
	best := 0.0
	for _, x := range l.Items {
		score := x.Score
		if score == 0 {
			score = 1
		}
		if x.What == kind {
			best = max(best, score)
		}
	}
	return best
}

// Count is how many of a kind are in the picture, of those that the source is at
// least so sure of.
func (l *Labels) Count(kind SceneKind, least float64) int {
	n := 0
	for _, x := range l.Items {
		if x.What == kind && (x.Score == 0 || x.Score >= least) {
			n += max(x.Number, 1)
		}
	}
	return n
}

// Kind names the body.
func (*Labels) Kind() Kind { return KindLabels }

func (*Labels) isBody() {}
