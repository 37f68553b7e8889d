package label

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/chargewatch/chargewatch/internal/event"
)

// Bounds of a verifier's answer.
const (
	maxAnswer = 64 << 10
	maxItems  = 1000
	maxEngine = 64
	leastSure = 0.2 // what is less likely is not kept
)

var errAnswer = errors.New("the answer of the verifier is none that we know")

// Answer is what a verifier saw in a picture.
type Answer struct {
	Engine string
	Items  []Seen
}

// ParseAnswer reads what a verifier said. It takes the words of common models for
// what they mean, and leaves out what we have no use for.
func ParseAnswer(data []byte) (Answer, error) {
	if len(data) > maxAnswer {
		return Answer{}, fmt.Errorf("%w: it is too large", errAnswer)
	}
	var in struct {
		Engine string `json:"engine"`
		Labels []struct {
			What  string    `json:"what"`
			Score *float64  `json:"score"`
			Box   []float64 `json:"box"`
			Text  string    `json:"text"`
		} `json:"labels"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return Answer{}, fmt.Errorf("%w: %w", errAnswer, err)
	}
	if in.Labels == nil {
		return Answer{}, fmt.Errorf("%w: it has no labels; an empty list means that nothing was seen", errAnswer)
	}
	if len(in.Labels) > maxItems {
		return Answer{}, fmt.Errorf("%w: more than %d labels", errAnswer, maxItems)
	}
	out := Answer{Engine: Readable(in.Engine, maxEngine)}
	for i, l := range in.Labels {
		what, ok := meaning(l.What)
		if !ok {
			continue
		}
		x := Seen{Label: event.Label{What: what, Score: 1}}
		if l.Score != nil {
			x.Score = *l.Score
		}
		if !(x.Score >= 0 && x.Score <= 1) {
			return Answer{}, fmt.Errorf("%w: labels[%d].score is not from 0 to 1", errAnswer, i)
		}
		if len(l.Box) > 0 {
			if x.Box, ok = Box(l.Box); !ok {
				return Answer{}, fmt.Errorf("%w: labels[%d].box is not left, top, width and height as shares of the picture", errAnswer, i)
			}
		}
		if what == event.ScenePlate {
			x.Text = Readable(l.Text, maxEngine)
		}
		if x.Score = math.Round(x.Score*100) / 100; x.Score >= leastSure {
			out.Items = append(out.Items, x)
		}
	}
	slices.SortStableFunc(out.Items, func(a, b Seen) int { return cmp.Compare(b.Score, a.Score) })
	out.Items = out.Items[:min(len(out.Items), event.MaxLabels)]
	return out, nil
}

// Box is left, top, width and height as shares of the picture; what reaches over
// its edge by a little is cut.
func Box(in []float64) (out [4]float64, ok bool) {
	const over = 0.25
	if len(in) != 4 {
		return out, false
	}
	left, top, right, bottom := in[0], in[1], in[0]+in[2], in[1]+in[3]
	if !(left >= -over && top >= -over && right <= 1+over && bottom <= 1+over && in[2] > 0 && in[3] > 0) {
		return out, false
	}
	left, top, right, bottom = max(left, 0), max(top, 0), min(right, 1), min(bottom, 1)
	if right <= left || bottom <= top {
		return out, false
	}
	for i, v := range []float64{left, top, right - left, bottom - top} {
		out[i] = math.Round(v*1000) / 1000
	}
	return out, out[2] > 0 && out[3] > 0
}

// Readable cuts a text of others to printable characters.
func Readable(text string, most int) string {
	n := 0
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if n++; n > most || !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, text))
}

// meaning is what a word of a model stands for. Those of the common set of 80
// things are known beside our own.
func meaning(word string) (event.SceneKind, bool) {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "person", "human", "people", "pedestrian":
		return event.ScenePerson, true
	case "vehicle", "car", "truck", "bus", "van", "motorcycle", "motorbike", "bicycle", "train":
		return event.SceneVehicle, true
	case "animal", "bird", "cat", "dog", "horse", "sheep", "cow", "bear", "fox", "deer":
		return event.SceneAnimal, true
	case "plate", "licenseplate", "license_plate", "numberplate":
		return event.ScenePlate, true
	}
	return "", false
}
