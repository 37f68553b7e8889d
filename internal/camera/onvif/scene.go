package onvif

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
)

// notice is one notification of a device, understood.
type notice struct {
	what   event.SceneKind
	lasts  bool // it has a beginning and an end
	on     bool
	at     time.Time // by the device's clock; zero: it does not say
	key    string    // what tells it apart from others of its kind
	source []string  // tokens of what it saw with
	score  float64   // as sure as it is; zero: it does not say
	plate  string    // what a number plate says
	box    [4]float64
}

// Sighting is what a camera saw, with what it says of it beyond the scene.
type Sighting struct {
	event.Scene
	// Plate is what a number plate says, Box where it is: left, top, width and height
	// as shares of the picture; all zero: it does not say.
	Plate string
	Box   [4]float64
}

// maxPlate bounds what is read of a number plate.
const maxPlate = 32

// subjects says what topics are about; the first that fits counts. Makers put
// their own names between the standard ones.
func subjects() []struct {
	words []string
	what  event.SceneKind
	lasts bool
} {
	return []struct {
		words []string
		what  event.SceneKind
		lasts bool
	}{
		{[]string{"imagetoodark"}, event.SceneCovered, true},
		{[]string{"imagetoobright"}, event.SceneBlinded, true},
		{[]string{"imagetooblurry"}, event.SceneDefocused, true},
		{[]string{"tamper", "globalscenechange", "signalloss"}, event.SceneTamper, true},
		{[]string{"linedetector/crossed", "linecross", "crossline"}, event.SceneLineCrossing, false},
		{[]string{"licenseplate", "platerecog"}, event.ScenePlate, false},
		{[]string{"people", "human", "person", "facedetect"}, event.ScenePerson, true},
		{[]string{"vehicle"}, event.SceneVehicle, true},
		{[]string{"dogcat", "animal", "petdetect"}, event.SceneAnimal, true},
		{[]string{"motion", "objectsinside", "objectdetect", "objectanalytics"}, event.SceneMotion, true},
	}
}

// labels are items that name what was seen more closely than the topic.
func labels() map[string]event.SceneKind {
	return map[string]event.SceneKind{
		"ispeople": event.ScenePerson, "ishuman": event.ScenePerson, "isvehicle": event.SceneVehicle, "ispet": event.SceneAnimal, "isanimal": event.SceneAnimal,
		"human": event.ScenePerson, "person": event.ScenePerson, "vehicle": event.SceneVehicle, "vehical": event.SceneVehicle, "car": event.SceneVehicle,
		"truck": event.SceneVehicle, "bus": event.SceneVehicle, "motorcycle": event.SceneVehicle, "bicycle": event.SceneVehicle, "bike": event.SceneVehicle,
		"humanface": event.ScenePerson, "face": event.ScenePerson, "dog": event.SceneAnimal, "cat": event.SceneAnimal, "bird": event.SceneAnimal,
		"animal": event.SceneAnimal, "licenseplate": event.ScenePlate,
	}
}

// read understands a NotificationMessage; ok is false for what we do not follow.
func read(e *element) (n notice, ok bool) {
	topic := strings.ToLower(e.child("Topic").value())
	for _, s := range subjects() {
		if slices.ContainsFunc(s.words, func(w string) bool { return strings.Contains(topic, w) }) {
			n.what, n.lasts, ok = s.what, s.lasts, true
			break
		}
	}
	m := e.at("Message", "Message")
	if m == nil || len(topic) > 300 {
		return n, false
	}
	if t, err := time.Parse(time.RFC3339Nano, m.attr("UtcTime")); err == nil {
		n.at = t
	}
	state, found := false, false
	for _, item := range m.child("Data").all("SimpleItem") {
		name, value := strings.ToLower(item.attr("Name")), strings.ToLower(strings.TrimSpace(item.attr("Value")))
		if kind, is := labels()[name]; is {
			n.what, ok = kind, true
			n.lasts = kind != event.ScenePlate
		} else if kind, is := labels()[value]; is && (strings.Contains(name, "class") || strings.Contains(name, "type") || strings.Contains(name, "object")) {
			n.what, ok = kind, true
		}
		n.detail(name, item.attr("Value"))
		if value == "true" || value == "1" || value == "false" || value == "0" {
			if !found && (name == "state" || name == "logicalstate" || strings.HasPrefix(name, "is")) {
				state, found = value == "true" || value == "1", true
			}
		}
	}
	n.box = boxOf(m.child("Data").find("BoundingBox"))
	operation := m.attr("PropertyOperation")
	switch {
	case !ok:
		return n, false
	case !found && operation == "Deleted":
		state = false
	case !found:
		n.lasts, state = false, true
	}
	n.on = state && operation != "Deleted"
	key := []string{topic}
	for _, item := range m.child("Source").all("SimpleItem") {
		name, value := item.attr("Name"), item.attr("Value")
		key = append(key, value)
		if name == "VideoSourceConfigurationToken" || name == "VideoSourceToken" || name == "Source" || name == "VideoSource" {
			n.source = append(n.source, value)
		}
	}
	n.key = strings.Join(key, "|")
	if len(n.key) > 600 {
		n.key = n.key[:600]
	}
	return n, n.lasts || n.on && operation != "Initialized"
}

// detail reads what an item says beyond that something is there.
func (n *notice) detail(name, value string) {
	switch name {
	case "likelihood", "confidence", "score", "probability":
		if x, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && x > 0 && x <= 100 {
			if x > 1 {
				x /= 100
			}
			n.score = math.Round(x*100) / 100
		}
	case "plate", "platenumber", "platetext", "licenseplate", "licenseplatenumber":
		if text := clean(value); len(text) <= maxPlate && text != "" && text != "true" && text != "false" {
			n.plate = text
		}
	}
}

// boxOf reads a tt:BoundingBox, whose axes go from -1 to 1, to the right and up.
func boxOf(e *element) (box [4]float64) {
	var side [4]float64
	for i, name := range []string{"left", "top", "right", "bottom"} {
		x, err := strconv.ParseFloat(e.attr(name), 64)
		if err != nil || !(x >= -1.01 && x <= 1.01) {
			return [4]float64{}
		}
		side[i] = (min(max(x, -1), 1) + 1) / 2
	}
	left, top, right, bottom := side[0], 1-side[1], side[2], 1-side[3]
	if right <= left || bottom <= top {
		return [4]float64{}
	}
	for i, x := range []float64{left, top, right - left, bottom - top} {
		box[i] = math.Round(x*1000) / 1000
	}
	return box
}

// maxKeys bounds what one device may say lasts at a time.
const maxKeys = 200

// scenes makes of what a device says what begins and what ends.
type scenes struct {
	on   map[event.SceneKind]map[string]bool
	open map[event.SceneKind]event.Scene
	id   func() string
}

func newScenes(id func() string) *scenes {
	return &scenes{make(map[event.SceneKind]map[string]bool), make(map[event.SceneKind]event.Scene), id}
}

// take returns what a notice changes. Several topics may tell of one thing: it
// lasts as long as one of them says so.
func (s *scenes) take(n notice, at time.Time) (event.Scene, bool) {
	if !n.lasts {
		return event.Scene{ID: s.id(), What: n.what, Phase: event.SceneSeen, Source: "camera", Score: n.score, Since: at}, true
	}
	keys := s.on[n.what]
	if keys == nil {
		keys = make(map[string]bool)
		s.on[n.what] = keys
	}
	if n.on && len(keys) < maxKeys {
		keys[n.key] = true
	} else if !n.on {
		delete(keys, n.key)
	}
	x, lasting := s.open[n.what]
	switch {
	case len(keys) > 0 && !lasting:
		x = event.Scene{ID: s.id(), What: n.what, Phase: event.SceneStarted, Source: "camera", Score: n.score, Since: at}
		s.open[n.what] = x
		return x, true
	case len(keys) == 0 && lasting:
		delete(s.open, n.what)
		x.Phase = event.SceneEnded
		return x, true
	}
	return event.Scene{}, false
}

// end closes everything: nobody tells us any more.
func (s *scenes) end() []event.Scene {
	var list []event.Scene
	for _, x := range s.open {
		x.Phase = event.SceneEnded
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b event.Scene) int { return strings.Compare(a.ID, b.ID) })
	clear(s.on)
	clear(s.open)
	return list
}
