package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// MessageShape is a raw OCPP frame as the API shows it: secrets removed, and
// tokens masked for those who may not see them.
type MessageShape struct {
	At        time.Time `json:"at"`
	Direction string    `json:"direction" enum:"in,out" doc:"in: from the station"`
	Type      string    `json:"type" enum:"CALL,CALLRESULT,CALLERROR,SEND,CALLRESULTERROR,"`
	MessageID string    `json:"messageId"`
	Action    string    `json:"action"`
	Bytes     int       `json:"bytes" doc:"as it went over the wire"`
	Frame     string    `json:"frame" doc:"JSON text"`
	Quirks    []string  `json:"quirks"`
}

type messagesInput struct {
	Page
	Station   string `path:"station" maxLength:"48"`
	Direction string `query:"direction" enum:"in,out"`
	Action    string `query:"action" maxLength:"64"`
	Before    string `query:"before" maxLength:"512" doc:"the same as cursor"`
}

func messageShape(f Frame, whole bool) MessageShape {
	out := MessageShape{
		At: f.At.UTC(), Direction: "out", Bytes: len(f.Data), Frame: shown(f.Data, whole), Quirks: list(f.Quirks), Action: f.Action,
	}
	if f.In {
		out.Direction = "in"
	}
	var parts []json.RawMessage
	if json.Unmarshal(f.Data, &parts) != nil || len(parts) < 2 {
		return out
	}
	var kind int
	if json.Unmarshal(parts[0], &kind) != nil {
		return out
	}
	out.Type = map[int]string{2: "CALL", 3: "CALLRESULT", 4: "CALLERROR", 5: "CALLRESULTERROR", 6: "SEND"}[kind]
	if json.Unmarshal(parts[1], &out.MessageID) != nil {
		out.MessageID = string(parts[1])
	}
	if (kind == 2 || kind == 6) && len(parts) > 2 {
		var action string
		if json.Unmarshal(parts[2], &action) == nil {
			out.Action = action
		}
	}
	return out
}

func (s *Server) registerMessages() {
	add(s, atStation(MessagesRead), huma.Operation{
		OperationID: "listMessages", Method: http.MethodGet, Path: "/stations/{station}/messages", Tags: []string{"stations"},
		Summary: "Raw OCPP frames, newest first",
	}, s.listMessages)
}

func (s *Server) listMessages(ctx context.Context, in *messagesInput) (*listOutput[MessageShape], error) {
	if s.o.Frames == nil {
		return nil, problemf(http.StatusNotImplemented, "this server keeps no raw frames")
	}
	if in.Cursor == "" {
		in.Cursor = in.Before
	}
	before, err := decodeCursor("messages", in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := s.o.Frames.Read(ctx, FrameQuery{
		Station: in.Station, Direction: in.Direction, Action: in.Action, Before: before, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	site, _ := s.siteOf(in.Station)
	whole := scope(ctx, IDTokensRead).Allows(site)
	out := make([]MessageShape, 0, len(found))
	for _, f := range found {
		out = append(out, messageShape(f, whole))
	}
	return listOf(out, encodeCursor("messages", next)), nil
}
