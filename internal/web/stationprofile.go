package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chargewatch/chargewatch/internal/store"
)

// ProfileNeedShape is what has to be so before a station can use a security profile.
type ProfileNeedShape struct {
	Name     string `json:"name" enum:"spoken,listener,address,root,password,certificate" doc:"spoken: the station was here before; listener: an address of ours serves the profile; address: 2.x is told where to come; root: the station has the authority of our certificate; password, certificate: it can prove itself"`
	State    string `json:"state" enum:"met,missing,unknown"`
	Optional bool   `json:"optional" doc:"somebody may do without, by naming it"`
}

// ProfileChangeShape is the change of a station's security profile that is under way, or
// was the last.
type ProfileChangeShape struct {
	State      store.UpgradeState `json:"state" enum:"waiting,setting,restarting,returning,done,rejected,unfit,unanswered,fellBack,missing,abandoned" doc:"in all but done the profile from before is enough; setting, restarting and returning may have reached the station"`
	From       int                `json:"from"`
	To         int                `json:"to"`
	URL        string             `json:"url" doc:"where a station of 2.x is told to come, without its identity"`
	Without    []string           `json:"without" doc:"what somebody did without"`
	Attempts   int                `json:"attempts"`
	Said       string             `json:"said" doc:"the last word of the station"`
	StartedAt  time.Time          `json:"startedAt"`
	SentAt     *time.Time         `json:"sentAt"`
	DueAt      *time.Time         `json:"dueAt" doc:"nothing is done before; while it is to return: until when"`
	FinishedAt *time.Time         `json:"finishedAt"`
}

// ProfilePlanShape says what raising the security profile of a station would take.
type ProfilePlanShape struct {
	From  int                `json:"from"`
	To    int                `json:"to"`
	URL   string             `json:"url" doc:"where a station of 2.x would be told to come"`
	Needs []ProfileNeedShape `json:"needs"`
	Ready bool               `json:"ready" doc:"nothing is missing"`
}

type (
	profilePlanInput struct {
		Station string `path:"station" maxLength:"48"`
		Profile int    `query:"profile" minimum:"2" maximum:"3" default:"2"`
	}
	profilePlanOutput   struct{ Body ProfilePlanShape }
	profileChangeOutput struct{ Body ProfileChangeShape }
	raiseProfileInput   struct {
		Station string `path:"station" maxLength:"48"`
		Body    struct {
			Profile   int      `json:"profile" minimum:"2" maximum:"3"`
			URL       string   `json:"url,omitempty" maxLength:"500" doc:"wss:// where a station of 2.x is to come, without its identity; empty: where it found us, at the port that serves the profile"`
			Interface string   `json:"interface,omitempty" enum:",Wired0,Wired1,Wired2,Wired3,Wireless0,Wireless1,Wireless2,Wireless3" doc:"of 2.x; empty: by whether it has a SIM card"`
			Without   []string `json:"without,omitempty" maxItems:"4" enum:"root,listener" doc:"preconditions to do without"`
		}
	}
)

func (s *Server) registerStationProfiles() {
	op := func(id, method, path, summary, text string, status int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Description: text, DefaultStatus: status, Tags: []string{"stations"}}
	}
	const path = "/stations/{station}/security/profile"
	add(s, atStation(StationsWrite), op("getStationProfilePlan", http.MethodGet, path, "What raising the security profile of the station would take",
		"By what it said last: nothing is asked of it.", 0), s.getProfilePlan)
	add(s, atStation(StationsWrite), op("raiseStationProfile", http.MethodPost, path, "Raise the security profile of the station",
		"It is told when it is connected and nobody charges, and restarted. What it proves itself by now is enough until it came by the new profile; "+
			"after that less is refused. OCPP knows no way back from afar: lower the profile in its enrolment, and at the station itself.", http.StatusAccepted), s.raiseProfile)
	add(s, atStation(StationsWrite), op("abandonStationProfile", http.MethodDelete, path, "Give up raising the security profile",
		"Nothing more is asked of the station; what it did already stays.", 0), s.abandonProfile)
}

func profileChange(u *store.Upgrade) *ProfileChangeShape {
	return &ProfileChangeShape{
		State: u.State, From: u.From, To: u.To, URL: u.URL, Without: list(u.Without), Attempts: u.Attempts, Said: u.Said, StartedAt: u.StartedAt,
		SentAt: instant(u.SentAt), DueAt: instant(u.DueAt), FinishedAt: instant(u.FinishedAt),
	}
}

func (s *Server) getProfilePlan(ctx context.Context, in *profilePlanInput) (*profilePlanOutput, error) {
	e, ok := s.o.Store.Station(in.Station)
	if !ok {
		return nil, store.ErrNotFound
	}
	if s.o.Proofs == nil {
		return &profilePlanOutput{Body: ProfilePlanShape{From: e.Profile, To: in.Profile, Needs: []ProfileNeedShape{}}}, nil
	}
	needs, url, err := s.o.Proofs.ProfileNeeds(ctx, in.Station, in.Profile)
	if err != nil {
		return nil, err
	}
	out := ProfilePlanShape{From: e.Profile, To: in.Profile, URL: url, Needs: needs, Ready: true}
	for _, n := range needs {
		out.Ready = out.Ready && n.State == "met"
	}
	return &profilePlanOutput{Body: out}, nil
}

func (s *Server) raiseProfile(ctx context.Context, in *raiseProfileInput) (*profileChangeOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	u, err := s.o.Proofs.Raise(ctx, who(ctx).actor(), store.Upgrade{
		Station: in.Station, To: in.Body.Profile, URL: in.Body.URL, Interface: in.Body.Interface, Without: in.Body.Without,
	})
	if err != nil {
		return nil, err
	}
	return &profileChangeOutput{Body: *profileChange(u)}, nil
}

func (s *Server) abandonProfile(ctx context.Context, in *stationInput) (*profileChangeOutput, error) {
	if s.o.Proofs == nil {
		return nil, noProofs()
	}
	u, err := s.o.Proofs.Lower(ctx, who(ctx).actor(), in.Station)
	if err != nil {
		return nil, err
	}
	return &profileChangeOutput{Body: *profileChange(u)}, nil
}
