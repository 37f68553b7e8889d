package studio

// reel gathers the shots of a set of trials, which its salt draws.
type reel struct {
	set   string
	salt  int
	shots []Shot
}

// add takes a shot with the usual lens of its mood, unless change makes another of it.
func (r *reel) add(name string, seconds int, v view, w mood, a act, change func(*optics)) {
	o := usual(w)
	o.salt = r.salt
	if change != nil {
		change(&o)
	}
	r.shots = append(r.shots, Shot{r.set + "-" + name, seconds, v, w, a, o})
}

// among has somebody come into what goes on.
func among(weather, who act) act {
	return func(t float64) stage {
		s := weather(t)
		s.actors = append(s.actors, who(t).actors[1:]...)
		return s
	}
}
