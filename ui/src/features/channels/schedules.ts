// A schedule as a person fills it in.
import type { Layer, Member, Schedule } from './queries';

export type LayerDraft = {
  name: string;
  members: Member[];
  start: string;
  handover: string;
  rotationDays: number | string;
  hours: { days: string[]; from: string; to: string }[];
};

export const layerDraft = (l: Layer): LayerDraft => ({
  name: l.name ?? '',
  members: l.members,
  start: l.start,
  handover: l.handover,
  rotationDays: l.rotationDays,
  hours: (l.hours ?? []).map((h) => ({ days: h.days ?? [], from: h.from, to: h.to })),
});

/** A week each, from Monday of this week, handed over in the morning. */
export function freshLayer(today: number): LayerDraft {
  const day = new Date(today);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return {
    name: '',
    members: [{ name: '', channels: [] }],
    start: day.toISOString().slice(0, 10),
    handover: '08:00',
    rotationDays: 7,
    hours: [],
  };
}

export const layerOf = (d: LayerDraft): Layer => ({
  ...d,
  name: d.name.trim(),
  members: d.members.map((m) => ({ ...m, name: m.name.trim() })),
  rotationDays: Number(d.rotationDays) || 1,
});

/** Everybody who is named in a schedule, each with the channels that were given first. */
export function peopleOf(s: Schedule): Member[] {
  const all = new Map<string, Member>();
  for (const m of [
    ...(s.layers ?? []).flatMap((l) => l.members),
    ...(s.overrides ?? []).map((o) => o.member),
  ]) {
    if (!all.has(m.name)) all.set(m.name, m);
  }
  return [...all.values()];
}
