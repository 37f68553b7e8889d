import { useQuery } from '@tanstack/react-query';
import { meQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';

// Where a station must point: the host that this page was loaded from, at the
// port on which the server hears stations.
export const ocppAddress = (
  hostname: string,
  secure: boolean,
  port: number,
  identity = 'IDENTITY',
): string => {
  const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
  return `${secure ? 'wss' : 'ws'}://${host}:${port}/ocpp/${identity}`;
};

export function StationAddress({ identity }: { identity?: string }) {
  const t = useT();
  const { data: me } = useQuery(meQuery());
  if (!me) return null;
  return (
    <CopyLine
      value={ocppAddress(location.hostname, me.ocppSecure, me.ocppPort, identity)}
      what={t('first.address')}
    />
  );
}
