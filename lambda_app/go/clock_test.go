package main

import (
	"encoding/binary"
	"os"
	"testing"
	"time"
)

// The journal's clock is the machine's, also while the function's own clocks jump.
func TestNowDoesNotJump(t *testing.T) {
	path := os.Getenv("THAWLAB_CLOCK")
	if path == "" {
		t.Skip("needs a build with the overlay, and a clock page")
	}
	page, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer page.Close()
	const jump = 5 * time.Minute // shorter than the 10 minutes that `go test` gives all tests together
	began, journal := time.Now(), now()
	if _, err := page.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(jump)), 16); err != nil {
		t.Fatal(err)
	}
	if passed := time.Since(began); passed < jump {
		t.Errorf("the function's clock went on by %v", passed)
	}
	if passed := now() - journal; passed < 0 || passed > 60 {
		t.Errorf("the journal's clock went on by %v s", passed)
	}
}
