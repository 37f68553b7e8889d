package web

import (
	"maps"
	"slices"

	"github.com/chargewatch/chargewatch/internal/store"
)

// Permission is one thing a role may do.
type Permission string

// The permissions.
const (
	SummaryRead      Permission = "summary.read"
	SitesRead        Permission = "sites.read"
	SitesWrite       Permission = "sites.write"
	StationsRead     Permission = "stations.read"
	StationsWrite    Permission = "stations.write"
	StationsCommand  Permission = "stations.command"
	SessionsRead     Permission = "sessions.read"
	MessagesRead     Permission = "messages.read"
	EventsRead       Permission = "events.read"
	TelemetryRead    Permission = "telemetry.read"
	ConformanceRead  Permission = "conformance.read"
	HandshakesRead   Permission = "handshakes.read"
	CredentialsRead  Permission = "credentials.read"
	CredentialsWrite Permission = "credentials.write"
	// IDTokensRead shows token values whole; without it they are masked.
	IDTokensRead Permission = "idTokens.read"
	UsersRead    Permission = "users.read"
	UsersWrite   Permission = "users.write"
	TokensRead   Permission = "tokens.read"
	TokensWrite  Permission = "tokens.write"
	AuditRead    Permission = "audit.read"
	KiosksRead   Permission = "kiosks.read"
	KiosksWrite  Permission = "kiosks.write"
	MetricsRead  Permission = "metrics.read"
	// IncidentsAct is to claim, acknowledge, assign, close and so on.
	IncidentsRead Permission = "incidents.read"
	IncidentsAct  Permission = "incidents.act"
	// NotesRead also shows who asked for what at a station.
	NotesRead  Permission = "notes.read"
	NotesWrite Permission = "notes.write"
	// ChannelsRead shows whom we tell what, ChannelsWrite decides it.
	ChannelsRead  Permission = "channels.read"
	ChannelsWrite Permission = "channels.write"
	// RulesRead also shows detectors and their thresholds and tries rules on the
	// past; SilencesWrite shows silences and windows and decides them.
	RulesRead     Permission = "rules.read"
	RulesWrite    Permission = "rules.write"
	SilencesWrite Permission = "silences.write"
	// AlertsWrite tells us of alerts of another system.
	AlertsWrite Permission = "alerts.write"
	// RemediesRead shows what the machine does about incidents, RemediesWrite
	// decides what it may do.
	RemediesRead  Permission = "remedies.read"
	RemediesWrite Permission = "remedies.write"
	// WorkOrdersWrite is to open orders and to work on one's own; whoever holds
	// WorkOrdersAssign works on all of them and says whose they are.
	WorkOrdersRead   Permission = "workorders.read"
	WorkOrdersWrite  Permission = "workorders.write"
	WorkOrdersAssign Permission = "workorders.assign"
	// CamerasRead shows how cameras are, CamerasWrite sets them up. VideoLive shows
	// what they see now, VideoUnmasked private parts too, VideoReview what they saw.
	CamerasRead   Permission = "cameras.read"
	CamerasWrite  Permission = "cameras.write"
	VideoLive     Permission = "video.live"
	VideoUnmasked Permission = "video.unmasked"
	VideoReview   Permission = "video.review"
	// EvidenceExport makes packs of evidence and gives them out.
	EvidenceExport Permission = "evidence.export"
	// ArmingWrite decides when what moves at a site matters.
	ArmingWrite Permission = "arming.write"
	// DoorsRead shows how doors are, DoorsWrite sets them up, DoorsCommand opens and
	// locks them. Who went through is shown to those who may see people.
	DoorsRead    Permission = "doors.read"
	DoorsWrite   Permission = "doors.write"
	DoorsCommand Permission = "doors.command"
	// OutputsRead shows sirens, lights, speakers and relays, OutputsSwitch switches
	// them, OutputsWrite sets them up.
	OutputsRead   Permission = "outputs.read"
	OutputsSwitch Permission = "outputs.switch"
	OutputsWrite  Permission = "outputs.write"
	// PeopleRead shows who enters and charges, PeopleWrite decides about them.
	PeopleRead  Permission = "people.read"
	PeopleWrite Permission = "people.write"
	// PoliciesRead shows who may do what where and when, PoliciesWrite decides it.
	PoliciesRead  Permission = "policies.read"
	PoliciesWrite Permission = "policies.write"
	// FilesRead shows files of stations themselves: diagnostics name who charged.
	// SecurityLogsRead adds their security logs, FirmwareWrite changes the library of
	// firmware.
	FilesRead        Permission = "files.read"
	SecurityLogsRead Permission = "securityLogs.read"
	FirmwareWrite    Permission = "firmware.write"
	// AnalyticsRead shows how sites are used, forecasts and plans, and names nobody;
	// AnalyticsWrite brings in past sessions and makes plans.
	AnalyticsRead  Permission = "analytics.read"
	AnalyticsWrite Permission = "analytics.write"
	// SystemRead is how well the server itself is, SystemConfigure what it is told
	// and what it knows of itself when it is not well.
	SystemRead      Permission = "system.read"
	SystemConfigure Permission = "system.configure"
)

// permissionsOf is the role table. A technician's commands come with the order
// worked on (commandsFor), so the role itself has none.
func permissionsOf(role store.Role) []Permission {
	states := []Permission{
		SummaryRead, SitesRead, StationsRead, SessionsRead, MessagesRead, EventsRead, TelemetryRead, ConformanceRead,
		MetricsRead,
		IncidentsRead,
		CamerasRead, DoorsRead,
	}
	staff := slices.Concat(states, []Permission{
		IDTokensRead,
		HandshakesRead,
		NotesRead, NotesWrite,
		IncidentsAct,
	})
	operator := slices.Concat(staff, []Permission{
		StationsCommand, FilesRead,
		WorkOrdersRead, WorkOrdersWrite, WorkOrdersAssign,
		CredentialsRead, CredentialsWrite,
		SystemRead,
		ChannelsRead, AlertsWrite,
		RulesRead, SilencesWrite,
		RemediesRead,
		VideoLive,
		ArmingWrite,
		PeopleRead, PoliciesRead,
		OutputsRead, OutputsSwitch,
		AnalyticsRead, AnalyticsWrite,
	})
	switch role {
	case store.RoleViewer, store.RoleHost:
		return append(states, AnalyticsRead)
	case store.RoleTechnician:
		return append(staff, WorkOrdersRead, WorkOrdersWrite)
	case store.RoleOperator:
		return operator
	case store.RoleSecurity:
		return append(staff, CredentialsRead, CredentialsWrite, PeopleRead, PeopleWrite, PoliciesRead, PoliciesWrite, VideoLive, VideoUnmasked, VideoReview, EvidenceExport, ArmingWrite, DoorsCommand, OutputsRead, OutputsSwitch, FilesRead, SecurityLogsRead)
	case store.RoleAdmin:
		return append(operator,
			SitesWrite, StationsWrite, FirmwareWrite, SecurityLogsRead,
			UsersRead, UsersWrite,
			TokensRead, TokensWrite,
			AuditRead,
			KiosksRead, KiosksWrite,
			SystemConfigure,
			ChannelsWrite,
			RulesWrite,
			RemediesWrite,
			PeopleWrite, PoliciesWrite,
			CamerasWrite, VideoUnmasked, VideoReview, EvidenceExport,
			DoorsWrite, DoorsCommand,
			OutputsWrite,
		)
	}
	return nil
}

// Principal is who asks: a person with a session, a script with a token or a
// screen on a wall.
type Principal struct {
	ID      string // opaque
	Name    string
	Grants  []store.Grant
	Session *store.WebSession // nil for API tokens and screens
	User    *store.User       // nil for API tokens and screens
	Kiosk   *store.Kiosk      // nil for all but screens
	scopes  map[Permission]Scope
}

func newPrincipal(id, name string, grants []store.Grant) *Principal {
	p := &Principal{ID: id, Name: name, Grants: grants, scopes: make(map[Permission]Scope)}
	for _, g := range grants {
		for _, permission := range permissionsOf(g.Role) {
			p.scopes[permission] = p.scopes[permission].with(g.Sites)
		}
	}
	return p
}

func (p *Principal) actor() store.Actor { return store.Actor(p.ID) }

// Scope is where the permission holds.
func (p *Principal) Scope(permission Permission) Scope { return p.scopes[permission] }

// role is the highest of the principal's roles.
func (p *Principal) role() store.Role {
	best, rank := store.Role(""), -1
	for _, g := range p.Grants {
		if i := slices.Index(store.Roles(), g.Role); i > rank {
			best, rank = g.Role, i
		}
	}
	return best
}

func (p *Principal) permissions() []Permission {
	out := make([]Permission, 0, len(p.scopes))
	for permission := range p.scopes {
		out = append(out, permission)
	}
	slices.Sort(out)
	return out
}

// Scope is a set of sites. The zero Scope is none.
type Scope struct {
	all   bool
	sites map[string]struct{}
}

func (s Scope) with(sites []string) Scope {
	next := Scope{all: s.all, sites: make(map[string]struct{}, len(s.sites)+len(sites))}
	for site := range s.sites {
		next.sites[site] = struct{}{}
	}
	for _, site := range sites {
		if site == store.AllSites {
			next.all = true
		} else {
			next.sites[site] = struct{}{}
		}
	}
	return next
}

// Empty reports that the permission holds nowhere.
func (s Scope) Empty() bool { return !s.all && len(s.sites) == 0 }

// All reports that it holds everywhere, also for what has no site.
func (s Scope) All() bool { return s.all }

// Allows reports whether it holds at a site; no site is allowed to All only.
func (s Scope) Allows(site string) bool {
	if s.all {
		return true
	}
	_, ok := s.sites[site]
	return ok && site != ""
}

// at narrows the scope to one site; empty leaves it as it is.
func (s Scope) at(site string) Scope {
	switch {
	case site == "":
		return s
	case !s.Allows(site):
		return Scope{}
	}
	return Scope{sites: map[string]struct{}{site: {}}}
}

// key names the scope, equal for equal scopes.
func (s Scope) key() string {
	if s.all {
		return store.AllSites
	}
	sites := make([]string, 0, len(s.sites))
	for site := range s.sites {
		sites = append(sites, site)
	}
	slices.Sort(sites)
	key := ""
	for _, site := range sites {
		key += site + "\n"
	}
	return key
}

// sitesOrNil lists the sites as queries of the journal want them: nil for all.
func (s Scope) sitesOrNil() []string {
	if s.all {
		return nil
	}
	return slices.AppendSeq(make([]string, 0, len(s.sites)), maps.Keys(s.sites))
}

// within is the part of the scope that lies at one site; empty for any site.
func (s Scope) within(site string) Scope {
	switch {
	case site == "":
		return s
	case s.Allows(site):
		return Scope{sites: map[string]struct{}{site: {}}}
	}
	return Scope{}
}

// and is where both hold.
func (s Scope) and(other Scope) Scope {
	if s.all {
		return other
	}
	out := Scope{sites: make(map[string]struct{})}
	for site := range s.sites {
		if other.Allows(site) {
			out.sites[site] = struct{}{}
		}
	}
	return out
}
