package uhppote

// What a board keeps by itself beside its lists. Firmware says what anti-passback it
// keeps; of interlocks it says only that it was told.

// Passback is a form of anti-passback: whoever was let in at a door of one side is not let
// in there again before a door of the other side let them through.
type Passback byte

// The forms of anti-passback.
const (
	NoPassback      Passback = 0
	Passback12And34 Passback = 1 // 1 and 2, and 3 and 4
	Passback13To24  Passback = 2
	Passback1To23   Passback = 3
	Passback1To234  Passback = 4
)

// Airlock is a form of interlock: of some doors only one opens at a time.
type Airlock byte

// The forms of interlocks.
const (
	NoAirlock      Airlock = 0
	Airlock12      Airlock = 1
	Airlock34      Airlock = 2
	Airlock12And34 Airlock = 3
	Airlock123     Airlock = 4
	Airlock1234    Airlock = 8
)

// GetPassback asks for it.
type GetPassback struct{ plain }

// Code names the kind.
func (*GetPassback) Code() Code { return CodePassback }

// PassbackReply says what holds.
type PassbackReply struct{ Passback Passback }

// Code names the kind.
func (*PassbackReply) Code() Code           { return CodePassback }
func (m *PassbackReply) put(f *Frame)       { f[8] = byte(m.Passback) }
func (m *PassbackReply) get(f *Frame) error { m.Passback = Passback(f[8]); return nil }

// SetPassback changes it.
type SetPassback struct{ Passback Passback }

// Code names the kind.
func (*SetPassback) Code() Code           { return CodeSetPassback }
func (m *SetPassback) put(f *Frame)       { f[8] = byte(m.Passback) }
func (m *SetPassback) get(f *Frame) error { m.Passback = Passback(f[8]); return nil }

// SetAirlock changes it; nobody can ask for it.
type SetAirlock struct{ Airlock Airlock }

// Code names the kind.
func (*SetAirlock) Code() Code           { return CodeSetAirlock }
func (m *SetAirlock) put(f *Frame)       { f[8] = byte(m.Airlock) }
func (m *SetAirlock) get(f *Frame) error { m.Airlock = Airlock(f[8]); return nil }
