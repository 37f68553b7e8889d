// What is promised: how soon somebody takes an incident and how soon it is
// repaired, for the house and for sites that have promises of their own.
import { Button, NumberInput, Select, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { SeverityShape, severityKey } from '../incidents/severity';
import { SEVERITIES, type Severity } from '../incidents/shape';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './measures.module.css';
import { promised } from './quantity';
import { type Minutes, type Promised, promisesQuery } from './queries';

const HOUSE = 'default';

export function Promises() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('rules.write');
  const { data, error, refetch } = useQuery(promisesQuery());
  const [editing, setEditing] = useState<{ had: Promised | null } | null>(null);
  return (
    <Panel
      id="promises"
      title={t('measures.promises')}
      flush
      aside={
        mayWrite && (
          <Button size="compact-sm" variant="default" onClick={() => setEditing({ had: null })}>
            {t('measures.addSite')}
          </Button>
        )
      }
    >
      {error && !data ? (
        <Failed what={t('measures.promises')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : (
        <TableFrame label={t('measures.promises')}>
          <thead>
            <tr>
              <th scope="col">{t('measures.where')}</th>
              {SEVERITIES.map((s) => (
                <th scope="col" key={s}>
                  <span className={styles.severity}>
                    <SeverityShape severity={s} size={12} />
                    {s} {t(severityKey(s))}
                  </span>
                </th>
              ))}
              <th aria-label={t('measures.acts')} />
            </tr>
          </thead>
          <tbody>
            {data.map((p) => (
              <tr key={p.scope}>
                <th scope="row">{p.siteId === '' ? t('measures.house') : p.siteName || p.siteId}</th>
                {SEVERITIES.map((s) => (
                  <td key={s} className={styles.promise} data-own={s in p.severities || p.siteId === ''}>
                    <Pledge minutes={p.effective[s]} />
                  </td>
                ))}
                <td className={table.end}>
                  {mayWrite && (
                    <Button size="compact-sm" variant="default" onClick={() => setEditing({ had: p })}>
                      {t('measures.change')}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      {editing && (
        <Edit
          had={editing.had}
          taken={data?.map((p) => p.scope) ?? []}
          house={data?.find((p) => p.siteId === '')}
          close={() => setEditing(null)}
          saved={() => queries.invalidateQueries({ queryKey: ['sla'] })}
        />
      )}
    </Panel>
  );
}

function Pledge({ minutes: m }: { minutes: Minutes | undefined }) {
  const t = useT();
  if (!m || (m.ackMinutes === 0 && m.repairMinutes === 0))
    return <span className="meta">{t('measures.noPromise')}</span>;
  return (
    <span className={styles.pair}>
      <span>
        <span className="meta">{t('measures.answer')}</span>{' '}
        <span className="num">{m.ackMinutes ? promised(m.ackMinutes) : '–'}</span>
      </span>
      <span>
        <span className="meta">{t('measures.fix')}</span>{' '}
        <span className="num">{m.repairMinutes ? promised(m.repairMinutes) : '–'}</span>
      </span>
    </span>
  );
}

type Values = Record<Severity, { ack: number | ''; repair: number | '' }>;

function valuesOf(p: Promised | null | undefined): Values {
  return Object.fromEntries(
    SEVERITIES.map((s) => {
      const m = p?.siteId === '' ? p.effective[s] : p?.severities[s];
      return [s, { ack: m?.ackMinutes ?? '', repair: m?.repairMinutes ?? '' }];
    }),
  ) as Values;
}

function Edit({
  had,
  taken,
  house,
  close,
  saved,
}: {
  had: Promised | null;
  taken: readonly string[];
  house: Promised | undefined;
  close: () => void;
  saved: () => unknown;
}) {
  const t = useT();
  const sites = useSites();
  const [site, setSite] = useState<string | null>(null);
  const [values, setValues] = useState(() => valuesOf(had));
  const [back, setBack] = useState(false);
  const scope = had?.scope ?? site;
  const atHouse = scope === HOUSE;
  const set = (s: Severity, part: 'ack' | 'repair', v: number | '') =>
    setValues((all) => ({ ...all, [s]: { ...all[s], [part]: v } }));
  const put = async (): Promise<unknown> => {
    const path = { scope: scope! };
    if (back) return ok(api.DELETE('/sla/{scope}', { params: { path } }));
    const severities: Record<string, Minutes> = {};
    for (const s of SEVERITIES) {
      const { ack, repair } = values[s];
      // A line that says nothing follows the house; half a line promises the other half as the house does.
      if (ack === '' && repair === '') continue;
      severities[s] = {
        ackMinutes: ack === '' ? (house?.effective[s]?.ackMinutes ?? 0) : ack,
        repairMinutes: repair === '' ? (house?.effective[s]?.repairMinutes ?? 0) : repair,
      };
    }
    return ok(api.PUT('/sla/{scope}', { params: { path }, body: { severities } }));
  };
  const free = [...sites.values()].filter((s) => !taken.includes(s.id));
  return (
    <FormDialog
      title={
        had
          ? t('measures.promisesOf', {
              where: had.siteId === '' ? t('measures.house') : had.siteName || had.siteId,
            })
          : t('measures.promisesOfSite')
      }
      close={close}
      send={put}
      sent={saved}
      action={back ? t('measures.takeBack') : t('measures.save')}
      failed={t('measures.notSaved')}
      grave={back}
      ready={scope !== null}
    >
      {(error) => (
        <>
          {!had && (
            <Select
              label={t('measures.site')}
              searchable
              data={free.map((s) => ({ value: s.id, label: s.name }))}
              nothingFoundMessage={t('measures.everySite')}
              value={site}
              onChange={setSite}
            />
          )}
          {!back && (
            <div className={styles.form}>
              <span />
              <span className="meta">{t('measures.answerWithin')}</span>
              <span className="meta">{t('measures.fixWithin')}</span>
              {SEVERITIES.map((s) => (
                <FormRow
                  key={s}
                  severity={s}
                  value={values[s]}
                  follows={atHouse ? undefined : house?.effective[s]}
                  set={(part, v) => set(s, part, v)}
                  faults={{
                    ack: faultAt(error, `severities.${s}.ackMinutes`),
                    repair: faultAt(error, `severities.${s}.repairMinutes`),
                  }}
                />
              ))}
            </div>
          )}
          <Text size="xs" c="dimmed">
            {atHouse ? t('measures.zeroText') : t('measures.followText')}
          </Text>
          {faultAt(error, 'severities') && (
            <Text size="sm" role="alert" className={styles.fault}>
              {t('measures.saysNothing')}
            </Text>
          )}
          {had?.changedAt && (
            <Button variant="subtle" color="gray" size="compact-sm" onClick={() => setBack((b) => !b)}>
              {back ? t('measures.keep') : atHouse ? t('measures.toDefaults') : t('measures.toHouse')}
            </Button>
          )}
        </>
      )}
    </FormDialog>
  );
}

function FormRow({
  severity: s,
  value,
  follows,
  set,
  faults,
}: {
  severity: Severity;
  value: { ack: number | ''; repair: number | '' };
  follows: Minutes | undefined;
  set: (part: 'ack' | 'repair', v: number | '') => void;
  faults: { ack: string | undefined; repair: string | undefined };
}) {
  const t = useT();
  const field = (part: 'ack' | 'repair', label: string, like: number | undefined) => (
    <NumberInput
      aria-label={`${s}: ${label}`}
      min={0}
      max={525_600}
      allowDecimal={false}
      allowNegative={false}
      suffix=" min"
      placeholder={like === undefined ? undefined : `${like} min`}
      value={value[part]}
      error={faults[part]}
      onChange={(v) => set(part, v === '' ? '' : Number(v))}
    />
  );
  return (
    <>
      <span className={styles.severity}>
        <SeverityShape severity={s} size={14} />
        {s}
      </span>
      {field('ack', t('measures.answerWithin'), follows?.ackMinutes)}
      {field('repair', t('measures.fixWithin'), follows?.repairMinutes)}
    </>
  );
}
