import { Button, Switch } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { useAllowed } from '../../ui/me';
import { Failed, Panel, Skeleton } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import { useScopeName } from './mode';
import styles from './mode.module.css';
import { monitoringQuery, profilesQuery } from './queries';

const EVERYWHERE = 'all';

type Order = { monitoring: 'on' | 'off' | 'default'; scope: string };

/** Whether stations of OCPP 2.x are asked to watch themselves, and what is decided otherwise. */
export function WatchPanel() {
  const t = useT();
  const may = useAllowed('remedies.write');
  const toast = useToast();
  const queries = useQueryClient();
  const scopeName = useScopeName();
  const { data, error, refetch } = useQuery(monitoringQuery());
  const { data: profiles } = useQuery(profilesQuery());
  const set = useMutation({
    mutationFn: ({ monitoring, scope }: Order) => {
      const id = scope.split('/').slice(1).join('/');
      return ok(
        api.PUT('/monitoring', {
          body: {
            monitoring,
            ...(scope.startsWith('site/') ? { sites: [id] } : {}),
            ...(scope.startsWith('station/') ? { stations: [id] } : {}),
          },
        }),
      );
    },
    onSuccess: (answer) => queries.setQueryData(monitoringQuery().queryKey, answer),
    onError: () => toast({ text: t('playbooks.watch.failed'), tone: 'bad' }),
  });
  const narrow = data?.scopes.filter((s) => s.scope !== EVERYWHERE) ?? [];
  return (
    <Panel title={t('playbooks.watch')} flush={!data}>
      {error && !data ? (
        <Failed what={t('playbooks.watch.part')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : (
        <div className={styles.mode}>
          <p className={styles.lead}>{t('playbooks.watch.lead')}</p>
          <Switch
            label={t('playbooks.watch.label')}
            description={t(data.on ? 'playbooks.watch.on' : 'playbooks.watch.off')}
            checked={data.on}
            disabled={!may || set.isPending}
            onChange={(e) =>
              set.mutate({ monitoring: e.currentTarget.checked ? 'on' : 'off', scope: EVERYWHERE })
            }
          />
          {profiles && profiles.length > 0 && (
            <div className={styles.narrow}>
              <h3 className={styles.sub}>{t('playbooks.watch.profiles')}</h3>
              <ul className={styles.scopes}>
                {profiles.map((p) => (
                  <li key={p.id} className={styles.profile}>
                    <span>{p.name}</span>
                    <span className="num">{t('playbooks.watch.count', { n: p.monitors.length })}</span>
                    <span className="meta">{p.changed ? t('playbooks.watch.changed') : ''}</span>
                  </li>
                ))}
              </ul>
            </div>
          )}
          {narrow.length > 0 && (
            <div className={styles.narrow}>
              <h3 className={styles.sub}>{t('playbooks.watch.else')}</h3>
              <ul className={styles.scopes}>
                {narrow.map((s) => (
                  <li key={s.scope} className={styles.scope}>
                    <span>{scopeName(s.scope)}</span>
                    <strong>{t(s.on ? 'playbooks.watch.is.on' : 'playbooks.watch.is.off')}</strong>
                    <span className="meta">{s.changedAt && <Age at={s.changedAt} />}</span>
                    {may && (
                      <Button
                        size="compact-sm"
                        variant="subtle"
                        color="gray"
                        disabled={set.isPending}
                        onClick={() => set.mutate({ monitoring: 'default', scope: s.scope })}
                      >
                        {t('playbooks.watch.follow')}
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
            </div>
          )}
        </div>
      )}
    </Panel>
  );
}
