// Package label takes in what is seen in pictures: persons, vehicles, animals and
// number plates, told by cameras themselves, by other systems, or by a verifier, a
// process beside us that is shown a picture of what moves.
//
// It promises that no source can flood the journal: each camera has its own
// measure, and what is beyond it is counted and not kept. A number plate goes into
// the journal by an opaque id alone. The verifier is shown pictures of motion at
// armed sites and no others, private parts painted over; it may be slow, broken or
// gone, and all that is lost are labels.
package label
