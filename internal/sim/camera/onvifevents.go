package camera

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// subscription is a pull point.
type subscription struct {
	id, camera string
	until      time.Time
	queue      []string
	woken      chan struct{}
	ended      bool
}

const (
	subscriptionsMost = 64
	queueMost         = 500
)

func (s *subscription) wake() {
	close(s.woken)
	s.woken = make(chan struct{})
}

func (s *subscription) end() {
	s.ended = true
	s.wake()
}

// topics are what a camera says when something begins or ends; with an empty
// item it has no state.
func topics(what string) [][3]string {
	switch what {
	case Motion:
		return [][3]string{{"tns1:RuleEngine/CellMotionDetector/Motion", "IsMotion", "VideoSourceConfigurationToken"}, {"tns1:VideoSource/MotionAlarm", "State", "Source"}}
	case Person:
		return [][3]string{{"tns1:RuleEngine/MyRuleDetector/PeopleDetect", "State", "Source"}, {"tns1:RuleEngine/LineDetector/Crossed", "", "VideoSourceConfigurationToken"}}
	case Vehicle:
		return [][3]string{{"tns1:RuleEngine/MyRuleDetector/VehicleDetect", "State", "Source"}}
	case Covered:
		return [][3]string{{"tns1:RuleEngine/TamperDetector/Tamper", "IsTamper", "VideoSourceConfigurationToken"}, {"tns1:VideoSource/ImageTooDark/ImagingService", "State", "Source"}}
	case Blinded:
		return [][3]string{{"tns1:VideoSource/ImageTooBright/ImagingService", "State", "Source"}}
	case Defocused:
		return [][3]string{{"tns1:VideoSource/ImageTooBlurry/ImagingService", "State", "Source"}}
	case Turned:
		return [][3]string{{"tns1:VideoSource/GlobalSceneChange/ImagingService", "State", "Source"}}
	}
	return nil
}

// messageOf is one notification.
func messageOf(topic [3]string, operation string, state bool, at time.Time) string {
	token := "vsc_1"
	if topic[2] == "Source" {
		token = "vs_1"
	}
	data := `<tt:SimpleItem Name="` + topic[1] + `" Value="` + strconv.FormatBool(state) + `"/>`
	operation = ` PropertyOperation="` + operation + `"`
	if topic[1] == "" {
		data, operation = `<tt:SimpleItem Name="ObjectId" Value="`+strconv.FormatInt(at.Unix()%1000, 10)+`"/>`, ""
	}
	return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">` + topic[0] + `</wsnt:Topic>` +
		`<wsnt:Message><tt:Message UtcTime="` + at.UTC().Format("2006-01-02T15:04:05.000Z") + `"` + operation + `><tt:Source><tt:SimpleItem Name="` + topic[2] + `" Value="` + token + `"/></tt:Source>` +
		`<tt:Data>` + data + `</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
}

// seen tells those who listen to a camera.
func (d *Device) seen(s Seen) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lasting := d.state[s.Camera]
	if lasting == nil {
		lasting = make(map[string]bool)
		d.state[s.Camera] = lasting
	}
	lasting[s.What] = s.Began
	at := s.At.Add(d.o.ClockOffset)
	for _, t := range topics(s.What) {
		if t[1] == "" && !s.Began {
			continue
		}
		for _, x := range d.subs {
			if x.camera == s.Camera && len(x.queue) < queueMost {
				x.queue = append(x.queue, messageOf(t, "Changed", s.Began, at))
				x.wake()
			}
		}
	}
}

// lasting reads PT30S and the like.
func lasting(text string, otherwise time.Duration) time.Duration {
	text = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(text), "PT"))
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d
	}
	return otherwise
}

func (d *Device) events(w http.ResponseWriter, r *http.Request, name, base, path, action string, q request) {
	now := time.Now()
	stamp := func(t time.Time) string { return t.Add(d.o.ClockOffset).UTC().Format(time.RFC3339) }
	d.mu.Lock()
	for id, s := range d.subs {
		if now.After(s.until) {
			s.end()
			delete(d.subs, id)
		}
	}
	if action == "CreatePullPointSubscription" {
		defer d.mu.Unlock()
		if len(d.subs) >= subscriptionsMost {
			d.fault(w, http.StatusInternalServerError, "ter:MaxSubscribers", "too many listen")
			return
		}
		d.last++
		s := &subscription{id: strconv.Itoa(d.last), camera: name, until: now.Add(min(lasting(q.InitialTerminationTime, d.o.Grant), d.o.Grant)), woken: make(chan struct{})}
		var state []string
		for what := range d.state[name] {
			state = append(state, what)
		}
		slices.Sort(state)
		for _, what := range append(state, Motion, Covered) {
			for _, t := range topics(what) {
				if t[1] != "" {
					s.queue = append(s.queue, messageOf(t, "Initialized", d.state[name][what], now.Add(d.o.ClockOffset)))
				}
			}
		}
		d.subs[s.id] = s
		d.answer(w, fmt.Sprintf(`<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>%s/onvif/subscription/%s</wsa:Address></tev:SubscriptionReference>`+
			`<wsnt:CurrentTime>%s</wsnt:CurrentTime><wsnt:TerminationTime>%s</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>`, base, s.id, stamp(now), stamp(s.until)))
		return
	}
	s := d.subs[strings.TrimPrefix(path, "onvif/subscription/")]
	if s == nil || s.camera != name {
		d.mu.Unlock()
		d.fault(w, http.StatusBadRequest, "wsrf-rw:ResourceUnknownFault", "no such subscription")
		return
	}
	switch action {
	case "Renew":
		s.until = now.Add(min(lasting(q.TerminationTime, d.o.Grant), d.o.Grant))
		until := s.until
		d.mu.Unlock()
		d.answer(w, fmt.Sprintf(`<wsnt:RenewResponse><wsnt:TerminationTime>%s</wsnt:TerminationTime><wsnt:CurrentTime>%s</wsnt:CurrentTime></wsnt:RenewResponse>`, stamp(until), stamp(now)))
	case "Unsubscribe":
		s.end()
		delete(d.subs, s.id)
		d.mu.Unlock()
		d.answer(w, `<wsnt:UnsubscribeResponse/>`)
	case "PullMessages":
		deadline := time.NewTimer(min(lasting(q.Timeout, 10*time.Second), time.Minute))
		defer deadline.Stop()
		for len(s.queue) == 0 && !s.ended {
			woken := s.woken
			d.mu.Unlock()
			select {
			case <-woken:
			case <-deadline.C:
				d.mu.Lock()
				d.pulled(w, s, q.MessageLimit, stamp)
				return
			case <-r.Context().Done():
				return
			}
			d.mu.Lock()
		}
		d.pulled(w, s, q.MessageLimit, stamp)
	}
}

// pulled answers with what waits; it gives up the lock.
func (d *Device) pulled(w http.ResponseWriter, s *subscription, limit int, stamp func(time.Time) string) {
	if limit <= 0 {
		limit = 10
	}
	n := min(limit, len(s.queue))
	list, until, ended := strings.Join(s.queue[:n], ""), s.until, s.ended
	s.queue = s.queue[n:]
	d.mu.Unlock()
	if ended {
		d.fault(w, http.StatusBadRequest, "wsrf-rw:ResourceUnknownFault", "no such subscription")
		return
	}
	d.answer(w, `<tev:PullMessagesResponse><tev:CurrentTime>`+stamp(time.Now())+`</tev:CurrentTime><tev:TerminationTime>`+stamp(until)+`</tev:TerminationTime>`+list+`</tev:PullMessagesResponse>`)
}
