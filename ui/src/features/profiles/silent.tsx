// A station that charges and tells no power: what its configuration profile has to say.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, ok } from '../../api/client';
import type { StationDetail } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { useToast } from '../../ui/toast';
import { differenceQuery } from './profile';
import styles from './profiles.module.css';

/** Nothing is being done, and pressing Apply helps. */
const HELPS = ['drifted', 'incomplete', 'failed', 'set', 'verified'];

export default function SilentMeter({
  station,
  otherwise,
}: {
  station: StationDetail;
  /** What to do where no profile holds. */
  otherwise: ReactNode;
}) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const may = useAllowed('stations.command');
  const mayWrite = useAllowed('stations.write');
  const { data: x } = useQuery(differenceQuery(station.id));
  const apply = useMutation({
    mutationFn: () =>
      ok(api.POST('/stations/{station}/configuration/apply', { params: { path: { station: station.id } } })),
    onSuccess: (now) => queries.setQueryData(differenceQuery(station.id).queryKey, now),
    onError: (e: Error) => toast({ text: e.message || t('diff.notDone'), tone: 'bad' }),
  });
  if (!x) return null;
  if (x.state === 'none')
    return (
      <>
        {otherwise}
        {mayWrite && (
          <p className={styles.silent}>
            {t('silent.none')}{' '}
            <Link to="/settings" search={{ tab: 'profiles' } as never}>
              {t('profiles.title')}
            </Link>
          </p>
        )}
      </>
    );
  const state = apply.isPending ? 'working' : x.state;
  return (
    <div className={styles.silent}>
      <p>
        {t('silent.noPower')}{' '}
        {t(state === 'set' || state === 'verified' ? 'silent.set' : `diff.all.${state}`)}
      </p>
      {may && HELPS.includes(x.state) && (
        <Button size="compact-sm" variant="default" loading={apply.isPending} onClick={() => apply.mutate()}>
          {t('silent.apply')}
        </Button>
      )}
      <Link
        to="/stations/$id"
        params={{ id: station.id } as never}
        search={((s: object) => ({ ...s, tab: 'configuration' })) as never}
      >
        {t('silent.difference')}
      </Link>
    </div>
  );
}
