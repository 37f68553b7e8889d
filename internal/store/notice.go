package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Notice is what an operator tells drivers about a site.
type Notice struct {
	Text  string    `json:"text"`
	Until time.Time `json:"until,omitzero"` // zero: until someone removes it
}

// Bounds of what drivers are told.
const (
	MaxNotices    = 10
	MaxNoticeText = 500 // characters
	maxPublicName = 100 // characters
)

// Name drivers know the site by.
func (x *Site) DriversName() string {
	if x.PublicName != "" {
		return x.PublicName
	}
	return x.Name
}

// NoticesAt returns the notices that hold at a time.
func (x *Site) NoticesAt(t time.Time) []Notice {
	var out []Notice
	for _, n := range x.Notices {
		if n.Until.IsZero() || n.Until.After(t) {
			out = append(out, n)
		}
	}
	return out
}

// validatePublic checks what drivers will read. Text stays text: line breaks
// are kept, other control characters have no place in it.
func (x *Site) validatePublic() error {
	if utf8.RuneCountInString(x.PublicName) > maxPublicName || !readable(x.PublicName, false) {
		return &InvalidError{"publicName", fmt.Sprintf("at most %d printable characters", maxPublicName)}
	}
	if len(x.Notices) > MaxNotices {
		return &InvalidError{"notices", fmt.Sprintf("at most %d", MaxNotices)}
	}
	for i, n := range x.Notices {
		if strings.TrimSpace(n.Text) == "" || utf8.RuneCountInString(n.Text) > MaxNoticeText || !readable(n.Text, true) {
			return &InvalidError{fmt.Sprintf("notices[%d].text", i), fmt.Sprintf("1 to %d printable characters", MaxNoticeText)}
		}
	}
	return nil
}

func readable(text string, lines bool) bool {
	if !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && !(lines && (r == '\n' || r == '\t'))
	})
}

// encodeNotices is the column's form: empty for none.
func encodeNotices(list []Notice) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	data, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encode notices: %w", err)
	}
	return string(data), nil
}

func decodeNotices(text string) ([]Notice, error) {
	if text == "" {
		return nil, nil
	}
	var list []Notice
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("decode notices: %w", err)
	}
	return list, nil
}
