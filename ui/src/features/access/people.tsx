import { Button, Select, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { ImportDialog } from '../settings/import';
import styles from './access.module.css';
import { Names } from './names';
import { PersonDrawer, PersonState } from './person';
import { PersonForm } from './person-form';
import { ACCESS, companiesQuery, groupsQuery, type Person, peopleQuery } from './queries';
import { type AccessSearch, STATES } from './search';

const route = getRouteApi('/inside/access');
const PAUSE = 200;

export function People() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useAllowed('people.write');
  const tokens = useAllowed('credentials.read');
  const [adding, setAdding] = useState(false);
  const [importing, setImporting] = useState(false);
  const change = (part: Partial<AccessSearch>, replace = true) =>
    void navigate({ search: (s) => ({ ...s, ...part }), replace, resetScroll: false });
  const [text, setText] = useState(search.q ?? '');
  useEffect(() => {
    const timer = setTimeout(() => {
      if ((search.q ?? '') !== text.trim()) change({ q: text.trim() || undefined });
    }, PAUSE);
    return () => clearTimeout(timer);
  });
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    ...peopleQuery({ q: search.q, group: search.group, company: search.company, status: search.state }),
    placeholderData: keepPreviousData,
  });
  const { data: groups } = useQuery(groupsQuery());
  const { data: companies } = useQuery(companiesQuery());
  const rows = data?.pages.flatMap((p) => p.items);
  const narrowed = search.q || search.group || search.company || search.state;
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
      {t('access.addPerson')}
    </Button>
  );
  const clear = () => {
    setText('');
    change({ q: undefined, group: undefined, company: undefined, state: undefined });
  };
  return (
    <div className={styles.parts}>
      <Panel
        title={t('access.tab.people')}
        flush
        aside={
          <span className={styles.acts}>
            {tokens && (
              <Button
                variant="default"
                renderRoot={(props) => <Link to="/settings" search={{ tab: 'credentials' }} {...props} />}
              >
                {t('access.allTokens')}
              </Button>
            )}
            <Button
              component="a"
              variant="default"
              href="/api/v1/people/export.csv"
              download="people.csv"
              leftSection={<Icon name="download" size={14} />}
            >
              {t('access.export')}
            </Button>
            {mayWrite && (
              <Button
                variant="default"
                leftSection={<Icon name="upload" size={14} />}
                onClick={() => setImporting(true)}
              >
                {t('access.import')}
              </Button>
            )}
            {add}
          </span>
        }
      >
        {(narrowed || (rows && rows.length > 0)) && (
          <div className={styles.tools}>
            <TextInput
              aria-label={t('access.search')}
              placeholder={t('access.search')}
              leftSection={<Icon name="search" size={16} />}
              value={text}
              maxLength={100}
              onChange={(e) => setText(e.currentTarget.value)}
              data-filter-field
            />
            <Select
              className={styles.narrow}
              aria-label={t('access.group')}
              placeholder={t('access.everyGroup')}
              data={(groups ?? []).map((g) => ({ value: g.id ?? '', label: g.name }))}
              value={search.group ?? null}
              onChange={(v) => change({ group: v ?? undefined })}
              clearable
              searchable
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
            />
            <Select
              className={styles.narrow}
              aria-label={t('access.company')}
              placeholder={t('access.everyCompany')}
              data={(companies ?? []).map((g) => ({ value: g.id ?? '', label: g.name }))}
              value={search.company ?? null}
              onChange={(v) => change({ company: v ?? undefined })}
              clearable
              searchable
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
            />
            <Select
              className={styles.narrow}
              aria-label={t('access.state')}
              placeholder={t('access.everyState')}
              data={STATES.map((s) => ({ value: s, label: t(`access.state.${s}`) }))}
              value={search.state ?? null}
              onChange={(v) => change({ state: STATES.find((s) => s === v) })}
              clearable
              clearButtonProps={{ 'aria-label': t('filter.clear') }}
            />
            {rows && (
              <span className="meta" role="status">
                {t(hasNextPage ? 'access.first' : 'access.count', {
                  n: rows.length,
                  shown: count(tag, rows.length),
                })}
              </span>
            )}
          </div>
        )}
        {error && !rows ? (
          <Failed what={t('access.tab.people')} error={error} retry={() => void refetch()} />
        ) : !rows ? (
          <Skeleton rows={8} />
        ) : rows.length === 0 ? (
          narrowed ? (
            <Empty
              title={t('access.noneFound')}
              action={
                <Button variant="default" onClick={clear}>
                  {t('access.showAll')}
                </Button>
              }
            />
          ) : (
            <Empty title={t('access.noPeople')} action={add}>
              {t('access.noPeopleText')}
            </Empty>
          )
        ) : (
          <TableFrame label={t('access.tab.people')}>
            <thead>
              <tr>
                <th scope="col">{t('access.name')}</th>
                <th scope="col">{t('access.state')}</th>
                <th scope="col">{t('access.company')}</th>
                <th scope="col">{t('access.groups')}</th>
                <th scope="col" className={table.end}>
                  {t('access.credentials')}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((p) => (
                <tr key={p.id}>
                  <th scope="row">
                    <button
                      type="button"
                      className={styles.link}
                      onClick={() => change({ person: p.id }, false)}
                    >
                      {p.name}
                    </button>
                  </th>
                  <td>
                    <PersonState of={p} />
                  </td>
                  <td>{companies?.find((c) => c.id === p.company)?.name ?? p.company ?? '–'}</td>
                  <td>
                    {p.groups?.map((g) => groups?.find((x) => x.id === g)?.name ?? g).join(', ') || '–'}
                  </td>
                  <td className={`${table.end} num`}>
                    <Cards of={p} />
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
        {hasNextPage && (
          <div className={styles.more}>
            <Button
              variant="subtle"
              color="gray"
              loading={isFetchingNextPage}
              onClick={() => void fetchNextPage()}
            >
              {t('access.more')}
            </Button>
          </div>
        )}
      </Panel>
      <Names />
      {search.person && <PersonDrawer id={search.person} close={() => change({ person: undefined })} />}
      {importing && (
        <ImportDialog
          title={t('access.importTitle')}
          hint={t('access.importHint')}
          example={
            'name;company;groups;kind;idToken;label\nIda Berg;Hafenwacht;Guards|Drivers;rfid;04A2B1C9;blue'
          }
          close={() => setImporting(false)}
          send={(csv, dryRun) =>
            ok(
              api.POST('/people/import', {
                params: { query: { dryRun } },
                body: csv,
                bodySerializer: (b: unknown) => b as string,
                headers: { 'Content-Type': 'text/csv' },
              }),
            )
          }
          taken={() => queries.invalidateQueries({ queryKey: ACCESS })}
        />
      )}
      {adding && (
        <PersonForm
          close={() => setAdding(false)}
          saved={async (p) => {
            await queries.invalidateQueries({ queryKey: ACCESS });
            change({ person: p.id }, false);
          }}
        />
      )}
    </div>
  );
}

function Cards({ of: p }: { of: Person }) {
  const t = useT();
  const tag = useTag();
  if (p.credentialCount === 0) return <span className={styles.off}>{t('access.noCards')}</span>;
  return (
    <>
      {count(tag, p.credentialCount)}
      {p.blockedCount > 0 && (
        <span className={styles.bad}> {t('access.blockedOf', { n: p.blockedCount })}</span>
      )}
    </>
  );
}
