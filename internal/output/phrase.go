package output

import (
	"slices"

	"github.com/chargewatch/chargewatch/internal/store"
)

// usual is what a speaker says if nobody wrote anything else for it.
var usual = []store.Phrase{
	{Key: "filmed", Language: "en", Text: "Attention. You are being filmed. The police are on their way. Leave the site now."},
	{Key: "filmed", Language: "de", Text: "Achtung. Sie werden gefilmt. Die Polizei ist unterwegs. Verlassen Sie sofort das Gelände."},
	{Key: "leave", Language: "en", Text: "This area is closed. Please leave the site."},
	{Key: "leave", Language: "de", Text: "Dieser Bereich ist geschlossen. Bitte verlassen Sie das Gelände."},
	{Key: "danger", Language: "en", Text: "Danger. High voltage. Step back from the charging station."},
	{Key: "danger", Language: "de", Text: "Gefahr. Hochspannung. Treten Sie von der Ladestation zurück."},
	{Key: "help", Language: "en", Text: "We see you. Help is on its way. Please stay where you are."},
	{Key: "help", Language: "de", Text: "Wir sehen Sie. Hilfe ist unterwegs. Bitte bleiben Sie, wo Sie sind."},
}

// Phrases are what a speaker can say.
func Phrases(o *store.Output) []store.Phrase {
	if o.Kind != store.Speaker {
		return nil
	}
	if len(o.Announcements) > 0 {
		return o.Announcements
	}
	return slices.Clone(usual)
}

// phrase finds what a speaker is to say: the first if nobody said, in another language
// if it has none in this one.
func phrase(o *store.Output, key, language string) (*store.Phrase, error) {
	list := Phrases(o)
	if len(list) == 0 {
		if key != "" {
			return nil, ErrPhrase
		}
		return nil, nil //nolint:nilnil // what is no speaker says nothing
	}
	if key == "" {
		key = list[0].Key
	}
	var found *store.Phrase
	for i := range list {
		p := &list[i]
		if p.Key == key && (found == nil || p.Language == language && found.Language != language) {
			found = p
		}
	}
	if found == nil {
		return nil, ErrPhrase
	}
	return found, nil
}
