package remedy

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed builtin.json
var builtIn []byte

// BuiltIn returns the playbooks of the product. People replace one by writing
// their own of the same id.
func BuiltIn() []Playbook {
	var raw []json.RawMessage
	if err := json.Unmarshal(builtIn, &raw); err != nil {
		panic("remedy: the embedded playbooks cannot be read: " + err.Error()) // a test reads them
	}
	list := make([]Playbook, 0, len(raw))
	for _, data := range raw {
		p, faults := ReadPlaybook(data)
		if len(faults) > 0 {
			panic(fmt.Sprintf("remedy: embedded playbook %s: %v", p.ID, faults))
		}
		list = append(list, p)
	}
	return list
}
