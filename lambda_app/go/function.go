package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
)

// Function is made once, when the sandbox is initialised, and survives from invocation to invocation.
type Function struct {
	sandbox     string
	upstream    string
	preset      preset
	client      *http.Client // made when it is first needed
	finish      func()
	invocations int
}

func newFunction(upstream, presetName string) (*Function, error) {
	if upstream == "" {
		return nil, errors.New("UPSTREAM_URL is missing: set it to the upstream's URL, such as http://127.0.0.1:8000")
	}
	chosen, err := choose(presetName)
	if err != nil {
		return nil, err
	}
	return &Function{sandbox: rand.Text(), upstream: upstream, preset: chosen}, nil
}

// RequestFailed carries the answer of an asynchronous invocation, which nobody gets otherwise.
type RequestFailed struct{ told string }

func (failed RequestFailed) Error() string { return failed.told }

// handle is what the runtime client calls for each event.
func (function *Function) handle(ctx context.Context, event Event) (*Answer, error) {
	if event.Fresh != nil {
		if err := function.startAfresh(*event.Fresh); err != nil {
			return nil, err
		}
	}
	function.invocations++
	answer := &Answer{
		Sandbox:    function.sandbox,
		Invocation: function.invocations,
		Cold:       function.invocations == 1,
		Clock:      readClocks(),
		Preset:     function.preset.loaded,
		Versions:   versions(),
		Requests:   function.serve(ctx, event),
	}
	failure := firstFailure(answer.Requests)
	switch {
	case failure != nil && event.OnError == "raise":
		return nil, failure
	case failure != nil && event.OnError == "raise-record":
		told, err := json.Marshal(answer)
		if err != nil {
			return nil, err
		}
		return nil, RequestFailed{string(told)}
	}
	return answer, nil
}

// startAfresh forgets the present client and its connections, as a new sandbox would have none.
func (function *Function) startAfresh(fresh Fresh) error {
	renewed, err := newFunction(fresh.UpstreamURL, fresh.Preset)
	if err != nil {
		return err
	}
	if function.client != nil {
		function.client.CloseIdleConnections()
	}
	renewed.sandbox = function.sandbox
	*function = *renewed
	return nil
}

func (function *Function) serve(ctx context.Context, event Event) []Record {
	if function.client == nil {
		function.client, function.finish = function.preset.make()
	}
	defer function.finish()
	requests := event.Requests
	if len(requests) == 0 {
		requests = []Request{{}}
	}
	records := make([]Record, len(requests))
	var atOnce sync.WaitGroup
	for index, request := range requests {
		if !event.AtOnce {
			records[index] = send(ctx, function.client, function.upstream, request)
			continue
		}
		atOnce.Add(1)
		go func() {
			defer atOnce.Done()
			records[index] = send(ctx, function.client, function.upstream, request)
		}()
	}
	atOnce.Wait()
	return records
}

func firstFailure(records []Record) error {
	for _, record := range records {
		if record.failure != nil {
			return record.failure
		}
	}
	return nil
}
