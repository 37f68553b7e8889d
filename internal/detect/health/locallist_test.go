package health

import "testing"

func TestTheListOfAStation(t *testing.T) {
	const begin = `
		12:00 A configured site=s dc=1
		12:00 A connected
		12:01 A command GetLocalListVersion id=a
		12:01:01 A result answered id=a listVersion=7
		12:01:02 A command SendLocalList id=b payload={"listVersion":8,"updateType":"Full"}
		12:01:03 A result answered id=b status=Accepted
`
	stories(t, "D28", map[string]struct{ story, want string }{
		"a list of somebody else before ours is nothing": {begin, ``},
		"it has what it was given": {begin + `
			12:02 A command GetLocalListVersion id=c
			12:02:01 A result answered id=c listVersion=8`, ``},
		"it lost its list and gets it anew": {begin + `
			13:00 A command GetLocalListVersion id=c
			13:00:01 A result answered id=c listVersion=0
			13:00:02 A command SendLocalList id=d payload={"listVersion":9,"updateType":"Full"}
			13:00:03 A result answered id=d status=Accepted
			13:00:04 A command GetLocalListVersion id=e
			13:00:05 A result answered id=e listVersion=9`,
			"13:00:01 A raised listDrift S3\n13:00:05 A cleared listDrift"},
		"somebody else wrote it, and the answer comes in words of 2.x": {begin + `
			13:00 A command GetLocalListVersion id=c
			13:00:01 A result answered id=c versionNumber=99`,
			"13:00:01 A raised listDrift S3"},
		"it does not answer": {begin + `
			13:00 A command GetLocalListVersion id=c
			13:00:30 A result timeout id=c`, ``},
		"it takes no list twice, and then one": {begin + `
			13:00 A command SendLocalList id=c payload={"listVersion":9,"updateType":"Full"}
			13:00:01 A result answered id=c status=Failed
			13:01 A command SendLocalList id=d payload={"listVersion":9,"updateType":"Full"}
			13:01:01 A result answered id=d status=Failed
			13:03 A command SendLocalList id=e payload={"listVersion":9,"updateType":"Full"}
			13:03:01 A result answered id=e status=Accepted`, ``},
		"it takes none for long": {begin + `
			13:00 A command SendLocalList id=c payload={"listVersion":9,"updateType":"Full"}
			13:00:01 A result answered id=c status=Failed
			13:01 A command SendLocalList id=d payload={"listVersion":9,"updateType":"Full"}
			13:01:01 A result answered id=d status=Failed
			13:03 A command SendLocalList id=e payload={"listVersion":9,"updateType":"Full"}
			13:03:01 A result answered id=e status=Failed
			13:07 A command SendLocalList id=f payload={"listVersion":9,"updateType":"Full"}
			13:07:01 A result answered id=f status=Accepted`,
			"13:03:01 A raised listRefused S4\n13:07:01 A cleared listRefused"},
	})
}
