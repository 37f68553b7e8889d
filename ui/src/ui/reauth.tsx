import { PasswordInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api, ok } from '../api/client';
import { Problem } from '../api/problem';
import { meQuery } from '../api/queries';
import { useT } from '../i18n/i18n';

const FRESH_MS = 14 * 60_000;

/**
 * Grave changes need the password again if it was not given for a while. The
 * field stands in the form only when it is needed.
 */
export function useFreshPassword(): {
  field: ReactNode;
  ensure: () => Promise<void>;
  notice: (error: unknown) => void;
} {
  const t = useT();
  const queries = useQueryClient();
  const { data: me } = useQuery(meQuery());
  const [password, setPassword] = useState('');
  const [asked, setAsked] = useState(false);
  const given = me?.reauthenticatedAt ? Date.parse(me.reauthenticatedAt) : 0;
  const needed = asked || Date.now() - given > FRESH_MS;
  return {
    field: needed ? (
      <PasswordInput
        label={t('reauth.label')}
        description={t('reauth.why')}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        autoComplete="current-password"
        visibilityToggleButtonProps={{ 'aria-label': t('signin.show') }}
        required
      />
    ) : null,
    ensure: async () => {
      if (!needed) return;
      await ok(api.POST('/me/reauthenticate', { body: { password } }));
      setPassword('');
      setAsked(false);
      await queries.invalidateQueries({ queryKey: meQuery().queryKey });
    },
    notice: (error) => {
      if (error instanceof Problem && error.status === 403) setAsked(true);
    },
  };
}
