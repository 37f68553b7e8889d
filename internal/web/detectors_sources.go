package web

import (
	"maps"
	"slices"
	"strings"

	"github.com/chargewatch/chargewatch/internal/detect"
)

// SignalShape is a source that a detector listens to.
type SignalShape struct {
	detect.Signal
	Sites int `json:"sites" doc:"how many sites have it"`
}

// DetectorSiteShape is how much of a detector works at a site.
type DetectorSiteShape struct {
	SiteID  string          `json:"siteId"`
	Name    string          `json:"name"`
	State   detect.Working  `json:"state" enum:"full,partial,off"`
	Missing []detect.Source `json:"missing" doc:"what it needs, of one that is off; else what would make it better"`
}

// WorkingShape is how much of a detector works, and where.
type WorkingShape struct {
	State   detect.Working      `json:"state" enum:"full,partial,off" doc:"at most sites; off: a source is missing that it needs"`
	Missing []detect.Source     `json:"missing" doc:"at those sites: what it needs, of one that is off; else what would make it better"`
	Sites   int                 `json:"sites" doc:"where it is so"`
	Other   []DetectorSiteShape `json:"other" doc:"sites where it is otherwise; at most 50"`
	Others  int                 `json:"others" doc:"how many these are"`
}

// maxOtherSites bounds the sites that are told of one by one.
const maxOtherSites = 50

// sources are what sites have that detectors listen to: what detection has heard, and
// cameras whose pictures are looked at.
func (s *Server) sources() map[string]detect.Sources {
	if s.o.Rules.Sources == nil {
		return nil
	}
	out := maps.Clone(s.o.Rules.Sources())
	if s.o.Cameras == nil {
		return out
	}
	for _, c := range s.o.Store.Cameras() {
		was, known := out[c.SiteID]
		x, ok := s.o.Cameras.CameraStatus(c.ID)
		if motion := x.Senses.Motion.State; !known || !ok || motion != "watching" && motion != "slow" {
			continue
		}
		now := maps.Clone(was)
		now[detect.MotionSource] = max(now[detect.MotionSource], 1)
		out[c.SiteID] = now
	}
	return out
}

// workingOf says how much of a detector works with what sites have.
func (s *Server) workingOf(d *detect.Detector, sites map[string]detect.Sources) (signals []SignalShape, out WorkingShape) {
	for _, x := range d.Signals() {
		shape := SignalShape{Signal: x}
		for _, has := range sites {
			if has[x.Source] > 0 {
				shape.Sites++
			}
		}
		signals = append(signals, shape)
	}
	type kind struct {
		state   detect.Working
		missing string
	}
	counted := make(map[kind][]DetectorSiteShape)
	for _, id := range slices.Sorted(maps.Keys(sites)) {
		state, missing := d.With(sites[id])
		one := DetectorSiteShape{SiteID: id, Name: id, State: state, Missing: orEmpty(missing)}
		if x, ok := s.o.Store.Site(id); ok {
			one.Name = x.Name
		}
		k := kind{state: state}
		for _, m := range missing {
			k.missing += string(m) + " "
		}
		counted[k] = append(counted[k], one)
	}
	state, missing := d.With(nil)
	out = WorkingShape{State: state, Missing: orEmpty(missing), Other: []DetectorSiteShape{}}
	var most kind
	for k, list := range counted {
		n := len(counted[most])
		if len(list) > n || len(list) == n && (k.state < most.state || k.state == most.state && k.missing < most.missing) {
			most = k
		}
	}
	for k, list := range counted {
		if k == most {
			out.State, out.Missing, out.Sites = list[0].State, list[0].Missing, len(list)
			continue
		}
		out.Others += len(list)
		out.Other = append(out.Other, list...)
	}
	slices.SortFunc(out.Other, func(a, b DetectorSiteShape) int {
		if a.Name != b.Name {
			return strings.Compare(a.Name, b.Name)
		}
		return strings.Compare(a.SiteID, b.SiteID)
	})
	out.Other = out.Other[:min(len(out.Other), maxOtherSites)]
	return signals, out
}

func orEmpty(list []detect.Source) []detect.Source {
	if list == nil {
		return []detect.Source{}
	}
	return list
}
