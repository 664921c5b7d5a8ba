// overlay writes what `go build -overlay` needs to build a program whose clocks follow the laboratory's clock page:
//
//	go run . FOLDER [GOROOT]
//	go build -overlay FOLDER/overlay.json ...
//
// It takes the sources of the Go that builds (GOROOT; without it, of the one that runs this), changes the few places
// that read clocks and wait, and writes the changed files with overlay.json into the folder. Go's own files and the
// program's stay as they are.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed thawlab_clock.go.txt
var clock string

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER [GOROOT]")
		os.Exit(2)
	}
	goroot := ""
	if len(os.Args) == 3 {
		goroot = os.Args[2]
	}
	if err := write(os.Args[1], goroot); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(folder, goroot string) error {
	if goroot == "" {
		found, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return fmt.Errorf("`go env GOROOT` failed: %w", err)
		}
		goroot = strings.TrimSpace(string(found))
	}
	read := func(file string) (string, error) {
		text, err := os.ReadFile(filepath.Join(goroot, "src", file))
		return string(text), err
	}
	files, err := patched(read, clock)
	if err == nil && guarded(goroot) {
		err = fmt.Errorf("%s: `go build` replaces no file in the module cache: install this Go elsewhere", goroot)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be given the lab's clocks, so real time is used: %w", version(goroot), err)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	replace := map[string]string{}
	for file, text := range files {
		own := filepath.Join(folder, flat(file))
		if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
			return err
		}
		replace[filepath.Join(goroot, "src", file)] = own
	}
	overlay, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "  ")
	if err != nil {
		return err
	}
	// Last, and whole: a folder that has it is complete.
	unfinished := filepath.Join(folder, ".overlay.json")
	if err := os.WriteFile(unfinished, append(overlay, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(folder, "overlay.json"))
}

// guarded says whether this Go was fetched by another one (GOTOOLCHAIN) and is of those that refuse an overlay of what
// lies in the module cache: 1.25 and newer.
func guarded(goroot string) bool {
	var minor int
	_, err := fmt.Sscanf(version(goroot), "go1.%d", &minor)
	return err == nil && minor >= 25 && strings.Contains(goroot, "golang.org/toolchain@")
}

func version(goroot string) string {
	text, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err != nil {
		return "the Go in " + goroot
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return first
}
