// Command chargewatch watches EV-charging infrastructure: stations, cameras and doors.
package main

func main() {}
