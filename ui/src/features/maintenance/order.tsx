// One work order: what to look at, what was built in, and how it ends.
import {
  ActionIcon,
  Button,
  Checkbox,
  Drawer,
  NumberInput,
  Select,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Problem } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import { SeverityLabel } from '../incidents/severity';
import { Commands } from './commands';
import { Due } from './due';
import { Finish } from './finish';
import { OfIncident } from './incident';
import styles from './maintenance.module.css';
import { Passes } from './passes';
import { Photos } from './photos';
import {
  assigneesQuery,
  isOver,
  type OrderDetail,
  orderQuery,
  type Step,
  useChange,
  useStep,
} from './queries';

export function OrderDrawer({ id, close }: { id: string; close: () => void }) {
  const t = useT();
  const { data, error, refetch } = useQuery(orderQuery(id));
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size={620}
      title={data ? t('maintenance.number', { number: String(data.number) }) : t('maintenance.order')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {data ? (
        <Body order={data} />
      ) : error instanceof Problem && error.status === 404 ? (
        <Empty title={t('maintenance.unknown')}>{t('maintenance.unknownText')}</Empty>
      ) : error ? (
        <Failed what={t('maintenance.order')} error={error} retry={() => void refetch()} />
      ) : (
        <Skeleton rows={6} />
      )}
    </Drawer>
  );
}

/** What may come next, the likely one first. */
const nextOf: Record<OrderDetail['state'], Step[]> = {
  open: ['start', 'arrive'],
  assigned: ['arrive', 'start', 'wait'],
  onSite: ['wait'],
  waitingForParts: ['arrive', 'start'],
  done: ['reopen'],
  cancelled: ['reopen'],
};

function Body({ order: o }: { order: OrderDetail }) {
  const t = useT();
  const assigns = useAllowed('workorders.assign');
  const mine = o.mine || assigns;
  const step = useStep(o.id);
  const [finishing, setFinishing] = useState<'done' | 'cancel' | null>(null);
  const steps = nextOf[o.state].filter((s) => !(s === 'start' && o.startedAt && o.state === 'assigned'));
  return (
    <div className={styles.order}>
      <div>
        <h2 className={styles.orderTitle}>{o.title}</h2>
        <p className={styles.orderMeta}>
          <SeverityLabel severity={o.severity} />
          <span className={styles.state}>{t(`maintenance.state.${o.state}`)}</span>
          {!isOver(o) && <Due at={o.dueAt} />}
        </p>
        <p className={styles.orderMeta}>
          {o.siteId && (
            <Link to="/sites/$id" params={{ id: o.siteId }}>
              {o.siteName}
            </Link>
          )}
          {o.station && (
            <Link to="/stations/$id" params={{ id: o.station }} search={{ port: o.evse || undefined }}>
              {o.stationLabel || o.station}
              {o.evse > 0 && `, ${t('maintenance.port', { port: o.evse })}`}
            </Link>
          )}
          {o.latitude !== null && o.longitude !== null && (
            <a href={`geo:${o.latitude},${o.longitude}`} className={styles.onPhone}>
              {t('maintenance.route')}
            </a>
          )}
        </p>
        {o.incident && <OfIncident incident={o.incident} />}
        {o.description && <p className={styles.prose}>{o.description}</p>}
      </div>
      {assigns && !isOver(o) ? (
        <Assign order={o} />
      ) : (
        <p className="meta">{o.assigneeName || t('maintenance.nobody')}</p>
      )}
      {mine && (
        <div className={styles.big}>
          {steps.map((s, i) => (
            <Button
              key={s}
              size="md"
              variant={i === 0 && o.state !== 'onSite' ? 'filled' : 'default'}
              loading={step.isPending && step.variables?.step === s}
              onClick={() => step.mutate({ step: s })}
            >
              {t(`maintenance.step.${s}`)}
            </Button>
          ))}
          {!isOver(o) && (
            <>
              <Button
                size="md"
                variant={o.state === 'onSite' ? 'filled' : 'default'}
                onClick={() => setFinishing('done')}
              >
                {t('maintenance.step.done')}
              </Button>
              <Button size="md" variant="subtle" color="gray" onClick={() => setFinishing('cancel')}>
                {t('maintenance.step.cancel')}
              </Button>
            </>
          )}
        </div>
      )}
      <FormFault what={t('maintenance.notDone')} error={step.error} />
      {finishing && !isOver(o) && <Finish order={o} how={finishing} close={() => setFinishing(null)} />}
      {o.proof && (
        <section>
          <h3 className={styles.section}>{t('maintenance.proof')}</h3>
          <p>
            {o.proof.kind === 'testCharge'
              ? t('maintenance.proof.testCharge', { kwh: o.proof.energyWh / 1000 })
              : t('maintenance.proof.override', { who: o.people[o.proof.by] ?? t('maintenance.somebody') })}
          </p>
          {o.proof.reason && <p className={styles.prose}>{o.proof.reason}</p>}
        </section>
      )}
      {mine && o.permit.length > 0 && o.state === 'onSite' && <Commands order={o} />}
      <Checklist order={o} locked={!mine || isOver(o)} />
      <Photos order={o} locked={!mine || isOver(o)} />
      <Passes order={o} />
      <Parts order={o} locked={!mine || isOver(o)} />
      <Time key={o.timeMinutes} order={o} locked={!mine} />
      <Log order={o} locked={!mine} />
    </div>
  );
}

function Assign({ order: o }: { order: OrderDetail }) {
  const t = useT();
  const { data } = useQuery(assigneesQuery(o.siteId));
  const change = useChange(o.id);
  const people = (data?.items ?? []).map((p) => ({ value: p.id, label: p.name }));
  if (o.assignee && !people.some((p) => p.value === o.assignee))
    people.push({ value: o.assignee, label: o.assigneeName || t('maintenance.somebody') });
  return (
    <div>
      <Select
        label={t('maintenance.assignee')}
        placeholder={t('maintenance.nobody')}
        clearable
        clearButtonProps={{ 'aria-label': t('maintenance.unassign') }}
        searchable
        data={people}
        value={o.assignee || null}
        onChange={(v) => change.mutate({ assignee: v ?? '' })}
      />
      <FormFault what={t('maintenance.notDone')} error={change.error} />
    </div>
  );
}

function Checklist({ order: o, locked }: { order: OrderDetail; locked: boolean }) {
  const t = useT();
  const change = useChange(o.id);
  const [more, setMore] = useState('');
  const lines = o.checklist.map((c) => ({ text: c.text, done: c.done }));
  const save = (checklist: { text: string; done: boolean }[]) =>
    change.mutate({ revision: o.revision, checklist });
  return (
    <section>
      <h3 className={styles.section}>
        {t('maintenance.checklist')}{' '}
        {o.checks > 0 && (
          <span className="num meta">{t('maintenance.checks', { done: o.checksDone, n: o.checks })}</span>
        )}
      </h3>
      {o.checklist.length === 0 && <p className="meta">{t('maintenance.noChecks')}</p>}
      <ul className={styles.checks}>
        {o.checklist.map((c, i) => (
          <li key={`${i} ${c.text}`}>
            <Checkbox
              size="md"
              label={c.text}
              checked={c.done}
              disabled={locked || change.isPending}
              description={
                c.done ? (
                  <>
                    {o.people[c.by] ?? t('maintenance.somebody')}, <Age at={c.at} />
                  </>
                ) : undefined
              }
              onChange={(e) =>
                save(lines.map((x, k) => (k === i ? { ...x, done: e.currentTarget.checked } : x)))
              }
            />
          </li>
        ))}
      </ul>
      {!locked && (
        <form
          className={styles.adding}
          onSubmit={(e) => {
            e.preventDefault();
            if (more.trim() === '') return;
            save([...lines, { text: more.trim(), done: false }]);
            setMore('');
          }}
        >
          <TextInput
            aria-label={t('maintenance.addCheck')}
            placeholder={t('maintenance.addCheck')}
            value={more}
            maxLength={300}
            onChange={(e) => setMore(e.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={more.trim() === ''}>
            {t('maintenance.add')}
          </Button>
        </form>
      )}
      <FormFault what={t('maintenance.notSaved')} error={change.error} />
    </section>
  );
}

function Parts({ order: o, locked }: { order: OrderDetail; locked: boolean }) {
  const t = useT();
  const change = useChange(o.id);
  const [name, setName] = useState('');
  const [quantity, setQuantity] = useState<number | string>(1);
  if (locked && o.parts.length === 0) return null;
  return (
    <section>
      <h3 className={styles.section}>{t('maintenance.parts')}</h3>
      <ul className={styles.parts}>
        {o.parts.map((p, i) => (
          <li key={`${i} ${p.name}`}>
            <span className="num">{t('maintenance.times', { n: p.quantity })}</span>
            <span className={styles.partName}>{p.name}</span>
            {!locked && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                aria-label={t('maintenance.removePart', { name: p.name })}
                onClick={() =>
                  change.mutate({ revision: o.revision, parts: o.parts.filter((_, k) => k !== i) })
                }
              >
                <Icon name="trash" size={16} />
              </ActionIcon>
            )}
          </li>
        ))}
      </ul>
      {!locked && (
        <form
          className={styles.adding}
          onSubmit={(e) => {
            e.preventDefault();
            if (name.trim() === '') return;
            change.mutate({
              revision: o.revision,
              parts: [...o.parts, { name: name.trim(), quantity: Math.max(1, Number(quantity) || 1) }],
            });
            setName('');
            setQuantity(1);
          }}
        >
          <TextInput
            aria-label={t('maintenance.part')}
            placeholder={t('maintenance.part')}
            value={name}
            maxLength={300}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <NumberInput
            className={styles.quantity}
            aria-label={t('maintenance.quantity')}
            min={1}
            max={10_000}
            allowDecimal={false}
            hideControls
            value={quantity}
            onChange={setQuantity}
          />
          <Button type="submit" variant="default" disabled={name.trim() === ''}>
            {t('maintenance.add')}
          </Button>
        </form>
      )}
      <FormFault what={t('maintenance.notSaved')} error={change.error} />
    </section>
  );
}

function Time({ order: o, locked }: { order: OrderDetail; locked: boolean }) {
  const t = useT();
  const change = useChange(o.id);
  const [minutes, setMinutes] = useState<number | string>(o.timeMinutes);
  const value = Math.max(0, Math.round(Number(minutes) || 0));
  return (
    <section>
      <h3 className={styles.section}>{t('maintenance.time')}</h3>
      {o.onSiteSince && (
        <p className="meta">
          {t('maintenance.onSiteSince')} <Age at={o.onSiteSince} />
        </p>
      )}
      <div className={styles.adding}>
        <NumberInput
          className={styles.minutes}
          aria-label={t('maintenance.minutes')}
          suffix={` ${t('maintenance.min')}`}
          min={0}
          max={86_400}
          allowDecimal={false}
          hideControls
          disabled={locked}
          value={minutes}
          onChange={setMinutes}
        />
        {value !== o.timeMinutes && (
          <Button
            variant="default"
            loading={change.isPending}
            onClick={() => change.mutate({ timeMinutes: value })}
          >
            {t('maintenance.save')}
          </Button>
        )}
      </div>
      <FormFault what={t('maintenance.notSaved')} error={change.error} />
    </section>
  );
}

function Log({ order: o, locked }: { order: OrderDetail; locked: boolean }) {
  const t = useT();
  const change = useChange(o.id);
  const [note, setNote] = useState('');
  return (
    <section>
      <h3 className={styles.section}>{t('maintenance.log')}</h3>
      {!locked && (
        <form
          className={styles.noting}
          onSubmit={(e) => {
            e.preventDefault();
            change.mutate({ note: note.trim() }, { onSuccess: () => setNote('') });
          }}
        >
          <Textarea
            aria-label={t('maintenance.note')}
            placeholder={t('maintenance.note')}
            autosize
            minRows={1}
            maxLength={2000}
            value={note}
            onChange={(e) => setNote(e.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={note.trim() === ''} loading={change.isPending}>
            {t('maintenance.addNote')}
          </Button>
        </form>
      )}
      <FormFault what={t('maintenance.notSaved')} error={change.error} />
      <ul className={styles.log}>
        {o.notes.map((n, i) => (
          <li key={`${n.at} ${i}`}>
            <span className="meta">
              <Age at={n.at} />, {o.people[n.by] ?? t('maintenance.somebody')}:{' '}
              {t(`maintenance.change.${n.change}`)}
            </span>
            {n.text && <p className={styles.prose}>{n.text}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
