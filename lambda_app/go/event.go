package main

// Event says which requests to make.
type Event struct {
	Requests []Request `json:"requests"`
	AtOnce   bool      `json:"at_once"`
	Fresh    *Fresh    `json:"fresh"`
	OnError  string    `json:"on_error"`
}

// Fresh asks for a client as a cold start would make it.
type Fresh struct {
	UpstreamURL string `json:"upstream_url"`
	Preset      string `json:"preset"`
}

// Request is one request to make.
type Request struct {
	ID             string `json:"id"`
	Method         string `json:"method"`
	Path           string `json:"path"`
	BodyBytes      int    `json:"body_bytes"`
	JSON           bool   `json:"json"`
	IdempotencyKey string `json:"idempotency_key"`
}

// Answer is what an invocation reports.
type Answer struct {
	Sandbox    string   `json:"sandbox"`
	Invocation int      `json:"invocation"`
	Cold       bool     `json:"cold"`
	Ticks      [2]int   `json:"ticks"`
	Clock      Clock    `json:"clock"`
	Preset     Loaded   `json:"preset"`
	Versions   Versions `json:"versions"`
	Requests   []Record `json:"requests"`
}

// Record is what became of a request.
type Record struct {
	ID       string    `json:"id"`
	Method   string    `json:"method"`
	Outcome  string    `json:"outcome"`
	Status   *int      `json:"status"`
	Error    *string   `json:"error"`
	Chain    []Cause   `json:"chain"`
	Attempts []Attempt `json:"attempts"`
	Started  float64   `json:"started"`
	Ended    float64   `json:"ended"`

	failure error
}

// Attempt is a connection that the client took for a request.
type Attempt struct {
	LocalPort *int `json:"local_port"`
	Reused    bool `json:"reused"`
}

// Cause is one error of a chain.
type Cause struct {
	Type    string `json:"type"`
	Errno   *int   `json:"errno"`
	Message string `json:"message"`
}
