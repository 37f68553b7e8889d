import { MultiSelect } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { companiesQuery, findPeopleQuery, groupsQuery, type Principal } from './queries';
import { keyOf, principalOf, usePrincipals } from './told';

/** Chooses groups, companies and people; people are looked up while typing. */
export function WhoField({
  label,
  description,
  value,
  change,
  anyone,
  error,
}: {
  label: string;
  description?: string;
  value: Principal[];
  change: (next: Principal[]) => void;
  /** Whether everybody with a valid credential can be chosen. */
  anyone: boolean;
  error?: string | undefined;
}) {
  const t = useT();
  const people = useAllowed('people.read');
  const [text, setText] = useState('');
  const asked = useDeferredValue(text.trim());
  const { data: groups } = useQuery(groupsQuery());
  const { data: companies } = useQuery(companiesQuery());
  const { data: found } = useQuery({
    ...findPeopleQuery(asked),
    enabled: people,
    placeholderData: keepPreviousData,
  });
  const name = usePrincipals([value]);
  const known = new Set<string>();
  const options = (list: { value: string; label: string }[]) =>
    list.filter((o) => !known.has(o.value) && known.add(o.value));
  const keys = value.map(keyOf);
  const data = [
    ...(anyone
      ? [{ group: t('access.everybody'), items: options([{ value: 'any', label: t('access.anyone') }]) }]
      : []),
    {
      group: t('access.groups'),
      items: options((groups ?? []).map((g) => ({ value: `g:${g.id}`, label: g.name }))),
    },
    {
      group: t('access.list.company'),
      items: options((companies ?? []).map((c) => ({ value: `o:${c.id}`, label: c.name }))),
    },
    {
      group: t('access.tab.people'),
      items: options((found ?? []).map((p) => ({ value: `p:${p.id}`, label: p.name }))),
    },
    {
      group: t('access.chosen'),
      items: options(value.map((p) => ({ value: keyOf(p), label: name(p) }))),
    },
  ].filter((g) => g.items.length > 0);
  return (
    <MultiSelect
      label={label}
      {...(description ? { description } : {})}
      data={data}
      value={keys}
      onChange={(next) => change(next.map(principalOf))}
      searchable
      searchValue={text}
      onSearchChange={setText}
      nothingFoundMessage={t('access.noneFound')}
      error={error}
    />
  );
}
