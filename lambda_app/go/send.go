package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
)

// send makes one request, reads its answer to the end, and tells what happened.
func send(ctx context.Context, client *http.Client, upstream string, asked Request) Record {
	asked = completed(asked)
	taken := &attempts{}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: taken.note})
	record := Record{ID: asked.ID, Method: asked.Method, Chain: []Cause{}}

	request, err := newRequest(ctx, upstream, asked)
	record.Started = now()
	if err == nil {
		record.Status, err = roundTrip(client, request)
	}
	record.Ended = now()

	record.Attempts = taken.list()
	record.Outcome = outcome(record.Status, err)
	if err != nil {
		text := err.Error()
		record.Error, record.Chain, record.failure = &text, describe(err), err
	}
	return record
}

// completed fills in what an event leaves out.
func completed(asked Request) Request {
	if asked.ID == "" {
		asked.ID = rand.Text()
	}
	if asked.Method == "" {
		asked.Method = http.MethodPost
	}
	if asked.Path == "" {
		asked.Path = "/orders/any"
		if asked.Method == http.MethodPost {
			asked.Path = "/orders"
		}
	}
	return asked
}

func newRequest(ctx context.Context, upstream string, asked Request) (*http.Request, error) {
	var body io.Reader
	if asked.JSON {
		document, err := json.Marshal([]string{strings.Repeat("x", asked.BodyBytes-len(`[""]`))})
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(document)
	} else if asked.BodyBytes > 0 {
		body = bytes.NewReader(bytes.Repeat([]byte("x"), asked.BodyBytes))
	}
	request, err := http.NewRequestWithContext(ctx, asked.Method, upstream+asked.Path, body)
	if err != nil {
		return nil, err
	}
	if asked.JSON {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("X-Request-Id", asked.ID)
	if asked.IdempotencyKey != "" {
		request.Header.Set("Idempotency-Key", asked.IdempotencyKey)
	}
	return request, nil
}

// roundTrip returns the status if an answer came, even if its body then failed.
func roundTrip(client *http.Client, request *http.Request) (*int, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body) // to the end, so that the connection goes back to the pool
	return &response.StatusCode, err
}
