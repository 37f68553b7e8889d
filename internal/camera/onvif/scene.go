package onvif

import (
	"slices"
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
}

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
		{[]string{"motion", "objectsinside"}, event.SceneMotion, true},
	}
}

// labels are items that name what was seen more closely than the topic.
func labels() map[string]event.SceneKind {
	return map[string]event.SceneKind{
		"ispeople": event.ScenePerson, "ishuman": event.ScenePerson, "isvehicle": event.SceneVehicle, "ispet": event.SceneAnimal, "isanimal": event.SceneAnimal,
		"human": event.ScenePerson, "person": event.ScenePerson, "vehicle": event.SceneVehicle, "vehical": event.SceneVehicle, "car": event.SceneVehicle,
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
		} else if kind, is := labels()[value]; is && (strings.Contains(name, "class") || strings.Contains(name, "type")) {
			n.what, ok = kind, true
		}
		if value == "true" || value == "1" || value == "false" || value == "0" {
			if !found && (name == "state" || name == "logicalstate" || strings.HasPrefix(name, "is")) {
				state, found = value == "true" || value == "1", true
			}
		}
	}
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
		return event.Scene{ID: s.id(), What: n.what, Phase: event.SceneSeen, Source: "camera", Since: at}, true
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
		x = event.Scene{ID: s.id(), What: n.what, Phase: event.SceneStarted, Source: "camera", Since: at}
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
