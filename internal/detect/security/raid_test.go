package security

import "testing"

func TestStoriesOfRaidsAndDoors(t *testing.T) {
	stories(t, map[string]told{
		"no label keeps a raid from being told": {
			`100 cam1 begins zone=bay what=motion ports=station/A/1 armed=yes
			 101 cam1 shows animal=1 armed=yes
			 110 A/1 faulted code=ConnectorLockFailure
			 115 B/1 faulted code=OtherError
			 118 cam1 ends zone=bay what=motion
			 300 self time`,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S3", "110 station/A cableTheft  S3", "115 station/A cableTheft  S1", "118 camera/cam1 motionArmed cleared S3"},
		},
		"a raid: two ports fail within a minute and somebody is there": {
			`100 cam1 begins what=motion zone=bay
			 130 A/1 faulted code=ConnectorLockFailure
			 165 B/1 faulted code=OtherError
			 200 C/1 faulted code=OtherError
			 300 self time`,
			[]string{"130 station/A cableTheft  S3", "165 station/A cableTheft  S1"},
		},
		"cut off: three stations of an armed site fall silent just after somebody was there": {
			`90 site armed
			 100 cam1 begins what=motion armed=yes
			 120 cam1 ends what=motion armed=yes
			 130 A gone
			 150 B gone
			 165 C gone
			 300 self time`,
			[]string{"100 camera/cam1 motionArmed raised S3", "120 camera/cam1 motionArmed cleared S3", "170 station/C cutOff  S2"},
		},
		"cut off: a station and a camera, and a person was seen": {
			`90 site armed
			 100 cam1 seen what=person armed=yes
			 130 A gone
			 150 cam1 offline
			 160 self time`,
			[]string{"100 camera/cam1 motionArmed  S2", "155 camera/cam1 cutOff  S1"},
		},
		"cut off five minutes after our own start": {
			`90 self started
			 91 site armed
			 390 cam1 seen what=motion armed=yes
			 400 A gone
			 405 B gone
			 410 C gone
			 500 self time`,
			[]string{"390 camera/cam1 motionArmed  S3", "415 station/C cutOff  S2"},
		},
		"stations that come and go just after our own start": {
			`90 self started
			 91 site armed
			 100 cam1 seen what=motion armed=yes
			 130 A gone
			 135 B gone
			 140 C gone
			 300 self time`,
			[]string{"100 camera/cam1 motionArmed  S3"},
		},
		"two stations fall silent": {
			`90 site armed
			 100 cam1 seen what=motion armed=yes
			 130 A gone
			 150 B gone
			 300 self time`,
			[]string{"100 camera/cam1 motionArmed  S3"},
		},
		"three stations fall silent and come back at once": {
			`90 site armed
			 100 cam1 seen what=motion armed=yes
			 130 A gone
			 131 B gone
			 132 C gone
			 133 A back
			 300 self time`,
			[]string{"100 camera/cam1 motionArmed  S3"},
		},
		"two cables are cut and no camera sees it": {
			`130 A/1 faulted code=GroundFailure
			 160 B/1 faulted code=EVCommunicationError`,
			[]string{"130 station/A cableTheft  S3", "160 station/A cableTheft  S1"},
		},
		"two faults of one moment have one cause": {
			`130 A/1 faulted code=GroundFailure
			 131 B/1 faulted code=GroundFailure`,
			[]string{"130 station/A cableTheft  S3"},
		},
		"two faults four minutes apart": {
			`130 A/1 faulted code=GroundFailure
			 370 B/1 faulted code=GroundFailure`,
			[]string{"130 station/A cableTheft  S3"},
		},
		"a sensor in the cable and a fault": {
			`130 A sensor of=CableBreakawaySensor
			 160 B/1 faulted code=GroundFailure`,
			[]string{"130 station/A cableTheft  S3", "160 station/A cableTheft  S1"},
		},
		"after a raid one fault is urgent": {
			`130 A/1 faulted code=GroundFailure
			 160 B/1 faulted code=GroundFailure
			 90000 C/1 faulted code=GroundFailure`,
			[]string{"130 station/A cableTheft  S3", "160 station/A cableTheft  S1", "90000 station/C cableTheft  S2"},
		},
		"whoever mends a station explains what it says": {
			`100 site works at=A
			 130 A/1 faulted code=GroundFailure
			 160 B/1 faulted code=GroundFailure`,
			[]string{"160 station/B cableTheft  S3"},
		},
		"the case of a station is opened": {
			`130 A sensor of=CaseAccessSensor`,
			[]string{"130 station/A cabinetOpened  S2"},
		},
		"the case of a station is opened at night": {
			`90 site armed
			 130 A sensor of=TiltSensor
			 140 A sensor of=TiltSensor`,
			[]string{"130 station/A cabinetOpened  S1"},
		},
		"the case of a station is opened by whoever was sent": {
			`90 site armed
			 100 site works at=A
			 130 A sensor of=CaseAccessSensor`,
			[]string{"130 station/A cabinetOpened  S4"},
		},
		"a cabinet is opened after a badge": {
			`100 case lets
			 103 case door is=open`,
			nil,
		},
		"a cabinet is opened and nobody was let in": {
			`103 case door is=open`,
			[]string{"103 door/case cabinetOpened  S2"},
		},
		"a door is forced, and shut again": {
			`100 gate door is=forced
			 200 gate door is=locked`,
			[]string{"100 door/gate doorForced raised S2", "200 door/gate doorForced cleared S2"},
		},
		"a door is forced at an armed site": {
			`90 site armed
			 100 gate door is=forced`,
			[]string{"100 door/gate doorForced raised S1"},
		},
		"a door is forced where a technician works": {
			`90 site armed
			 95 site works at=A
			 100 gate door is=forced
			 110 gate door is=locked
			 120 site works at=A over=yes
			 130 gate door is=forced`,
			[]string{"100 door/gate doorForced raised S3", "110 door/gate doorForced cleared S3", "130 door/gate doorForced raised S1"},
		},
		"a door is held open, and for long": {
			`100 gate door is=held
			 500 gate door is=locked`,
			[]string{"100 door/gate doorHeld raised S3", "400 door/gate doorHeld updated S2", "500 door/gate doorHeld cleared S2"},
		},
		"a door is held open and shut in time": {
			`100 gate door is=held
			 200 gate door is=locked
			 500 self time`,
			[]string{"100 door/gate doorHeld raised S3", "200 door/gate doorHeld cleared S3"},
		},
		"somebody tries cards, and is in": {
			`100 gate refuses
			 110 gate refuses
			 120 gate refuses
			 130 gate door is=open`,
			[]string{"120 door/gate doorRefused  S3", "130 door/gate doorRefusedOpened  S2"},
		},
		"somebody tries cards until one is right": {
			`100 gate refuses
			 110 gate refuses
			 120 gate refuses
			 125 gate lets
			 130 gate door is=open`,
			[]string{"120 door/gate doorRefused  S3"},
		},
		"three are refused on one morning": {
			`100 gate refuses
			 900 gate refuses
			 1800 gate refuses`,
			nil,
		},
		"somebody is threatened at a door": {
			`100 gate help what=duress
			 200 gate help what=duress over=yes`,
			[]string{"100 door/gate doorDuress raised S1", "200 door/gate doorDuress cleared S1"},
		},
		"what is wrong with a controller, until it is right": {
			`100 ctl wrong what=unrecorded
			 110 ctl wrong what=clock
			 120 ctl wrong what=clock over=yes`,
			[]string{"100 controller/ctl controllerUnrecorded raised S2", "110 controller/ctl controllerClock raised S3", "120 controller/ctl controllerClock cleared S3"},
		},
		"a controller lets in whom the policies refuse": {
			`100 gate lets differs=yes
			 110 gate refuses differs=yes`,
			[]string{"100 door/gate accessDiffers  S2", "110 door/gate accessDiffers  S3"},
		},
		"a door is opened from afar, by day and at night": {
			`100 gate unlocks
			 190 site armed
			 200 gate unlocks`,
			[]string{"200 door/gate openedArmed  S3"},
		},
		"a camera is covered and then a door is forced": {
			`100 cam1 begins what=covered
			 160 gate door is=forced`,
			[]string{"100 camera/cam1 cameraTampered raised S2", "160 door/gate blindedFirst  S1", "160 door/gate doorForced raised S2"},
		},
		"a camera is covered and then a station fails": {
			`100 cam1 begins what=covered
			 160 A/1 faulted code=OtherError`,
			[]string{"100 camera/cam1 cameraTampered raised S2", "160 station/A blindedFirst  S1"},
		},
		"a camera was covered and half an hour later a station fails": {
			`100 cam1 begins what=covered
			 1900 A/1 faulted code=OtherError`,
			[]string{"100 camera/cam1 cameraTampered raised S2"},
		},
		"a cable alarm and somebody is there": {
			`100 cam2 begins what=person
			 130 A/1 faulted code=CableAlarm`,
			[]string{"130 station/A cableTheft  S1"},
		},
		"a cable alarm and somebody is there, a moment later": {
			`100 cam2 begins what=person
			 130 A/1 faulted code=CableAlarm
			 140 self time`,
			[]string{"130 station/A cableTheft  S1"},
		},
		"a station says that it is tampered with, and then somebody is seen": {
			`100 B alarm
			 130 cam2 begins what=motion
			 140 self time`,
			[]string{"130 station/B cableTheft  S2"},
		},
		"two ports fail and nobody is there": {
			`130 A/1 faulted code=OtherError
			 165 B/1 faulted code=OtherError
			 300 self time`,
			nil,
		},
		"two ports fail somehow and something moves: a suspicion": {
			`100 cam1 begins what=motion
			 130 A/1 faulted code=OtherError
			 265 B/1 faulted code=OtherError
			 300 self time`,
			[]string{"265 station/A cableTheft  S3"},
		},
		"one port fails": {
			`100 cam1 begins what=motion
			 130 A/1 faulted code=OtherError
			 300 self time`,
			nil,
		},
		"somebody is seen at another site": {
			`100 far begins what=motion
			 130 A/1 faulted code=OtherError
			 165 B/1 faulted code=OtherError
			 300 self time`,
			nil,
		},
		"the whole site loses its line while somebody passes": {
			`100 cam1 begins what=motion
			 130 A gone
			 130.5 B gone
			 131 C gone
			 300 self time`,
			nil,
		},
	})
}
