import { ActionIcon, Button, MultiSelect, NumberInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { span } from '../../format/time';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { Effect, FormDialog } from '../settings/dialog';
import channelStyles from './channels.module.css';
import { faultUnder } from './fields';
import { channelsQuery, type Escalation, escalationsQuery, type Step, schedulesQuery } from './queries';
import styles from './routing.module.css';

/** Who is told one after the other until somebody acknowledges. */
export function Escalations() {
  const t = useT();
  const queries = useQueryClient();
  const mayWrite = useAllowed('channels.write');
  const { data, error, refetch } = useQuery(escalationsQuery());
  const [open, setOpen] = useState<{ kind: 'add' } | { kind: 'edit' | 'delete'; of: Escalation } | null>(
    null,
  );
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['escalations'] });
  const add = mayWrite && (
    <Button
      variant="default"
      leftSection={<Icon name="plus" size={14} />}
      onClick={() => setOpen({ kind: 'add' })}
    >
      {t('channels.escalationAdd')}
    </Button>
  );
  return (
    <Panel title={t('channels.escalations')} flush aside={data && data.length > 0 && add}>
      {error && !data ? (
        <Failed what={t('channels.escalations')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : data.length === 0 ? (
        <Empty title={t('channels.noEscalations')} action={add}>
          <p className={channelStyles.teach}>{t('channels.noEscalationsText')}</p>
        </Empty>
      ) : (
        <ul className={styles.list} aria-label={t('channels.escalations')}>
          {data.map((e) => (
            <li key={e.id} className={styles.row}>
              <Icon name="siren" size={16} />
              <div>
                <p className={styles.name}>{e.name}</p>
                {e.steps.map((s) => (
                  <StepLine key={s.afterSeconds ?? 0} step={s} />
                ))}
                {e.rounds > 1 && <p className="meta">{t('channels.roundsLine', { n: e.rounds })}</p>}
              </div>
              {mayWrite && (
                <div className={styles.acts}>
                  <ActMenu
                    of={e.name}
                    acts={[
                      {
                        label: t('channels.escalationEdit'),
                        icon: 'edit',
                        run: () => setOpen({ kind: 'edit', of: e }),
                      },
                      {
                        label: t('channels.escalationDelete'),
                        icon: 'trash',
                        run: () => setOpen({ kind: 'delete', of: e }),
                        grave: true,
                      },
                    ]}
                  />
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
      {open?.kind === 'add' && <EscalationForm close={close} changed={changed} />}
      {open?.kind === 'edit' && <EscalationForm of={open.of} close={close} changed={changed} />}
      {open?.kind === 'delete' && (
        <FormDialog
          title={t('channels.deleteTitle', { name: open.of.name })}
          close={close}
          send={() => ok(api.DELETE('/escalations/{id}', { params: { path: { id: open.of.id ?? '' } } }))}
          sent={changed}
          action={t('channels.escalationDelete')}
          failed={t('channels.notDeleted')}
          grave
        >
          <Effect>{t('channels.escalationDeleteText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

function StepLine({ step: s }: { step: Step }) {
  const t = useT();
  const { data: channels } = useQuery(channelsQuery());
  const { data: schedules } = useQuery(schedulesQuery());
  const to = [
    ...(s.schedules ?? []).map((id) =>
      t('channels.onCallOf', { name: schedules?.find((x) => x.id === id)?.name ?? id }),
    ),
    ...(s.channels ?? []).map((id) => channels?.find((c) => c.id === id)?.name ?? id),
  ];
  return (
    <p className={styles.leads}>
      <span className="num">
        {s.afterSeconds ? t('channels.after', { span: span(s.afterSeconds * 1000) }) : t('channels.atOnce')}
      </span>
      <Icon name="right" size={14} />
      <span>{to.join(', ')}</span>
    </p>
  );
}

type StepDraft = { minutes: number | string; channels: string[]; schedules: string[] };

function EscalationForm({
  of,
  close,
  changed,
}: {
  of?: Escalation;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const { data: channels } = useQuery(channelsQuery());
  const { data: schedules } = useQuery(schedulesQuery());
  const [name, setName] = useState(of?.name ?? '');
  const [rounds, setRounds] = useState<number | string>(of?.rounds ?? 1);
  const [steps, setSteps] = useState<StepDraft[]>(
    of?.steps.map((s) => ({
      minutes: (s.afterSeconds ?? 0) / 60,
      channels: s.channels ?? [],
      schedules: s.schedules ?? [],
    })) ?? [{ minutes: 0, channels: [], schedules: [] }],
  );
  const set = (i: number, part: Partial<StepDraft>) =>
    setSteps((all) => all.map((s, n) => (n === i ? { ...s, ...part } : s)));
  const body = {
    name: name.trim(),
    rounds: Number(rounds) || 1,
    steps: steps.map((s) => ({
      afterSeconds: Math.round((Number(s.minutes) || 0) * 60),
      channels: s.channels,
      schedules: s.schedules,
    })),
  };
  return (
    <FormDialog
      title={of ? t('channels.editTitle', { name: of.name }) : t('channels.escalationAdd')}
      close={close}
      send={() =>
        of
          ? ok(api.PATCH('/escalations/{id}', { params: { path: { id: of.id ?? '' } }, body }))
          : ok(api.POST('/escalations', { body }))
      }
      sent={changed}
      action={of ? t('channels.save') : t('channels.escalationAdd')}
      failed={t('channels.escalationNotSaved')}
      ready={name.trim() !== ''}
    >
      {(failure) => {
        const error = failure instanceof Problem ? failure : null;
        return (
          <>
            <TextInput
              label={t('channels.name')}
              value={name}
              onChange={(e) => setName(e.currentTarget.value)}
              error={faultUnder(error, 'name')}
              required
              maxLength={64}
              autoComplete="off"
              data-autofocus
            />
            {steps.map((s, i) => (
              <fieldset key={i} className={styles.box}>
                <legend className="srOnly">{t('channels.step', { n: i + 1 })}</legend>
                <NumberInput
                  label={t('channels.stepAfter', { n: i + 1 })}
                  suffix=" min"
                  value={s.minutes}
                  onChange={(v) => set(i, { minutes: v })}
                  min={0}
                  max={1440}
                  error={faultUnder(error, `steps[${i}].afterSeconds`)}
                />
                {steps.length > 1 && (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size={28}
                    aria-label={t('channels.stepRemove', { n: i + 1 })}
                    onClick={() => setSteps(steps.filter((_, n) => n !== i))}
                  >
                    <Icon name="trash" size={16} />
                  </ActionIcon>
                )}
                <MultiSelect
                  className={styles.across}
                  label={t('channels.stepSchedules')}
                  data={(schedules ?? []).map((x) => ({ value: x.id ?? '', label: x.name }))}
                  value={s.schedules}
                  onChange={(v) => set(i, { schedules: v })}
                  nothingFoundMessage={t('channels.noSchedules')}
                  error={faultUnder(error, `steps[${i}].schedules`)}
                />
                <MultiSelect
                  className={styles.across}
                  label={t('channels.tab.channels')}
                  data={(channels ?? []).map((c) => ({ value: c.id, label: c.name }))}
                  value={s.channels}
                  onChange={(v) => set(i, { channels: v })}
                  nothingFoundMessage={t('channels.noneYet')}
                  error={faultUnder(error, `steps[${i}].channels`)}
                />
              </fieldset>
            ))}
            {steps.length < 20 && (
              <div>
                <Button
                  variant="default"
                  leftSection={<Icon name="plus" size={14} />}
                  onClick={() =>
                    setSteps([
                      ...steps,
                      { minutes: (Number(steps.at(-1)?.minutes) || 0) + 10, channels: [], schedules: [] },
                    ])
                  }
                >
                  {t('channels.stepAdd')}
                </Button>
              </div>
            )}
            <NumberInput
              label={t('channels.rounds')}
              description={t('channels.roundsHint')}
              value={rounds}
              onChange={setRounds}
              min={1}
              max={10}
              allowDecimal={false}
              error={faultUnder(error, 'rounds')}
            />
          </>
        );
      }}
    </FormDialog>
  );
}
