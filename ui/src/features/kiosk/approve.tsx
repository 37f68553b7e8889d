import { getRouteApi } from '@tanstack/react-router';
import { useT } from '../../i18n/i18n';
import styles from './approve.module.css';
import Screens from './screens';

const route = getRouteApi('/inside/kiosk/approve');

/** Where the QR code of a screen leads an administrator. */
export default function ApprovePage() {
  const t = useT();
  const { code } = route.useSearch();
  return (
    <div className={styles.page}>
      <h1 className="srOnly">{t('kiosk.list')}</h1>
      <Screens code={code} />
    </div>
  );
}
