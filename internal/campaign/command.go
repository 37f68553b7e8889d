package campaign

import "encoding/json"

// CommandKind is the name of the kind that sends one command.
const CommandKind = "command"

// CommandOf is what is sent.
type CommandOf struct {
	Action  string          `json:"action" minLength:"1" maxLength:"64"`
	Payload json.RawMessage `json:"payload,omitempty" doc:"as in the specification"`
}

// Command are the params of the kind that sends one command.
type Command struct {
	CommandOf
	ByProtocol  map[string]CommandOf `json:"byProtocol,omitempty"`
	AlsoRelayed bool                 `json:"alsoRelayed,omitempty"`
}

// For is what is sent to a station of a version.
func (c *Command) For(protocol string) CommandOf {
	of, ok := c.ByProtocol[protocol]
	if !ok {
		of = c.CommandOf
	}
	if len(of.Payload) == 0 || string(of.Payload) == "null" {
		of.Payload = json.RawMessage("{}")
	}
	return of
}
