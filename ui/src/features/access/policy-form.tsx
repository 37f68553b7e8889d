import { Button, Modal, Select, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { FormDialog, faultAt } from '../settings/dialog';
import styles from './access.module.css';
import { type Policy, type Principal, schedulesQuery } from './queries';
import { ScopeFields } from './scope-fields';
import { usePrincipals, useScopeWords, useWhen } from './told';
import { WhoField } from './who-field';

/** Adds a policy, changes or only shows one: who may do what, where and when. */
export function PolicyForm({
  of,
  close,
  changed,
  readOnly = false,
}: {
  of?: Policy | undefined;
  close: () => void;
  changed: () => unknown;
  readOnly?: boolean;
}) {
  return readOnly && of ? <Shown of={of} close={close} /> : <Edit of={of} close={close} changed={changed} />;
}

function Shown({ of: p, close }: { of: Policy; close: () => void }) {
  const t = useT();
  const who = usePrincipals([p.to]);
  const { what, where } = useScopeWords();
  const when = useWhen();
  return (
    <Modal
      opened
      onClose={close}
      title={p.name}
      size={640}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={form.form} style={{ maxWidth: 'none' }}>
        <dl className={styles.facts}>
          <dt>{t('access.who')}</dt>
          <dd>{p.to.map(who).join(', ')}</dd>
          <dt>{t('access.whatHead')}</dt>
          <dd>{what(p)}</dd>
          <dt>{t('access.where')}</dt>
          <dd>{where(p)}</dd>
          <dt>{t('access.when')}</dt>
          <dd>{when(p)}</dd>
        </dl>
        <div>
          <p className={form.label}>{t('access.cedar')}</p>
          <pre className={styles.code} tabIndex={0} aria-label={t('access.cedar')} role="region">
            {p.cedar}
          </pre>
          <p className="meta">{t('access.cedarText')}</p>
        </div>
        <div className={form.actions}>
          <Button onClick={close}>{t('action.close')}</Button>
        </div>
      </div>
    </Modal>
  );
}

const day = (at: string | undefined): string => at?.slice(0, 10) ?? '';

function Edit({ of, close, changed }: { of: Policy | undefined; close: () => void; changed: () => unknown }) {
  const t = useT();
  const { data: schedules } = useQuery(schedulesQuery());
  const [name, setName] = useState(of?.name ?? '');
  const [to, setTo] = useState<Principal[]>(of?.to ?? []);
  const [scope, setScope] = useState({
    kinds: of?.kinds ?? [],
    places: of?.places ?? [],
    sites: of?.sites ?? [],
  });
  const [schedule, setSchedule] = useState<string | null>(of?.schedule || null);
  const [from, setFrom] = useState(day(of?.from));
  const [until, setUntil] = useState(day(of?.until));
  const [pin, setPin] = useState(of?.pin ?? false);
  const body = {
    name: name.trim(),
    to,
    ...scope,
    ...(schedule ? { schedule } : {}),
    ...(from
      ? { from: from === day(of?.from) ? of!.from! : new Date(`${from}T00:00:00`).toISOString() }
      : {}),
    ...(until
      ? { until: until === day(of?.until) ? of!.until! : new Date(`${until}T23:59:59`).toISOString() }
      : {}),
    pin,
  };
  return (
    <FormDialog
      title={of ? t('access.editTitle', { name: of.name }) : t('access.addPolicy')}
      close={close}
      send={() =>
        of
          ? ok(api.PUT('/policies/{id}', { params: { path: { id: of.id ?? '' } }, body }))
          : ok(api.POST('/policies', { body }))
      }
      sent={changed}
      action={of ? t('access.save') : t('access.addPolicy')}
      failed={t('access.notSaved')}
      ready={name.trim() !== '' && to.length > 0}
    >
      {(error) => (
        <>
          <TextInput
            label={t('access.name')}
            description={t('access.policyNameHint')}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
            error={faultAt(error, 'name')}
            maxLength={100}
            required
            data-autofocus
            autoComplete="off"
          />
          <WhoField
            label={t('access.who')}
            description={t('access.whoHint')}
            value={to}
            change={setTo}
            anyone
            error={faultAt(error, 'to')}
          />
          <ScopeFields value={scope} change={(part) => setScope({ ...scope, ...part })} error={error} />
          <Select
            label={t('access.schedule')}
            placeholder={t('access.always')}
            data={(schedules ?? []).map((s) => ({ value: s.id ?? '', label: s.name }))}
            value={schedule}
            onChange={setSchedule}
            clearable
            clearButtonProps={{ 'aria-label': t('filter.clear') }}
            error={faultAt(error, 'schedule')}
          />
          <div className={styles.pair}>
            <TextInput
              type="date"
              label={t('access.from')}
              value={from}
              onChange={(e) => setFrom(e.currentTarget.value)}
              error={faultAt(error, 'from')}
            />
            <TextInput
              type="date"
              label={t('access.until')}
              value={until}
              onChange={(e) => setUntil(e.currentTarget.value)}
              error={faultAt(error, 'until')}
            />
          </div>
          <Switch
            label={t('access.pinToo')}
            description={t('access.pinTooHint')}
            checked={pin}
            onChange={(e) => setPin(e.currentTarget.checked)}
          />
        </>
      )}
    </FormDialog>
  );
}
