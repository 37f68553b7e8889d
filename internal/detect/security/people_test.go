package security

import "testing"

// Each of these rules has an ordinary twin that stays silent.

// known is a door at whose last badges a person was seen.
const known = `100 gate lets by=card token=t1
 105 cam1 shows person=0.9
 400 gate lets by=card token=t1
 405 cam1 shows person=0.9
 700 gate lets by=card token=t1
 705 cam1 shows person=0.9
`

func TestStoriesOfDoorsAndPersons(t *testing.T) {
	stories(t, map[string]told{
		"a badge, and nobody is seen": {
			known + `1000 gate lets by=card token=t1
			 1100 self time`,
			[]string{"1030 door/gate badgeAlone  S3"},
		},
		"a badge, and somebody is seen before it": {
			known + `985 cam1 shows person=0.9
			 1000 gate lets by=card token=t1
			 1100 self time`,
			nil,
		},
		"a badge and nobody is seen, but nobody ever was": {
			`1000 gate lets by=card token=t1
			 1100 self time
			 1200 gate lets by=card token=t1
			 1300 self time`,
			nil,
		},
		"who sees persons has fallen asleep: it is told once": {
			known + `1000 gate lets by=card token=t1
			 1300 gate lets by=card token=t1
			 1600 gate lets by=card token=t1
			 1900 self time`,
			[]string{"1030 door/gate badgeAlone  S3"},
		},
		"a badge while the camera is away": {
			known + `990 cam1 offline
			 1000 gate lets by=card token=t1
			 1200 cam1 live`,
			[]string{"990 camera/cam1 cameraLost raised S3", "1200 camera/cam1 cameraLost cleared S3"},
		},
		"a door is opened from afar": {
			known + `1000 gate lets by=remote
			 1100 self time`,
			nil,
		},
		"three go in with one badge": {
			`100 gate lets token=t1 by=card
			 102 gate door is=open
			 104 cam1 shows person=0.9 number=3
			 108 cam1 shows person=0.8 number=2
			 109 cam1 shows person=0.8 number=3`,
			[]string{"108 door/gate tailgating  S3"},
		},
		"two go in with one badge at night": {
			`90 site armed
			 100 gate lets token=t1 by=card
			 102 gate door is=open
			 104 cam1 shows person=0.9 number=2 armed=yes
			 108 cam1 shows person=0.8 number=2 armed=yes`,
			[]string{"104 camera/cam1 motionArmed  S3", "108 camera/cam1 motionArmed  S3", "108 door/gate tailgating  S2"},
		},
		"two go in with two badges": {
			`100 gate lets token=t1 by=card
			 102 gate door is=open
			 103 gate lets token=t2 by=card
			 104 cam1 shows person=0.9 number=2
			 108 cam1 shows person=0.8 number=2`,
			nil,
		},
		"one picture counts one too many": {
			`100 gate lets token=t1 by=card
			 102 gate door is=open
			 104 cam1 shows person=0.9 number=2
			 108 cam1 shows person=0.8`,
			nil,
		},
		"a family drives through the gate with one badge": {
			`98 cam1 shows vehicle=0.9
			 100 gate lets token=t1 by=card
			 102 gate door is=open
			 104 cam1 shows person=0.9 number=4
			 108 cam1 shows person=0.8 number=4`,
			nil,
		},
		"a group stands before the door later": {
			`100 gate lets token=t1 by=card
			 102 gate door is=open
			 130 cam1 shows person=0.9 number=4
			 138 cam1 shows person=0.8 number=4`,
			nil,
		},
		"somebody tries three cards at a door and is seen": {
			`100 gate refuses token=t1
			 110 gate refuses token=t2
			 115 cam1 shows person=0.9
			 120 gate refuses token=t3
			 125 gate refuses token=t4`,
			[]string{"120 door/gate cardGuessing  S2", "120 door/gate doorRefused  S3"},
		},
		"somebody tries the same card again and again": {
			`100 gate refuses token=t1
			 110 gate refuses token=t1
			 115 cam1 shows person=0.9
			 120 gate refuses token=t1`,
			[]string{"120 door/gate doorRefused  S3"},
		},
		"somebody finds the right one": {
			`100 gate refuses token=t1
			 110 gate refuses token=t2
			 115 cam1 shows person=0.9
			 120 gate lets token=t3 by=card
			 130 gate refuses token=t4`,
			nil,
		},
		"five cards at a station, and then somebody is seen": {
			`100 A card token=t1 is=Invalid
			 130 A card token=t2 is=Invalid
			 160 A card token=t3 is=Invalid
			 190 A card token=t4 is=Invalid
			 220 A card token=t5 is=Invalid
			 250 cam1 begins what=person zone=bay ports=station/A/1
			 260 cam1 shows person=0.9`,
			[]string{"220 station/A cardGuessing  S3", "250 station/A cardGuessing  S2"},
		},
		"a driver has four cards": {
			`100 A card token=t1 is=Invalid
			 130 A card token=t2 is=Invalid
			 160 A card token=t3 is=Blocked
			 190 A card token=t4 is=Accepted
			 220 A card token=t5 is=Invalid
			 250 cam1 shows person=0.9`,
			nil,
		},
	})
}

func TestStoriesOfVehiclesAndTokens(t *testing.T) {
	const car = "what=vehicle zone=bay ports=station/A/1"
	stories(t, map[string]told{
		"a vehicle stands at a port, and no other is free": {
			`5 B/1 plugged
			 6 C/1 plugged
			 100 cam1 begins ` + car + `
			 1000 cam1 ends ` + car + `
			 3000 self time`,
			[]string{"700 station/A/1 bayBlocked raised S3", "2200 station/A/1 bayBlocked cleared S3"},
		},
		"a vehicle stands at a port while others are free": {
			`100 cam1 begins ` + car + `
			 800 A/1 charge id=1`,
			[]string{"700 station/A/1 bayBlocked raised S4", "800 station/A/1 bayBlocked cleared S4"},
		},
		"labels tell of a vehicle again and again": {
			`90 cam1 begins what=motion zone=bay ports=station/A/1
			 100 cam1 shows vehicle=0.9
			 105 cam1 ends what=motion zone=bay
			 400 cam1 shows vehicle=0.9
			 720 cam1 shows vehicle=0.9
			 3000 self time`,
			[]string{"720 station/A/1 bayBlocked raised S4", "1900 station/A/1 bayBlocked cleared S4"},
		},
		"a van brings something": {
			`100 cam1 begins ` + car + `
			 520 cam1 ends ` + car + `
			 3000 self time`,
			nil,
		},
		"a driver waits in the car, then plugs in": {
			`100 cam1 begins ` + car + `
			 640 A/1 plugged
			 650 A/1 charge id=1
			 3000 self time`,
			nil,
		},
		"a vehicle stands before a port that is broken": {
			`50 A/1 faulted code=ReaderFailure
			 100 cam1 begins ` + car + `
			 3000 self time`,
			nil,
		},
		"a vehicle stays after its session": {
			`100 cam1 begins ` + car + `
			 200 A/1 charge id=1
			 2000 A/1 unplug id=1
			 2010 A/1 free
			 4500 cam1 ends ` + car + `
			 7000 self time`,
			[]string{"3800 station/A/1 overstayed raised S4", "5600 station/A/1 overstayed cleared S4"},
		},
		"a vehicle leaves after its session": {
			`100 cam1 begins ` + car + `
			 200 A/1 charge id=1
			 2000 A/1 unplug id=1
			 2600 cam1 ends ` + car + `
			 7000 self time`,
			nil,
		},
		"a car stays plugged in overnight and nobody looks": {
			`200 A/1 charge id=1
			 2000 A/1 unplug id=1
			 7000 self time`,
			nil,
		},
		"a token is used here and 20 minutes later 50 km away": {
			`100 A/1 charge id=1 token=t1
			 1300 F/1 charge id=2 token=t1
			 1400 A/1 charge id=3 token=t1`,
			[]string{"1300 station/F/1 tokenTwoPlaces  S3"},
		},
		"a token is used at a door and then far away": {
			`95 cam1 shows plate=0.9 says=p1
			 100 gate lets token=t1 by=card
			 1300 F/1 charge id=2 token=t1`,
			[]string{"1300 station/F/1 tokenTwoPlaces  S3"},
		},
		"a token is used far away by another car": {
			`95 cam1 shows plate=0.9 says=p1
			 100 A/1 charge id=1 token=t1
			 1290 far shows plate=0.9 says=p2
			 1300 F/1 charge id=2 token=t1`,
			[]string{"1300 station/F/1 tokenTwoPlaces  S2"},
		},
		"a driver charges here and 40 minutes later 50 km away": {
			`100 A/1 charge id=1 token=t1
			 2500 F/1 charge id=2 token=t1`,
			nil,
		},
		"drivers of a simulated station live nowhere": {
			`50 F simulated site=other
			 100 A/1 charge id=1 token=t1
			 1300 F/1 charge id=2 token=t1`,
			nil,
		},
		"two tokens at two places": {
			`100 A/1 charge id=1 token=t1
			 1300 F/1 charge id=2 token=t2`,
			nil,
		},
		"a token is refused far away": {
			`100 A/1 charge id=1 token=t1
			 1300 F card token=t1 is=Invalid`,
			nil,
		},
	})
}

func TestStoriesOfBlowsAndLaptops(t *testing.T) {
	stories(t, map[string]told{
		"a station is struck and fails": {
			`100 A sensor of=ShockSensor
			 200 A/1 faulted code=ReaderFailure`,
			[]string{"100 station/A cabinetOpened  S2", "200 station/A vandalism  S3"},
		},
		"a station fails and is tilted at night": {
			`90 site armed
			 100 A/1 faulted code=InternalError
			 200 A sensor of=TiltSensor`,
			[]string{"200 station/A cabinetOpened  S1", "200 station/A vandalism  S2"},
		},
		"a car bumps into a station": {
			`100 A sensor of=ShockSensor
			 1000 A/1 faulted code=ReaderFailure`,
			[]string{"100 station/A cabinetOpened  S2"},
		},
		"a station is struck and the grid dips": {
			`100 A sensor of=ShockSensor
			 200 A/1 faulted code=UnderVoltage`,
			[]string{"100 station/A cabinetOpened  S2"},
		},
		"whoever mends a station shakes it": {
			`50 site works at=A
			 100 A sensor of=ShockSensor
			 200 A/1 faulted code=ReaderFailure`,
			[]string{"100 station/A cabinetOpened  S4"},
		},
		"a station fails and its camera is turned away": {
			`100 A/1 faulted code=ReaderFailure
			 200 cam1 begins what=turned`,
			[]string{"200 camera/cam1 cameraTampered raised S2", "200 station/A vandalism  S3"},
		},
		"a station fails and another camera is turned away": {
			`100 A/1 faulted code=ReaderFailure
			 200 cam2 begins what=turned`,
			[]string{"200 camera/cam2 cameraTampered raised S2"},
		},
		"a station fails its sign-in and somebody is at it": {
			`100 A tells what=FailedToAuthenticateAtCsms
			 300 cam1 shows person=0.9
			 310 cam1 shows person=0.9`,
			[]string{"300 station/A localAttack  S2"},
		},
		"a station fails its sign-in and somebody comes by car": {
			`100 A tells what=FailedToAuthenticateAtCsms
			 300 cam1 shows person=0.9 vehicle=0.8`,
			[]string{"300 station/A localAttack  S3"},
		},
		"somebody comes by car and clears the log of a station": {
			`100 A tells what=SecurityLogWasCleared
			 300 cam1 shows person=0.9 vehicle=0.8`,
			[]string{"300 station/A localAttack  S2"},
		},
		"somebody is at a station, and another device has its name": {
			`100 cam1 begins what=person zone=entry doors=gate
			 900 A doubt what=twoDevices`,
			[]string{"900 station/A localAttack  S2"},
		},
		"a driver is at the station": {
			`50 A/1 charge id=1
			 100 A tells what=FailedToAuthenticateAtCsms
			 300 cam1 shows person=0.9`,
			[]string{"300 station/A localAttack  S3"},
		},
		"a station fails its sign-in and nobody is there": {
			`100 A tells what=FailedToAuthenticateAtCsms
			 300 cam2 shows person=0.9
			 900 cam1 shows person=0.9`,
			nil,
		},
		"a station starts again and somebody is there": {
			`100 A tells what=StartupOfTheDevice
			 300 cam1 shows person=0.9`,
			nil,
		},
		"whoever was sent signs in for maintenance": {
			`50 site works at=A
			 100 A tells what=MaintenanceLoginAccepted
			 300 cam1 shows person=0.9`,
			nil,
		},
	})
}
