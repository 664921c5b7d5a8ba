// Package lab has what a preset needs to know about the laboratory; outside it, that is nothing.
package lab

import (
	"os"
	"strconv"
	"time"
)

// speed is lab seconds in a real second; 1 outside the laboratory.
var speed = readSpeed(os.Getenv("THAWLAB_SPEED"))

// Time is the real time that a duration of lab time takes: outside the laboratory, the same.
func Time(duration time.Duration) time.Duration {
	return time.Duration(float64(duration) / speed)
}

func readSpeed(written string) float64 {
	if written == "" {
		return 1
	}
	speed, err := strconv.ParseFloat(written, 64)
	if err != nil || speed <= 0 {
		panic("THAWLAB_SPEED is " + strconv.Quote(written) + ": it must be a number above 0")
	}
	return speed
}
