package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestOutcomes(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	for _, test := range []struct {
		name, want string
		ending     ending
	}{
		{"answered", "ok", say(whole, keep)},
		{"unwilling", "http-error", say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", keep)},
		{"reset instead of an answer", "reset", reset},
		{"end instead of an answer", "eof", end},
		{"head cut off", "truncated", say(head, end)},
		{"body cut off", "truncated", say(head+"Content-Length: 9\r\n\r\nok", end)},
		{"chunks cut off", "truncated", say(head+"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", end)},
		{"not HTTP", "other", say("what?\r\n\r\n", end)},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := send(context.Background(), seed(t), upstream(t, test.ending), Request{})
			expect(t, told, test.want)
		})
	}
}

func TestTheErrorOfTheStory(t *testing.T) {
	url := upstream(t, say(whole, keep), reset)
	client := seed(t)
	send(context.Background(), client, url, Request{})
	told := send(context.Background(), client, url, Request{})

	expect(t, told, "reset")
	if len(told.Attempts) != 1 || !told.Attempts[0].Reused {
		t.Fatalf("%+v: it went into the used connection, and only there", told.Attempts)
	}
	want := fmt.Sprintf("Post %q: read tcp 127.0.0.1:%d->%s: read: connection reset by peer",
		url+"/orders", *told.Attempts[0].LocalPort, url[len("http://"):])
	if *told.Error != want {
		t.Errorf("the error is %s, not %s", *told.Error, want)
	}
	types := []string{}
	for _, cause := range told.Chain {
		types = append(types, cause.Type)
	}
	if !slices.Equal(types, []string{"*url.Error", "*net.OpError", "*os.SyscallError", "syscall.Errno"}) {
		t.Errorf("the chain is %v", types)
	}
	if errno := told.Chain[len(told.Chain)-1].Errno; errno == nil || *errno != 104 {
		t.Errorf("the chain ends in errno %v", errno)
	}
}

func TestAPipeThatIsBroken(t *testing.T) {
	ours, theirs, err := pair(t)
	if err != nil {
		t.Fatal(err)
	}
	reset(theirs)
	for err == nil { // the first of them meets the reset, or fills what the kernel takes before it comes
		_, err = ours.Write([]byte("x"))
	}
	_, err = ours.Write([]byte("x"))
	if got := classify(fmt.Errorf("a cause further down: %w", err)); got != "epipe" {
		t.Errorf("%v is %q", err, got)
	}
}

func TestRefused(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	told := send(context.Background(), seed(t), "http://"+listener.Addr().String(), Request{})
	expect(t, told, "refused")
	if told.Attempts == nil || len(told.Attempts) != 0 {
		t.Errorf("attempts are %v: an empty list, not null", told.Attempts)
	}
}

// What bounds an answer's head, a whole request and a body are errors of three types.
func TestTimeouts(t *testing.T) {
	for _, test := range []struct {
		name   string
		client http.Client
		answer string
	}{
		{"for the head", http.Client{Transport: &http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond}}, ""},
		{"for all", http.Client{Timeout: 20 * time.Millisecond}, ""},
		{"for all, in the body", http.Client{Timeout: 300 * time.Millisecond}, whole[:len(whole)-1]},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := send(context.Background(), &test.client, upstream(t, say(test.answer, keep)), Request{})
			expect(t, told, "timeout")
		})
	}
}

// The end of file comes when the connection has been taken from the pool and nothing is written yet. net/http closes
// the connection, sends nothing, and fails the POST.
func TestAConnectionThatTheLibraryClosedItself(t *testing.T) {
	taken, came := make(chan struct{}), make(chan int, 1)
	url := upstream(t, say(whole, func(connection *net.TCPConn) {
		<-taken
		connection.CloseWrite()
		count, _ := connection.Read(make([]byte, 4096))
		came <- count
	}))
	watched := &watched{closed: make(chan struct{})}
	client := &http.Client{Transport: &http.Transport{DialContext: watched.dial}}
	send(context.Background(), client, url, Request{})
	told := send(httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			close(taken)
			<-watched.closed
		},
	}), client, url, Request{})

	expect(t, told, "closed-locally")
	if count := <-came; count != 0 {
		t.Errorf("%d bytes were sent", count)
	}
}

func expect(t *testing.T, told Record, outcome string) {
	t.Helper()
	if told.Outcome != outcome {
		t.Errorf("%v is %q, not %q", told.failure, told.Outcome, outcome)
	}
}

func pair(t *testing.T) (ours, theirs *net.TCPConn, err error) {
	t.Helper()
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	if ours, err = net.DialTCP("tcp4", nil, listener.Addr().(*net.TCPAddr)); err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { ours.Close() })
	theirs, err = listener.AcceptTCP()
	return ours, theirs, err
}

// watched is a connection that tells when the client has closed it.
type watched struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (watched *watched) dial(ctx context.Context, network, address string) (net.Conn, error) {
	connection, err := new(net.Dialer).DialContext(ctx, network, address)
	watched.Conn = connection
	return watched, err
}

func (watched *watched) Close() error {
	defer watched.once.Do(func() { close(watched.closed) })
	return watched.Conn.Close()
}
