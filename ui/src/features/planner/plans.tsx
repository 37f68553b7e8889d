// Plans of the site that were kept: open one, put it beside another, forget it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { ActMenu } from '../../ui/acts';
import { Age } from '../../ui/figures';
import { Failed, Panel } from '../../ui/panel';
import paper from '../../ui/paper.module.css';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useToast } from '../../ui/toast';
import { useSetSearch } from '../analytics/search';
import styles from './planner.module.css';
import { type Plan, plansQuery } from './queries';
import type { PlannerSearch } from './search';

export function Plans({
  site,
  shown,
  beside,
  may,
}: {
  site: string;
  shown: string | undefined;
  beside: string | undefined;
  may: boolean;
}) {
  const t = useT();
  const toast = useToast();
  const client = useQueryClient();
  const set = useSetSearch<PlannerSearch>();
  const plans = useQuery(plansQuery(site));
  const forget = useMutation({
    mutationFn: (p: Plan) => ok(api.DELETE('/analytics/plans/{id}', { params: { path: { id: p.id } } })),
    onSuccess: (_, p) => {
      toast({ text: t('planner.forgotten'), tone: 'good' });
      if (p.id === shown) set({ plan: undefined, beside: undefined });
      if (p.id === beside) set({ beside: undefined });
    },
    onError: () => toast({ text: t('planner.notForgotten'), tone: 'bad' }),
    onSettled: () => void client.invalidateQueries({ queryKey: ['plans'] }),
  });
  if (plans.error)
    return (
      <Panel title={t('planner.plans')}>
        <Failed what={t('planner.plans')} error={plans.error} retry={() => void plans.refetch()} />
      </Panel>
    );
  if (!plans.data || plans.data.length < 2) return null;
  return (
    <Panel title={t('planner.plans')} flush className={paper.screenOnly!}>
      <TableFrame label={t('planner.plans')}>
        <thead>
          <tr>
            <th scope="col">{t('planner.plan')}</th>
            <th scope="col">{t('planner.state')}</th>
            <th scope="col">{t('planner.made')}</th>
            <th scope="col">
              <span className="srOnly">{t('planner.acts')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {plans.data.map((p) => {
            const name = p.name || t('planner.unnamed');
            return (
              <tr key={p.id}>
                <th scope="row">
                  <button
                    type="button"
                    className={styles.open}
                    aria-current={p.id === shown ? 'true' : undefined}
                    onClick={() => set({ plan: p.id, beside: beside === p.id ? undefined : beside })}
                  >
                    {name}
                  </button>
                </th>
                <td>{t(`planner.state.${p.state}`)}</td>
                <td>
                  <Age at={p.madeAt} />
                </td>
                <td className={table.end}>
                  <ActMenu
                    of={name}
                    acts={[
                      p.id !== shown && {
                        label: p.id === beside ? t('planner.notBeside') : t('planner.beside'),
                        icon: 'list',
                        run: () => set({ beside: p.id === beside ? undefined : p.id }),
                      },
                      may && {
                        label: t('planner.forget'),
                        icon: 'trash',
                        run: () => forget.mutate(p),
                        grave: true,
                      },
                    ]}
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </TableFrame>
    </Panel>
  );
}
