package evidence

import (
	"bytes"
	_ "embed"
	"fmt"
	html "html/template"
	"text/template"
	"time"
)

//go:embed sheets/cover.html
var coverSheet string

//go:embed sheets/readme.txt
var readmeSheet string

type sheet struct {
	name    string
	content []byte
}

// sheets are what a person who was given a pack reads first: what is in it and how
// to check it. They have no scripts and need nothing but a browser, or a text editor.
func sheets(m *Manifest, fingerprint, language string) ([]sheet, error) {
	w := words(language)
	v := &cover{M: m, W: w, Fingerprint: fingerprint, Lang: "en"}
	if language == "de" {
		v.Lang = "de"
	}
	v.Made, v.From, v.To = w.utc(m.MadeAt), w.utc(m.From), w.utc(m.To)
	v.Clock = w.Clocks[m.Clock]
	for i := range m.Streams {
		v.Cameras = append(v.Cameras, w.camera(&m.Streams[i], m.To))
	}
	page, err := html.New(coverName).Parse(coverSheet)
	if err != nil {
		return nil, fmt.Errorf("read the cover sheet: %w", err)
	}
	text, err := template.New(readmeName).Parse(readmeSheet)
	if err != nil {
		return nil, fmt.Errorf("read the text sheet: %w", err)
	}
	var a, b bytes.Buffer
	if err := page.Execute(&a, v); err != nil {
		return nil, fmt.Errorf("write the cover sheet: %w", err)
	}
	if err := text.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("write the text sheet: %w", err)
	}
	return []sheet{{coverName, a.Bytes()}, {readmeName, b.Bytes()}}, nil
}

// cover is what the sheets show.
type cover struct {
	M                     *Manifest
	W                     *sheetWords
	Lang, Fingerprint     string
	Made, From, To, Clock string
	Cameras               []coverCamera
}

type coverCamera struct {
	Name, Site, Clock string
	Clips             []coverClip
	Gaps              []string
	Segments          int
	Removed, Hidden   int
	Missing, Changed  int
}

type coverClip struct{ File, From, To, Local, Length, Size, Sum string }

func (w *sheetWords) camera(s *Stream, end time.Time) coverCamera {
	c := coverCamera{Name: s.Camera, Site: s.Site, Segments: len(s.Segments), Removed: len(s.Removed), Hidden: len(s.Hidden), Clock: w.NoClock}
	if s.Label != "" && s.Label != s.Camera {
		c.Name = s.Label + " (" + s.Camera + ")"
	}
	if x := s.CameraClock; x != nil {
		c.Clock = fmt.Sprintf(w.Ahead, float64(x.AheadMillis)/1000, w.utc(x.At))
		switch {
		case -50 < x.AheadMillis && x.AheadMillis < 50:
			c.Clock = fmt.Sprintf(w.InStep, w.utc(x.At))
		case x.AheadMillis < 0:
			c.Clock = fmt.Sprintf(w.Behind, float64(-x.AheadMillis)/1000, w.utc(x.At))
		}
	}
	for _, x := range s.Clips {
		c.Clips = append(c.Clips, coverClip{
			File: x.File, From: w.utc(x.From), To: w.utc(x.To), Local: local(s.Zone, x.From, x.To),
			Length: x.To.Sub(x.From).Round(time.Second).String(), Size: fmt.Sprintf("%.1f MB", float64(x.Bytes)/1e6), Sum: x.Sum.String(),
		})
	}
	for _, g := range s.Gaps {
		to := end
		if g.To != nil {
			to = *g.To
		}
		why := w.Gaps[g.Reason]
		if why == "" {
			why = w.Gaps["other"]
		}
		c.Gaps = append(c.Gaps, w.utc(g.From)+" – "+w.utc(to)+": "+why)
	}
	for _, x := range s.Missing {
		c.Missing += int(min(x.Last-x.First, maxNotes)) + 1
	}
	for _, g := range s.Segments {
		if g.Found != nil {
			c.Changed++
		}
	}
	return c
}

// local is the time on the clocks of the site.
func local(zone string, from, to time.Time) string {
	z, err := time.LoadLocation(zone)
	if zone == "" || err != nil {
		return ""
	}
	return from.In(z).Format("2006-01-02 15:04:05") + " – " + to.In(z).Format("15:04:05 MST") + " (" + zone + ")"
}

func (w *sheetWords) utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }
