package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"thawlab/function/presets"
)

// A preset makes a client, and says what to do at the end of the handler.
type preset struct {
	make   func() (client *http.Client, finish func())
	loaded Loaded
}

// byName has each preset under the name of its file.
var byName = map[string]preset{
	"close_after":  finishing(presets.CloseAfter),
	"default":      plain(presets.Default),
	"large_pool":   plain(presets.LargePool),
	"long_timeout": plain(presets.LongTimeout),
	"no_keepalive": plain(presets.NoKeepalive),
	"retry":        plain(presets.Retry),
	"sane":         plain(presets.Sane),
	"seed":         plain(presets.Seed),
}

func choose(name string) (preset, error) {
	if chosen, ok := byName[name]; ok {
		return chosen, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(byName)), ", ")
	return preset{}, fmt.Errorf("there is no preset %q: there are %s", name, known)
}

// plain is for a client that needs nothing at the end of the handler.
func plain(make func() *http.Client) preset {
	return preset{func() (*http.Client, func()) { return make(), func() {} }, loaded(make)}
}

func finishing(make func() (client *http.Client, finish func())) preset {
	return preset{make, loaded(make)}
}
