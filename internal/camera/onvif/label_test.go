package onvif

import (
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

// What makers send for things in the picture.
func TestThingsAreReadAsMakersNameThem(t *testing.T) {
	for name, c := range map[string]struct {
		topic, data string
		want        notice
	}{
		"a person rule": {
			"tns1:RuleEngine/MyRuleDetector/PeopleDetect", `<SimpleItem Name="State" Value="true"/>`,
			notice{what: event.ScenePerson, lasts: true, on: true},
		},
		"a smart event": {
			"tns1:RuleEngine/TPSmartEventDetector/TPSmartEvent", `<SimpleItem Name="IsVehicle" Value="true"/>`,
			notice{what: event.SceneVehicle, lasts: true, on: true},
		},
		"an object of a class, with how sure and where": {
			"tns1:VideoAnalytics/ObjectDetection", `<SimpleItem Name="ClassTypes" Value="Human"/><SimpleItem Name="Likelihood" Value="0.87"/>
			 <ElementItem Name="Shape"><BoundingBox left="-0.5" top="0.5" right="0" bottom="-0.5"/></ElementItem>`,
			notice{what: event.ScenePerson, on: true, score: 0.87, box: [4]float64{0.25, 0.25, 0.25, 0.5}},
		},
		"how sure in percent": {
			"tns1:RuleEngine/ObjectDetection/Object", `<SimpleItem Name="ObjectType" Value="Dog"/><SimpleItem Name="Confidence" Value="64"/>`,
			notice{what: event.SceneAnimal, on: true, score: 0.64},
		},
		"a number plate": {
			"tns1:RuleEngine/Recognition/LicensePlate", `<SimpleItem Name="PlateNumber" Value="HH CW 42"/>`,
			notice{what: event.ScenePlate, on: true, plate: "HH CW 42"},
		},
		"a box that is none": {
			"tns1:RuleEngine/Recognition/LicensePlate", `<ElementItem Name="Shape"><BoundingBox left="NaN" top="9" right="0" bottom="1"/></ElementItem>`,
			notice{what: event.ScenePlate, on: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := parse([]byte(`<NotificationMessage><Topic>` + c.topic + `</Topic><Message><Message PropertyOperation="Changed"><Data>` + c.data + `</Data></Message></Message></NotificationMessage>`))
			if err != nil {
				t.Fatal(err)
			}
			n, ok := read(e)
			if !ok || n.what != c.want.what || n.lasts != c.want.lasts || n.on != c.want.on || n.score != c.want.score || n.plate != c.want.plate || n.box != c.want.box {
				t.Errorf("read %+v, %t", n, ok)
			}
		})
	}
}
