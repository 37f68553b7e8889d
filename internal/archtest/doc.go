// Package archtest holds the rules of the house as tests: who may import whom,
// what the core must not touch, what no package may do, and that the pages say
// nothing that is not there.
//
// A rule that only a page knows is forgotten within a month; one that fails in
// a second is kept. The tests read source and ask the go command for imports;
// they compile nothing.
package archtest
