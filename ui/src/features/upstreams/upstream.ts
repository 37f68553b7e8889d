import { queryOptions } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import type { MessageKey, Translate } from '../../i18n/i18n';

export { milliseconds as added } from '../../format/quantity';

type Schemas = components['schemas'];
export type Upstream = Schemas['UpstreamShape'];
export type Trouble = Schemas['RelayTroubleShape'];
export type Trial = Schemas['UpstreamTrialShape'];
export type Proof = Upstream['proof'];

export const UPSTREAMS = ['upstreams'];

/** What a station has instead of an upstream system when it speaks to us although its site has one. */
export const DIRECT = 'none';

export const upstreamsQuery = () =>
  queryOptions({
    queryKey: UPSTREAMS,
    queryFn: async ({ signal }) => {
      const items: Upstream[] = [];
      let cursor: string | undefined;
      do {
        const page = await ok(api.GET('/upstreams', { params: { query: { limit: 1000, cursor } }, signal }));
        items.push(...page.items);
        cursor = page.nextCursor || undefined;
      } while (cursor);
      return items;
    },
    refetchInterval: 10_000,
  });

const CODES = [
  'closed',
  'lost',
  'silent',
  'stuck',
  'tooLarge',
  'refused',
  'timeout',
  'name',
  'tls',
  'nobody',
  'denied',
  'protocol',
];

/** Why it went wrong, in words; what has none is said as the server said it. */
export function why(t: Translate, of: { code: string; reason: string; status: number }): string {
  if (!CODES.includes(of.code)) return of.reason;
  if (of.code === 'tls') return t('upstreams.why.tls', { reason: of.reason.replace(/^TLS: /, '') });
  return t(`upstreams.why.${of.code}` as MessageKey, { status: of.status });
}

/** The newest trouble of a system; null: there was none. */
export function newest(u: Upstream): Trouble | null {
  const all = [u.health.lastLost, u.health.lastRefused, u.health.lastUnreached].filter((x) => x !== null);
  return all.sort((a, b) => Date.parse(b.at) - Date.parse(a.at))[0] ?? null;
}
