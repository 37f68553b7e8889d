// A door that wants two people: who asks from afar waits here for somebody else's word.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { meQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { Icon } from '../../ui/icons';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import { type Door, doorName } from './door';
import { DOORS } from './feed';
import styles from './second.module.css';

export function Asked({ of: d, request: r }: { of: Door; request: NonNullable<Door['request']> }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const { client } = useLive();
  const now = useNow(1000) + client.clockOffset;
  const { data: me } = useQuery(meQuery());
  const [agrees, setAgrees] = useState(false);
  const again = () => queries.invalidateQueries({ queryKey: DOORS });
  const path = { door: d.id };
  const decline = useMutation({
    mutationFn: () =>
      ok(api.POST('/doors/{door}/unlock/decline', { params: { path }, body: { request: r.id } })),
    onSettled: again,
  });
  const left = Math.min(60, Math.ceil((Date.parse(r.expiresAt) - now) / 1000));
  const mine = me?.id === r.by;
  const who = r.byName || t('doors.second.somebody');
  if (left <= 0 && !agrees) return null;
  return (
    <div className={styles.asked} role="status">
      <p>
        {t(mine ? 'doors.second.mine' : 'doors.second.asks', { who })}{' '}
        <span className="num meta">{t('doors.second.left', { n: Math.max(0, left) })}</span>
      </p>
      <p className="meta">{r.reason}</p>
      <div className={styles.answers}>
        {!mine && (
          <Button size="compact-sm" onClick={() => setAgrees(true)}>
            {t('doors.second.agree')}
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          loading={decline.isPending}
          onClick={() => decline.mutate()}
        >
          {t(mine ? 'doors.second.withdraw' : 'doors.second.decline')}
        </Button>
      </div>
      {decline.error instanceof Problem && (
        <p className={styles.failure} role="alert">
          <Icon name="warn" size={14} />
          {decline.error.status === 409
            ? t('doors.second.over')
            : decline.error.detail || decline.error.title}
        </p>
      )}
      {agrees && (
        <FormDialog<Door>
          title={t('doors.second.title', { name: doorName(d), who })}
          close={() => setAgrees(false)}
          send={() =>
            ok(api.POST('/doors/{door}/unlock/accept', { params: { path }, body: { request: r.id } }))
          }
          sent={async () => {
            toast({ text: t('doors.done.unlock', { name: doorName(d) }) });
            await again();
          }}
          action={t('doors.second.agree')}
          failed={t('doors.failed.unlock')}
          refusals={{ 409: t('doors.second.over'), 502: t('doors.unreachable') }}
          reauth
        >
          <Effect>{t('doors.second.text', { reason: r.reason })}</Effect>
        </FormDialog>
      )}
    </div>
  );
}
