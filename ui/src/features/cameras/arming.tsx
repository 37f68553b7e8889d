import { ActionIcon, Button, Chip, Group, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import type { Site } from '../../api/shapes';
import { exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Panel } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone } from '../../ui/zone';
import { FormDialog } from '../settings/dialog';
import settings from '../settings/settings.module.css';
import styles from './cameras.module.css';
import { type Arming, armingQuery, type CameraSetup } from './queries';

/** Days as the API counts them, a week beginning on Monday. */
const DAYS = [1, 2, 3, 4, 5, 6, 0] as const;
const HOURS = ['', '1', '4', '12', '24', '72'] as const;
type Hours = { days: number[]; from: string; to: string };

/** When what moves at a site matters. */
export function ArmingPanel({
  cameras,
  sites,
}: {
  cameras: readonly CameraSetup[] | undefined;
  sites: readonly Site[] | undefined;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const mayArm = useAllowed('arming.write');
  const [open, setOpen] = useState<Arming | null>(null);
  const ids = [...new Set((cameras ?? []).map((c) => c.siteId))].filter(Boolean).sort();
  const asked = useQueries({ queries: ids.map((id) => armingQuery(id)) });
  if (ids.length === 0) return null;
  const name = (id: string) => sites?.find((s) => s.id === id)?.name || id;
  const zoneOf = (id: string) => sites?.find((s) => s.id === id)?.timeZone || 'UTC';
  const day = (d: number) => t(`cameras.day.${d as 0 | 1 | 2 | 3 | 4 | 5 | 6}`);
  const hours = (w: { days: number[]; from: string; to: string }) =>
    `${
      w.days.length === 7
        ? t('cameras.everyDay')
        : DAYS.filter((d) => w.days.includes(d))
            .map(day)
            .join(', ')
    } ${w.from}–${w.to}`;
  return (
    <Panel title={t('cameras.arming')} flush>
      <TableFrame label={t('cameras.arming')}>
        <thead>
          <tr>
            <th scope="col">{t('cameras.site')}</th>
            <th scope="col">{t('cameras.armedNow')}</th>
            <th scope="col">{t('cameras.weekly')}</th>
            {mayArm && (
              <th scope="col" className={settings.acts}>
                <span className="srOnly">{t('cameras.arm')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {ids.map((id, i) => {
            const a = asked[i]?.data;
            return (
              <tr key={id}>
                <th scope="row">{name(id)}</th>
                <td>
                  {a ? (
                    <span className={styles.word}>
                      <span className={styles.arm} data-on={a.now} aria-hidden="true" />
                      {t(a.now ? 'cameras.armed' : 'cameras.disarmed')}
                      <span className="meta">
                        {a.schedule
                          ? t('cameras.bySchedule')
                          : a.until
                            ? t('cameras.until', { at: exact(tag, Date.parse(a.until), zone) })
                            : a.armed !== undefined
                              ? t('cameras.untilChanged')
                              : ''}
                      </span>
                    </span>
                  ) : asked[i]?.error ? (
                    <span className={settings.off}>{t('cameras.armingUnknown')}</span>
                  ) : (
                    '–'
                  )}
                </td>
                <td className={table.prose}>
                  {a?.weekly?.length ? (
                    <>
                      {a.weekly.map(hours).join('; ')} <span className="meta">{zoneOf(id)}</span>
                    </>
                  ) : (
                    <span className={settings.off}>{t('cameras.weeklyNone')}</span>
                  )}
                </td>
                {mayArm && (
                  <td className={styles.button}>
                    <Button
                      size="compact-sm"
                      variant="default"
                      disabled={!a}
                      onClick={() => a && setOpen(a)}
                      aria-label={t('cameras.armSite', { name: name(id) })}
                    >
                      {t('cameras.arm')}
                    </Button>
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </TableFrame>
      {open && (
        <ArmingForm
          of={open}
          name={name(open.siteId)}
          zone={zoneOf(open.siteId)}
          close={() => setOpen(null)}
        />
      )}
    </Panel>
  );
}

function ArmingForm({
  of,
  name,
  zone,
  close,
}: {
  of: Arming;
  name: string;
  zone: string;
  close: () => void;
}) {
  const t = useT();
  const queries = useQueryClient();
  const [mode, setMode] = useState(of.armed === undefined ? 'schedule' : of.armed ? 'on' : 'off');
  const [lasts, setLasts] = useState<string>('');
  const [reason, setReason] = useState('');
  const [weekly, setWeekly] = useState<Hours[]>(of.weekly ?? []);
  const change = (i: number, part: Partial<Hours>) =>
    setWeekly(weekly.map((w, n) => (n === i ? { ...w, ...part } : w)));
  return (
    <FormDialog
      title={t('cameras.armTitle', { name })}
      close={close}
      send={() =>
        ok(
          api.PUT('/sites/{site}/arming', {
            params: { path: { site: of.siteId } },
            body: {
              weekly,
              ...(mode === 'schedule' ? {} : { armed: mode === 'on' }),
              ...(mode !== 'schedule' && lasts
                ? { until: new Date(Date.now() + Number(lasts) * 3_600_000).toISOString() }
                : {}),
              ...(reason.trim() ? { reason: reason.trim() } : {}),
            },
          }),
        )
      }
      sent={(answer) => {
        queries.setQueryData(armingQuery(of.siteId).queryKey, answer);
        return queries.invalidateQueries({ queryKey: ['cameras'] });
      }}
      action={t('cameras.save')}
      failed={t('cameras.armFailed')}
      ready={weekly.every((w) => w.days.length > 0 && w.from !== '' && w.to !== '')}
    >
      <SegmentedControl
        aria-label={t('cameras.armedNow')}
        data={[
          { value: 'schedule', label: t('cameras.mode.schedule') },
          { value: 'on', label: t('cameras.armed') },
          { value: 'off', label: t('cameras.disarmed') },
        ]}
        value={mode}
        onChange={setMode}
        fullWidth
      />
      <p className={`meta ${styles.note}`}>{t(`cameras.modeHint.${mode as 'schedule' | 'on' | 'off'}`)}</p>
      {mode !== 'schedule' && (
        <div className={settings.pair}>
          <Select
            label={t('cameras.lasts')}
            data={HOURS.map((h) => ({
              value: h,
              label: h === '' ? t('cameras.untilChanged') : t('cameras.lastsHours', { n: Number(h) }),
            }))}
            value={lasts}
            onChange={(v) => setLasts(v ?? '')}
            allowDeselect={false}
          />
          <TextInput
            label={t('cameras.reason')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            maxLength={400}
          />
        </div>
      )}
      <fieldset className={settings.fieldset}>
        <legend>{t('cameras.weekly')}</legend>
        <p className={`meta ${styles.note}`}>{t('cameras.weeklyHint', { zone })}</p>
        {weekly.map((w, i) => (
          <div key={i} className={styles.week}>
            <Chip.Group
              multiple
              value={w.days.map(String)}
              onChange={(days) => change(i, { days: days.map(Number) })}
            >
              <Group gap={4} role="group" aria-label={t('cameras.days.of', { n: i + 1 })}>
                {DAYS.map((d) => (
                  <Chip key={d} value={String(d)} size="xs" radius="sm" variant="outline" color="gray">
                    {t(`cameras.day.${d}`)}
                  </Chip>
                ))}
              </Group>
            </Chip.Group>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={28}
              aria-label={t('cameras.weekRemove', { n: i + 1 })}
              onClick={() => setWeekly(weekly.filter((_, n) => n !== i))}
            >
              <Icon name="trash" size={16} />
            </ActionIcon>
            <TextInput
              type="time"
              label={t('cameras.from')}
              value={w.from}
              onChange={(e) => change(i, { from: e.currentTarget.value })}
              required
            />
            <TextInput
              type="time"
              label={t('cameras.to')}
              description={w.to !== '' && w.to <= w.from ? t('cameras.nextDay') : undefined}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              value={w.to === '24:00' ? '00:00' : w.to}
              onChange={(e) => change(i, { to: e.currentTarget.value })}
              required
            />
          </div>
        ))}
        {weekly.length < 50 && (
          <Button
            variant="default"
            leftSection={<Icon name="plus" size={14} />}
            style={{ alignSelf: 'flex-start' }}
            onClick={() =>
              setWeekly([...weekly, { days: [1, 2, 3, 4, 5, 6, 0], from: '22:00', to: '06:00' }])
            }
          >
            {t('cameras.weekAdd')}
          </Button>
        )}
      </fieldset>
    </FormDialog>
  );
}
