package lease

import (
	"errors"
	"testing"
	"time"
)

// A message that is put off is renewed no more, also where its lease is past its time and
// a renewal brings it back: nothing in this process knows of it.
func TestPutOff(t *testing.T) {
	each := func(string) bool { return true }
	for _, late := range []bool{false, true} {
		holding(t, false, func(t *testing.T, r *rig) {
			c := NewCustody()
			c.Take(r.lease, true)
			if late {
				r.store.set(func() { r.store.fail = errors.New("503") })
				<-time.After(9500 * time.Millisecond)
				r.store.set(func() { r.store.fail, r.store.slow = nil, 2*time.Second })
				<-time.After(time.Second) // a renewal is on its way
			}
			if inTime := c.PutOffOne(each, 30*time.Second); inTime == late || !c.IsEmpty() || c.CanLook() {
				t.Errorf("in time: %v, late: %v; the custody has it: %v", inTime, late, !c.IsEmpty())
			}
			<-time.After(time.Minute)
			if !r.ended() || len(r.visible()) != 1 {
				t.Errorf("late: %v; after a minute it has ended: %v, and others get nothing", late, r.ended())
			}
			if c.PutOffOne(each, 0) {
				t.Error("there was nothing to put off")
			}
		})
	}
}
