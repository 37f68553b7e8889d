// Package keep writes what a measure found where results are committed.
package keep

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Result writes a result as JSON and as the page that a run has printed. Without a
// name it was only to be shown.
func Result(dir, name string, result any, page string) error {
	if name == "" {
		return nil
	}
	raw, err := json.MarshalIndent(result, "", " ")
	if err != nil {
		return fmt.Errorf("result: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".json"), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".md"), []byte(page), 0o600); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	return nil
}
