package main

import (
	"time"
	_ "unsafe" // for go:linkname

	"golang.org/x/sys/unix"
)

// Clock is what the function's own clocks show, in seconds.
type Clock struct {
	Monotonic float64 `json:"monotonic"`
	Wall      float64 `json:"wall"`
}

func readClocks() Clock {
	return Clock{float64(nanotime()) / 1e9, float64(time.Now().UnixNano()) / 1e9}
}

// nanotime is the monotonic clock that Go keeps private to time.Time.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

// now is seconds of CLOCK_MONOTONIC as the machine and the lab's journal have it: a jump does not move it.
func now() float64 {
	var moment unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &moment); err != nil {
		panic(err) // every Linux has this clock
	}
	return float64(moment.Sec) + float64(moment.Nsec)/1e9
}
