// Clocks is an ordinary Go program that tells what its clocks, timers and deadlines do. Nothing in it knows of the
// laboratory.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var tasks = map[string]func(){
	"now":    now,
	"waits":  waits,
	"order":  order,
	"ticker": ticker,
	"idle":   idle,
	"wake":   wake,
	"busy":   busy,
	"cost":   cost,
	"probes": probes,
}

func main() {
	task, known := tasks[os.Args[1]]
	if !known {
		log.Fatalf("there is no task %q", os.Args[1])
	}
	task()
}

var (
	output sync.Mutex
	input  = bufio.NewScanner(os.Stdin)
)

func tell(line ...any) {
	output.Lock()
	defer output.Unlock()
	fmt.Println(line...)
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// now tells, for each line of its input, how far both clocks are from where they began.
func now() {
	began := time.Now()
	tell("ready")
	for input.Scan() {
		moment := time.Now()
		tell(string(must(json.Marshal(map[string]int64{
			"monotonic": int64(moment.Sub(began)),
			"since":     int64(time.Since(began)),
			"wall":      moment.UnixNano() - began.UnixNano(),
		}))))
	}
}

// waits begins one wait of each kind, all of 60 s, and tells when each is over.
func waits() {
	const long = 60 * time.Second
	began := time.Now()
	over := func(name string) { tell(name, time.Since(began) >= long) }
	mine, _ := pair()
	if err := mine.SetReadDeadline(time.Now().Add(long)); err != nil {
		log.Fatal(err)
	}
	bounded, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	after := time.After(long)
	go func() { <-after; over("after") }()
	go func() { time.Sleep(long); over("sleep") }()
	go func() { <-bounded.Done(); over("context") }()
	go func() {
		_, err := mine.Read(make([]byte, 1))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			log.Fatal(err)
		}
		over("connection")
	}()
	time.AfterFunc(long, func() { over("function") })
	tell("ready")
	input.Scan()
}

// order begins timers, the last to be due first, and tells which runs.
func order() {
	for _, seconds := range []int{40, 30, 20, 10} {
		seconds := seconds
		time.AfterFunc(time.Duration(seconds)*time.Second, func() { tell(seconds) })
	}
	tell("ready")
	input.Scan()
}

func ticker() {
	ticks := time.NewTicker(20 * time.Second)
	tell("ready")
	for range ticks.C {
		tell("tick")
	}
}

// pair is a TCP connection, from both ends.
func pair() (mine, peer net.Conn) {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	defer listener.Close()
	mine = must(net.Dial("tcp", listener.Addr().String()))
	return mine, must(listener.Accept())
}

// watched is a connection that tells when its client closes it.
type watched struct {
	net.Conn
	closed func()
}

func (connection watched) Close() error {
	connection.closed()
	return connection.Conn.Close()
}

// pooled is a client of a server in this process. It calls `closed` when it closes a connection.
func pooled(idle time.Duration, closed func()) (get func() (reused bool)) {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go http.Serve(listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return watched{connection, closed}, err
	}
	client := http.Client{Transport: &http.Transport{IdleConnTimeout: idle, DialContext: dial}}
	return func() (reused bool) {
		trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { reused = got.Reused }}
		request := must(http.NewRequestWithContext(
			httptrace.WithClientTrace(context.Background(), trace), "GET", "http://"+listener.Addr().String(), nil))
		response := must(client.Do(request))
		must(io.Copy(io.Discard, response.Body))
		response.Body.Close()
		return reused
	}
}

// idle keeps a connection in a pool that forgets it after 15 s, and makes a request for each line of its input.
func idle() {
	get := pooled(15*time.Second, func() { tell("closed") })
	get()
	tell("ready")
	for input.Scan() {
		tell("reused", get())
	}
}

// wake waits for events, which are bytes from an address, while a connection is idle in a pool. It tells which came
// first, the event or the timer of the pool, round by round.
func wake() {
	idle := must(time.ParseDuration(os.Args[3]))
	events := must(net.Dial("tcp", os.Args[2]))
	for {
		came := make(chan string, 2)
		get := pooled(idle, func() { came <- "timer" })
		get()
		go func() {
			must(events.Read(make([]byte, 1)))
			came <- "event"
		}()
		tell("ready")
		tell(<-came)
		<-came
	}
}

// busy allocates and collects without a pause, and tells how often it looked at a clock that went backwards.
func busy() {
	backwards := make(chan int)
	stop := make(chan struct{})
	for range make([]struct{}, 4) {
		go func() {
			count := 0
			last := time.Now()
			kept := [][]byte{}
			for {
				select {
				case <-stop:
					backwards <- count
					return
				default:
				}
				if len(kept) > 100 {
					kept = kept[:0]
				}
				kept = append(kept, make([]byte, 10_000))
				moment := time.Now()
				if moment.Before(last) {
					count++
				}
				last = moment
			}
		}()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tell("ready")
	input.Scan()
	runtime.GC()
	// The jump may have made a collection look hours long. Then the collector holds back for a second or two of the
	// processors, as it would after a freeze, and the garbage grows.
	for range make([]struct{}, 200) {
		runtime.ReadMemStats(&after)
		if after.HeapAlloc < 100_000_000 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	close(stop)
	total := 0
	for range make([]struct{}, 4) {
		total += <-backwards
	}
	tell(total, after.NumGC > before.NumGC, after.HeapAlloc < 100_000_000)
}

// cost tells how long a reading of the clock takes, in ns: the least of several tries.
func cost() {
	least := time.Hour
	for range make([]struct{}, 20) {
		began := time.Now()
		for range make([]struct{}, 100_000) {
			time.Now()
		}
		least = min(least, time.Since(began))
	}
	tell(strconv.FormatFloat(float64(least)/100_000, 'f', 1, 64))
}

// probes tells after how many seconds the kernel probes a connection for which 60 were asked.
func probes() {
	mine, _ := pair()
	connection := mine.(*net.TCPConn)
	if err := connection.SetKeepAlivePeriod(60 * time.Second); err != nil {
		log.Fatal(err)
	}
	raw := must(connection.SyscallConn())
	if err := raw.Control(func(fd uintptr) {
		tell(must(syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)))
	}); err != nil {
		log.Fatal(err)
	}
}
