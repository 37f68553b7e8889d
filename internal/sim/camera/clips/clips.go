// Package clips holds what simulated cameras show: short clips drawn by the
// studio and encoded once by the generator beside this file, so that nobody
// needs an encoder to play them.
//
// Each clip is H.264 in Annex B form, constrained baseline, 15 pictures a second
// (main) or 5 (sub). Every two seconds begin with a key picture that carries its
// parameter sets; clips of the same stream may follow each other at any such
// point.
package clips

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

//go:embed main/*.h264 sub/*.h264 still/*.jpg sights.json tone.aac
var files embed.FS

// Rates of the two streams in pictures a second.
const (
	MainRate = 15
	SubRate  = 5
)

// Sight is one thing to be seen in a clip.
type Sight struct {
	What string `json:"what"` // vehicle, person
	// From and To are seconds of the clip.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// Track is where it is, at every half second: left, top, right, bottom from 0 to 1.
	Track [][4]float64 `json:"track"`
}

// Names lists the clips.
func Names() ([]string, error) {
	entries, err := files.ReadDir("main")
	if err != nil {
		return nil, fmt.Errorf("list clips: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".h264"))
	}
	return names, nil
}

// Read returns the bytes of a clip; stream is main or sub.
func Read(stream, name string) ([]byte, error) {
	b, err := files.ReadFile(stream + "/" + name + ".h264")
	if err != nil {
		return nil, fmt.Errorf("read clip: %w", err)
	}
	return b, nil
}

// Tone is about four seconds of a tone of 440 Hz: AAC of 16 kHz, one channel, in ADTS.
func Tone() ([]byte, error) {
	b, err := files.ReadFile("tone.aac")
	if err != nil {
		return nil, fmt.Errorf("read tone: %w", err)
	}
	return b, nil
}

// Still is a picture of a view, as JPEG.
func Still(view string) ([]byte, error) {
	b, err := files.ReadFile("still/" + view + ".jpg")
	if err != nil {
		return nil, fmt.Errorf("read still: %w", err)
	}
	return b, nil
}

// Table tells what is to be seen. The zero value is ready.
type Table struct {
	once   sync.Once
	sights map[string][]Sight
	err    error
}

// Sights are those of a clip.
func (t *Table) Sights(name string) ([]Sight, error) {
	t.once.Do(func() {
		b, err := files.ReadFile("sights.json")
		if err == nil {
			err = json.Unmarshal(b, &t.sights)
		}
		if err != nil {
			t.err = fmt.Errorf("read what is to be seen: %w", err)
		}
	})
	return t.sights[name], t.err
}
