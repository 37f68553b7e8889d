package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/store"
)

// FoundShape is one thing that fits what somebody looks for.
type FoundShape struct {
	Kind    string `json:"kind" enum:"station,evse,site,token,session"`
	ID      string `json:"id" doc:"of that kind; a port is STATION/EVSE, a token its opaque id"`
	Label   string `json:"label" doc:"what people call it: label, public id, name, masked token"`
	Station string `json:"station"`
	EVSE    int    `json:"evse" doc:"0: none"`
	Site    string `json:"site"`
	Match   string `json:"match" doc:"the text that fits; of a token no more than was asked with"`
	By      string `json:"by" enum:"publicId,id,label,serial,name,words,token,transaction" doc:"what it is of the thing"`
}

type searchInput struct {
	Q     string `query:"q" maxLength:"100" doc:"a public id of a port with or without * and -, sticker label, station id, serial number, site, last characters of a token (4 or more), session or transaction id; any part of the first five"`
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"1000" doc:"at most 100 are given"`
}

func (s *Server) registerSearch() {
	add(s, filtered(StationsRead), huma.Operation{
		OperationID: "search", Method: http.MethodGet, Path: "/search", Summary: "Find a port, station, site, token or session", Tags: []string{"stations"},
	}, s.search)
}

// How well something fits, best first.
const (
	fitExact = iota
	fitBegin
	fitPart
	fitWords // every word fits somewhere
	fitNot
)

// found is a candidate. The order of equal ones is that of their kinds and ids.
type found struct {
	FoundShape
	fit  int
	kind int
}

func (s *Server) search(ctx context.Context, in *searchInput) (*listOutput[FoundShape], error) {
	n := newNeedle(in.Q)
	if !n.usable() {
		return listOf[FoundShape](nil, ""), nil
	}
	var all []found
	all = s.searchStations(ctx, n, all)
	all = s.searchSites(ctx, n, all)
	for _, more := range []func(context.Context, string, []found) ([]found, error){s.searchSessions, s.searchTokens} {
		var err error
		if all, err = more(ctx, strings.TrimSpace(in.Q), all); err != nil {
			return nil, err
		}
	}
	all = bestOf(all, min(in.Limit, maxFound))
	out := make([]FoundShape, 0, len(all))
	for _, f := range all {
		out = append(out, f.FoundShape)
	}
	return listOf(out, ""), nil
}

const maxFound = 100

func bestOf(all []found, n int) []found {
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.fit, b.fit), cmp.Compare(a.kind, b.kind), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(len(all), n)]
}

// searchStations finds ports and stations. A port stands for its station where
// its public id fits; the station stands where anything else does.
func (s *Server) searchStations(ctx context.Context, n *needle, all []found) []found {
	allowed := scope(ctx, StationsRead)
	names := make(map[string]string)
	for st := range s.o.Fleet.Snapshot().Stations() {
		if len(all) >= 20*maxFound { // two letters fit everything
			all = bestOf(all, maxFound)
		}
		if !allowed.Allows(st.SiteID) || onboarding(st) != "accepted" {
			continue
		}
		name, ok := names[st.SiteID]
		if !ok && st.SiteID != "" {
			if site, there := s.o.Store.Site(st.SiteID); there {
				name = site.Name
			}
			names[st.SiteID] = name
		}
		best, by, match := n.best([]string{st.ID, st.Label, st.Serial}, []string{"id", "label", "serial"})
		if best == fitNot && n.words(st.ID, st.Label, st.Vendor, st.Model, name) {
			best, by, match = fitWords, "words", st.Label
		}
		if best < fitNot {
			all = append(all, found{fit: best, kind: 1, FoundShape: FoundShape{
				Kind: "station", ID: st.ID, Label: st.Label, Station: st.ID, Site: st.SiteID, Match: match, By: by,
			}})
		}
		for i := range st.EVSEs {
			v := &st.EVSEs[i]
			public := ""
			if v.Layout != nil {
				public = v.Layout.PublicID
			}
			id := portID(st.ID, v.ID)
			fit, by, match := n.fit(public), "publicId", public
			if fit == fitNot && n.fit(id) == fitExact {
				fit, by, match = fitExact, "id", id
			}
			if fit < fitNot {
				all = append(all, found{fit: fit, FoundShape: FoundShape{
					Kind: "evse", ID: id, Label: cmp.Or(public, st.Label), Station: st.ID, EVSE: v.ID, Site: st.SiteID, Match: match, By: by,
				}})
			}
		}
	}
	return all
}

func portID(station string, evse int) string { return station + "/" + strconv.Itoa(evse) }

func (s *Server) searchSites(ctx context.Context, n *needle, all []found) []found {
	allowed := scope(ctx, SitesRead)
	for _, site := range s.o.Store.Sites() {
		if !allowed.Allows(site.ID) {
			continue
		}
		fit, by, match := n.best([]string{site.ID, site.Name, site.PublicName}, []string{"id", "name", "name"})
		if fit == fitNot && n.words(site.ID, site.Name, site.PublicName, site.Address) {
			fit, by, match = fitWords, "words", site.Name
		}
		if fit < fitNot {
			all = append(all, found{fit: fit, kind: 2, FoundShape: FoundShape{
				Kind: "site", ID: site.ID, Label: site.Name, Site: site.ID, Match: match, By: by,
			}})
		}
	}
	return all
}

func sessionFound(x *fleet.Session, by, match string) found {
	return found{fit: fitExact, kind: 4, FoundShape: FoundShape{
		Kind: "session", ID: x.ID, Label: x.TransactionID, Station: x.Station, EVSE: x.EVSE, Site: x.SiteID, Match: match, By: by,
	}}
}

// searchSessions finds a session by its whole id or transaction id.
func (s *Server) searchSessions(ctx context.Context, q string, all []found) ([]found, error) {
	allowed := scope(ctx, SessionsRead)
	if len(q) > 64 || allowed.Empty() {
		return all, nil
	}
	x, err := s.o.History.Session(ctx, q)
	switch {
	case err == nil && allowed.Allows(x.SiteID):
		all = append(all, sessionFound(x, "id", x.ID))
	case err != nil && !errors.Is(err, journal.ErrNotFound):
		return nil, err
	}
	if len(q) < 3 { // transaction ids of 1.6 are counted through the network
		return all, nil
	}
	list, _, err := s.o.History.Sessions(ctx, journal.SessionQuery{Transaction: q, Sites: allowed.sitesOrNil(), Limit: 5})
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if !slices.ContainsFunc(all, func(f found) bool { return f.Kind == "session" && f.ID == x.ID }) {
			all = append(all, sessionFound(x, "transaction", x.TransactionID))
		}
	}
	return all, nil
}

// searchTokens finds tokens by their end, with where each was used last. Who
// may see tokens at some sites finds those that were used there.
func (s *Server) searchTokens(ctx context.Context, q string, all []found) ([]found, error) {
	allowed := scope(ctx, IDTokensRead)
	if allowed.Empty() {
		return all, nil
	}
	tail := strings.ReplaceAll(q, " ", "")
	tokens, err := s.o.Store.TokensByTail(ctx, tail, 10)
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		used, _, err := s.o.History.Sessions(ctx, journal.SessionQuery{TokenID: t.ID, Sites: allowed.sitesOrNil(), Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(used) == 0 && !allowed.All() {
			continue
		}
		// No more of the value than was asked with.
		f := found{fit: fitPart, kind: 5, FoundShape: FoundShape{
			Kind: "token", ID: t.ID, Label: store.Mask(t.Value), Match: "…" + t.Value[max(0, len(t.Value)-len(tail)):], By: "token",
		}}
		if strings.EqualFold(t.Value, tail) {
			f.fit, f.Match = fitExact, t.Value
		}
		if len(used) > 0 {
			f.kind = 3
			f.Station, f.EVSE, f.Site = used[0].Station, used[0].EVSE, used[0].SiteID
		}
		all = append(all, f)
	}
	return all, nil
}

// needle is what is looked for, as stickers may write it: letters and digits
// count, their case does not, and neither does what stands between them.
type needle struct {
	raw   string
	plain string
	parts []string
	buf   []byte
}

func newNeedle(q string) *needle {
	n := &needle{raw: strings.TrimSpace(q)}
	n.plain = string(squeeze(nil, n.raw))
	for word := range strings.FieldsSeq(n.raw) {
		if p := string(squeeze(nil, word)); p != "" {
			n.parts = append(n.parts, p)
		}
	}
	return n
}

// usable refuses what would fit nearly everything.
func (n *needle) usable() bool { return utf8.RuneCountInString(n.plain) >= 2 }

// squeeze appends the letters and digits of a text, in lower case.
func squeeze(dst []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			dst = append(dst, c)
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		case c >= utf8.RuneSelf:
			for _, r := range text[i:] {
				if r = unicode.ToLower(r); unicode.IsLetter(r) || unicode.IsDigit(r) {
					dst = utf8.AppendRune(dst, r)
				}
			}
			return dst
		}
	}
	return dst
}

func (n *needle) fit(text string) int {
	if len(text) < len(n.plain) {
		return fitNot
	}
	n.buf = squeeze(n.buf[:0], text)
	have := n.buf
	switch at := strings.Index(string(have), n.plain); {
	case at < 0:
		return fitNot
	case at > 0:
		return fitPart
	case len(have) == len(n.plain):
		return fitExact
	}
	return fitBegin
}

// best is the best fit of some texts, with the one that has it and its name.
func (n *needle) best(texts, names []string) (fit int, name, text string) {
	fit = fitNot
	for i, x := range texts {
		if f := n.fit(x); f < fit {
			fit, name, text = f, names[i], x
		}
	}
	return fit, name, text
}

// words reports that each of several words fits one of the texts.
func (n *needle) words(texts ...string) bool {
	if len(n.parts) < 2 {
		return false
	}
	n.buf = n.buf[:0]
	for _, text := range texts {
		n.buf = append(squeeze(n.buf, text), '\n')
	}
	all := string(n.buf)
	for _, part := range n.parts {
		if !strings.Contains(all, part) {
			return false
		}
	}
	return true
}
