package lab

import (
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	if got := Time(time.Minute); got != time.Minute {
		t.Errorf("outside the laboratory a minute is %v", got)
	}
	speed = readSpeed("150")
	defer func() { speed = readSpeed("") }()
	if got := Time(time.Minute); got != 400*time.Millisecond {
		t.Errorf("at speed 150 a minute is %v", got)
	}
}

func TestASpeedThatIsNone(t *testing.T) {
	for _, written := range []string{"0", "-1", "fast"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken for a speed", written)
				}
			}()
			readSpeed(written)
		}()
	}
}
