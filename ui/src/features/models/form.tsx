import {
  ActionIcon,
  Button,
  MultiSelect,
  NumberInput,
  Select,
  Switch,
  TagsInput,
  TextInput,
} from '@mantine/core';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { FormDialog, faultAt } from '../settings/dialog';
import { type Draft, MEASURANDS, nextConnector, PLUGS, type Port, plugWords } from './model';
import styles from './models.module.css';

/** What a model is built of, and how it takes configuration. */
export function ModelForm({
  draft,
  id,
  close,
  changed,
}: {
  draft: Draft;
  id: string | undefined;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const [vendor, setVendor] = useState(draft.vendor);
  const [model, setModel] = useState(draft.model);
  const [source, setSource] = useState(draft.source);
  const [ports, setPorts] = useState<Port[]>(draft.evses);
  const [hints, setHints] = useState(draft.configuration ?? {});
  const [quirks, setQuirks] = useState(draft.quirks ?? []);
  const set = (i: number, part: Partial<Port>) =>
    setPorts(ports.map((p, j) => (j === i ? { ...p, ...part } : p)));
  const send = () => {
    const body = {
      vendor: vendor.trim(),
      model: model.trim(),
      source: source.trim(),
      evses: ports.map((p, i) => asSent(p, i)),
      configuration: {
        ...(hints.unsupported?.length ? { unsupported: hints.unsupported } : {}),
        ...(hints.rebootAfter?.length ? { rebootAfter: hints.rebootAfter } : {}),
        ...(hints.maxMeasurands ? { maxMeasurands: hints.maxMeasurands } : {}),
      },
      quirks,
    };
    return id
      ? ok(api.PATCH('/models/{id}', { params: { path: { id } }, body }))
      : ok(api.POST('/models', { body }));
  };
  return (
    <FormDialog
      title={id ? t('models.editTitle', { name: `${draft.vendor} ${draft.model}` }) : t('models.add')}
      close={close}
      send={send}
      sent={changed}
      action={id ? t('models.save') : t('models.add')}
      failed={t('models.notSaved')}
      refusals={{ 409: t('models.exists') }}
      ready={
        vendor.trim() !== '' &&
        model.trim() !== '' &&
        source.trim().length >= 8 &&
        ports.every((p) => p.current !== '')
      }
      wide
    >
      {(error) => (
        <>
          <div className={styles.pair}>
            <TextInput
              label={t('models.vendor')}
              value={vendor}
              onChange={(e) => setVendor(e.currentTarget.value)}
              error={faultAt(error, 'vendor')}
              required
              maxLength={50}
              data-autofocus={draft.vendor === '' || undefined}
              autoComplete="off"
              spellCheck={false}
            />
            <TextInput
              label={t('models.modelPrefix')}
              value={model}
              onChange={(e) => setModel(e.currentTarget.value)}
              error={faultAt(error, 'model')}
              required
              maxLength={50}
              autoComplete="off"
              spellCheck={false}
            />
          </div>
          <p className={`meta ${styles.hint}`}>{t('models.modelHint')}</p>
          {ports.map((p, i) => (
            <PortFields
              key={p.evse}
              of={p}
              number={i + 1}
              error={(field) => faultAt(error, `evses[${i}].${field}`)}
              set={(part) => set(i, part)}
              next={nextConnector(ports)}
              remove={
                ports.length > 1
                  ? () => setPorts(ports.filter((_, j) => j !== i).map((x, j) => ({ ...x, evse: j + 1 })))
                  : undefined
              }
            />
          ))}
          <div>
            <Button
              variant="default"
              leftSection={<Icon name="plus" size={14} />}
              disabled={ports.length >= 16}
              onClick={() =>
                setPorts([
                  ...ports,
                  {
                    ...ports[ports.length - 1]!,
                    evse: ports.length + 1,
                    connectors: [
                      { ...ports[ports.length - 1]!.connectors[0]!, connector: nextConnector(ports) },
                    ],
                  },
                ])
              }
            >
              {t('models.addPort')}
            </Button>
          </div>
          <TextInput
            label={t('models.source')}
            description={t('models.sourceHint')}
            value={source}
            onChange={(e) => setSource(e.currentTarget.value)}
            error={faultAt(error, 'source')}
            required
            maxLength={500}
            autoComplete="off"
          />
          <details className={styles.more} open={hasHints(draft)}>
            <summary>{t('models.hints')}</summary>
            <div className={styles.fields}>
              <MultiSelect
                label={t('models.unsupported')}
                data={MEASURANDS}
                value={hints.unsupported ?? []}
                onChange={(unsupported) => setHints({ ...hints, unsupported })}
                error={faultAt(error, 'configuration.unsupported')}
                searchable
                hidePickedOptions
              />
              <TagsInput
                label={t('models.rebootAfter')}
                description={t('models.rebootAfterHint')}
                value={hints.rebootAfter ?? []}
                onChange={(rebootAfter) => setHints({ ...hints, rebootAfter })}
                error={faultAt(error, 'configuration.rebootAfter')}
                maxTags={100}
              />
              <NumberInput
                label={t('models.maxMeasurands')}
                value={hints.maxMeasurands ?? ''}
                onChange={(n) => setHints({ ...hints, maxMeasurands: Number(n) || 0 })}
                error={faultAt(error, 'configuration.maxMeasurands')}
                min={1}
                max={64}
                allowDecimal={false}
                className={styles.narrow!}
              />
              <TagsInput
                label={t('models.quirks')}
                description={t('models.quirksHint')}
                value={quirks}
                onChange={setQuirks}
                error={faultAt(error, 'quirks')}
                maxTags={32}
              />
            </div>
          </details>
        </>
      )}
    </FormDialog>
  );
}

const hasHints = (d: Draft): boolean =>
  Object.keys(d.configuration ?? {}).length > 0 || (d.quirks ?? []).length > 0;

/** A port as the server takes it: what is not known is left out. */
function asSent(p: Port, i: number): Port {
  return {
    evse: i + 1,
    current: p.current,
    ...(p.ratedW ? { ratedW: p.ratedW } : {}),
    ...(p.phases && p.current === 'AC' ? { phases: p.phases } : {}),
    ...(p.group?.trim()
      ? {
          group: p.group.trim(),
          ...(p.groupW ? { groupW: p.groupW } : {}),
          ...(p.exclusive ? { exclusive: true } : {}),
        }
      : {}),
    connectors: p.connectors.map((c) => ({
      connector: c.connector,
      ...(c.type ? { type: c.type } : {}),
    })),
  };
}

function PortFields({
  of: p,
  number,
  error,
  set,
  next,
  remove,
}: {
  of: Port;
  number: number;
  error: (field: string) => string | undefined;
  set: (part: Partial<Port>) => void;
  next: number;
  remove: (() => void) | undefined;
}) {
  const t = useT();
  const plugs = PLUGS.map((value) => ({ value, label: plugLabel(t, value) }));
  const plug = (j: number, part: Partial<Port['connectors'][number]>) =>
    set({ connectors: p.connectors.map((c, k) => (k === j ? { ...c, ...part } : c)) });
  return (
    <fieldset className={styles.port}>
      <legend>{t('models.port', { n: number })}</legend>
      {remove && (
        <ActionIcon
          className={styles.remove!}
          variant="subtle"
          color="gray"
          size={28}
          aria-label={t('models.removePort', { n: number })}
          onClick={remove}
        >
          <Icon name="trash" size={16} />
        </ActionIcon>
      )}
      <div className={styles.row}>
        <Select
          label={t('models.current')}
          data={['AC', 'DC']}
          value={p.current || null}
          onChange={(v) => set({ current: v === 'DC' ? 'DC' : 'AC' })}
          error={error('current')}
          placeholder={t('models.choose')}
          allowDeselect={false}
          required
        />
        <NumberInput
          label={t('models.rated')}
          suffix=" kW"
          value={p.ratedW ? p.ratedW / 1000 : ''}
          onChange={(n) => set({ ratedW: Math.round(Number(n) * 1000) || 0 })}
          error={error('ratedW')}
          placeholder={t('models.notKnown')}
          min={0}
          max={1500}
          decimalScale={1}
        />
        {p.current === 'AC' ? (
          <Select
            label={t('models.phases')}
            data={['1', '2', '3']}
            value={p.phases ? String(p.phases) : null}
            onChange={(v) => set({ phases: Number(v ?? 0) })}
            error={error('phases')}
            placeholder={t('models.notKnown')}
            clearable
          />
        ) : (
          <span />
        )}
      </div>
      {p.connectors.map((c, j) => (
        <div key={`${p.evse}/${j}`} className={styles.plug}>
          <NumberInput
            label={j === 0 ? t('models.connector') : undefined}
            aria-label={t('models.connectorOf', { n: number })}
            value={c.connector}
            onChange={(n) => plug(j, { connector: Number(n) || 0 })}
            error={error(`connectors[${j}].connector`)}
            min={1}
            max={32}
            allowDecimal={false}
          />
          <Select
            label={j === 0 ? t('models.plug') : undefined}
            aria-label={t('models.plugOf', { n: number })}
            data={plugs}
            value={c.type || null}
            onChange={(v) => plug(j, { type: v ?? '' })}
            error={error(`connectors[${j}].type`)}
            placeholder={t('models.notKnown')}
            searchable
            clearable
          />
          {p.connectors.length > 1 ? (
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              aria-label={t('models.removePlug', { n: c.connector })}
              onClick={() => set({ connectors: p.connectors.filter((_, k) => k !== j) })}
            >
              <Icon name="trash" size={16} />
            </ActionIcon>
          ) : (
            <span />
          )}
        </div>
      ))}
      <div>
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<Icon name="plus" size={14} />}
          disabled={p.connectors.length >= 8}
          onClick={() => set({ connectors: [...p.connectors, { connector: next }] })}
        >
          {t('models.addPlug')}
        </Button>
      </div>
      <div className={styles.row}>
        <TextInput
          label={t('models.group')}
          value={p.group ?? ''}
          onChange={(e) => set({ group: e.currentTarget.value })}
          error={error('group')}
          placeholder={t('models.alone')}
          maxLength={20}
        />
        {p.group ? (
          <>
            <NumberInput
              label={t('models.groupW')}
              suffix=" kW"
              value={p.groupW ? p.groupW / 1000 : ''}
              onChange={(n) => set({ groupW: Math.round(Number(n) * 1000) || 0 })}
              error={error('groupW')}
              placeholder={t('models.notKnown')}
              min={0}
              max={1500}
              decimalScale={1}
            />
            <Switch
              className={styles.switch!}
              label={t('models.exclusive')}
              checked={p.exclusive ?? false}
              onChange={(e) => set({ exclusive: e.currentTarget.checked })}
            />
          </>
        ) : (
          <p className={`meta ${styles.aside}`}>{t('models.groupHint')}</p>
        )}
      </div>
    </fieldset>
  );
}

/** Cable and socket of the same name are told apart. */
function plugLabel(t: ReturnType<typeof useT>, type: string): string {
  const name = plugWords(t, type);
  return type.startsWith('c') ? t('models.cable', { name }) : name;
}
