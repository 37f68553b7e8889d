package mqttdoor

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
)

// answer is yes, no, or not said.
type answer int8

const (
	unsaid answer = iota
	no
	yes
)

func says(b bool) answer {
	if b {
		return yes
	}
	return no
}

// report is what one message says of a door.
type report struct {
	relay, open, online, tamper answer
	card, pin, id               string
	at                          time.Time
}

// aspect is what of a report a word is about.
type aspect func(*report, answer)

func relayIs(r *report, a answer) { r.relay = a }
func openIs(r *report, a answer)  { r.open = a }

// Bounds of what is read of a message; all else is refused before it is parsed.
const (
	maxPayload = 4 << 10
	maxCard    = 64
	maxID      = 64
	maxPIN     = 8
	minPIN     = 4
)

// word reads a payload that is one word. An empty one for no stands for every other
// word than the one for yes.
func word(of aspect, forYes string, forNo ...string) func([]byte) (report, bool) {
	return func(payload []byte) (r report, ok bool) {
		a := judge(strings.TrimSpace(string(payload[:min(len(payload), maxPayload)])), forYes, forNo)
		of(&r, a)
		return r, a != unsaid
	}
}

func judge(said, forYes string, forNo []string) answer {
	switch {
	case strings.EqualFold(said, forYes):
		return yes
	case said == "":
		return unsaid
	}
	for _, w := range forNo {
		if w == "" || strings.EqualFold(said, w) {
			return no
		}
	}
	return unsaid
}

// object gives the members of a payload that is one object of JSON.
func object(payload []byte, read func(jsondoc.Node) (report, bool)) (report, bool) {
	if len(payload) > maxPayload || !bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) {
		return report{}, false
	}
	var d jsondoc.Doc
	if d.Parse(payload) != nil {
		return report{}, false
	}
	return read(d.Root())
}

// scalar is a text, a number that is whole, or true and false, as a word.
func scalar(n jsondoc.Node) (string, bool) {
	switch n.Kind() {
	case jsondoc.String:
		return string(n.Text()), true
	case jsondoc.Number:
		i, fit := n.Int()
		return strconv.FormatInt(i, 10), fit == jsondoc.Exact
	case jsondoc.Bool:
		return string(n.Text()), true
	}
	return "", false
}

// member reads a word that is a member of an object.
func member(key string, of aspect, forYes string, forNo ...string) func([]byte) (report, bool) {
	return func(payload []byte) (report, bool) {
		return object(payload, func(root jsondoc.Node) (r report, ok bool) {
			said, ok := scalar(root.Get(key))
			if !ok {
				return r, false
			}
			a := judge(said, forYes, forNo)
			of(&r, a)
			return r, a != unsaid
		})
	}
}

func wordOrMember(key string, of aspect, forYes string, forNo ...string) func([]byte) (report, bool) {
	if key == "" {
		return word(of, forYes, forNo...)
	}
	return member(key, of, forYes, forNo...)
}

// within reads what lies one object deeper.
func within(key string, read func([]byte) (report, bool)) func([]byte) (report, bool) {
	return func(payload []byte) (report, bool) {
		return object(payload, func(root jsondoc.Node) (report, bool) {
			if inner := root.Get(key); inner.Exists() {
				return read(inner.Raw())
			}
			return report{}, false
		})
	}
}

// action reads {"Switch1":{"Action":"ON"}} and {"Switch1":"ON"}.
func action(key string, of aspect, forYes string, forNo ...string) func([]byte) (report, bool) {
	deep, flat := within(key, member("Action", of, forYes, forNo...)), member(key, of, forYes, forNo...)
	return func(payload []byte) (report, bool) {
		if r, ok := deep(payload); ok {
			return r, true
		}
		return flat(payload)
	}
}

// flag reads a member that is true or false.
func flag(key string, of aspect, inverted bool) func([]byte) (report, bool) {
	return func(payload []byte) (report, bool) {
		return object(payload, func(root jsondoc.Node) (r report, ok bool) {
			said := truth(root.Get(key), inverted)
			of(&r, said)
			return r, said != unsaid
		})
	}
}

// zigbeeLock reads what a lock says: of the bolt if it knows, else of what it was
// told.
func zigbeeLock(payload []byte) (report, bool) {
	return object(payload, func(root jsondoc.Node) (r report, ok bool) {
		bolt, _ := scalar(root.Get("lock_state"))
		told, _ := scalar(root.Get("state"))
		if r.relay = judge(bolt, "unlocked", []string{"locked"}); r.relay == unsaid {
			r.relay = judge(told, "UNLOCK", []string{"LOCK"})
		}
		r.tamper = truth(root.Get("tamper"), false)
		return r, r.relay != unsaid || r.tamper != unsaid
	})
}

// zigbeeContact reads a sensor, of which contact means shut.
func zigbeeContact(inverted bool) func([]byte) (report, bool) {
	return func(payload []byte) (report, bool) {
		return object(payload, func(root jsondoc.Node) (r report, ok bool) {
			r.open, r.tamper = truth(root.Get("contact"), !inverted), truth(root.Get("tamper"), false)
			return r, r.open != unsaid || r.tamper != unsaid
		})
	}
}

// truth reads true and false; nothing else is either.
func truth(n jsondoc.Node, inverted bool) answer {
	if n.Kind() != jsondoc.Bool {
		return unsaid
	}
	return says((string(n.Text()) == "true") != inverted)
}

// availability reads what brokers and devices say of being there: online, true, 1,
// or an object whose state says so.
func availability(payload []byte) (report, bool) {
	read := func(r *report, said string) bool {
		for _, w := range []string{"online", "true", "1"} {
			if strings.EqualFold(said, w) {
				r.online = yes
			}
		}
		for _, w := range []string{"offline", "false", "0"} {
			if strings.EqualFold(said, w) {
				r.online = no
			}
		}
		return r.online != unsaid
	}
	if r, ok := object(payload, func(root jsondoc.Node) (r report, ok bool) {
		said, _ := scalar(root.Get("state"))
		return r, read(&r, said)
	}); ok {
		return r, true
	}
	var r report
	if len(payload) > maxPayload {
		return r, false
	}
	return r, read(&r, strings.TrimSpace(string(payload)))
}

// readCard reads who showed what: {"card":"04A1B2C3D4","pin":"4711","id":"17",
// "at":"2026-07-01T08:00:00Z"}, or the number of the card alone.
func readCard(payload []byte) (report, bool) {
	r, ok := object(payload, func(root jsondoc.Node) (r report, ok bool) {
		card, pin, id, at := root.Get("card"), root.Get("pin"), root.Get("id"), root.Get("at")
		if card.Exists() {
			if r.card, ok = scalar(card); !ok || card.Kind() == jsondoc.Bool {
				return r, false
			}
		}
		if pin.Exists() {
			if pin.Kind() != jsondoc.String {
				return r, false // zeros in front would be lost
			}
			r.pin = string(pin.Text())
		}
		if id.Exists() {
			if r.id, ok = scalar(id); !ok {
				return r, false
			}
		}
		if at.Exists() {
			t, fit := at.Time()
			if !fit.OK() {
				return r, false
			}
			r.at = t
		}
		return r, true
	})
	if !ok {
		if len(payload) > maxCard || bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) {
			return report{}, false
		}
		r = report{card: strings.TrimSpace(string(payload))}
	}
	if r.card == "" && r.pin == "" || !isCard(r.card) || len(r.id) > maxID || r.pin != "" && !isPIN(r.pin) {
		return report{}, false
	}
	return r, true
}

// isCard reports what a reader can have read; nothing at all is one, for a keypad.
func isCard(s string) bool {
	return len(s) <= maxCard && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != ':' && r != '-' && r != '_'
	})
}

func isPIN(s string) bool {
	return len(s) >= minPIN && len(s) <= maxPIN && strings.Trim(s, "0123456789") == ""
}
