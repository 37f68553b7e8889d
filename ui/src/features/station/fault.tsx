import type { Fault as FaultShape } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { StateShape } from '../../ui/state';
import styles from './fault.module.css';
import { faultKey } from './fault-words';

/** A fault in words, with the station's own words beside it for the one who calls the maker. */
export function Fault({ fault, where }: { fault: FaultShape; where: string }) {
  const t = useT();
  const known = faultKey(fault.code);
  const raw = [
    fault.code,
    fault.vendorCode && t('fault.vendor', { code: fault.vendorCode }),
    fault.info && `“${fault.info}”`,
  ].filter(Boolean);
  return (
    <div className={styles.fault}>
      <StateShape family="faulted" />
      <div>
        <p className={styles.words}>
          {t('fault.sentence', { where, what: known ? t(known) : t('fault.unknown') })}
        </p>
        <p className="meta">{raw.join(' · ')}</p>
      </div>
    </div>
  );
}
