package notify

import (
	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/store"
)

// language is the setting of channels whose messages people read.
func language() Field {
	return Field{Name: "language", Form: Choice, Choices: []string{"en", "de"}, Default: "en", Doc: "of the messages; what people wrote stays as it is"}
}

// wordsOf are the words of a channel's language; nil is English.
func (s *Service) wordsOf(c *store.Channel) *detect.Words {
	if (settings{c}).text("language") == "de" {
		return s.german
	}
	return nil
}
