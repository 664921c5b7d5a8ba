package main

import (
	"net"
	"net/http/httptrace"
	"sync"
)

// attempts are the connections that net/http took for one request. A trace may be called from any goroutine, and after
// the request has ended.
type attempts struct {
	mutex sync.Mutex
	taken []Attempt
}

func (attempts *attempts) note(got httptrace.GotConnInfo) {
	attempt := Attempt{Reused: got.Reused}
	if address, ok := got.Conn.LocalAddr().(*net.TCPAddr); ok {
		attempt.LocalPort = &address.Port
	}
	attempts.mutex.Lock()
	defer attempts.mutex.Unlock()
	attempts.taken = append(attempts.taken, attempt)
}

func (attempts *attempts) list() []Attempt {
	attempts.mutex.Lock()
	defer attempts.mutex.Unlock()
	return append([]Attempt{}, attempts.taken...) // a list in JSON too where there are none
}
