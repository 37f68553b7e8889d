import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { meQuery } from '../../api/queries';
import type { Me } from '../../api/shapes';
import { Mark } from '../../app/mark';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { Failed } from '../../ui/panel';
import styles from './signin.module.css';

const route = getRouteApi('/signin');
const MIN_PASSWORD = 10;

export default function SignInPage() {
  const t = useT();
  const { token, next } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const { data: me } = useQuery({ ...meQuery(), enabled: !token });

  const enter = useCallback(async () => {
    const fresh = await queries.fetchQuery({ ...meQuery(), staleTime: 0 });
    if (!fresh.mustSetPassword) await router.navigate({ to: next ?? '/', replace: true });
  }, [queries, router, next]);

  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <Mark />
          <span>Chargewatch</span>
        </div>
        {token ? (
          <OneTime token={token} enter={enter} />
        ) : me?.mustSetPassword ? (
          <SetPassword me={me} enter={enter} />
        ) : (
          <Password enter={enter} />
        )}
      </div>
      <p className="meta">{t('signin.footer')}</p>
    </main>
  );
}

function faultWords(t: ReturnType<typeof useT>, error: unknown): string {
  if (error instanceof Problem) {
    if (error.unreachable) return t('failed.unreachable');
    if (error.status === 401 || error.status === 403) return t('signin.wrong');
    if (error.status === 429) return t('signin.tooMany');
    return error.faults[0]?.message || error.detail || error.title;
  }
  return t('failed.page');
}

function Password({ enter }: { enter: () => Promise<void> }) {
  const t = useT();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setFault(null);
    try {
      await ok(api.POST('/signin', { body: { name, password } }));
      await enter();
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className={form.form} onSubmit={(e) => void submit(e)}>
      <h1 className={styles.title}>{t('signin.title')}</h1>
      <TextInput
        label={t('signin.name')}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        size="md"
      />
      <PasswordInput
        label={t('signin.password')}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        autoComplete="current-password"
        visibilityToggleButtonProps={{ 'aria-label': t('signin.show') }}
        required
        size="md"
      />
      {fault ? (
        <p role="alert" className={styles.fault}>
          {faultWords(t, fault)}
        </p>
      ) : null}
      <Button type="submit" size="md" loading={busy} fullWidth>
        {t('signin.submit')}
      </Button>
    </form>
  );
}

/** A one-time link signs in by being opened; its token leaves the address bar at once. */
function OneTime({ token, enter }: { token: string; enter: () => Promise<void> }) {
  const t = useT();
  const router = useRouter();
  const [fault, setFault] = useState<unknown>(null);
  const used = useRef('');
  useEffect(() => {
    if (used.current === token) return;
    used.current = token;
    ok(api.POST('/signin', { body: { token } }))
      .then(() => router.navigate({ to: '/signin', search: (s) => ({ next: s.next }), replace: true }))
      .then(enter)
      .catch(setFault);
  }, [token, enter, router]);
  if (!fault) return <p role="status">{t('signin.link')}</p>;
  const spent = fault instanceof Problem && (fault.status === 401 || fault.status === 403);
  return (
    <div className={form.form}>
      {spent ? (
        <>
          <h1 className={styles.title}>{t('signin.spent')}</h1>
          <p className={styles.text}>{t('signin.spentText')}</p>
        </>
      ) : (
        <Failed what={t('signin.title')} error={fault} />
      )}
      <Button
        variant="default"
        onClick={() => void router.navigate({ to: '/signin', search: {}, replace: true })}
      >
        {t('signin.withPassword')}
      </Button>
    </div>
  );
}

function SetPassword({ me, enter }: { me: Me; enter: () => Promise<void> }) {
  const t = useT();
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const differ = again !== '' && again !== password;
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    if (differ) return;
    setBusy(true);
    setFault(null);
    try {
      await ok(api.POST('/me/password', { body: { password } }));
      await enter();
    } catch (error) {
      setFault(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className={form.form} onSubmit={(e) => void submit(e)}>
      <h1 className={styles.title}>{t('signin.setTitle')}</h1>
      <p className={styles.text}>{t('signin.setText', { name: me.name })}</p>
      <input type="text" autoComplete="username" value={me.name} readOnly hidden />
      <PasswordInput
        label={t('signin.newPassword')}
        description={t('signin.rule', { n: MIN_PASSWORD })}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        autoComplete="new-password"
        visibilityToggleButtonProps={{ 'aria-label': t('signin.show') }}
        minLength={MIN_PASSWORD}
        autoFocus
        required
        size="md"
      />
      <PasswordInput
        label={t('signin.again')}
        value={again}
        onChange={(e) => setAgain(e.currentTarget.value)}
        autoComplete="new-password"
        visibilityToggleButtonProps={{ 'aria-label': t('signin.show') }}
        error={differ ? t('signin.differ') : undefined}
        required
        size="md"
      />
      {fault ? (
        <p role="alert" className={styles.fault}>
          {faultWords(t, fault)}
        </p>
      ) : null}
      <Button type="submit" size="md" loading={busy} fullWidth>
        {t('signin.save')}
      </Button>
    </form>
  );
}
