import { Button, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { stationQuery } from '../../api/queries';
import type { Site } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useAllowed } from '../../ui/me';
import { StationAddress } from '../stations/address';
import { HandshakeLog, useAttempts } from './log';
import styles from './welcome.module.css';

const route = getRouteApi('/inside/welcome');

/** A station that never spoke: what to enter in it, and what arrives here, live. */
export function StationStep({ sites }: { sites: Site[] }) {
  const { station } = route.useSearch();
  const navigate = route.useNavigate();
  // Shown once: it is kept for as long as this page is open.
  const [password, setPassword] = useState<string>();
  const watch = (id: string | undefined, secret?: string) => {
    setPassword(secret);
    void navigate({ search: (s) => ({ ...s, step: 'station', station: id }) });
  };
  return station ? (
    <Watch station={station} password={password} another={() => watch(undefined)} />
  ) : (
    <Enrol sites={sites} made={watch} />
  );
}

function Enrol({ sites, made }: { sites: Site[]; made: (id: string, password: string | undefined) => void }) {
  const t = useT();
  const queries = useQueryClient();
  const allowed = useAllowed('stations.write');
  const [id, setId] = useState('');
  const [site, setSite] = useState<string | null>(sites[0]?.id ?? null);
  const enrol = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/stations', {
          body: { id: id.trim(), ...(site ? { siteId: site } : {}), auth: { profile: 1, generate: true } },
        }),
      ),
    onSuccess: async (s) => {
      await queries.invalidateQueries({ queryKey: ['stations'] });
      made(s.id, s.auth?.password);
    },
  });
  if (!allowed) return <p className={styles.text}>{t('welcome.notAllowed')}</p>;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    enrol.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <p className={styles.text}>{t('welcome.stationText')}</p>
      <TextInput
        label={t('welcome.identity')}
        description={t('welcome.identityHint')}
        value={id}
        onChange={(e) => setId(e.currentTarget.value)}
        required
        maxLength={48}
        autoComplete="off"
        spellCheck={false}
      />
      <Select
        label={t('welcome.atSite')}
        placeholder={t('site.none')}
        data={sites.map((s) => ({ value: s.id, label: s.name || s.id }))}
        value={site}
        onChange={setSite}
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clear') }}
      />
      <FormFault what={t('welcome.stationFailed')} error={enrol.error} />
      <div className={form.actions}>
        <Button type="submit" loading={enrol.isPending} disabled={id.trim() === ''}>
          {t('welcome.enrol')}
        </Button>
      </div>
    </form>
  );
}

function Watch({
  station,
  password,
  another,
}: {
  station: string;
  password: string | undefined;
  another: () => void;
}) {
  const t = useT();
  const attempts = useAttempts(station);
  const { data } = useQuery({ ...stationQuery(station), refetchInterval: 5000 });
  return (
    <div className={styles.watch}>
      <div className={styles.field}>
        <p className={form.label}>{t('welcome.address')}</p>
        <StationAddress identity={station} />
      </div>
      <div className={styles.field}>
        <p className={form.label}>{t('welcome.identity')}</p>
        <CopyLine value={station} what={t('welcome.identity')} />
      </div>
      <div className={styles.field}>
        <p className={form.label}>{t('welcome.password')}</p>
        {password ? (
          <>
            <CopyLine value={password} what={t('welcome.password')} />
            <p className="meta">{t('welcome.once')}</p>
          </>
        ) : (
          <p className="meta">{t('welcome.shownBefore')}</p>
        )}
      </div>
      <HandshakeLog station={station} attempts={attempts} />
      <div className={form.actions}>
        <Button variant="default" onClick={another}>
          {t('welcome.another')}
        </Button>
        {data?.online && (
          <Button component={Link} to="/stations/$id" params={{ id: station } as never}>
            {t('welcome.openStation')}
          </Button>
        )}
      </div>
    </div>
  );
}
