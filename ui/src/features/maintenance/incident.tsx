// Where the incident of an order stands: what a closed order still leaves to do.
import { Link } from '@tanstack/react-router';
import { type MessageKey, useT } from '../../i18n/i18n';
import { SeverityShape } from '../incidents/severity';
import { closeKey } from '../incidents/words';
import styles from './maintenance.module.css';
import type { OrderDetail } from './queries';

type OrderIncident = NonNullable<OrderDetail['incident']>;

const stands = (i: OrderIncident): MessageKey => {
  if (i.state === 'verifying') return 'maintenance.incident.verifying';
  if (i.lasts) return 'maintenance.incident.lasts';
  if (i.repairedAt && i.safety) return 'maintenance.incident.release';
  if (i.repairedAt) return 'maintenance.incident.repaired';
  return 'maintenance.incident.open';
};

export function OfIncident({ incident: i }: { incident: OrderIncident }) {
  const t = useT();
  return (
    <p className={styles.ofIncident}>
      <SeverityShape severity={i.severity} size={14} />
      <span>
        <Link to="/incidents/$id" params={{ id: i.id }} search={{}}>
          {t('maintenance.incident')}
        </Link>
        {': '}
        {i.state === 'closed'
          ? t('maintenance.incident.closed', { how: t(closeKey(i.closeReason)) })
          : t(stands(i))}
      </span>
    </p>
  );
}

/** What closing the order will not do; nothing where it does all. */
export function left(i: OrderDetail['incident']): MessageKey | null {
  if (!i || i.state === 'closed') return null;
  if (i.lasts) return 'maintenance.left.lasts';
  return i.safety ? 'maintenance.left.release' : null;
}
