// Package remedy does what is safe about an incident before a person is
// needed: playbooks of few steps, each behind guard-rails.
//
// It promises that nothing is reset, cycled or unlocked under a running
// session, after a safety code, on a state that was not confirmed a moment ago
// or beyond the budgets of attempts, stations and sites; that each refusal says
// which rail it met; that a command whose outcome is unknown is not sent again;
// and that each port taken out of service is owed its way back, asked for at
// each reconnect until the station accepts it, over restarts of ours.
//
// The package is pure. An Engine is fed the events of the journal in order, with
// the incidents that changed with each, and gives back intents, which the
// outbox performs at most once, and steps, which stand in the incident. Keys of
// intents follow from the events, so folding the same events again asks for
// nothing new.
package remedy
