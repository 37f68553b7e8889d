// What follows from the order of routes, and the fields of one as a person fills
// them in.
import type { Hours, Route } from './queries';

const none = (list: readonly unknown[] | undefined): boolean => !list || list.length === 0;

/** Whether a route takes every incident. */
export function takesAll(r: Route): boolean {
  const m = r.match;
  return (
    !m ||
    (none(m.severities) &&
      none(m.kinds) &&
      none(m.sites) &&
      none(m.stations) &&
      Object.keys(m.labels ?? {}).length === 0)
  );
}

/** The place of the route behind which nothing is tried any more; -1: there is none. */
export const lastTried = (routes: readonly Route[]): number =>
  routes.findIndex((r) => takesAll(r) && !r.continue);

/** The routes with one of them a place further up or down. */
export function moved(routes: readonly Route[], from: number, by: -1 | 1): Route[] {
  const to = from + by;
  const out = [...routes];
  if (to < 0 || to >= out.length) return out;
  const [it] = out.splice(from, 1);
  out.splice(to, 0, it!);
  return out;
}

export type RouteDraft = {
  name: string;
  severities: string[];
  kinds: string[];
  sites: string[];
  stations: string[];
  labels: string[];
  channels: string[];
  escalation: string | null;
  goesOn: boolean;
  withoutDuress: boolean;
  groupBy: string[];
  waitSeconds: number | string;
  intervalMinutes: number | string;
  repeatMinutes: number | string;
  quiet: Hours[];
};

const minutes = (s: number | undefined): number => (s ?? 0) / 60;

export function routeDraft(r?: Route): RouteDraft {
  const m = r?.match;
  return {
    name: r?.name ?? '',
    severities: m?.severities ?? [],
    kinds: m?.kinds ?? [],
    sites: m?.sites ?? [],
    stations: m?.stations ?? [],
    labels: Object.entries(m?.labels ?? {}).map(([k, v]) => `${k}=${v}`),
    channels: r?.channels ?? [],
    escalation: r?.escalation || null,
    goesOn: r?.continue ?? false,
    withoutDuress: r?.withoutDuress ?? false,
    groupBy: r?.groupBy ?? [],
    waitSeconds: r?.groupWaitSeconds ?? 0,
    intervalMinutes: minutes(r?.groupIntervalSeconds),
    repeatMinutes: minutes(r?.repeatSeconds),
    quiet: r?.quiet ?? [],
  };
}

const seconds = (n: number | string, unit: number): number => Math.round((Number(n) || 0) * unit);

export function routeOf(d: RouteDraft): Route {
  return {
    name: d.name.trim(),
    match: {
      severities: d.severities,
      kinds: d.kinds,
      sites: d.sites,
      stations: d.stations,
      labels: Object.fromEntries(
        d.labels.map((text) => {
          const at = text.indexOf('=');
          return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
        }),
      ),
    },
    channels: d.channels,
    escalation: d.escalation ?? '',
    continue: d.goesOn,
    withoutDuress: d.withoutDuress,
    groupBy: d.groupBy,
    groupWaitSeconds: seconds(d.waitSeconds, 1),
    groupIntervalSeconds: seconds(d.intervalMinutes, 60),
    repeatSeconds: seconds(d.repeatMinutes, 60),
    quiet: d.quiet,
  };
}
