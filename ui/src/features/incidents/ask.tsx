import { Button, Modal, Radio, Select, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type KeyboardEvent, useState } from 'react';
import type { IncidentAct } from '../../api/shapes';
import { DAY, HOUR } from '../../format/time';
import { type MessageKey, useT } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useAllowed } from '../../ui/me';
import { bodyOf, Classes, complete, Judge, type Judgement, judgementOf } from '../response/judge';
import { classOf } from '../response/queries';
import { type Act, higher } from './acts';
import styles from './ask.module.css';
import { useIncidents } from './feed';
import { activeOrdersQuery, assigneesQuery } from './queries';
import { SeverityShape, severityKey } from './severity';
import { type Incident, rankOf, type Severity } from './shape';
import { useMe } from './who';
import { whatText, whereText } from './words';

const ENDS = { '1h': HOUR, '4h': 4 * HOUR, '1d': DAY, '3d': 3 * DAY, '7d': 7 * DAY } as const;
type End = keyof typeof ENDS;

const RESPONSES = ['none', 'dispatched', 'onSite', 'contained'] as const;

/** What the act says in its one free text, and whether it must. */
const texts: Partial<Record<Act, { label: MessageKey; field: 'note' | 'reason'; needed?: true }>> = {
  acknowledge: { label: 'incident.field.noteOptional', field: 'note' },
  snooze: { label: 'incident.field.reason', field: 'reason', needed: true },
  escalate: { label: 'incident.field.reasonOptional', field: 'reason' },
  note: { label: 'incident.field.note', field: 'note', needed: true },
  close: { label: 'incident.field.done', field: 'note', needed: true },
  claim: { label: 'incident.field.reason', field: 'reason', needed: true },
  assign: { label: 'incident.field.noteOptional', field: 'note' },
  dispatch: { label: 'incident.field.noteOptional', field: 'note' },
  verdict: { label: 'incident.field.noteOptional', field: 'note' },
  classify: { label: 'incident.field.noteOptional', field: 'note' },
  merge: { label: 'incident.field.reasonOptional', field: 'reason' },
  reopen: { label: 'incident.field.reasonOptional', field: 'reason' },
};

const asking = (act: Act): MessageKey => `incident.ask.${act as Exclude<Act, 'release'>}`;

/** Asks what an act needs; Enter does it. */
export function Ask({
  act,
  list,
  close,
  send,
}: {
  act: Act;
  list: readonly Incident[];
  close: () => void;
  send: (body: IncidentAct) => Promise<void>;
}) {
  const t = useT();
  const { client } = useLive();
  const me = useMe();
  const first = list[0]!;
  const [text, setText] = useState('');
  const [end, setEnd] = useState<End | 'never'>(act === 'snooze' ? '4h' : 'never');
  const [choice, setChoice] = useState<string>(() => initial(act, list, me));
  const [order, setOrder] = useState<'keep' | 'close'>('keep');
  const judging = act === 'verdict' || (act === 'close' && list.some((i) => i.closedByVerdict));
  const [judged, setJudged] = useState<Judgement>(() => judgementOf(first));
  const doing = useMutation({ mutationFn: send });
  const spec = texts[act];
  const ready =
    (!spec?.needed || text.trim() !== '') &&
    (act !== 'merge' || choice !== '') &&
    (!judging || complete(judged)) &&
    !doing.isPending;
  const submit = () => {
    if (!ready) return;
    const body: IncidentAct = {};
    if (spec && text.trim()) body[spec.field] = text.trim();
    if (end !== 'never') body.until = new Date(Date.now() + client.clockOffset + ENDS[end]).toISOString();
    if (act === 'escalate') body.severity = choice as Severity;
    if (act === 'dispatch') body.response = choice as (typeof RESPONSES)[number];
    if (judging) Object.assign(body, bodyOf(judged, act === 'close'));
    if (act === 'classify') body.class = classOf(choice);
    if (act === 'assign' && choice) body.assignee = choice;
    if (act === 'merge') body.into = choice;
    if (act === 'close' && order === 'close') body.order = 'close';
    doing.mutate(body);
  };
  const onKey = (e: KeyboardEvent) => {
    if (e.key !== 'Enter' || e.shiftKey || e.defaultPrevented) return;
    if (e.target instanceof HTMLElement && e.target.closest('button,[role=combobox]')) return;
    e.preventDefault();
    submit();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t(`incident.act.${act}`)}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form
        className={styles.form}
        onKeyDown={onKey}
        onSubmit={(e: FormEvent) => {
          e.preventDefault();
          submit();
        }}
      >
        <p className={styles.what}>
          <SeverityShape severity={first.severity} />
          <span>
            {list.length === 1
              ? `${whatText(t, first)}, ${whereText(t, first)}`
              : t('incident.selected', { n: list.length })}
          </span>
        </p>
        <p className="meta">{t(asking(act))}</p>
        {act === 'escalate' && (
          <Choices
            label={t('incident.field.severity')}
            value={choice}
            set={setChoice}
            options={higher(worst(list)).map((s) => ({ value: s, label: `${s} ${t(severityKey(s))}` }))}
          />
        )}
        {act === 'dispatch' && (
          <Choices
            label={t('incident.fact.response')}
            value={choice}
            set={setChoice}
            options={RESPONSES.map((r) => ({ value: r, label: t(`incident.response.${r}`) }))}
          />
        )}
        {judging && <Judge list={list} closing={act === 'close'} value={judged} set={setJudged} />}
        {act === 'classify' && <Classes value={choice} set={setChoice} />}
        {act === 'assign' && <People value={choice} set={setChoice} me={me} first={first} />}
        {act === 'merge' && <Into of={list} value={choice} set={setChoice} />}
        {(act === 'snooze' || act === 'acknowledge') && (
          <Choices
            label={t(act === 'snooze' ? 'incident.field.until' : 'incident.field.ends')}
            value={end}
            set={(v) => setEnd(v as End | 'never')}
            options={[
              ...(act === 'snooze' ? [] : [{ value: 'never', label: t('incident.end.never') }]),
              ...(Object.keys(ENDS) as End[]).map((e) => ({ value: e, label: t(`incident.end.${e}`) })),
            ]}
          />
        )}
        {spec && (
          <Textarea
            label={t(spec.label)}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            maxLength={spec.field === 'note' ? 4000 : 400}
            data-autofocus={act !== 'merge' || undefined}
            required={spec.needed ?? false}
            autosize
            minRows={2}
            maxRows={8}
          />
        )}
        {act === 'close' && <Orders of={list} value={order} set={setOrder} />}
        <FormFault what={t(`incident.failed.${act}`)} error={doing.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" disabled={!ready} loading={doing.isPending}>
            {t(`incident.act.${act}`)}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

const worst = (list: readonly Incident[]): Incident =>
  list.reduce((a, b) => (rankOf(b.severity) < rankOf(a.severity) ? b : a));

function initial(act: Act, list: readonly Incident[], me: string): string {
  const [i] = list;
  switch (act) {
    case 'escalate':
      return higher(worst(list))[0] ?? 'S1';
    case 'dispatch':
      return RESPONSES[
        Math.min(RESPONSES.length - 1, RESPONSES.indexOf((i!.response || 'none') as 'none') + 1)
      ]!;
    case 'classify':
      return i!.class || 'other';
    case 'assign':
      return i!.assignee ?? me;
  }
  return '';
}

function Choices({
  label,
  value,
  set,
  options,
}: {
  label: string;
  value: string;
  set: (v: string) => void;
  options: { value: string; label: string }[];
}) {
  return (
    <Radio.Group label={label} value={value} onChange={set}>
      <div className={styles.choices}>
        {options.map((o) => (
          <Radio key={o.value} value={o.value} label={o.label} />
        ))}
      </div>
    </Radio.Group>
  );
}

/** What becomes of the work that is under way: it may be over too, or still has to be done. */
function Orders({
  of,
  value,
  set,
}: {
  of: readonly Incident[];
  value: 'keep' | 'close';
  set: (v: 'keep' | 'close') => void;
}) {
  const t = useT();
  const [mayRead, mayWrite, assigns] = [
    useAllowed('workorders.read'),
    useAllowed('workorders.write'),
    useAllowed('workorders.assign'),
  ];
  const { data } = useQuery({ ...activeOrdersQuery(), enabled: mayRead });
  const ids = new Set(of.map((i) => i.id));
  const orders = (data ?? []).filter((o) => ids.has(o.incidentId));
  const [first] = orders;
  if (!first) return null;
  const label =
    orders.length === 1
      ? t('incident.order', {
          number: String(first.number),
          state: t(`incident.order.${first.state}`),
          who: first.assigneeName || t('incident.orderNobody'),
        })
      : t('incident.orders', { n: orders.length });
  if (!mayWrite || !orders.every((o) => o.mine || assigns))
    return (
      <p className="meta">
        {label}: {t('incident.orderStays')}
      </p>
    );
  return (
    <Choices
      label={label}
      value={value}
      set={(v) => set(v === 'close' ? 'close' : 'keep')}
      options={[
        { value: 'keep', label: t('incident.orderKeep', { n: orders.length }) },
        { value: 'close', label: t('incident.orderClose', { n: orders.length }) },
      ]}
    />
  );
}

/** Who may hand out work sees who works at the site; the others give it to themselves or to nobody. */
function People({
  value,
  set,
  me,
  first,
}: {
  value: string;
  set: (v: string) => void;
  me: string;
  first: Incident;
}) {
  const t = useT();
  const mayRead = useAllowed('workorders.assign');
  const { data } = useQuery({ ...assigneesQuery(first.siteId), enabled: mayRead });
  const people = new Map([[me, t('incident.assignMe')]]);
  if (first.assignee && first.people[first.assignee] && first.assignee !== me)
    people.set(first.assignee, first.people[first.assignee]!);
  for (const u of data ?? []) if (u.id !== me) people.set(u.id, u.name);
  return (
    <Select
      label={t('incident.field.person')}
      value={value}
      onChange={(v) => set(v ?? '')}
      allowDeselect={false}
      searchable={people.size > 8}
      data={[
        ...[...people].map(([id, name]) => ({ value: id, label: name })),
        { value: '', label: t('incident.nobody') },
      ]}
    />
  );
}

function Into({ of, value, set }: { of: readonly Incident[]; value: string; set: (v: string) => void }) {
  const t = useT();
  const { rows } = useIncidents();
  const ids = new Set(of.map((i) => i.id));
  const site = of[0]!.siteId;
  const others = rows.filter((i) => !ids.has(i.id));
  const near = [...others.filter((i) => i.siteId === site), ...others.filter((i) => i.siteId !== site)];
  return (
    <Select
      label={t('incident.field.into')}
      description={t('incident.field.intoHint')}
      value={value || null}
      onChange={(v) => set(v ?? '')}
      data={near.map((i) => ({
        value: i.id,
        label: `${i.severity} ${whatText(t, i)}, ${whereText(t, i)}`,
      }))}
      limit={50}
      searchable
      data-autofocus
      nothingFoundMessage={t('incident.field.noneOpen')}
    />
  );
}
