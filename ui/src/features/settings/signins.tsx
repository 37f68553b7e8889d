import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { browserOf } from '../../ui/agent';
import { Age } from '../../ui/figures';
import { Empty } from '../../ui/panel';
import { Effect, FormDialog } from './dialog';
import { List } from './list';
import { type SignIn, signinsQuery } from './queries';

/** Where the reader is signed in, and the way to end what is not theirs. */
export default function SignIns() {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(signinsQuery());
  const [ending, setEnding] = useState(false);
  const others = (data?.length ?? 1) - 1;
  return (
    <>
      <List<SignIn>
        title={t('settings.signins')}
        aside={
          others > 0 && (
            <Button variant="default" onClick={() => setEnding(true)}>
              {t('signins.end')}
            </Button>
          )
        }
        rows={data}
        error={error}
        retry={() => void refetch()}
        keyOf={(s) => `${s.createdAt}${s.remoteAddr}${s.agent}`}
        finds={(s) => `${s.agent} ${s.remoteAddr}`}
        file="sign-ins"
        columns={[
          {
            head: t('signins.browser'),
            cell: (s) => (
              <>
                <span title={s.agent}>{browserOf(s.agent) || t('signins.unknown')}</span>{' '}
                {s.current && <span className="meta">{t('signins.this')}</span>}
              </>
            ),
            csv: (s) => s.agent,
          },
          {
            head: t('column.address'),
            cell: (s) => <span className="mono">{s.remoteAddr}</span>,
            csv: (s) => s.remoteAddr,
          },
          { head: t('signins.since'), cell: (s) => <Age at={s.createdAt} />, csv: (s) => s.createdAt },
          { head: t('token.used'), cell: (s) => <Age at={s.seenAt} />, csv: (s) => s.seenAt },
        ]}
        empty={<Empty title={t('signins.none')} />}
      />
      {ending && (
        <FormDialog
          title={t('signins.end')}
          close={() => setEnding(false)}
          send={() => ok(api.DELETE('/me/sessions'))}
          sent={() => queries.invalidateQueries({ queryKey: signinsQuery().queryKey })}
          action={t('signins.end')}
          failed={t('signins.notEnded')}
          grave
        >
          <Effect>{t('signins.endText', { n: others })}</Effect>
        </FormDialog>
      )}
    </>
  );
}
