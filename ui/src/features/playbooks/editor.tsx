import {
  ActionIcon,
  Button,
  MultiSelect,
  NumberInput,
  SegmentedControl,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { stationsQuery } from '../../api/queries';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import { DETECTORS, detectorText } from '../detectors/name';
import {
  type Draft,
  type DraftStep,
  draftOf,
  empty,
  faultAt,
  faultsOf,
  idOf,
  LIMITS,
  type LimitName,
  written,
} from './draft';
import styles from './editor.module.css';
import { Marks } from './list';
import { type Playbook, playbooksQuery } from './queries';
import { CYCLE_SECONDS, DEFAULTS, docText, faultText, MESSAGES, nameText, SEVERITIES, STEPS } from './words';

const route = getRouteApi('/inside/playbooks');

const limitKey: Record<LimitName, MessageKey> = {
  coolDownMinutes: 'playbooks.field.coolDown',
  waitMinutes: 'playbooks.field.wait',
  perDay: 'playbooks.field.perDay',
  fleetPercent: 'playbooks.field.fleet',
};

/** Writes a playbook, changes one, or changes a copy of one. */
export default function Editor({ edit, copy }: { edit: string | undefined; copy: string | undefined }) {
  const t = useT();
  const mayWrite = useAllowed('remedies.write');
  const { data, error, refetch } = useQuery(playbooksQuery());
  const of = data?.find((p) => p.id === (copy ?? edit));
  const fresh = copy === undefined && edit === 'new';
  if (!data)
    return (
      <Panel flush>
        {error ? (
          <Failed what={t('playbooks.part')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={8} />
        )}
      </Panel>
    );
  if (!mayWrite || (!of && !fresh))
    return (
      <>
        <Back />
        <Panel>
          {mayWrite ? (
            <Empty title={t('playbooks.editor.gone')}>{t('playbooks.editor.goneText')}</Empty>
          ) : (
            <Empty title={t('failed.forbidden')} />
          )}
        </Panel>
      </>
    );
  return <Form of={fresh ? undefined : of} copied={copy !== undefined} taken={data.map((p) => p.id)} />;
}

function Back() {
  const t = useT();
  return (
    <Link
      from="/playbooks"
      search={(s) => ({ ...s, edit: undefined, copy: undefined })}
      className={styles.back}
    >
      <Icon name="left" size={16} />
      {t('playbooks.editor.back')}
    </Link>
  );
}

function Form({
  of,
  copied,
  taken,
}: {
  of: Playbook | undefined;
  copied: boolean;
  taken: readonly string[];
}) {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const toast = useToast();
  const navigate = route.useNavigate();
  const made = !of || copied;
  const [d, setD] = useState<Draft>(() => first(of, copied, taken, t));
  const [ownId, setOwnId] = useState(copied);
  const set = (part: Partial<Draft>) => setD((was) => ({ ...was, ...part }));
  const form = useRef<HTMLFormElement>(null);
  const close = () => void navigate({ search: (s) => ({ ...s, edit: undefined, copy: undefined }) });
  const save = useMutation({
    mutationFn: () => {
      const body = written(d);
      if (made) return ok(api.POST('/playbooks', { body }));
      const { id, ...rest } = body;
      return ok(api.PATCH('/playbooks/{id}', { params: { path: { id } }, body: rest }));
    },
    onSuccess: async (p) => {
      await queries.invalidateQueries({ queryKey: ['playbooks'] });
      toast({ text: t('playbooks.saved', { name: nameText(t, p) }), tone: 'good' });
      close();
    },
  });
  const faults = faultsOf(save.error);
  // The first field that is wrong gets the focus: it may be out of sight.
  useEffect(() => {
    if (save.error)
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"],[data-wrong="true"]')?.focus();
  }, [save.error]);
  const wrong = (path: string, kind?: string) => {
    const f = faultAt(faults, path);
    return f && faultText(t, tag, path, f.message, kind);
  };
  const taken409 = save.error instanceof Problem && save.error.status === 409;
  const name = of ? nameText(t, of) : '';
  const numbers = new Intl.NumberFormat(tag);
  return (
    <>
      <Back />
      <header className={styles.head}>
        <h1 className={styles.title}>
          {!of
            ? t('playbooks.editor.new')
            : t(copied ? 'playbooks.editor.copy' : 'playbooks.editor.edit', { name })}
        </h1>
        {of && !copied && <Marks of={of} />}
      </header>
      {of?.builtIn && !copied && <p className={styles.note}>{t('playbooks.editor.builtInNote')}</p>}
      <form
        ref={form}
        className={styles.form}
        noValidate
        onSubmit={(e: FormEvent) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <TextInput
          label={t('playbooks.field.name')}
          value={d.name}
          onChange={(e) => {
            const next = e.currentTarget.value;
            set(made && !ownId ? { name: next, id: idOf(next) } : { name: next });
          }}
          error={wrong('name')}
          required
          data-autofocus
          autoComplete="off"
        />
        {made && (
          <TextInput
            label={t('playbooks.field.id')}
            description={t('playbooks.field.idHint')}
            value={d.id}
            onChange={(e) => {
              setOwnId(true);
              set({ id: e.currentTarget.value });
            }}
            error={taken409 ? t('playbooks.exists') : wrong('id')}
            classNames={{ input: 'mono' }}
            required
            autoComplete="off"
          />
        )}
        <Textarea
          label={t('playbooks.field.doc')}
          value={d.doc}
          onChange={(e) => set({ doc: e.currentTarget.value.replaceAll('\n', ' ') })}
          error={wrong('doc')}
          autosize
          minRows={2}
        />
        <div className={styles.pair}>
          <Switch
            label={t('playbooks.field.enabled')}
            description={t('playbooks.field.enabledHint')}
            checked={d.enabled}
            onChange={(e) => set({ enabled: e.currentTarget.checked })}
          />
          <Switch
            label={t('playbooks.field.dryRun')}
            description={t('playbooks.field.dryRunHint')}
            checked={d.dryRun}
            onChange={(e) => set({ dryRun: e.currentTarget.checked })}
          />
        </div>
        <Group
          title={t('playbooks.field.when')}
          hint={t('playbooks.field.whenHint')}
          wrong={plain(faults, 'when') && wrong('when')}
        >
          <Conditions d={d} set={set} wrong={wrong} />
        </Group>
        <Group title={t('playbooks.field.steps')} wrong={plain(faults, 'steps') && wrong('steps')}>
          <Steps steps={d.steps} set={(steps) => set({ steps })} wrong={wrong} />
        </Group>
        <Group title={t('playbooks.field.limits')} hint={t('playbooks.field.limitsHint')}>
          <div className={styles.pair}>
            {LIMITS.map((l) => (
              <NumberInput
                key={l}
                label={t(limitKey[l])}
                placeholder={numbers.format(DEFAULTS[l])}
                value={d.limits[l]}
                onChange={(v) => set({ limits: { ...d.limits, [l]: typeof v === 'number' ? v : '' } })}
                error={wrong(`limits.${l}`)}
                allowDecimal={false}
                hideControls
              />
            ))}
          </div>
        </Group>
        {faults.length > 0 ? (
          <p className={styles.wrong} role="alert">
            <Icon name="warn" size={16} />
            {t('playbooks.fault.summary')}
          </p>
        ) : (
          !taken409 && <FormFault what={t('playbooks.notSaved')} error={save.error} />
        )}
        <div className={styles.acts}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('playbooks.save')}
          </Button>
        </div>
      </form>
    </>
  );
}

/** Whether the fault is about the whole, not about an entry. */
const plain = (faults: ReturnType<typeof faultsOf>, path: string) => faults.some((f) => f.path === path);

function first(
  of: Playbook | undefined,
  copied: boolean,
  taken: readonly string[],
  t: ReturnType<typeof useT>,
): Draft {
  if (!of) return empty();
  const d = draftOf(of, nameText(t, of), docText(t, of));
  if (!copied) return d;
  let id = `${of.id.slice(0, 40)}-own`;
  for (let n = 2; taken.includes(id); n++) id = `${of.id.slice(0, 40)}-own-${n}`;
  // A copy acts on nothing before somebody says so: its original still does.
  return { ...d, id, name: t('playbooks.editor.copyName', { name: d.name }), enabled: false };
}

function Group({
  title,
  hint,
  wrong,
  children,
}: {
  title: string;
  hint?: string;
  wrong?: string | false | undefined;
  children: React.ReactNode;
}) {
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{title}</legend>
      {hint && <p className={styles.hint}>{hint}</p>}
      {wrong && (
        <p className={styles.wrong} data-wrong="true" tabIndex={-1} role="alert">
          <Icon name="warn" size={16} />
          {wrong}
        </p>
      )}
      {children}
    </fieldset>
  );
}

type Wrong = (path: string, kind?: string) => string | undefined;

function Conditions({ d, set, wrong }: { d: Draft; set: (part: Partial<Draft>) => void; wrong: Wrong }) {
  const t = useT();
  const sites = useSites();
  const { data: stations } = useQuery(stationsQuery());
  const models = useMemo(
    () => [...new Set((stations ?? []).filter((s) => s.vendor).map((s) => `${s.vendor}/${s.model}`))].sort(),
    [stations],
  );
  return (
    <>
      <MultiSelect
        label={t('playbooks.field.detectors')}
        data={DETECTORS.map((id) => ({ value: id, label: `${id} ${detectorText(t, id)}` }))}
        value={d.detectors}
        onChange={(detectors) => set({ detectors })}
        error={wrong('when.detectors')}
        searchable
        nothingFoundMessage={t('playbooks.try.none')}
      />
      <TagsInput
        label={t('playbooks.field.codes')}
        description={t('playbooks.field.codesHint')}
        value={d.codes}
        onChange={(codes) => set({ codes })}
        error={wrong('when.codes')}
        acceptValueOnBlur
      />
      <MultiSelect
        label={t('playbooks.field.severities')}
        placeholder={d.severities.length === 0 ? t('playbooks.field.severitiesAny') : ''}
        data={SEVERITIES.map((s) => ({ value: s as string, label: `${s} ${t(`incident.severity.${s}`)}` }))}
        value={d.severities}
        onChange={(severities) => set({ severities })}
        error={wrong('when.severities')}
      />
      <div>
        <p className={styles.label} id="playbook-safety">
          {t('playbooks.field.safety')}
        </p>
        <SegmentedControl
          fullWidth
          aria-labelledby="playbook-safety"
          value={d.safety}
          onChange={(v) => set({ safety: v as Draft['safety'] })}
          data={(['any', 'no', 'yes'] as const).map((v) => ({
            value: v,
            label: t(`playbooks.field.safety.${v}`),
          }))}
        />
      </div>
      <TagsInput
        label={t('playbooks.field.models')}
        description={t('playbooks.field.modelsHint')}
        data={models}
        value={d.models}
        onChange={(next) => set({ models: next })}
        error={wrong('when.models')}
        acceptValueOnBlur
      />
      <MultiSelect
        label={t('playbooks.field.sites')}
        description={t('playbooks.field.sitesHint')}
        data={[...sites.values()].map((s) => ({ value: s.id, label: s.name }))}
        value={d.sites}
        onChange={(next) => set({ sites: next })}
        error={wrong('when.sites')}
        searchable
        nothingFoundMessage={t('playbooks.try.none')}
      />
    </>
  );
}

function Steps({
  steps,
  set,
  wrong,
}: {
  steps: DraftStep[];
  set: (steps: DraftStep[]) => void;
  wrong: Wrong;
}) {
  const t = useT();
  const change = (i: number, part: Partial<DraftStep>) =>
    set(steps.map((s, k) => (k === i ? { ...s, ...part } : s)));
  const move = (i: number, by: number) => {
    const next = [...steps];
    const [s] = next.splice(i, 1);
    next.splice(i + by, 0, s!);
    set(next);
  };
  const key = Math.max(0, ...steps.map((s) => s.key)) + 1;
  return (
    <>
      <ol className={styles.steps}>
        {steps.map((s, i) => {
          const n = i + 1;
          return (
            <li key={s.key} className={styles.step}>
              <span className={styles.n}>{n}</span>
              <Select
                className={styles.do}
                aria-label={t('playbooks.field.step', { n })}
                data={STEPS.map((x) => ({ value: x as string, label: t(`playbooks.do.${x}`) }))}
                value={s.do}
                onChange={(v) => v && change(i, { do: v, seconds: v === 'wait' ? 60 : '', message: '' })}
                error={wrong(`steps[${i}].do`)}
                allowDeselect={false}
              />
              {(s.do === 'wait' || s.do === 'availabilityCycle') && (
                <NumberInput
                  className={styles.extra}
                  aria-label={t('playbooks.field.seconds', { n })}
                  placeholder={s.do === 'wait' ? '' : String(CYCLE_SECONDS)}
                  suffix=" s"
                  value={s.seconds}
                  onChange={(v) => change(i, { seconds: typeof v === 'number' ? v : '' })}
                  error={wrong(`steps[${i}].seconds`, s.do)}
                  allowDecimal={false}
                  hideControls
                />
              )}
              {s.do === 'trigger' && (
                <Select
                  className={styles.extra}
                  aria-label={t('playbooks.field.message', { n })}
                  data={[...MESSAGES]}
                  value={s.message || MESSAGES[0]}
                  onChange={(v) => change(i, { message: v && v !== MESSAGES[0] ? v : '' })}
                  error={wrong(`steps[${i}].message`)}
                  allowDeselect={false}
                />
              )}
              <span className={styles.moves}>
                <Move
                  label={t('playbooks.field.up', { n })}
                  icon="down"
                  turned
                  off={i === 0}
                  run={() => move(i, -1)}
                />
                <Move
                  label={t('playbooks.field.down', { n })}
                  icon="down"
                  off={i === steps.length - 1}
                  run={() => move(i, 1)}
                />
                <Move
                  label={t('playbooks.field.removeStep', { n })}
                  icon="trash"
                  off={steps.length === 1}
                  run={() => set(steps.filter((x) => x !== s))}
                />
              </span>
            </li>
          );
        })}
      </ol>
      <div>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="plus" size={14} />}
          disabled={steps.length >= 12}
          onClick={() => set([...steps, { key, do: 'softReset', seconds: '', message: '' }])}
        >
          {t('playbooks.field.addStep')}
        </Button>
      </div>
    </>
  );
}

function Move({
  label,
  icon,
  turned = false,
  off,
  run,
}: {
  label: string;
  icon: 'down' | 'trash';
  turned?: boolean;
  off: boolean;
  run: () => void;
}) {
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={28}
      aria-label={label}
      disabled={off}
      onClick={run}
      className={turned ? styles.turned! : ''}
    >
      <Icon name={icon} size={16} />
    </ActionIcon>
  );
}
