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
	switch set {
	case "a":
		return list
	case "c", "d":
		return odd()
	case "e":
		return restless()
	case "f":
		return unsettled()
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

// odd is what changes a picture and is nobody, and the few who are to be found in it.
func odd() []tried {
	return []tried{
		{"shadows of twigs, in gusts", "1", "day*5 twigs*3 day*2", nil},
		{"the same, and somebody in it", "1", "twigs*5 twigs-walks twigs", nil},
		{"a banner fills and falls", "1", "banner*4", nil},
		{"the same, and somebody walks by", "1", "banner*5 banner-walks banner", nil},
		{"somebody runs", "1", "day*4 runs day*3", nil},
		{"a cat by day", "1", "day*4 cat day*3", nil},
		{"ripples on a puddle", "1", "puddle*5", nil},
		{"a thin bag over the lens", "1", "day*5 bag:covered*4 day*4", nil},
		{"thin cloth over the lens", "1", "day*5 cloth:covered*4 day*4", nil},
		{"rain on the lens", "2", "rain*4", nil},
		{"the same, and somebody walks by", "2", "rain*2 rain-walks rain", nil},
		{"fog comes in", "2", "fog", nil},
		{"cars pass by night, their light comes in", "3", "night*4 passes*2 night*3", nil},
		{"somebody crawls by night", "3", "night*4 crawls night*3", nil},
		{"a cable is cut by night", "3", "night*4 cuts night*3", nil},
		{"a bag by night", "3", "night*5 night-bag:covered*4 night*4", nil},
		{"cloth by night", "3", "night*5 night-cloth:covered*4 night*4", nil},
		{"moths before the infrared lamp", "4", "infrared*4 moths*3 infrared*2", nil},
		{"somebody comes after them", "4", "moths*2 infrared-walks infrared*2", nil},
		{"a web in gusts", "4", "threads*3", nil},
		{"snow before the infrared lamp", "4", "flurry*4", nil},
		{"the same, and somebody walks by", "4", "flurry*3 flurry-walks flurry", nil},
	}
}

// restless is what never rests, and people among it.
func restless() []tried {
	return []tried{
		{"a bush in the wind", "1", "bush*4", nil},
		{"somebody walks past it", "1", "bush*3 bush-walks bush", nil},
		{"somebody kneels beside it", "1", "bush*3 bush-works bush", nil},
		{"shadows of twigs, in gusts", "1", "day*4 twigs*2 day*3", nil},
		{"somebody in them", "1", "twigs*3 twigs-walks twigs", nil},
		{"grease on the lens", "1", "day*6 grease:covered*4 day*5", nil},
		{"film over it", "1", "day*6 film:covered*4 day*5", nil},
		{"pennants on a line", "2", "pennants*4", nil},
		{"somebody walks past them", "2", "pennants*3 pennants-walks pennants", nil},
		{"a tarpaulin with a loose end", "2", "cover*4", nil},
		{"somebody runs past it", "2", "cover*3 cover-runs cover", nil},
		{"a pillar that turns", "2", "pillar*4", nil},
		{"somebody walks past it", "2", "pillar*3 pillar-walks pillar", nil},
		{"a beacon by night", "3", "beacon*4", nil},
		{"somebody in its light", "3", "beacon*3 beacon-walks beacon", nil},
		{"a bush by night", "3", "bush-night*4", nil},
		{"a cable is cut beside it", "3", "bush-night*3 bush-cuts bush-night", nil},
		{"grease by night", "3", "night*6 grease-night:covered*4 night*5", nil},
		{"moths before the infrared lamp", "4", "moths*4", nil},
		{"somebody among them", "4", "moths*3 moths-walks moths", nil},
		{"a web in gusts", "4", "threads*4", nil},
		{"somebody behind it", "4", "threads*3 threads-walks threads", nil},
		{"a cat in infrared", "4", "infrared*6 cat infrared*4", nil},
		{"sleet", "5", "sleet*4", nil},
		{"somebody in it", "5", "sleet*3 sleet-walks sleet", nil},
		{"rain on the lens", "5", "drops*4", nil},
		{"fog comes in", "5", "fog", nil},
		{"somebody in the fog", "5", "fog-walks", nil},
	}
}

// unsettled is grass, a sign, shadows of a rotor, lamps that blink and flicker, midges, and
// what was hard before; and people among it.
func unsettled() []tried {
	return []tried{
		{"grass in the wind", "1", "grass*4", nil},
		{"somebody walks before it", "1", "grass*3 grass-walks grass", nil},
		{"shadows of twigs, in gusts", "1", "day*5 twigs*3", nil},
		{"somebody in them", "1", "twigs*3 twigs-walks twigs", nil},
		{"a bag over the lens", "1", "day*6 bag:covered*4 day*5", nil},
		{"a sign that swings", "2", "sign*4", nil},
		{"somebody runs past it", "2", "sign*3 sign-runs sign", nil},
		{"shadows of a rotor", "2", "rotor*4", nil},
		{"somebody in them", "2", "rotor*3 rotor-walks rotor", nil},
		{"a cat passes the sign", "2", "sign*3 sign-cat sign", nil},
		{"hazard lights by night", "3", "night*4 hazard*3 night*3", nil},
		{"somebody in their light", "3", "hazard*3 hazard-walks hazard", nil},
		{"a beacon by night", "3", "beacon*4", nil},
		{"somebody in its light", "3", "beacon*3 beacon-walks beacon", nil},
		{"a lamp that flickers", "3", "flicker*4", nil},
		{"a cable is cut under it", "3", "flicker*3 flicker-cuts flicker", nil},
		{"cloth by night", "3", "night*6 night-cloth:covered*4 night*5", nil},
		{"midges before the infrared lamp", "4", "infrared*4 midges*3", nil},
		{"somebody among them", "4", "midges*3 midges-walks midges", nil},
		{"a web in gusts", "4", "threads*4", nil},
		{"snow before the infrared lamp", "4", "flurry*4", nil},
		{"somebody in it", "4", "flurry*3 flurry-walks flurry", nil},
		{"rain on the lens", "5", "drops*4", nil},
		{"somebody in it", "5", "drops*3 drops-walks drops", nil},
		{"fog comes in", "5", "fog", nil},
		{"somebody in the fog", "5", "fog-walks", nil},
	}
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
	t.Parallel()
	text, _, _ := table(t, freshTrials(t, "a"))
	documented(t, "first trials", text)
}

// TestTruthOfTheSecondTrials shows it another set, drawn and judged after what the
// first had shown was mended.
func TestTruthOfTheSecondTrials(t *testing.T) {
	t.Parallel()
	text, _, _ := table(t, freshTrials(t, "b"))
	documented(t, "second trials", text)
}

// TestTruthOfTheThirdTrials shows it wind, weather, vermin and veils of other kinds.
func TestTruthOfTheThirdTrials(t *testing.T) {
	t.Parallel()
	text, _, _ := table(t, freshTrials(t, "c"))
	documented(t, "third trials", text)
}

// TestTruthOfTheFourthTrials shows it the same kinds once more, at other places.
func TestTruthOfTheFourthTrials(t *testing.T) {
	t.Parallel()
	text, _, _ := table(t, freshTrials(t, "d"))
	documented(t, "fourth trials", text)
}

// TestTruthOfTheFifthTrials shows it what never rests, other than anything before, drawn
// when the rules for what sways and what is seen through were done.
func TestTruthOfTheFifthTrials(t *testing.T) {
	t.Parallel()
	text, _, _ := table(t, freshTrials(t, "e"))
	documented(t, "fifth trials", text)
}

// TestTruthOfTheSixthTrials shows it what blinks and swings, drawn and kept before it was
// judged once.
func TestTruthOfTheSixthTrials(t *testing.T) {
	t.Parallel()
	text, _, _ := table(t, freshTrials(t, "f"))
	documented(t, "sixth trials", text)
}
