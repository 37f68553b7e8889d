package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/incident"
)

// Message is what a channel hands over at once.
type Message struct {
	Key   string // idempotency: the same for every attempt
	Test  bool
	Items []Item // of one language
}

// Item is one notice of a message.
type Item struct {
	incident.Notice
	Key         string // idempotency of this notice on this channel
	Page        string // where the incident is shown; empty: unknown
	Acknowledge string // where it can be acknowledged without signing in; empty: not
	Pictures    string // where what cameras saw is shown, behind sign-in; empty: there is nothing, or it is left out
	Picture     *Picture
	Words       *detect.Words // of the channel's language; nil is English
}

// Say writes a sentence in the language of whoever reads it.
func (i *Item) Say(format string, args ...any) string {
	if i.Words != nil {
		if s := i.Words.Sentence(format, args...); s != "" {
			return s
		}
	}
	return fmt.Sprintf(format, args...)
}

// tag names the language, as in RFC 5646.
func (i *Item) tag() string {
	if i.Words != nil {
		return "de"
	}
	return "en"
}

// name is the incident in a few words, body what is told of it.
func (i *Item) name() string { return i.in(i.Title, i.TitleDE) }
func (i *Item) body() string { return i.in(i.Text, i.TextDE) }

func (i *Item) in(english, german string) string {
	if i.Words == nil || german == "" {
		return english
	}
	return german
}

// word is the change as people say it.
func (i *Item) word() string {
	switch i.Change {
	case incident.ChangeOpened:
		return i.Say("New")
	case incident.ChangeEscalated:
		if i.Taken {
			return i.Say("More severe, in hand")
		}
		return i.Say("More severe")
	case incident.ChangeReminder:
		return i.Say("Still open")
	case incident.ChangeAcknowledged:
		return i.Say("Acknowledged")
	case incident.ChangeRepaired:
		return i.Say("Repaired")
	case incident.ChangeClosed:
		return i.Say("Closed")
	case incident.ChangeReopened:
		return i.Say("Open again")
	case incident.ChangeFlapping:
		return i.Say("Comes and goes")
	case incident.ChangeCalm:
		return i.Say("Calm again")
	case incident.ChangeSLAWarning:
		return i.Say("Due soon")
	}
	return line(i.Change)
}

// headline is the item on one line.
func (i *Item) headline() string {
	text := fmt.Sprintf("%s %s: %s", i.Severity, i.word(), line(i.name()))
	if at := i.where(); at != "" {
		text += " · " + at
	}
	return text
}

// where names the site, or what is known of it.
func (i *Item) where() string {
	for _, name := range []string{i.SiteName, i.SiteID, i.Station} {
		if name != "" {
			return line(name)
		}
	}
	return ""
}

// facts are what else there is to say, as names and values.
func (i *Item) facts() [][2]string {
	out := [][2]string{}
	add := func(name, value string) {
		if value != "" {
			out = append(out, [2]string{name, line(value)})
		}
	}
	add(i.Say("Site"), i.where())
	add(i.Say("Station"), i.Station)
	add(i.Say("Since"), i.OpenedAt.UTC().Format("2006-01-02 15:04 UTC"))
	if i.Children > 0 {
		add(i.Say("Includes"), i.Say("%d further incidents", i.Children))
	}
	add(i.Say("Incident"), i.Incident)
	return out
}

// title is the message on one line.
func (m *Message) title() string {
	switch {
	case m.Test:
		return "Chargewatch: " + line(m.Items[0].name())
	case len(m.Items) == 1:
		return m.Items[0].headline()
	}
	worst := m.worst()
	return m.Items[0].Say("%s %d messages about incidents%s", worst, len(m.Items), m.place())
}

// place is the site that all items share.
func (m *Message) place() string {
	at := m.Items[0].where()
	for i := range m.Items {
		if m.Items[i].where() != at {
			return ""
		}
	}
	if at == "" {
		return ""
	}
	return " · " + at
}

// worst is the most severe of the items.
func (m *Message) worst() string {
	worst := "S4"
	for i := range m.Items {
		if s := m.Items[i].Severity; s != "" && s < worst {
			worst = s
		}
	}
	return worst
}

// over reports that every item is the end of its incident.
func (m *Message) over() bool {
	for i := range m.Items {
		if !m.Items[i].Ends() {
			return false
		}
	}
	return true
}

// plain is the whole message without markup.
func (m *Message) plain() string {
	var b strings.Builder
	for k := range m.Items {
		i := &m.Items[k]
		if k > 0 {
			b.WriteString("\n")
		}
		b.WriteString(i.headline() + "\n")
		if text := i.body(); text != "" {
			b.WriteString(lines(text) + "\n")
		}
		for _, f := range i.facts() {
			b.WriteString(f[0] + ": " + f[1] + "\n")
		}
		if i.Acknowledge != "" {
			b.WriteString(i.Say("Acknowledge") + ": " + i.Acknowledge + "\n")
		}
		if i.Page != "" {
			b.WriteString(i.Say("Open") + ": " + i.Page + "\n")
		}
		if i.Pictures != "" {
			b.WriteString(i.Say("Pictures (sign in)") + ": " + i.Pictures + "\n")
		}
	}
	return b.String()
}

// line makes a text of others fit for one line: no control characters, and
// nothing that turns the direction of reading.
func line(text string) string { return clean(text, false) }

// lines is line for texts of several lines.
func lines(text string) string { return clean(text, true) }

func clean(text string, breaks bool) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case breaks && r == '\n':
			return r
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.TrimSpace(cut(text, 4000))
}

// cut shortens a text to at most n bytes at a rune.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n] + "…"
}

// stamp is a time as machines read it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
