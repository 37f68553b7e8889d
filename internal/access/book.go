package access

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// Book is what people decided, made ready for decisions. It never changes.
type Book struct {
	schedules map[string]*Schedule
	calendars map[string]*Calendar
	byID      map[string]*Row
	scenarios map[string]*Scenario
	written   map[string]*Written
	areas     map[string][]*Area    // by place
	airlocks  map[string][]*Airlock // by place
	sites     map[string]*slice
	anywhere  *slice // rows of all sites, for places of none
}

// slice is what concerns a site: a decision costs by the policies it looks at.
type slice struct {
	about   map[types.EntityUID]policies // permits by whom they are about
	forbids policies
	rows    []*Row
	places  map[PlaceKind]types.Entity // of the site, without their names
}

type policy struct {
	id cedar.PolicyID
	*cedar.Policy
}

type policies []policy

// All makes a list of policies what an authoriser goes through.
func (l policies) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, p := range l {
			if !yield(p.id, p.Policy) {
				return
			}
		}
	}
}

// Compile makes rows ready. Broken ones are an error: nothing is decided by half
// of what people wrote.
func Compile(rows Rows) (*Book, error) {
	b := &Book{
		schedules: make(map[string]*Schedule), calendars: make(map[string]*Calendar),
		byID: make(map[string]*Row), scenarios: make(map[string]*Scenario), written: make(map[string]*Written),
		areas: make(map[string][]*Area), airlocks: make(map[string][]*Airlock),
		sites: make(map[string]*slice), anywhere: newSlice(""),
	}
	for i := range rows.Areas {
		a := &rows.Areas[i]
		for _, p := range slices.Concat(a.In, a.Out) {
			b.areas[p] = append(b.areas[p], a)
		}
	}
	for i := range rows.Airlocks {
		x := &rows.Airlocks[i]
		for _, p := range x.Doors {
			b.airlocks[p] = append(b.airlocks[p], x)
		}
	}
	for i := range rows.Calendars {
		b.calendars[rows.Calendars[i].ID] = &rows.Calendars[i]
	}
	for i := range rows.Schedules {
		b.schedules[rows.Schedules[i].ID] = &rows.Schedules[i]
	}
	for i := range rows.Rows {
		x := &rows.Rows[i]
		s, known := b.schedules[x.Schedule]
		if x.Schedule != "" && !known {
			return nil, fmt.Errorf("row %s: schedule %q is not known", x.ID, x.Schedule)
		}
		p, err := parse(x.ID, x.Policy(s))
		if err != nil {
			return nil, fmt.Errorf("row %s: %w", x.ID, err)
		}
		b.byID[x.ID] = x
		b.each(x.Sites, func(at *slice) {
			at.rows = append(at.rows, x)
			for _, to := range x.To {
				kind, id := to.entity()
				uid := types.NewEntityUID(types.EntityType(kind), types.String(id))
				at.about[uid] = append(at.about[uid], p)
			}
		})
	}
	for i := range rows.Scenarios {
		x := &rows.Scenarios[i]
		b.scenarios[x.ID] = x
		if !x.Active {
			continue
		}
		p, err := parse(x.ID, x.Policy())
		if err != nil {
			return nil, fmt.Errorf("scenario %s: %w", x.ID, err)
		}
		b.each(x.Sites, func(at *slice) { at.forbids = append(at.forbids, p) })
	}
	for i := range rows.Written {
		x := &rows.Written[i]
		p, err := parseWritten(*x)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", x.ID, err)
		}
		b.written[x.ID] = x
		b.each(x.Sites, func(at *slice) { at.forbids = append(at.forbids, policy{cedar.PolicyID(x.ID), p}) })
	}
	return b, nil
}

func newSlice(site string) *slice {
	at := &slice{about: make(map[types.EntityUID]policies), places: make(map[PlaceKind]types.Entity)}
	for _, kind := range PlaceKinds() {
		at.places[kind] = unnamed(Place{Kind: kind, Site: site})
	}
	return at
}

func parse(id, source string) (policy, error) {
	p := &cedar.Policy{}
	if err := p.UnmarshalCedar([]byte(source)); err != nil {
		return policy{}, fmt.Errorf("parse policy: %w", err)
	}
	return policy{cedar.PolicyID(id), p}, nil
}

// each visits the slices that rows of some sites belong to; none are all.
func (b *Book) each(sites []string, visit func(*slice)) {
	if len(sites) == 0 {
		visit(b.anywhere)
	}
	for _, id := range sites {
		at := b.sites[id]
		if at == nil {
			at = newSlice(id)
			b.sites[id] = at
		}
		visit(at)
	}
}

// slices are what concerns a place.
func (b *Book) slices(site string) iter.Seq[*slice] {
	return func(yield func(*slice) bool) {
		if yield(b.anywhere) {
			if at := b.sites[site]; at != nil {
				yield(at)
			}
		}
	}
}

// Decide answers a request: the credential, the person, then the policies of the
// site.
func (b *Book) Decide(r Request) Decision {
	d := Decide(r)
	if d.Status != Accepted || r.Credential == nil {
		return d // without a credential only a site that lets anyone charge accepts
	}
	d.Status = Invalid
	if !slices.Contains(PlaceKinds(), r.Place.Kind) || r.Place.ID == "" {
		d.Code, d.Reason = UnknownPlace, "the place is not known"
		return d
	}
	switch p := r.Person; {
	case p == nil && r.Credential.Person == "":
	case p == nil || p.ID != r.Credential.Person:
		d.Code, d.Reason = NotValid, "whose credential it is, is not known"
		return d
	case p.Suspended:
		d.Status, d.Code, d.Reason = Blocked, Suspended, "the person is suspended"
		return d
	case !p.Until.IsZero() && !r.Now.Before(p.Until):
		d.Status, d.Code, d.Reason = Expired, HasExpired, "the person's time here is over"
		return d
	}
	answer, told := b.authorize(&r)
	if len(told.Errors) > 0 {
		e := told.Errors[0]
		d.Code, d.Policy, d.Reason = PolicyFault, string(e.PolicyID), "a policy could not be evaluated"
		d.Fault = fmt.Sprintf("policy %s: %s", e.PolicyID, e.Message)
		return d
	}
	if answer == cedar.Allow {
		d.Status = Accepted
		b.allowed(&d, told.Reasons)
		return d
	}
	b.denied(&d, &r, told.Reasons)
	if r.FreeVend && r.Action == Charge && d.Code != Lockdown && d.Code != Forbidden {
		d.Status, d.Code, d.Policy, d.Reason = Accepted, Free, "", "the site lets anyone charge"
	}
	return d
}

// authorize asks the policies that concern a request. Where there are none nobody
// is let in, and nothing needs to be put into the words of Cedar.
func (b *Book) authorize(r *Request) (cedar.Decision, cedar.Diagnostic) {
	var parents []types.EntityUID
	if r.Person != nil {
		parents = r.Person.parents()
	}
	concerning := b.concerning(r, parents)
	if len(concerning) == 0 {
		return cedar.Deny, cedar.Diagnostic{}
	}
	asked := b.ask(r, parents)
	return cedar.Authorize(concerning, asked.entities, asked.request)
}

// concerning are the policies that can say something about a request: those that
// forbid, and those that permit somebody this credential stands for.
func (b *Book) concerning(r *Request, parents []types.EntityUID) policies {
	list := make(policies, 0, 8)
	for at := range b.slices(r.Place.Site) {
		list = append(list, at.forbids...)
		list = append(list, at.about[everybody()]...)
		list = append(list, at.about[types.NewEntityUID(credentialType, types.String(r.Credential.ID))]...)
		if r.Person == nil {
			continue
		}
		list = append(list, at.about[types.NewEntityUID(personType, types.String(r.Person.ID))]...)
		for _, uid := range parents {
			list = append(list, at.about[uid]...)
		}
	}
	return list
}

// asked is a request in the words of Cedar.
type asked struct {
	request  cedar.Request
	entities entities
}

// entities are those of one request: the credential, in whatever its person is in, and
// where it is shown.
type entities [2]types.Entity

// Get finds one of them.
func (e entities) Get(uid types.EntityUID) (types.Entity, bool) {
	for i := range e {
		if e[i].UID == uid {
			return e[i], true
		}
	}
	return types.Entity{}, false
}

func everybody() types.EntityUID { return types.NewEntityUID(groupType, anyone) }

// parents are the groups and the company of a person.
func (p *Person) parents() []types.EntityUID {
	uids := make([]types.EntityUID, 0, len(p.Groups)+1)
	for _, g := range p.Groups {
		kind, id := Principal{Group: g}.entity()
		uids = append(uids, types.NewEntityUID(types.EntityType(kind), types.String(id)))
	}
	if p.Company != "" {
		uids = append(uids, types.NewEntityUID(companyType, types.String(p.Company)))
	}
	return uids
}

func (b *Book) ask(r *Request, parents []types.EntityUID) asked {
	var a asked
	holder := types.NewEntityUID(credentialType, types.String(r.Credential.ID))
	of := append(make([]types.EntityUID, 0, len(parents)+2), everybody())
	if r.Person != nil {
		of = append(of, types.NewEntityUID(personType, types.String(r.Person.ID)))
	}
	of = append(of, parents...)
	kind := r.Credential.Kind
	if kind == "" {
		kind = RFID
	}
	a.entities[0] = types.Entity{UID: holder, Parents: types.NewEntityUIDSet(of...), Attributes: types.NewRecord(types.RecordMap{
		"kind": types.String(kind), "person": types.String(r.Credential.Person),
	})}
	at := b.place(r.Place)
	a.entities[1] = at
	local := r.local()
	off, offBefore := types.Set{}, types.Set{}
	if len(b.calendars) > 0 {
		off, offBefore = b.off(local), b.off(local.AddDate(0, 0, -1))
	}
	a.request = cedar.Request{
		Principal: holder, Action: types.NewEntityUID(actionType, types.String(r.Action)), Resource: at.UID,
		Context: types.NewRecord(types.RecordMap{
			"now": types.NewDatetime(r.Now), "minute": types.Long(local.Hour()*60 + local.Minute()),
			"day": types.Long(local.Weekday()), "off": off,
			"dayBefore": types.Long((local.Weekday() + 6) % 7), "offBefore": offBefore,
			"pin": types.Boolean(r.PINGiven),
		}),
	}
	return a
}

// place is a place in the words of Cedar. Those of a site are alike but for their name.
func (b *Book) place(p Place) types.Entity {
	var e types.Entity
	if at := b.sites[p.Site]; at != nil && p.Within == "" {
		e = at.places[p.Kind]
	} else {
		e = unnamed(p)
	}
	e.UID = types.NewEntityUID(placeType, types.String(p.ID))
	return e
}

func unnamed(p Place) types.Entity {
	var in []types.EntityUID
	if p.Site != "" {
		in = append(in, types.NewEntityUID(siteType, types.String(p.Site)))
	}
	if p.Within != "" {
		in = append(in, types.NewEntityUID(placeType, types.String(p.Within)))
	}
	return types.Entity{Parents: types.NewEntityUIDSet(in...), Attributes: types.NewRecord(types.RecordMap{
		"kind": types.String(p.Kind), "site": types.String(p.Site),
	})}
}

func (r *Request) local() time.Time {
	if r.Zone == nil {
		return r.Now.UTC()
	}
	return r.Now.In(r.Zone)
}

// off are the calendars by which a day is one off.
func (b *Book) off(day time.Time) types.Set {
	var ids []types.Value
	for id, c := range b.calendars {
		if c.off(day) {
			ids = append(ids, types.String(id))
		}
	}
	return types.NewSet(ids...)
}

// samples are requests of each kind that there can be.
func samples() []asked {
	none := &Book{}
	var out []asked
	for _, person := range []*Person{nil, {ID: "p"}} {
		for _, kind := range PlaceKinds() {
			for _, site := range []string{"", "s"} {
				r := Request{Now: time.Unix(0, 0).UTC(), Person: person, Credential: &Credential{ID: "c"}, Action: Enter, Place: Place{ID: "d", Kind: kind, Site: site}}
				if kind == EVSE {
					r.Action = Charge
				}
				if person != nil {
					r.Credential.Person = person.ID
				}
				out = append(out, none.ask(&r, nil))
			}
		}
	}
	return out
}
