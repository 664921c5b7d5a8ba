package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

var byErrno = map[syscall.Errno]string{
	syscall.ECONNRESET:   "reset",
	syscall.EPIPE:        "epipe",
	syscall.ETIMEDOUT:    "timeout",
	syscall.ECONNREFUSED: "refused",
}

// serverClosedIdle is how net/http says that it saw the peer's end of file after it had taken the connection from its
// pool and before it wrote the request: it sends nothing, and fails a request that it may not send again. The error has
// neither a type nor an exported name, so its text must do.
const serverClosedIdle = "http: server closed idle connection"

// outcome is the class of a request's end, decided by errno and cause.
func outcome(status *int, err error) string {
	switch {
	case err != nil:
		return classify(err)
	case *status >= http.StatusBadRequest:
		return "http-error"
	}
	return "ok"
}

func classify(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if class, known := byErrno[errno]; known {
			return class
		}
	}
	chain := chainOf(err)
	switch {
	case has(chain, isTimeout):
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "truncated"
	case errors.Is(err, io.EOF):
		return "eof"
	case errors.Is(err, net.ErrClosed), has(chain, isServerClosedIdle):
		return "closed-locally"
	}
	return "other"
}

// isTimeout asks each link by itself: *url.Error asks only the one right below it.
func isTimeout(link error) bool {
	timeout, ok := link.(interface{ Timeout() bool })
	return ok && timeout.Timeout()
}

func isServerClosedIdle(link error) bool { return link.Error() == serverClosedIdle }

func has(chain []error, is func(error) bool) bool {
	for _, link := range chain {
		if is(link) {
			return true
		}
	}
	return false
}

// chainOf is the error and its causes, outermost first.
func chainOf(err error) []error {
	if err == nil {
		return nil
	}
	chain := []error{err}
	switch wrapping := err.(type) {
	case interface{ Unwrap() error }:
		chain = append(chain, chainOf(wrapping.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, cause := range wrapping.Unwrap() {
			chain = append(chain, chainOf(cause)...)
		}
	}
	return chain
}

// describe is the chain as data.
func describe(err error) []Cause {
	causes := []Cause{}
	for _, link := range chainOf(err) {
		cause := Cause{Type: fmt.Sprintf("%T", link), Message: link.Error()}
		if errno, ok := link.(syscall.Errno); ok {
			number := int(errno)
			cause.Errno = &number
		}
		causes = append(causes, cause)
	}
	return causes
}
