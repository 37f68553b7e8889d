package event

import "time"

// KindRelayGap is a time in which a relayed station was not listened to.
const KindRelayGap Kind = "relay.gap"

// RelayGap says that frames between a station and another system passed by us
// unread: they went on and we could not keep them. What they told is not known.
type RelayGap struct {
	Upstream string    `json:"upstream"` // the other system
	ConnID   string    `json:"connId"`
	From     time.Time `json:"from"` // the first of the frames
	To       time.Time `json:"to"`
	Frames   int       `json:"frames"`
	Reason   string    `json:"reason"` // full: more came than could be kept; stopping: we stopped first
}

// Kind is KindRelayGap.
func (*RelayGap) Kind() Kind { return KindRelayGap }

func (*RelayGap) isBody() {}
