package evidence

// sheetWords are what the sheets say.
type sheetWords struct {
	Title, Derived, DerivedText                                                       string
	Reason, By, Made, Period, Incident, Software, Recorder                            string
	Clips, NoClips, Play, Site, CameraClock, File, Time, Local, Length, Size, Sum     string
	Without, Segments, Removed, Hidden, Missing, Changed                              string
	Beside, InRecords, Cut                                                            string
	RecordKinds                                                                       map[RecordKind]string
	Folder, InClips, InSegments, InManifest                                           string
	Check, CheckPrint, CheckProgram, CheckRun, CheckWhole, CheckFault, CheckHand, Key string
	Received, Place, Name                                                             string
	NoClock, Ahead, Behind, InStep                                                    string
	Clocks, Gaps                                                                      map[string]string
}

func words(language string) *sheetWords {
	if language == "de" {
		return german()
	}
	return &sheetWords{
		Title: "Video evidence", Derived: "Video, parts hidden",
		DerivedText: "Parts of these pictures were painted over and the pictures encoded again. They are derived from the pack named here, which holds them as they were recorded:",
		Reason:      "Reason", By: "Exported by", Made: "Exported at", Period: "Period", Incident: "Incident", Software: "Software", Recorder: "Clock of the recorder",
		Clips: "Pictures", NoClips: "There are no pictures of this camera in the period.", Play: "The files play in any video player. All times are those of the recorder.",
		Site: "Site", CameraClock: "Clock of the camera", File: "File", Time: "From – to", Local: "At the site", Length: "Length", Size: "Size", Sum: "SHA-256",
		Without: "Times without pictures", Segments: "Recorded files, unchanged, in segments/", Removed: "stretches were removed by retention before the export",
		Hidden: "areas of the picture are hidden", Missing: "recorded files were gone before the export, and nothing says why", Changed: "recorded files had been changed on the recorder before the export",
		Beside: "Records beside the pictures", InRecords: "what else was recorded about the incident, a JSON object a line; numbers of cards are masked", Cut: "there was more",
		RecordKinds: map[RecordKind]string{
			Frames: "messages between the charging station and the server", DoorEvents: "events at the doors of the site", AuditSlice: "what people did, a part of the chain of the audit log",
			Checkpoints: "signed checkpoints of the audit log", Names: "names of the people that records name by ids",
		},
		Folder: "What is in the pack", InClips: "one file for each camera, for looking at; more if the period is long", InSegments: "the files as the recorder wrote them",
		InManifest:   "what this is, with the SHA-256 of each file and the chain of the recorder, and the signature of it",
		Check:        "How to check that nothing was changed",
		CheckPrint:   "Ask the operator for the fingerprint of the key by another way than this pack, for instance by telephone, and compare it with:",
		CheckProgram: "Get the program chargewatch and the operator's public key (evidence-key.pem). The program needs no server and no installation.",
		CheckRun:     "Run:", CheckWhole: "It ends with “whole” and status 0 if every file is as it was.", CheckFault: "Otherwise it names each file that was changed, removed, added or swapped.",
		CheckHand: "By hand: the SHA-256 of each file is in this sheet and in manifest.json; every common tool for check sums makes it again.",
		Key:       "Fingerprint", Received: "Received by", Place: "Place, date", Name: "Name, signature",
		NoClock: "not known: the camera told no time", InStep: "as that of the recorder (%s)", Ahead: "%.1f s ahead of the recorder (%s)", Behind: "%.1f s behind the recorder (%s)",
		Clocks: map[string]string{"synchronised": "synchronised with a time server", "free": "not synchronised when the pack was made", "unknown": "not known whether it is synchronised"},
		Gaps: map[string]string{
			"connection": "the connection broke", "stalled": "the camera sent no picture", "slow": "the disk was too slow", "disk": "the disk failed", "diskFull": "the disk was full",
			"codec": "the pictures could not be recorded", "stopped": "nobody recorded", "other": "the camera was not reached",
		},
	}
}

func german() *sheetWords {
	return &sheetWords{
		Title: "Videobeweis", Derived: "Video, teilweise unkenntlich",
		DerivedText: "Teile dieser Bilder sind übermalt, die Bilder dafür neu kodiert. Sie stammen aus dem hier genannten Paket, das die Aufnahmen unverändert enthält:",
		Reason:      "Grund", By: "Exportiert von", Made: "Exportiert am", Period: "Zeitraum", Incident: "Vorfall", Software: "Software", Recorder: "Uhr des Rekorders",
		Clips: "Bilder", NoClips: "Von dieser Kamera gibt es im Zeitraum keine Bilder.", Play: "Die Dateien laufen in jedem Videoprogramm. Alle Zeiten sind die des Rekorders.",
		Site: "Standort", CameraClock: "Uhr der Kamera", File: "Datei", Time: "Von – bis", Local: "Am Standort", Length: "Dauer", Size: "Größe", Sum: "SHA-256",
		Without: "Zeiten ohne Bilder", Segments: "Aufgezeichnete Dateien, unverändert, in segments/", Removed: "Abschnitte waren vor dem Export fristgerecht gelöscht",
		Hidden: "Bereiche des Bildes sind verdeckt", Missing: "aufgezeichnete Dateien fehlten vor dem Export, ohne Vermerk", Changed: "aufgezeichnete Dateien waren vor dem Export auf dem Rekorder verändert",
		Beside: "Aufzeichnungen neben den Bildern", InRecords: "was sonst zum Vorfall aufgezeichnet wurde, je Zeile ein JSON-Objekt; Kartennummern sind maskiert", Cut: "es gab mehr",
		RecordKinds: map[RecordKind]string{
			Frames: "Nachrichten zwischen Ladestation und Server", DoorEvents: "Ereignisse an den Türen des Standorts", AuditSlice: "was Personen taten, ein Teil der Kette des Prüfprotokolls",
			Checkpoints: "signierte Prüfpunkte des Prüfprotokolls", Names: "Namen der Personen, die Aufzeichnungen mit Kennungen nennen",
		},
		Folder: "Inhalt des Pakets", InClips: "je Kamera eine Datei zum Ansehen, bei langen Zeiträumen mehrere", InSegments: "die Dateien, wie der Rekorder sie geschrieben hat",
		InManifest:   "Verzeichnis mit dem SHA-256 jeder Datei und der Kette des Rekorders, dazu die Signatur",
		Check:        "So prüfen Sie, dass nichts verändert wurde",
		CheckPrint:   "Lassen Sie sich den Fingerabdruck des Schlüssels auf anderem Weg nennen, etwa am Telefon, und vergleichen Sie ihn mit:",
		CheckProgram: "Beschaffen Sie das Programm chargewatch und den öffentlichen Schlüssel des Betreibers (evidence-key.pem). Das Programm braucht keinen Server und keine Installation.",
		CheckRun:     "Aufruf:", CheckWhole: "Es endet mit „whole“ und Status 0, wenn jede Datei unverändert ist.", CheckFault: "Sonst nennt es jede Datei, die verändert, entfernt, hinzugefügt oder vertauscht wurde.",
		CheckHand: "Von Hand: Der SHA-256 jeder Datei steht auf diesem Blatt und in manifest.json; jedes übliche Prüfsummenprogramm berechnet ihn neu.",
		Key:       "Fingerabdruck", Received: "Empfangen von", Place: "Ort, Datum", Name: "Name, Unterschrift",
		NoClock: "unbekannt: Die Kamera nannte keine Zeit", InStep: "wie die des Rekorders (%s)", Ahead: "geht %.1f s vor gegenüber dem Rekorder (%s)", Behind: "geht %.1f s nach gegenüber dem Rekorder (%s)",
		Clocks: map[string]string{"synchronised": "mit einem Zeitserver abgeglichen", "free": "beim Export nicht abgeglichen", "unknown": "unbekannt, ob abgeglichen"},
		Gaps: map[string]string{
			"connection": "Verbindung unterbrochen", "stalled": "die Kamera sendete kein Bild", "slow": "Datenträger zu langsam", "disk": "Datenträger fehlerhaft", "diskFull": "Datenträger voll",
			"codec": "Bildformat nicht aufzeichenbar", "stopped": "es wurde nicht aufgezeichnet", "other": "Kamera nicht erreichbar",
		},
	}
}
