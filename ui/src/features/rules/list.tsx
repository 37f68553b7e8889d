import { ActionIcon, Button, Menu } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Suspense, useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { later } from '../../ui/later';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { Effect, FormDialog } from '../settings/dialog';
import { type Rule, rulesQuery } from './queries';
import styles from './rules.module.css';

const Editor = later(() => import('./editor'));
const route = getRouteApi('/inside/rules');

export function RuleList() {
  const t = useT();
  const tag = useTag();
  const queries = useQueryClient();
  const { edit } = route.useSearch();
  const navigate = route.useNavigate();
  const mayWrite = useAllowed('rules.write');
  const { data, error, refetch } = useQuery(rulesQuery());
  const [deleting, setDeleting] = useState<Rule | null>(null);
  const changed = () => queries.invalidateQueries({ queryKey: ['rules'] });
  const go = (id: string | undefined) => void navigate({ search: (s) => ({ ...s, edit: id }) });
  const add = mayWrite && (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={() => go('new')}>
      {t('rules.add')}
    </Button>
  );
  const editing = edit === 'new' ? null : data?.find((r) => r.id === edit);
  if (edit !== undefined && (edit === 'new' || editing)) {
    return (
      <Suspense fallback={<Skeleton rows={8} />}>
        <Editor key={edit} rule={editing ?? null} close={() => go(undefined)} saved={changed} />
      </Suspense>
    );
  }
  return (
    <Panel title={t('rules.tab.rules')} aside={add} flush>
      {error && !data ? (
        <Failed what={t('rules.part')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={5} />
      ) : data.length === 0 ? (
        <Empty title={t('rules.none')} action={add}>
          {t('rules.noneText')}
        </Empty>
      ) : (
        <TableFrame label={t('rules.tab.rules')}>
          <thead>
            <tr>
              <th scope="col">{t('rules.name')}</th>
              <th scope="col">{t('rules.state')}</th>
              <th scope="col">{t('rules.severity')}</th>
              <th scope="col">{t('rules.where')}</th>
              <th scope="col" className={table.end}>
                {t('rules.open')}
              </th>
              <th scope="col">{t('rules.fired')}</th>
              <th aria-label={t('rules.acts')} />
            </tr>
          </thead>
          <tbody>
            {data.map((r) => (
              <tr key={r.id}>
                <td>
                  <button type="button" className={styles.link} onClick={() => go(r.id)}>
                    {r.name}
                  </button>
                </td>
                <td>
                  <State rule={r} />
                </td>
                <td>{r.severity}</td>
                <td className={styles.cut} title={r.where}>
                  <code className="mono">{r.where}</code>
                </td>
                <td className={`${table.end} num`}>{count(tag, r.open)}</td>
                <td>
                  {r.firedAt ? <Age at={r.firedAt} /> : <span className="meta">{t('rules.never')}</span>}
                </td>
                <td className={table.end}>
                  {mayWrite && (
                    <Menu position="bottom-end">
                      <Menu.Target>
                        <ActionIcon variant="subtle" aria-label={t('rules.actsOf', { name: r.name })}>
                          <Icon name="more" size={16} />
                        </ActionIcon>
                      </Menu.Target>
                      <Menu.Dropdown>
                        <Menu.Item leftSection={<Icon name="edit" size={16} />} onClick={() => go(r.id)}>
                          {t('rules.edit')}
                        </Menu.Item>
                        <Menu.Item
                          leftSection={<Icon name={r.enabled ? 'pause' : 'play'} size={16} />}
                          onClick={() =>
                            void ok(
                              api.PATCH('/rules/{id}', {
                                params: { path: { id: r.id } },
                                body: { enabled: !r.enabled },
                              }),
                            ).then(changed, changed)
                          }
                        >
                          {t(r.enabled ? 'rules.pause' : 'rules.resume')}
                        </Menu.Item>
                        <Menu.Item
                          color="red"
                          leftSection={<Icon name="trash" size={16} />}
                          onClick={() => setDeleting(r)}
                        >
                          {t('rules.delete')}
                        </Menu.Item>
                      </Menu.Dropdown>
                    </Menu>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      {deleting && (
        <FormDialog
          title={t('rules.deleteTitle', { name: deleting.name })}
          close={() => setDeleting(null)}
          send={() => ok(api.DELETE('/rules/{id}', { params: { path: { id: deleting.id } } }))}
          sent={changed}
          action={t('rules.delete')}
          failed={t('rules.notDeleted')}
          grave
        >
          <Effect>{t('rules.deleteText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

function State({ rule }: { rule: Rule }) {
  const t = useT();
  if (rule.off)
    return (
      <span className={styles.off} title={rule.off}>
        <Icon name="warn" size={14} /> {t('rules.switchedOff')}
      </span>
    );
  return (
    <span className={styles.state}>
      <Icon name={rule.enabled ? 'check' : 'pause'} size={14} />{' '}
      {t(rule.enabled ? 'rules.running' : 'rules.paused')}
    </span>
  );
}
