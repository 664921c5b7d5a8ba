package main

import (
	"io"
	"net"
	"net/http"
	"testing"
)

// An ending is what an upstream does once it has read a request.
type ending func(connection *net.TCPConn)

const whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func keep(*net.TCPConn) {}

func end(connection *net.TCPConn) { connection.Close() }

func reset(connection *net.TCPConn) {
	connection.SetLinger(0)
	connection.Close()
}

func say(answer string, then ending) ending {
	return func(connection *net.TCPConn) {
		io.WriteString(connection, answer)
		then(connection)
	}
}

// upstream serves one connection on a real socket, and ends its requests in turn as told.
func upstream(t *testing.T, endings ...ending) (url string) {
	t.Helper()
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	t.Cleanup(func() {
		listener.Close()
		<-over
	})
	go func() {
		defer close(over)
		connection, err := listener.AcceptTCP()
		if err != nil {
			return
		}
		t.Cleanup(func() { connection.Close() })
		for _, end := range endings {
			if _, err := connection.Read(make([]byte, 4096)); err != nil {
				return
			}
			end(connection)
		}
	}()
	return "http://" + listener.Addr().String()
}

func seed(t *testing.T) *http.Client {
	t.Helper()
	client, _ := byName["seed"].make()
	t.Cleanup(client.CloseIdleConnections)
	return client
}
