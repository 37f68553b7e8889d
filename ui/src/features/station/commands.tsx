import { Autocomplete, Button, Radio, Select, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { configurationQuery, sessionsQuery } from '../../api/queries';
import type { Setting, StationDetail } from '../../api/shapes';
import { type MessageKey, useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { Panel, Skeleton } from '../../ui/panel';
import {
  actionsOf,
  build,
  type Draft,
  effectOf,
  isKind,
  KINDS,
  type Kind,
  needsTypedId,
  parseObject,
  triggersOf,
} from './actions';
import styles from './commands.module.css';
import { History } from './history';
import { powerCommand } from './pace';
import type { StationSearch } from './search';
import { useSend } from './send';

const route = getRouteApi('/inside/stations/$id');

const tokenTypes = [
  'ISO14443',
  'ISO15693',
  'Central',
  'eMAID',
  'KeyCode',
  'Local',
  'MacAddress',
  'NoAuthorization',
];

// The address is the reader's to fill in; the specification wants a time.
function firmwareDraft(protocol: string): Pick<Draft, 'action' | 'payload'> {
  const retrieveDate = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();
  const payload =
    protocol === 'ocpp1.6'
      ? { location: '', retrieveDate }
      : {
          requestId: Math.floor(Math.random() * 2 ** 30),
          firmware: { location: '', retrieveDateTime: retrieveDate },
        };
  return { action: 'UpdateFirmware', payload: JSON.stringify(payload, null, 2) };
}

function startDraft(station: StationDetail, settings: Setting[] | undefined, search: StationSearch): Draft {
  const first = station.evses[0]?.id ?? 1;
  const kind = isKind(search.prepare) ? search.prepare : 'reset';
  const start: Draft = {
    kind,
    port: search.port ?? (kind === 'unlock' || kind === 'start' ? first : 0),
    resetNow: false,
    operative: false,
    trigger: 'StatusNotification',
    idToken: '',
    tokenType: 'ISO14443',
    transactionId: '',
    remoteStartId: Math.floor(Math.random() * 2 ** 31),
    action: station.protocol === 'ocpp1.6' ? 'GetConfiguration' : 'GetBaseReport',
    payload:
      station.protocol === 'ocpp1.6' ? '{}' : '{\n  "requestId": 1,\n  "reportBase": "FullInventory"\n}',
  };
  if (search.prepare === 'firmware') return { ...start, kind: 'any', ...firmwareDraft(station.protocol) };
  if (search.prepare !== 'power') return start;
  const { action, payload } = powerCommand(station.protocol, settings);
  return { ...start, kind: 'any', action, payload: JSON.stringify(payload, null, 2) };
}

/** Asking a station to do something, and what it said to that. */
export function Commands({ station }: { station: StationDetail }) {
  const t = useT();
  const { prepare, port } = route.useSearch();
  // What to set depends on what is set.
  const settings = useQuery({ ...configurationQuery(station.id), enabled: prepare === 'power' });
  return (
    <div className={styles.columns}>
      <Panel title={t('command.title')}>
        {prepare === 'power' && settings.isLoading ? (
          <Skeleton />
        ) : (
          <CommandForm
            key={`${prepare}/${port}`}
            station={station}
            start={startDraft(station, settings.data, { prepare, port })}
            came={prepare !== undefined}
          />
        )}
      </Panel>
      <Panel title={t('command.history')} flush>
        <History station={station.id} />
      </Panel>
    </div>
  );
}

export function CommandForm({
  station,
  start,
  came = false,
}: {
  station: StationDetail;
  start: Draft;
  came?: boolean;
}) {
  const t = useT();
  const { data: sessions } = useQuery(sessionsQuery(station.id));
  const active = sessions?.filter((s) => s.state === 'active') ?? [];
  const box = useRef<HTMLFormElement>(null);
  // Whoever came for one command should not have to look for its form.
  useEffect(() => {
    if (came) box.current?.scrollIntoView({ block: 'nearest' });
  }, [came]);
  const [draft, setDraft] = useState(start);
  const [typed, setTyped] = useState('');
  const set = (part: Partial<Draft>) => {
    setDraft((d) => ({ ...d, ...part }));
    send.reset();
  };
  const send = useSend(station.id);
  const firstPort = station.evses[0]?.id ?? 1;
  const choose = (kind: Kind) => {
    set({
      kind,
      port: kind === 'unlock' || kind === 'start' ? firstPort : 0,
      transactionId: active[0]?.transactionId ?? '',
    });
    setTyped('');
  };
  const built = build(draft, station.protocol);
  const effect = effectOf(draft, station);
  const complete =
    built !== null &&
    (!needsTypedId(draft) || typed.trim() === station.id) &&
    (draft.kind !== 'start' || draft.idToken.trim() !== '') &&
    (draft.kind !== 'stop' || draft.transactionId.trim() !== '');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (complete && built) send.mutate(built, { onSuccess: () => setTyped('') });
  };
  const ports = station.evses.map((e) => ({ value: String(e.id), label: t('port.n', { port: e.id }) }));
  const whole = { value: '0', label: t('station.whole') };
  const portField = (withWhole: boolean) => (
    <Select
      label={t('port.name')}
      data={withWhole ? [whole, ...ports] : ports}
      value={String(draft.port)}
      onChange={(v) => set({ port: Number(v) })}
      allowDeselect={false}
    />
  );
  return (
    <form ref={box} className={`${form.form} ${styles.form}`} onSubmit={submit}>
      <Radio.Group
        label={t('command.what')}
        value={draft.kind}
        onChange={(v) => choose(v as Kind)}
        className={styles.kinds}
      >
        <div className={styles.kindGrid}>
          {KINDS.map((k) => (
            <Radio key={k} value={k} label={t(`command.${k}`)} />
          ))}
        </div>
      </Radio.Group>

      {draft.kind === 'reset' && (
        <Radio.Group
          label={t('command.resetWhen')}
          value={draft.resetNow ? 'now' : 'soft'}
          onChange={(v) => set({ resetNow: v === 'now' })}
        >
          <div className={form.options}>
            <Radio
              value="soft"
              label={station.protocol === 'ocpp1.6' ? t('command.resetSoft') : t('command.resetIdle')}
            />
            <Radio
              value="now"
              label={station.protocol === 'ocpp1.6' ? t('command.resetHard') : t('command.resetNow')}
            />
          </div>
        </Radio.Group>
      )}
      {draft.kind === 'unlock' && portField(false)}
      {draft.kind === 'availability' && (
        <>
          {portField(true)}
          <Radio.Group
            label={t('command.service')}
            value={draft.operative ? 'in' : 'out'}
            onChange={(v) => set({ operative: v === 'in' })}
          >
            <div className={form.options}>
              <Radio value="out" label={t('command.outOfService')} />
              <Radio value="in" label={t('command.inService')} />
            </div>
          </Radio.Group>
        </>
      )}
      {draft.kind === 'trigger' && (
        <>
          <Select
            label={t('command.message')}
            data={triggersOf(station.protocol)}
            value={draft.trigger}
            onChange={(v) => v && set({ trigger: v })}
            allowDeselect={false}
          />
          {portField(true)}
        </>
      )}
      {draft.kind === 'start' && (
        <>
          {portField(false)}
          <TextInput
            label={t('command.token')}
            description={t('command.tokenHint')}
            value={draft.idToken}
            onChange={(e) => set({ idToken: e.currentTarget.value })}
            maxLength={station.protocol === 'ocpp1.6' ? 20 : 255}
            autoComplete="off"
            required
          />
          {station.protocol !== 'ocpp1.6' && (
            <Select
              label={t('command.tokenType')}
              data={tokenTypes}
              value={draft.tokenType}
              onChange={(v) => v && set({ tokenType: v })}
              allowDeselect={false}
            />
          )}
        </>
      )}
      {draft.kind === 'stop' &&
        (active.length === 0 ? (
          <p className={styles.note}>{t('command.nothingRuns')}</p>
        ) : (
          <Select
            label={t('command.session')}
            data={active.map((s) => ({
              value: s.transactionId,
              label: t('command.sessionAt', { port: s.evse, id: s.transactionId }),
            }))}
            value={draft.transactionId}
            onChange={(v) => v && set({ transactionId: v })}
            allowDeselect={false}
          />
        ))}
      {draft.kind === 'any' && (
        <>
          <Autocomplete
            label={t('command.action')}
            data={actionsOf(station.protocol)}
            value={draft.action}
            onChange={(action) => set({ action })}
            limit={60}
            maxDropdownHeight={280}
            required
          />
          <Textarea
            label={t('command.payload')}
            description={t('command.payloadHint')}
            value={draft.payload}
            onChange={(e) => set({ payload: e.currentTarget.value })}
            autosize
            minRows={4}
            maxRows={16}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
            spellCheck={false}
            error={parseObject(draft.payload) === null ? t('command.payloadFault') : undefined}
          />
        </>
      )}

      {!(draft.kind === 'stop' && active.length === 0) && (
        <div className={styles.effect} data-grave={effect.grave}>
          <Icon name={effect.grave ? 'warn' : 'right'} size={16} />
          <span>{t(effect.key, effect.values)}</span>
        </div>
      )}
      {!station.online && <p className={styles.note}>{t('command.offlineNow')}</p>}
      {needsTypedId(draft) && (
        <TextInput
          label={t('command.typeId', { id: station.id })}
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      {draft.kind !== 'any' && built && complete && (
        <p className={`${styles.wire} mono`}>
          {built.action} {JSON.stringify(built.payload)}
        </p>
      )}
      <FormFault what={t('command.failed')} error={send.error} />
      <div className={form.actions}>
        <Button type="submit" disabled={!complete} loading={send.isPending}>
          {t(submitKey[draft.kind])}
        </Button>
      </div>
    </form>
  );
}

const submitKey: Record<Kind, MessageKey> = {
  reset: 'command.reset',
  unlock: 'command.unlock',
  availability: 'command.availabilitySubmit',
  trigger: 'command.triggerSubmit',
  start: 'command.start',
  stop: 'command.stop',
  any: 'command.anySubmit',
};
