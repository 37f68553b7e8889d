import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useLocale, useT, useTag } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { detectorText } from '../detectors/name';
import { RightText } from '../response/precision';
import { precisionQuery } from '../response/queries';
import { FormDialog, faultAt } from '../settings/dialog';
import { DraftTrial } from './draft';
import { type Detector, type Draft, detectorsQuery, SEVERITIES, type Threshold } from './queries';
import styles from './rules.module.css';
import { Works } from './works';

const signs: Record<string, string> = { Percent: '%', Celsius: '°C' };
/** A unit as people write it. */
const sign = (unit: string | undefined): string => (unit ? ` ${signs[unit] ?? unit}` : '');

/** What a threshold is, in the language of the reader. */
function useDoc(): (p: Detector['params'][number]) => string {
  const { locale } = useLocale();
  return (p) => (locale === 'de' && p.docDe) || p.doc;
}

type Editing = { of: Detector; had: Threshold | null };

/** The faults that are looked for, with their thresholds by scope. */
export function Detectors() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const mayWrite = useAllowed('rules.write');
  const { data, error, refetch } = useQuery(detectorsQuery());
  const judged = useQuery(precisionQuery());
  const right = new Map((judged.data ?? []).map((p) => [p.detector, p]));
  const [editing, setEditing] = useState<Editing | null>(null);
  const number = new Intl.NumberFormat(tag);
  const doc = useDoc();
  return (
    <Panel title={t('rules.tab.detectors')} flush>
      {error && !data ? (
        <Failed what={t('rules.detectorsPart')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={8} />
      ) : (
        <TableFrame label={t('rules.tab.detectors')}>
          <thead>
            <tr>
              <th scope="col">{t('rules.detector')}</th>
              <th scope="col">{t('rules.works')}</th>
              <th scope="col">{t('rules.defaults')}</th>
              <th scope="col">{t('rules.decided')}</th>
              <th scope="col">{t('rules.right')}</th>
              <th aria-label={t('rules.acts')} />
            </tr>
          </thead>
          <tbody>
            {data.map((d) => (
              <tr key={d.id}>
                <td>
                  <span className="mono">{d.id}</span> {detectorText(t, d.id)}
                </td>
                <td className={table.prose}>
                  <Works d={d} />
                </td>
                <td className={table.prose}>
                  <span className={styles.sets}>
                    {d.params.map((p) => (
                      <span key={p.name} title={doc(p)}>
                        <span className="meta">{p.name}</span> {number.format(p.default)}
                        {sign(p.unit)}
                      </span>
                    ))}
                  </span>
                </td>
                <td className={table.prose}>
                  {d.overrides.length === 0 && <span className="meta">{t('rules.asShipped')}</span>}
                  <span className={styles.sets}>
                    {d.overrides.map((o) => (
                      <button
                        key={o.scope}
                        type="button"
                        className={styles.link}
                        disabled={!mayWrite}
                        onClick={() => setEditing({ of: d, had: o })}
                      >
                        {o.scope || t('rules.everywhere')}: {o.off ? t('rules.turnedOff') : o.severity}{' '}
                        {Object.entries(o.values)
                          .map(([k, v]) => `${k} ${number.format(v)}`)
                          .join(', ')}
                      </button>
                    ))}
                  </span>
                </td>
                <td>
                  <RightText p={right.get(d.id)} />
                </td>
                <td className={table.end}>
                  {mayWrite && !d.waiting && (
                    <Button
                      size="compact-sm"
                      variant="default"
                      onClick={() => setEditing({ of: d, had: null })}
                    >
                      {t('rules.decide')}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      {editing && (
        <Decide
          {...editing}
          close={() => setEditing(null)}
          saved={() => queries.invalidateQueries({ queryKey: ['rules', 'detectors'] })}
        />
      )}
    </Panel>
  );
}

function Decide({ of, had, close, saved }: Editing & { close: () => void; saved: () => unknown }) {
  const t = useT();
  const doc = useDoc();
  const [scope, setScope] = useState(had?.scope ?? '');
  const [off, setOff] = useState(had?.off ?? false);
  const [severity, setSeverity] = useState<string>(had?.severity ?? '');
  const [values, setValues] = useState<Record<string, number | undefined>>(had?.values ?? {});
  const draft: Draft = {
    scope,
    off,
    severity,
    values: Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as Record<
      string,
      number
    >,
  };
  const put = (nothing: boolean) =>
    ok(
      api.PUT('/detectors/{id}/thresholds', {
        params: { path: { id: of.id } },
        body: nothing ? { scope } : draft,
      }),
    );
  const [taking, setTaking] = useState(false);
  return (
    <FormDialog
      title={`${of.id} ${detectorText(t, of.id)}`}
      close={close}
      send={() => put(taking)}
      sent={saved}
      action={taking ? t('rules.takeBack') : t('rules.save')}
      failed={t('rules.notSaved')}
      grave={taking}
    >
      {(error) => (
        <>
          <TextInput
            label={t('rules.scope')}
            description={t('rules.scopeText')}
            value={scope}
            disabled={had !== null}
            error={faultAt(error, 'scope')}
            onChange={(e) => setScope(e.currentTarget.value)}
          />
          <Select
            label={t('rules.severity')}
            data={[
              { value: '', label: t('rules.itsOwn') },
              ...SEVERITIES.map((s) => ({ value: s as string, label: s })),
            ]}
            allowDeselect={false}
            value={severity}
            onChange={(v) => setSeverity(v ?? '')}
          />
          {of.params.map((p) => (
            <NumberInput
              key={p.name}
              label={p.name}
              description={doc(p)}
              placeholder={String(p.default)}
              suffix={sign(p.unit)}
              value={values[p.name] ?? ''}
              error={faultAt(error, `values.${p.name}`)}
              onChange={(v) => setValues((all) => ({ ...all, [p.name]: v === '' ? undefined : Number(v) }))}
            />
          ))}
          <Switch
            label={t('rules.turnOff')}
            checked={off}
            onChange={(e) => setOff(e.currentTarget.checked)}
          />
          {had && (
            <Switch
              label={t('rules.takeBackThis')}
              checked={taking}
              onChange={(e) => setTaking(e.currentTarget.checked)}
            />
          )}
          {of.backtest && (
            <DraftTrial id={of.id} draft={taking ? { scope, off: false, severity: '', values: {} } : draft} />
          )}
        </>
      )}
    </FormDialog>
  );
}
