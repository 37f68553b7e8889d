package evidence

import (
	"crypto/ed25519"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/camera/record"
	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// near is how far times may be apart that mean the same moment.
const near = time.Second

// chain checks that the files follow each other as they were recorded.
func (r *Report) chain(s *Stream, m *Manifest) {
	name := s.Camera + "/" + s.Stream
	for _, x := range s.Missing {
		r.fault("missing", name, "segments %d to %d were gone before the pack was made, and retention did not remove them", x.First, x.Last)
	}
	stones := make(map[uint64]record.Tombstone, len(s.Removed))
	for _, t := range s.Removed {
		stones[t.First] = t
		if t.Camera != s.Camera || t.Stream != s.Stream || r.key != nil && !ed25519.Verify(r.key, t.Payload(), t.Sign) {
			r.fault("chain", name, "the note that segments %d to %d were removed is not signed by the key", t.First, t.Last)
		}
	}
	for i, g := range s.Segments {
		if s.entry(g).Link() != g.Link {
			r.fault("chain", g.File, "its link is not of what the manifest says of it")
		}
		if g.Found != nil {
			r.fault("recorded", g.File, "had been changed on the recorder before the pack was made (SHA-256 then %s, now %s)", g.Sum, *g.Found)
		}
		if i > 0 {
			r.follows(s, name, s.Segments[i-1], g, stones)
		}
	}
	if n := len(s.Segments); n > 0 && s.Head.Seq < s.Segments[n-1].Seq {
		r.fault("chain", name, "the chain ends with %d, before the last segment", s.Head.Seq)
	}
	r.times(s, name, m)
}

// follows checks that a file comes after another, or that a note says why not.
func (r *Report) follows(s *Stream, name string, before, g Segment, stones map[uint64]record.Tombstone) {
	seq, link := before.Seq, before.Link
	for {
		t, ok := stones[seq+1]
		if !ok || t.Prev != link || t.Last <= seq || t.Last >= g.Seq {
			break
		}
		seq, link = t.Last, t.Link
	}
	switch {
	case g.Seq <= before.Seq:
		r.fault("chain", g.File, "does not come after segment %d", before.Seq)
	case g.Seq == seq+1 && g.Prev != link:
		r.fault("chain", g.File, "does not follow segment %d: its link to it is another", seq)
	case g.Seq > seq+1 && !slices.ContainsFunc(s.Missing, func(x Missing) bool { return x.First <= seq+1 && x.Last >= g.Seq-1 }):
		r.fault("missing", name, "segments %d to %d are not there, and nothing says why", seq+1, g.Seq-1)
	}
}

// pictured are the times that the segments have pictures of.
func (s *Stream) pictured() []Range {
	var out []Range
	for _, g := range s.Segments {
		if n := len(out); n > 0 && g.Start.Sub(out[n-1].To) < near {
			out[n-1].To = later(out[n-1].To, g.End)
			continue
		}
		out = append(out, Range{g.Start, g.End})
	}
	return out
}

// times checks that what the manifest says of times is what its segments say. The
// chain speaks for the segments, and the signature alone for the rest.
func (r *Report) times(s *Stream, name string, m *Manifest) {
	if len(s.Segments) == 0 {
		return
	}
	there := s.pictured()
	i := 0
	for _, x := range s.Ranges {
		for i < len(there) && there[i].To.Before(x.From) {
			i++
		}
		if i == len(there) || x.From.Before(there[i].From.Add(-near)) || x.To.After(there[i].To.Add(near)) {
			r.fault("times", name, "the manifest tells of pictures from %s to %s, and no segment has them", x.From.Format(clock), x.To.Format(clock))
		}
	}
	for _, x := range there {
		from, to := later(x.From, m.From), earlier(x.To, m.To)
		if to.Sub(from) > near && !slices.ContainsFunc(s.Ranges, func(o Range) bool { return !o.From.After(from.Add(near)) && !o.To.Before(to.Add(-near)) }) {
			r.fault("times", name, "segments have pictures from %s to %s, and the manifest does not tell of them", from.Format(clock), to.Format(clock))
		}
	}
	for _, g := range s.Gaps {
		to := m.To
		if g.To != nil {
			to = *g.To
		}
		if i := slices.IndexFunc(there, func(x Range) bool { return earlier(x.To, to).Sub(later(x.From, g.From)) > 2*near }); i >= 0 {
			r.fault("times", name, "the manifest tells of no pictures from %s to %s, and segments have them", g.From.Format(clock), to.Format(clock))
		}
	}
}

// elsewhere sorts the heads that the person who checks brought along.
func (r *Report) elsewhere(t Trust) {
	bad := 0
	for _, h := range t.Heads {
		if r.key != nil && !h.signedBy(r.key) {
			bad++
			continue
		}
		r.heads[h.Camera+"/"+h.Stream] = append(r.heads[h.Camera+"/"+h.Stream], h)
	}
	if bad > 0 {
		r.fault("head", "", "%d of the %d heads that you gave are not signed by the key", bad, len(t.Heads))
	}
}

// lead checks that the chain of the pack leads to the heads that were signed while
// it grew: those in the pack, and those from elsewhere. A chain that was made anew
// has other links at the same places.
func (r *Report) lead(s *Stream, t Trust) {
	n := len(s.Segments)
	if n == 0 {
		return
	}
	name := s.Camera + "/" + s.Stream
	links := make(map[uint64]segment.Sum, n+len(s.After))
	for _, g := range s.Segments {
		links[g.Seq] = g.Link
	}
	seq, link := s.Segments[n-1].Seq, s.Segments[n-1].Link
	for _, x := range s.After {
		if x.Seq != seq+1 {
			r.fault("chain", name, "the links behind the last segment have a break after %d", seq)
			break
		}
		link = segment.Entry{Camera: s.Camera, Stream: s.Stream, Seq: x.Seq, Start: x.Start, End: x.End, Bytes: x.Bytes, Prev: link, Sum: x.Sum}.Link()
		links[x.Seq], seq = link, x.Seq
	}
	if want, ok := links[s.Head.Seq]; ok && want != s.Head.Link {
		r.fault("chain", name, "its links do not lead to the head of the chain in the manifest")
	}
	for _, h := range s.Heads {
		if h.Camera != s.Camera || h.Stream != s.Stream || r.key != nil && !h.signedBy(r.key) {
			r.fault("head", name, "a head of the chain in the pack is not signed by the key")
			continue
		}
		if there, same := r.reaches(name, h, links, "in the pack"); there && !same {
			break // later ones do not fit either
		}
	}
	if t.Heads != nil {
		r.cover(s, name, links, seq)
	}
}

// reaches reports whether the chain leads to a head, and says if it leads past it.
func (r *Report) reaches(name string, h SignedHead, links map[uint64]segment.Sum, which string) (there, same bool) {
	link, ok := links[h.Seq]
	if ok && link != h.Link {
		r.fault("head", name, "the chain was made anew: at %s link %d was %s, says the head %s, and now it is %s", h.At.Format(clock), h.Seq, h.Link, which, link)
	}
	return ok, ok && link == h.Link
}

// cover counts the segments that heads from elsewhere speak for. A head speaks for
// what comes before it as far as the links go without a break: a note of a removal
// is worth no more than the key that signed it.
func (r *Report) cover(s *Stream, name string, links map[uint64]segment.Sum, last uint64) {
	var right []uint64
	for _, h := range r.heads[name] {
		there, same := r.reaches(name, h, links, "that you gave")
		switch {
		case same:
			r.Compared++
			right = append(right, h.Seq)
		case there:
			return // said
		}
	}
	slices.Sort(right)
	var bare []Segment
	for i := len(s.Segments) - 1; i >= 0; i-- {
		g := s.Segments[i]
		if i < len(s.Segments)-1 {
			if next := s.Segments[i+1]; next.Seq != g.Seq+1 || next.Prev != g.Link {
				last = g.Seq
			}
		}
		if k, _ := slices.BinarySearch(right, g.Seq); k < len(right) && right[k] <= last {
			r.Covered++
			continue
		}
		bare = append(bare, g)
	}
	if n := len(bare); n > 0 {
		r.fault("uncovered", name, "no head that you gave speaks for %d of its %d segments (%s to %s): only the key does", n, len(s.Segments), bare[n-1].Start.Format(clock), bare[0].End.Format(clock))
	}
}
