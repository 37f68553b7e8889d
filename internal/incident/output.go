package incident

import "github.com/chargewatch/chargewatch/internal/event"

// switched notes that a siren, a light, a speaker or a relay was to be switched for an
// incident. The first words are codes that screens have words for.
func (f *Fold) switched(b *event.OutputSwitch) {
	en := f.entries[b.Incident]
	if en == nil {
		return
	}
	what := "off"
	if b.On {
		what = "on"
	}
	if !b.Done {
		what = "not-" + what + " " + b.Error
	}
	f.log(en, ChangeSwitched, b.By, b.Output+" "+what+": "+b.Label+ownLine(b.Reason))
	f.touch(en)
}

// asked notes what became of a wish that needs two people.
func (f *Fold) asked(b *event.OutputRequest) {
	en := f.entries[b.Incident]
	if en == nil {
		return
	}
	by := b.By
	if b.State == "asked" {
		by = b.AskedBy
	}
	f.log(en, ChangeSwitched, by, b.Output+" "+b.State+": "+b.Label+ownLine(b.Reason))
	f.touch(en)
}

// ownLine is a reason on a line of its own.
func ownLine(reason string) string {
	if reason == "" {
		return ""
	}
	return "\n" + reason
}
