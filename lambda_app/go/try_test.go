package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestEachPresetRunsByItself(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		writer.Write([]byte("ok"))
	}))
	defer server.Close()
	keepsNone := map[string]bool{"close_after": true, "no_keepalive": true}
	for name := range byName {
		var told strings.Builder
		if err := try(&told, name, server.URL); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		second := "the same connection"
		if keepsNone[name] {
			second = "a new connection"
		}
		want := name + ": 200 OK, on a new connection\n" + name + ": 200 OK, on " + second + "\n"
		if told.String() != want {
			t.Errorf("%s tells\n%swanted\n%s", name, told.String(), want)
		}
	}
}

func TestTryingWhatCannotBe(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for _, arguments := range [][2]string{{"nonsense", server.URL}, {"sane", server.URL}, {"sane", "no url\x00"}} {
		var told strings.Builder
		if err := try(&told, arguments[0], arguments[1]); err == nil {
			t.Errorf("%q: no error, but %q", arguments, told.String())
		}
	}
}
