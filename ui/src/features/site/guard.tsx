import { Button, TextInput } from '@mantine/core';
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { exact } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { useZone } from '../../ui/zone';
import { kindText } from '../incidents/words';
import { FormDialog } from '../settings/dialog';
import styles from './site.module.css';

const postureQuery = (site: string) =>
  queryOptions({
    queryKey: ['posture', site],
    queryFn: ({ signal }) => ok(api.GET('/sites/{site}/posture', { params: { path: { site } }, signal })),
    refetchInterval: 60_000,
  });

/** That a site is on its guard after a raid, why and until when; nothing where it is not. */
export function Guard({ site }: { site: string }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const mayEnd = useAllowed('arming.write');
  const { data: p } = useQuery(postureQuery(site));
  const [ending, setEnding] = useState(false);
  if (!p?.heightened || !p.until) return null;
  const until = Date.parse(p.until);
  const day = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', timeZone: zone }).format(until);
  return (
    <div className={styles.guard}>
      <Icon name="shield" size={16} />
      <div className={styles.guardText}>
        <strong title={exact(tag, until)}>{t('here.guard', { until: day })}</strong>{' '}
        <Link to="/incidents/$id" params={{ id: p.incident }}>
          {t('here.guardWhy', { what: kindText(t, p.code).text })}
        </Link>
        <p className="meta">{t('here.guardText', { from: p.armedFrom, to: p.armedTo })}</p>
      </div>
      {mayEnd && (
        <Button size="compact-sm" variant="default" onClick={() => setEnding(true)}>
          {t('here.guardEnd')}
        </Button>
      )}
      {ending && <End site={site} close={() => setEnding(false)} />}
    </div>
  );
}

function End({ site, close }: { site: string; close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  return (
    <FormDialog
      title={t('here.guardEndTitle')}
      close={close}
      send={() =>
        ok(
          api.DELETE('/sites/{site}/posture', {
            params: { path: { site }, query: { reason: reason.trim() } },
          }),
        )
      }
      sent={(now) => queries.setQueryData(postureQuery(site).queryKey, now)}
      action={t('here.guardEnd')}
      failed={t('here.guardNotEnded')}
    >
      <p>{t('here.guardEndText')}</p>
      <TextInput
        label={t('here.guardReason')}
        value={reason}
        maxLength={400}
        onChange={(e) => setReason(e.currentTarget.value)}
      />
    </FormDialog>
  );
}
