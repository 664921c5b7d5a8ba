package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"thawlab/function/presets"
)

func TestEveryPresetIsAFileAndTheOtherWayRound(t *testing.T) {
	files, err := filepath.Glob("presets/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".go")
		chosen, err := choose(name)
		if err != nil {
			t.Error(err)
		}
		text, err := os.ReadFile(file)
		if want := (Loaded{name, fmt.Sprintf("%x", sha256.Sum256(text))}); chosen.loaded != want {
			t.Errorf("%s tells %v, not %v", name, chosen.loaded, want)
		}
		if err != nil || !strings.HasPrefix(string(text), "// "+name+": ") {
			t.Errorf("%s does not begin with its name (%v)", file, err)
		}
	}
	if len(files) != len(byName) {
		t.Errorf("%d files for %d presets", len(files), len(byName))
	}
	if _, err := choose("nonsense"); err == nil || !strings.Contains(err.Error(), "close_after, default, ") {
		t.Errorf("%v does not name those there are", err)
	}
}

func TestAConstructorUnderAnothersNameTellsWhoseItIs(t *testing.T) {
	swapped := map[string]preset{"sane": plain(presets.Seed), "seed": finishing(presets.CloseAfter)}
	for name, want := range map[string]string{"sane": "seed", "seed": "close_after"} {
		if got := swapped[name].loaded; got != byName[want].loaded || got == byName[name].loaded {
			t.Errorf("what stands for %s tells %v", name, got)
		}
	}
}

// The zero that the story is about, and the library's own number beside it.
func TestIdleLimits(t *testing.T) {
	for name, want := range map[string]time.Duration{"seed": 0, "default": 90 * time.Second, "sane": 50 * time.Second} {
		client, _ := byName[name].make()
		if got := client.Transport.(*http.Transport).IdleConnTimeout; got != want {
			t.Errorf("%s keeps connections for %v, not %v", name, got, want)
		}
	}
}

func TestFreshIsAColdStart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {}))
	defer server.Close()
	function, err := newFunction(server.URL, "seed")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		event  Event
		number int
		reused bool
	}{
		{Event{}, 1, false},
		{Event{}, 2, true},
		{Event{Fresh: &Fresh{UpstreamURL: server.URL, Preset: "sane"}}, 1, false},
		{Event{}, 2, true},
	} {
		answer, err := function.handle(context.Background(), want.event)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Invocation != want.number || answer.Cold != (want.number == 1) {
			t.Errorf("invocation %d, cold %v; not %d", answer.Invocation, answer.Cold, want.number)
		}
		if reused := answer.Requests[0].Attempts[0].Reused; reused != want.reused {
			t.Errorf("reused: %v in invocation %d", reused, want.number)
		}
	}
}

func TestOnError(t *testing.T) {
	for _, want := range []string{"raise", "raise-record", ""} {
		function, err := newFunction(upstream(t, reset), "seed")
		if err != nil {
			t.Fatal(err)
		}
		answer, err := function.handle(context.Background(), Event{OnError: want, Requests: []Request{{ID: "r-1"}}})
		var library *url.Error
		var record RequestFailed
		switch {
		case want == "raise" && !errors.As(err, &library):
			t.Errorf("the library's error is not raised, but %v", err)
		case want == "raise-record" && (!errors.As(err, &record) || json.Unmarshal([]byte(record.told), &answer) != nil):
			t.Errorf("the record is not raised, but %v", err)
		case want == "" && err != nil:
			t.Errorf("raised: %v", err)
		}
		if want != "raise" && (answer.Requests[0].Outcome != "reset" || answer.Requests[0].ID != "r-1") {
			t.Errorf("%q tells %+v", want, answer.Requests[0])
		}
	}
}
