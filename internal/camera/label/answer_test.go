package label

import (
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestWhatAVerifierSaysIsRead(t *testing.T) {
	a, err := ParseAnswer([]byte(`{"engine":"nano\u0000det 416","took":12,"labels":[
		{"what":"car","score":0.9,"box":[0.5,0.5,0.2,0.2]},
		{"what":"Person","score":0.834,"box":[-0.01,0.2,0.3,0.9]},
		{"what":"dog","score":0.1},{"what":"traffic light","score":0.9},
		{"what":"plate","text":"B-CW 1"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Seen{
		{Label: event.Label{What: event.ScenePlate, Score: 1}, Text: "B-CW 1"},
		{Label: event.Label{What: event.SceneVehicle, Score: 0.9, Box: [4]float64{0.5, 0.5, 0.2, 0.2}}},
		{Label: event.Label{What: event.ScenePerson, Score: 0.83, Box: [4]float64{0, 0.2, 0.29, 0.8}}},
	}
	if a.Engine != "nanodet 416" || len(a.Items) != len(want) {
		t.Fatalf("read %+v", a)
	}
	for i := range want {
		if a.Items[i] != want[i] {
			t.Errorf("%d is %+v, want %+v", i, a.Items[i], want[i])
		}
	}
	if a, err := ParseAnswer([]byte(`{"labels":[]}`)); err != nil || len(a.Items) != 0 {
		t.Errorf("nothing seen: %+v, %v", a, err)
	}
}

func TestWhatIsNoAnswerIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":           `<html>`,
		"another JSON":      `{"objects":[]}`,
		"a list":            `[]`,
		"a score above one": `{"labels":[{"what":"person","score":83}]}`,
		"a score below nil": `{"labels":[{"what":"person","score":-1}]}`,
		"a box of pixels":   `{"labels":[{"what":"person","score":0.8,"box":[10,20,100,200]}]}`,
		"half a box":        `{"labels":[{"what":"person","score":0.8,"box":[0.1,0.2]}]}`,
		"too many labels":   `{"labels":[` + strings.Repeat(`{},`, maxItems) + `{}]}`,
		"too large":         `{"labels":[],"x":"` + strings.Repeat("x", maxAnswer) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := ParseAnswer([]byte(text)); err == nil {
				t.Errorf("it is %+v", a)
			}
		})
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"engine":"x","labels":[{"what":"person","score":0.8,"box":[0.1,0.2,0.3,0.4]},{"what":"plate","text":"B 1"}]}`))
	f.Add([]byte(`{"labels":[{"what":"cat","box":[1e308,-1e308,1e308,1e308]}]}`))
	f.Add([]byte(`{"labels":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseAnswer(data)
		if err != nil {
			return
		}
		if len(a.Items) > event.MaxLabels || len([]rune(a.Engine)) > maxEngine {
			t.Fatalf("beyond the bounds: %+v", a)
		}
		for _, x := range a.Items {
			if !x.What.Labelled() || !(x.Score >= 0 && x.Score <= 1) {
				t.Fatalf("%+v", x)
			}
			for i := range x.Box {
				if !(x.Box[i] >= 0 && x.Box[i] <= 1) || i >= 2 && x.Box[i-2]+x.Box[i] > 1.002 {
					t.Fatalf("%+v", x)
				}
			}
		}
	})
}
