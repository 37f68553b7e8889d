import type { Command, Message } from '../../api/shapes';

const MAX_COMMANDS = 100;

/** A command is a row that changes; the newest stands first. A final answer is never undone by an older frame. */
export function mergeCommand(list: readonly Command[], next: Command): Command[] {
  const at = list.findIndex((c) => c.id === next.id);
  if (at < 0) return [next, ...list].slice(0, MAX_COMMANDS);
  const old = list[at]!;
  if (old.finishedAt && !next.finishedAt) return [...list];
  return list.map((c, i) => (i === at ? next : c));
}

const key = (m: Message): string => `${m.at}/${m.direction}/${m.type}/${m.messageId}`;

/** Newest first, each once: a message may come from the list and from the feed. */
export function mergeMessages(held: readonly Message[], fresh: readonly Message[], limit: number): Message[] {
  if (fresh.length === 0) return [...held];
  const seen = new Set<string>();
  const all: Message[] = [];
  for (const m of [...fresh, ...held]) {
    const k = key(m);
    if (seen.has(k)) continue;
    seen.add(k);
    all.push(m);
  }
  // Stable, so that frames of the same millisecond keep their order.
  all.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
  return all.slice(0, limit);
}

export type Answer = { ms: number; action: string };

/** What each answer answers and how long it took, by message id and direction. */
export function answers(messages: readonly Message[]): Map<Message, Answer> {
  const calls = new Map<string, Message>();
  const found = new Map<Message, Answer>();
  for (let i = messages.length - 1; i >= 0; i--) {
    const m = messages[i]!;
    if (m.type === 'CALL') calls.set(`${m.direction}/${m.messageId}`, m);
    else if (m.type === 'CALLRESULT' || m.type === 'CALLERROR') {
      const call = calls.get(`${m.direction === 'in' ? 'out' : 'in'}/${m.messageId}`);
      if (call) found.set(m, { ms: Date.parse(m.at) - Date.parse(call.at), action: call.action });
    }
  }
  return found;
}
