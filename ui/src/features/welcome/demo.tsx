import { Button } from '@mantine/core';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useToast } from '../../ui/toast';
import styles from './welcome.module.css';

/** Null: this server has no simulated network, or the person may not switch it. */
export const demoQuery = () =>
  queryOptions({
    queryKey: ['demo'],
    queryFn: async ({ signal }) => {
      try {
        return await ok(api.GET('/demo', { signal }));
      } catch (error) {
        if (error instanceof Problem && [403, 404, 501].includes(error.status)) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });

export function DemoStep() {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const { data } = useQuery(demoQuery());
  const change = useMutation({
    mutationFn: (on: boolean) => ok(api.POST('/demo', { body: { on } })),
    onSuccess: async (now) => {
      await queries.invalidateQueries();
      toast({
        text: now.on ? t('welcome.demoIsOn', { n: now.stations }) : t('welcome.demoIsOff'),
        tone: 'good',
      });
    },
  });
  if (!data) return null;
  return (
    <>
      <p className={styles.text}>
        {data.on ? t('welcome.demoOn', { n: data.stations, sites: data.sites }) : t('welcome.demoOff')}
      </p>
      <FormFault what={t('welcome.demoFailed')} error={change.error} />
      <div className={form.actions}>
        <Button
          variant={data.on ? 'default' : 'filled'}
          loading={change.isPending}
          onClick={() => change.mutate(!data.on)}
        >
          {data.on ? t('welcome.demoEnd') : t('welcome.demoBegin')}
        </Button>
      </div>
    </>
  );
}
