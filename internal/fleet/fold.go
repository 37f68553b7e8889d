package fleet

import (
	"github.com/chargewatch/chargewatch/internal/event"
)

func (b *Batch) fold(e *event.Event, fx *Effects) {
	st := b.station(e.Subject.ID)
	st.Seq = e.Seq
	fx.Receipt.Onboarding = st.Onboarding
}

func (b *Batch) fire(st *Station, a alarm, fx *Effects) {}

type meter struct{}
type order struct{}
