package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
)

// try makes two requests with the client of a preset, one after the other, and prints what became of them. It needs
// nothing of the laboratory: `go run . NAME URL`.
func try(output io.Writer, name, url string) error {
	chosen, err := choose(name)
	if err != nil {
		return err
	}
	client, finish := chosen.make()
	for range 2 {
		status, reused, err := get(client, url)
		if err != nil {
			return err
		}
		connection := "a new connection"
		if reused {
			connection = "the same connection"
		}
		fmt.Fprintf(output, "%s: %s, on %s\n", name, status, connection)
		finish()
	}
	return nil
}

func get(client *http.Client, url string) (status string, reused bool, err error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "", false, err
	}
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { reused = got.Reused }}
	response, err := client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		return "", false, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.Status, reused, err
}

// tried is what the program does instead of serving events if it is given arguments; the exit status.
func tried(arguments []string) int {
	if len(arguments) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . NAME URL\n       NAME is a file of presets/, without .go")
		return 2
	}
	if err := try(os.Stdout, arguments[0], arguments[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
