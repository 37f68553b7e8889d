import {
  Button,
  Chip,
  Group,
  MultiSelect,
  NumberInput,
  Select,
  Switch,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Problem } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { useSites } from '../../ui/sites';
import { ownZone } from '../../ui/zone';
import { SeverityShape, severityKey } from '../incidents/severity';
import { SEVERITIES } from '../incidents/shape';
import { FormDialog } from '../settings/dialog';
import { faultUnder } from './fields';
import { TimesFields } from './hours';
import { groupName, groups } from './names';
import { channelsQuery, escalationsQuery, type Hours, type Route } from './queries';
import { type RouteDraft, routeDraft, routeOf } from './routes';
import styles from './routing.module.css';

const KINDS = [
  'offline',
  'fault*',
  'flapping',
  'startFailures',
  'successDrop',
  'connectorHeat',
  'lockOrCable',
  'site.outage',
  'carrier.outage',
  'self.outage',
];

/** Adds a route, or changes one. */
export function RouteForm({
  of,
  last = false,
  place,
  save,
  close,
}: {
  of?: Route;
  /** It is to take what no other route took. */
  last?: boolean;
  /** Where it stands among the routes, for what the server says of it. */
  place: number;
  save: (r: Route) => Promise<void>;
  close: () => void;
}) {
  const t = useT();
  const sites = useSites();
  const { data: channels } = useQuery(channelsQuery());
  const { data: escalations } = useQuery(escalationsQuery());
  const [draft, setDraft] = useState<RouteDraft>(() => ({
    ...routeDraft(of),
    ...(last ? { name: t('channels.defaultName') } : {}),
  }));
  const [narrow, setNarrow] = useState(draft.kinds.length + draft.stations.length + draft.labels.length > 0);
  const set = (part: Partial<RouteDraft>) => setDraft((d) => ({ ...d, ...part }));
  const at = (field: string) => `routes[${place}].${field}`;
  const channelOptions = (channels ?? []).map((c) => ({ value: c.id, label: c.name }));
  return (
    <FormDialog
      title={of ? t('channels.editTitle', { name: of.name }) : t('channels.routeAdd')}
      close={close}
      send={() => save(routeOf(draft))}
      sent={() => {}}
      action={of ? t('channels.save') : t('channels.routeAdd')}
      failed={t('channels.routeNotSaved')}
      ready={draft.name.trim() !== ''}
    >
      {(failure) => {
        const error = failure instanceof Problem ? failure : null;
        return (
          <>
            <TextInput
              label={t('channels.name')}
              value={draft.name}
              onChange={(e) => set({ name: e.currentTarget.value })}
              error={faultUnder(error, at('name'))}
              required
              maxLength={64}
              autoComplete="off"
              data-autofocus
            />
            <fieldset className={styles.group}>
              <legend>{t('channels.which')}</legend>
              <p className="meta">{t('channels.whichHint')}</p>
              <div className={styles.wide}>
                <p className={form.label}>{t('channels.severity')}</p>
                <Chip.Group multiple value={draft.severities} onChange={(severities) => set({ severities })}>
                  <Group gap={6} role="group" aria-label={t('channels.severity')}>
                    {SEVERITIES.map((s) => (
                      <Chip key={s} value={s} size="xs" radius="sm" variant="outline" color="gray">
                        <Group gap={6} component="span">
                          <SeverityShape severity={s} size={12} />
                          {s} {t(severityKey(s))}
                        </Group>
                      </Chip>
                    ))}
                  </Group>
                </Chip.Group>
              </div>
              <MultiSelect
                className={styles.wide}
                label={t('channels.atSites')}
                placeholder={draft.sites.length === 0 ? t('channels.anySite') : undefined}
                data={[
                  ...[...sites.values()].map((s) => ({ value: s.id, label: s.name || s.id })),
                  ...draft.sites.filter((id) => !sites.has(id)).map((id) => ({ value: id, label: id })),
                ]}
                value={draft.sites}
                onChange={(v) => set({ sites: v })}
                searchable
                error={faultUnder(error, at('match.sites'))}
              />
              {narrow ? (
                <>
                  <TagsInput
                    className={styles.wide}
                    label={t('channels.kinds')}
                    description={t('channels.kindsHint')}
                    data={KINDS}
                    value={draft.kinds}
                    onChange={(kinds) => set({ kinds })}
                    splitChars={[',', ';', ' ']}
                    acceptValueOnBlur
                    error={faultUnder(error, at('match.kinds'))}
                  />
                  <TagsInput
                    className={styles.wide}
                    label={t('channels.stations')}
                    description={t('channels.listHint')}
                    value={draft.stations}
                    onChange={(stations) => set({ stations })}
                    splitChars={[',', ';', ' ']}
                    acceptValueOnBlur
                    error={faultUnder(error, at('match.stations'))}
                  />
                  <TagsInput
                    className={styles.wide}
                    label={t('channels.labels')}
                    description={t('channels.labelsHint')}
                    value={draft.labels}
                    onChange={(labels) => set({ labels })}
                    splitChars={[',', ';']}
                    acceptValueOnBlur
                    error={faultUnder(error, at('match.labels'))}
                  />
                </>
              ) : (
                <Button variant="default" onClick={() => setNarrow(true)}>
                  {t('channels.narrow')}
                </Button>
              )}
            </fieldset>
            <fieldset className={styles.group}>
              <legend>{t('channels.toWhom')}</legend>
              <MultiSelect
                className={styles.wide}
                label={t('channels.tab.channels')}
                description={t('channels.toChannelsHint')}
                data={channelOptions}
                value={draft.channels}
                onChange={(v) => set({ channels: v })}
                nothingFoundMessage={t('channels.noneYet')}
                error={faultUnder(error, at('channels'))}
              />
              <Select
                className={styles.wide}
                label={t('channels.escalation')}
                description={t('channels.escalationHint')}
                placeholder={t('channels.noEscalation')}
                data={(escalations ?? []).map((e) => ({ value: e.id ?? '', label: e.name }))}
                value={draft.escalation}
                onChange={(escalation) => set({ escalation })}
                clearable
                clearButtonProps={{ 'aria-label': t('channels.noEscalation') }}
                error={faultUnder(error, at('escalation'))}
              />
              <Switch
                label={t('channels.goesOn')}
                description={t('channels.goesOnHint')}
                checked={draft.goesOn}
                onChange={(e) => set({ goesOn: e.currentTarget.checked })}
              />
              <Switch
                label={t('channels.withoutDuress')}
                description={t('channels.withoutDuressHint')}
                checked={draft.withoutDuress}
                onChange={(e) => set({ withoutDuress: e.currentTarget.checked })}
              />
            </fieldset>
            <fieldset className={styles.group}>
              <legend>{t('channels.howOften')}</legend>
              <MultiSelect
                className={styles.wide}
                label={t('channels.groupBy')}
                description={t('channels.groupByHint')}
                data={[...groups, ...draft.groupBy.filter((x) => !groups.includes(x))].map((x) => ({
                  value: x,
                  label: groupName(t, x),
                }))}
                value={draft.groupBy}
                onChange={(groupBy) => set({ groupBy })}
                error={faultUnder(error, at('groupBy'))}
              />
              <div className={styles.three}>
                <NumberInput
                  label={t('channels.groupWait')}
                  suffix=" s"
                  value={draft.waitSeconds}
                  onChange={(v) => set({ waitSeconds: v })}
                  min={0}
                  max={3600}
                  allowDecimal={false}
                  error={faultUnder(error, at('groupWaitSeconds'))}
                />
                <NumberInput
                  label={t('channels.groupInterval')}
                  suffix=" min"
                  value={draft.intervalMinutes}
                  onChange={(v) => set({ intervalMinutes: v })}
                  min={0}
                  max={1440}
                  error={faultUnder(error, at('groupIntervalSeconds'))}
                />
                <NumberInput
                  label={t('channels.repeat')}
                  suffix=" min"
                  value={draft.repeatMinutes}
                  onChange={(v) => set({ repeatMinutes: v })}
                  min={0}
                  max={10080}
                  error={faultUnder(error, at('repeatSeconds'))}
                />
              </div>
              <p className="meta">{t('channels.repeatHint')}</p>
            </fieldset>
            <TimesFields<Hours>
              label={t('channels.quiet')}
              hint={t('channels.quietHint')}
              add={t('channels.quietAdd')}
              items={draft.quiet}
              change={(quiet) => set({ quiet })}
              fresh={() => ({ days: [], from: '22:00', to: '06:00', timeZone: ownZone() })}
              at={at('quiet')}
              error={error}
            />
          </>
        );
      }}
    </FormDialog>
  );
}
