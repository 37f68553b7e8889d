import { Button, SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { meQuery } from '../../api/queries';
import ChangePassword from '../../app/password';
import { placesFor } from '../../app/places';
import { useSignOut } from '../../app/signout';
import { type MessageKey, useLocale, useT } from '../../i18n/i18n';
import { isLocale, LOCALES, languageNames } from '../../i18n/locale';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { Panel } from '../../ui/panel';
import styles from './me.module.css';

const Devices = later(async () => ({ default: (await import('../channels/devices')).Devices }));

const roles = ['viewer', 'host', 'technician', 'operator', 'security', 'admin'];

/** Who I am here and how I like it; on a phone also the way to all other pages. */
export default function MePage() {
  const t = useT();
  const { data: me } = useQuery(meQuery());
  const signOut = useSignOut();
  const { locale, setLocale } = useLocale();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [changing, setChanging] = useState(false);
  const others = placesFor(me?.permissions).filter((p) => !p.phone);
  return (
    <div className={styles.page}>
      <h1 className={styles.title}>{me?.name ?? t('nav.me')}</h1>
      <p className={styles.role}>
        {me && (roles.includes(me.role) ? t(`me.role.${me.role}` as MessageKey) : me.role)}
      </p>
      {others.length > 0 && (
        <Panel flush className={styles.others}>
          <ul className={styles.list}>
            {others.map((p) => (
              <li key={p.to}>
                <Link to={p.to} className={styles.item}>
                  <Icon name={p.icon} />
                  <span>{t(p.key)}</span>
                  <Icon name="right" size={16} />
                </Link>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel title={t('me.looks')}>
        <div className={styles.choices}>
          <div>
            <p className={styles.label}>{t('language.label')}</p>
            <SegmentedControl
              fullWidth
              aria-label={t('language.label')}
              value={locale}
              onChange={(v) => isLocale(v) && setLocale(v)}
              data={LOCALES.map((l) => ({ value: l, label: languageNames[l] }))}
            />
          </div>
          <div>
            <p className={styles.label}>{t('theme.label')}</p>
            <SegmentedControl
              fullWidth
              aria-label={t('theme.label')}
              value={colorScheme}
              onChange={(v) => setColorScheme(v as typeof colorScheme)}
              data={[
                { value: 'auto', label: t('theme.auto') },
                { value: 'dark', label: t('theme.dark') },
                { value: 'light', label: t('theme.light') },
              ]}
            />
          </div>
        </div>
      </Panel>
      <Suspense>
        <Devices />
      </Suspense>
      <Install />
      <div className={styles.ends}>
        <Button
          size="md"
          variant="default"
          leftSection={<Icon name="key" size={16} />}
          onClick={() => setChanging(true)}
        >
          {t('user.password')}
        </Button>
        <Button
          size="md"
          variant="default"
          leftSection={<Icon name="signout" size={16} />}
          onClick={() => void signOut()}
        >
          {t('user.signOut')}
        </Button>
      </div>
      {changing && <ChangePassword close={() => setChanging(false)} />}
    </div>
  );
}

type Offer = Event & { prompt: () => Promise<unknown> };

/** The browser's own offer where it makes one; elsewhere the words for where to find it. */
function Install() {
  const t = useT();
  const [offer, setOffer] = useState<Offer>();
  useEffect(() => {
    const onOffer = (e: Event) => {
      e.preventDefault();
      setOffer(e as Offer);
    };
    window.addEventListener('beforeinstallprompt', onOffer);
    return () => window.removeEventListener('beforeinstallprompt', onOffer);
  }, []);
  if (window.matchMedia('(display-mode: standalone)').matches) return null;
  return (
    <Panel title={t('me.install')}>
      <p className={styles.text}>{t('me.installText')}</p>
      {offer && (
        <Button variant="default" onClick={() => void offer.prompt().then(() => setOffer(undefined))}>
          {t('me.installNow')}
        </Button>
      )}
    </Panel>
  );
}
