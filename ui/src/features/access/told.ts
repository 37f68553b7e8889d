// What rows say, in words: whom they are about, what is permitted, where and when.
import { useQueries, useQuery } from '@tanstack/react-query';
import { exact } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { useSiteNames } from '../../ui/sites';
import { useZone } from '../../ui/zone';
import { hoursText } from './hours';
import {
  companiesQuery,
  type Decision,
  groupsQuery,
  type Policy,
  type Principal,
  personQuery,
  policiesQuery,
  type Schedule,
  schedulesQuery,
} from './queries';

export const KINDS = ['door', 'gate', 'barrier', 'cabinet', 'evse'] as const;

/** A principal as one text, for fields that choose among them. */
export const keyOf = (p: Principal): string =>
  p.anyone
    ? 'any'
    : p.person
      ? `p:${p.person}`
      : p.group
        ? `g:${p.group}`
        : p.company
          ? `o:${p.company}`
          : `c:${p.credential ?? ''}`;

export function principalOf(key: string): Principal {
  const id = key.slice(2);
  if (key === 'any') return { anyone: true };
  if (key.startsWith('p:')) return { person: id };
  if (key.startsWith('g:')) return { group: id };
  if (key.startsWith('o:')) return { company: id };
  return { credential: id };
}

/** Whether a row is about somebody. */
export const concerns = (
  to: readonly Principal[],
  person: { id: string; company?: string; groups?: string[] },
  credentials: readonly string[] = [],
): boolean =>
  to.some(
    (p) =>
      p.anyone ||
      p.person === person.id ||
      (p.company && p.company === person.company) ||
      (p.group && person.groups?.includes(p.group)) ||
      (p.credential && credentials.includes(p.credential)),
  );

/** The names of principals; those of people are asked for one by one. */
export function usePrincipals(lists: readonly (readonly Principal[])[]): (p: Principal) => string {
  const t = useT();
  const { data: groups } = useQuery(groupsQuery());
  const { data: companies } = useQuery(companiesQuery());
  const people = [...new Set(lists.flat().flatMap((p) => p.person ?? []))];
  const found = useQueries({ queries: people.map((id) => ({ ...personQuery(id), staleTime: 60_000 })) });
  return (p) => {
    if (p.anyone) return t('access.anyone');
    if (p.person) {
      const at = found[people.indexOf(p.person)];
      return at?.data?.name ?? (at?.error ? t('access.erasedPerson') : '…');
    }
    if (p.group) return groups?.find((g) => g.id === p.group)?.name ?? p.group;
    if (p.company) return companies?.find((c) => c.id === p.company)?.name ?? p.company;
    return t('access.oneCredential', { id: p.credential ?? '' });
  };
}

type Scope = { kinds?: string[]; places?: string[]; sites?: string[] };

export function useScopeWords(): { what: (x: Scope) => string; where: (x: Scope) => string } {
  const t = useT();
  const site = useSiteNames();
  return {
    what: (x) => {
      const kinds = x.kinds ?? [];
      const places = (x.places ?? []).map((p) => p.replace(/^station\//, ''));
      if (kinds.length === 0 && places.length === 0) return t('access.what.doors');
      const parts = kinds.filter((k) => k !== 'evse').map((k) => t(`access.kinds.${k}` as MessageKey));
      return [
        ...(parts.length > 0 ? [t('access.what.enter', { what: parts.join(', ') })] : []),
        ...(kinds.includes('evse') ? [t('access.what.charge')] : []),
        ...(places.length > 0 ? [t('access.what.places', { what: places.join(', ') })] : []),
      ].join('; ');
    },
    where: (x) => (x.sites?.length ? x.sites.map(site).join(', ') : t('access.everySite')),
  };
}

export function useWhen(): (p: Policy) => string {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const { data } = useQuery(schedulesQuery());
  return (p) => {
    const s = data?.find((x) => x.id === p.schedule);
    return [
      p.schedule
        ? s
          ? `${s.name} (${scheduleWords(tag, s) || t('access.never')})`
          : '…'
        : t('access.always'),
      ...(p.from ? [t('access.fromDay', { day: exact(tag, Date.parse(p.from), zone) })] : []),
      ...(p.until ? [t('access.untilDay', { day: exact(tag, Date.parse(p.until), zone) })] : []),
      ...(p.pin ? [t('access.withPin')] : []),
    ].join(', ');
  };
}

export const scheduleWords = (tag: string, s: Schedule): string => hoursText(tag, s.open);

/** Why somebody may or may not, in the reader's language. */
export function useReason(): (d: Decision) => string {
  const t = useT();
  const tag = useTag();
  const { data: schedules } = useQuery(schedulesQuery());
  const { data: policies } = useQuery(policiesQuery());
  return (d) => {
    const of = policies?.find((p) => p.id === d.policy)?.schedule;
    const s = of && schedules?.find((x) => x.id === of);
    return t(`access.code.${d.code}` as MessageKey, {
      policy: d.policyName || '–',
      hours: (s && scheduleWords(tag, s)) || t('access.itsHours'),
    });
  };
}
