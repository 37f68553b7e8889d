import { useQuery } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { milliseconds } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import styles from './header.module.css';

type Relayed = components['schemas']['RelayedShape'];

/** The central system that a station is relayed to; nothing where it speaks to us. */
export function useRelayed(id: string): Relayed | undefined {
  // The feed of the station's state does not tell of it.
  const { data } = useQuery({
    queryKey: ['stations', id, 'relayed'],
    queryFn: async ({ signal }) =>
      (await ok(api.GET('/stations/{station}', { params: { path: { station: id } }, signal }))).relayed ??
      null,
    refetchInterval: 15_000,
  });
  return data ?? undefined;
}

export function RelayedState({ of: r }: { of: Relayed }) {
  const t = useT();
  const tag = useTag();
  return (
    <>
      {r.name || r.upstream}
      <span className={styles.reason}>
        {r.connected && r.since ? (
          <>
            {t('station.since')} <Age at={r.since} />
            {r.frames > 0 && <> · {t('station.relayDelay', { ms: milliseconds(tag, r.addedSeconds) })}</>}
          </>
        ) : (
          t('station.relayAway')
        )}
      </span>
    </>
  );
}
