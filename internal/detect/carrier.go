package detect

// carrier names who issued a SIM by the head of its number: 89 for telecom, the
// country's calling code and two digits of the issuer (ITU-T E.118). Issuers
// have one to four digits; two tell carriers of one country apart without
// splitting the cards of one. North America writes its code as 01 and uses three.
func carrier(iccid string) string {
	if len(iccid) < 18 || len(iccid) > 22 || iccid[:2] != "89" {
		return ""
	}
	for i := range 9 {
		if iccid[i] < '0' || iccid[i] > '9' {
			return ""
		}
	}
	digits := 3
	switch a, b := iccid[2], iccid[3]; {
	case a == '0':
		return iccid[:7]
	case a == '1' || a == '7':
		digits = 1
	case a == '2' && (b == '0' || b == '7'),
		a == '3' && (b <= '4' || b == '6' || b == '9'),
		a == '4' && b != '2',
		a == '5' && b >= '1' && b <= '8',
		a == '6' && b <= '6',
		a == '8' && (b == '1' || b == '2' || b == '4' || b == '6'),
		a == '9' && (b <= '5' || b == '8'):
		digits = 2
	}
	return iccid[:2+digits+2]
}
