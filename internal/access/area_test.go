package access

import (
	"testing"
	"time"
)

func TestWhoIsInside(t *testing.T) {
	hard := &Area{ID: "vault", In: []string{"in", "side"}, Out: []string{"out"}, Mode: PassbackHard, ForgetH: 8}
	morning := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	type step struct {
		after time.Duration // of the morning
		place string
		out   bool
		does  string // comes (is let through), opens, pardoned, emptied, away (we were, and doors keep no records)
		who   string
	}
	ida := func(after time.Duration, place string) step { return step{after, place, false, "comes", "ida"} }
	for name, story := range map[string]struct {
		before []step
		asks   step
		want   PassageKind
	}{
		"who comes in first is welcome":                          {nil, ida(0, "in"), ""},
		"who is inside does not come in again":                   {[]step{ida(0, "in"), {0, "in", false, "opens", ""}}, ida(time.Minute, "in"), PassageInside},
		"nor by another door":                                    {[]step{ida(0, "in")}, ida(time.Second, "side"), PassageInside},
		"who did not go through shows the card again":            {[]step{ida(0, "in")}, ida(15*time.Second, "in"), ""},
		"who went through does not":                              {[]step{ida(0, "in"), {time.Second, "in", false, "opens", ""}}, ida(15*time.Second, "in"), PassageInside},
		"a while later nobody believes that":                     {[]step{ida(0, "in")}, ida(21*time.Second, "in"), PassageInside},
		"who left comes in again":                                {[]step{ida(0, "in"), ida(time.Hour, "out")}, ida(2*time.Hour, "in"), ""},
		"who left by a reader inside does too":                   {[]step{ida(0, "in"), {time.Hour, "in", true, "comes", "ida"}}, ida(2*time.Hour, "in"), ""},
		"who never came in and leaves is told of":                {nil, ida(0, "out"), PassageOutside},
		"others are not meant":                                   {[]step{ida(0, "in")}, step{time.Minute, "in", false, "", "bo"}, ""},
		"nobody by name is nobody":                               {[]step{{0, "in", false, "comes", ""}}, step{time.Minute, "in", false, "", ""}, ""},
		"after the hours of the area nobody is inside":           {[]step{ida(0, "in")}, ida(8*time.Hour, "in"), ""},
		"and who leaves then says nothing":                       {[]step{ida(0, "in")}, ida(8*time.Hour, "out"), ""},
		"who is pardoned comes in again":                         {[]step{ida(0, "in"), {time.Hour, "", false, "pardoned", "ida"}}, ida(2*time.Hour, "in"), ""},
		"and may leave though nobody saw them come":              {[]step{ida(0, "in"), {time.Hour, "", false, "pardoned", "ida"}}, ida(2*time.Hour, "out"), ""},
		"the pardon of another is not theirs":                    {[]step{ida(0, "in"), {time.Hour, "", false, "pardoned", "bo"}}, ida(2*time.Hour, "in"), PassageInside},
		"after a muster nobody is inside":                        {[]step{ida(0, "in"), {time.Hour, "", false, "emptied", ""}}, ida(2*time.Hour, "in"), ""},
		"what is heard late changes nothing that came after it":  {[]step{ida(time.Hour, "out"), ida(0, "in")}, ida(2*time.Hour, "in"), ""},
		"what was before a pardon and is heard after it is void": {[]step{{time.Hour, "", false, "pardoned", "ida"}, ida(0, "in")}, ida(2*time.Hour, "in"), ""},
		"who came in before we were away may have left":          {[]step{{0, "in", false, "away", "ida"}}, ida(time.Hour, "in"), PassageUnsure},
		"a door of another area says nothing":                    {[]step{ida(0, "in")}, ida(time.Hour, "elsewhere"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := NewInside()
			for _, s := range story.before {
				at := morning.Add(s.after)
				switch s.does {
				case "comes", "away":
					x.Went(hard, s.place, s.who, s.out, at, s.does == "away")
				case "opens":
					x.Opened(s.place, at)
				case "pardoned", "emptied":
					x.Pardon(hard.ID, s.who, at)
				}
			}
			got := x.Judge(hard, story.asks.place, story.asks.who, story.asks.out, morning.Add(story.asks.after))
			if got.Kind != story.want || got.Refused() != (story.want == PassageInside) {
				t.Errorf("%+v", got)
			}
			soft := *hard
			soft.Mode = PassbackSoft
			if got := x.Judge(&soft, story.asks.place, story.asks.who, story.asks.out, morning.Add(story.asks.after)); got.Refused() {
				t.Errorf("a soft rule refuses: %+v", got)
			}
		})
	}
}

func TestWhatABoardKeepsByItself(t *testing.T) {
	area := func(in, out []string) Area { return Area{ID: in[0], In: in, Out: out, Mode: PassbackHard, Board: true} }
	lock := func(doors ...string) Airlock { return Airlock{ID: doors[0], Doors: doors, Board: true} }
	for name, c := range map[string]struct {
		doors string // those that are used
		rows  Rows
		want  BoardRules
		whole bool
	}{
		"nothing":                          {"abcd", Rows{}, BoardRules{}, true},
		"what the server keeps":            {"abcd", Rows{Areas: []Area{{ID: "x", In: []string{"a"}, Out: []string{"b"}}}}, BoardRules{}, true},
		"a pair and nothing else":          {"ab", Rows{Areas: []Area{area([]string{"b"}, []string{"a"})}}, BoardRules{Passback: "1:2,3:4"}, true},
		"a pair beside other doors":        {"abc", Rows{Areas: []Area{area([]string{"a"}, []string{"b"})}}, BoardRules{}, false},
		"two pairs":                        {"abcd", Rows{Areas: []Area{area([]string{"a"}, []string{"b"}), area([]string{"d"}, []string{"c"})}}, BoardRules{Passback: "1:2,3:4"}, true},
		"two ways in and two out":          {"abcd", Rows{Areas: []Area{area([]string{"a", "c"}, []string{"b", "d"})}}, BoardRules{Passback: "13:24"}, true},
		"one way in, two out":              {"abc", Rows{Areas: []Area{area([]string{"a"}, []string{"b", "c"})}}, BoardRules{Passback: "1:23"}, true},
		"three ways in, one out":           {"abcd", Rows{Areas: []Area{area([]string{"b", "c", "d"}, []string{"a"})}}, BoardRules{Passback: "1:234"}, true},
		"an order that no board knows":     {"abcd", Rows{Areas: []Area{area([]string{"a", "b"}, []string{"c", "d"})}}, BoardRules{}, false},
		"a way out at another board":       {"ab", Rows{Areas: []Area{area([]string{"a"}, []string{"x"})}}, BoardRules{}, false},
		"no way out":                       {"ab", Rows{Areas: []Area{area([]string{"a"}, nil)}}, BoardRules{}, false},
		"an airlock":                       {"abcd", Rows{Airlocks: []Airlock{lock("b", "a")}}, BoardRules{Airlock: "12"}, true},
		"two airlocks":                     {"abcd", Rows{Airlocks: []Airlock{lock("d", "c"), lock("a", "b")}}, BoardRules{Airlock: "12,34"}, true},
		"of three":                         {"abcd", Rows{Airlocks: []Airlock{lock("c", "b", "a")}}, BoardRules{Airlock: "123"}, true},
		"of doors that are not neighbours": {"abcd", Rows{Airlocks: []Airlock{lock("b", "c")}}, BoardRules{}, false},
		"both":                             {"ab", Rows{Areas: []Area{area([]string{"a"}, []string{"b"})}, Airlocks: []Airlock{lock("a", "b")}}, BoardRules{Passback: "1:2,3:4", Airlock: "12"}, true},
	} {
		b, err := Compile(c.rows)
		if err != nil {
			t.Fatal(err)
		}
		var doors [ListDoors]Place
		for i, d := range c.doors {
			doors[i].ID = string(d)
		}
		if got, whole := b.BoardRules(doors); got != c.want || whole != c.whole {
			t.Errorf("%s: %+v, %v", name, got, whole)
		}
	}
}
