package motion

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/area"
	"github.com/chargewatch/chargewatch/internal/event"
	simcamera "github.com/chargewatch/chargewatch/internal/sim/camera"
	"github.com/chargewatch/chargewatch/internal/sim/camera/clips"
)

const trialFolder = "testdata/trials/"

// tried is a trial in words: clips of a set and how often each is played. What is to
// be found beside what the clips say of themselves follows a clip's name after a colon.
type tried struct {
	name, place, steps string
	zones              []Zone
}

// program is what each set of trials shows.
func program(set string) []tried {
	bays := []Zone{{ID: "bays", Kind: event.ZoneWatch, Polygon: area.Polygon{{0.1, 0.55}, {0.8, 0.55}, {0.8, 0.92}, {0.1, 0.92}}}}
	list := []tried{
		{"rain at night", "1", "rain-night*4 rain-night-walks rain-night*3", nil},
		{"snow", "2", "snow*4 snow-walks snow*3", nil},
		{"a bus passes behind", "3", "day*8 bus day*4", nil},
		{"a bus, only the bays are watched", "3", "day*8 bus day*4", bays},
		{"shadows of leaves in the wind", "3", "day*8 leaves*2 day*3", nil},
		{"a flag in the wind", "3", "flag*5", nil},
		{"somebody creeps", "3", "day*8 slow day*4", nil},
		{"somebody crouches at the cable", "3", "day*8 crouches day*4", nil},
		{"the same in infrared", "4", "infrared*8 infrared-crouches infrared*4", nil},
		{"a cat in infrared", "4", "infrared*8 cat infrared*4", nil},
		{"insects before the infrared lamp", "4", "infrared*8 insect*2 infrared*3", nil},
		{"a spider's web before the lamp", "4", "web*5", nil},
		{"the light of the garage", "garage", "unlit*8 lit*8 unlit*8 lit*5", nil},
		{"a car turns behind the camera", "5", "night*8 lights*2 night*4", nil},
		{"a hand on the lens", "3", "day*8 day-hand:covered*4 day*5", nil},
		{"a hand by night", "5", "night*8 night-hand:covered*4 night*5", nil},
		{"paint", "3", "day*8 day-sprayed:covered*4 day*5", nil},
		{"paint by night", "5", "night*8 night-sprayed:covered*4 night*5", nil},
		{"a little out of focus", "3", "day*8 day-blurred:defocused*4 day*5", nil},
		{"the same by night", "5", "night*8 night-blurred:defocused*4 night*5", nil},
		{"a torch", "3", "day*8 day-torch:blinded*4 day*5", nil},
		{"a torch by night", "5", "night*8 night-torch:blinded*4 night*5", nil},
		{"pushed aside by 19 degrees", "3", "day*8 day-pushed:turned*5 day*5", nil},
		{"by 23 degrees, by night", "5", "night*8 night-pushed:turned*5 night*5", nil},
		{"frozen in infrared", "4", "infrared*8 infrared:frozen*4 infrared*5", nil},
	}
	if set == "a" {
		return list
	}
	return append(list, []tried{
		{"wind for minutes, a flag", "3", "flag*9 flag*9 flag-walks flag*2", nil},
		{"wind for minutes, shadows of leaves", "3", "leaves*9 leaves*9 leaves-walks leaves*2", nil},
		{"nine minutes of it, a flag", "3", "flag*9 flag*9 flag*9 flag*9 flag*9 flag-walks flag*2", nil},
		{"nine minutes of it, shadows of leaves", "3", "leaves*9 leaves*9 leaves*9 leaves*9 leaves*9 leaves-walks leaves*2", nil},
		{"a car comes by night and goes", "5", "night*8 arrives stands*8 leaves-bay night*4", nil},
		{"somebody with a torch", "5", "night*8 torch-walks night*4", nil},
	}...)
}

// freshTrials are those of a set.
func freshTrials(t testing.TB, set string) []trial {
	t.Helper()
	text, err := os.ReadFile(trialFolder + "sights.json")
	if err != nil {
		t.Fatal(err)
	}
	var sights map[string][]clips.Sight
	if err := json.Unmarshal(text, &sights); err != nil {
		t.Fatal(err)
	}
	all := feeds()[1]
	have := make(map[string][][]byte)
	clip := func(name string) [][]byte {
		if have[name] == nil {
			data, err := os.ReadFile(trialFolder + set + "-" + name + ".h264")
			if err != nil {
				t.Fatal(err)
			}
			have[name] = decoded(t, data, false)
		}
		return have[name]
	}
	var list []trial
	for _, p := range program(set) {
		x := trial{name: p.name, place: p.place, zones: p.zones}
		var pictures [][]byte
		for _, step := range strings.Fields(p.steps) {
			step, count, _ := strings.Cut(step, "*")
			name, condition, _ := strings.Cut(step, ":")
			shot := clip(name)
			from := x.long
			for range max(1, len(count)*int((count + "0")[0]-'0')) {
				for _, m := range simcamera.Moments(sights[set+"-"+name]) {
					if m.What == simcamera.Motion && p.zones == nil {
						m.From, m.To = m.From+x.long, m.To+x.long
						x.truth = append(x.truth, m)
					}
				}
				for i := range shot {
					if condition == simcamera.Frozen {
						i = 0
					}
					pictures = append(pictures, shot[i])
				}
				x.long += time.Duration(len(shot)) * all.every
			}
			if condition != "" {
				x.truth = append(x.truth, simcamera.Moment{What: condition, From: from, To: x.long})
			}
		}
		x.pictures = func(f feed) [][]byte {
			if !f.keys {
				return pictures
			}
			var keys [][]byte
			for i := 0; i < len(pictures); i += int(f.every / all.every) {
				keys = append(keys, pictures[i])
			}
			return keys
		}
		list = append(list, x)
	}
	return list
}

// TestTruthOfTheFirstTrials shows the detector what it was not tuned on when the set
// was drawn.
func TestTruthOfTheFirstTrials(t *testing.T) {
	text, _, _ := table(t, freshTrials(t, "a"))
	documented(t, "first trials", text)
}

// TestTruthOfTheSecondTrials shows it another set, drawn and judged after what the
// first had shown was mended.
func TestTruthOfTheSecondTrials(t *testing.T) {
	text, _, _ := table(t, freshTrials(t, "b"))
	documented(t, "second trials", text)
}
