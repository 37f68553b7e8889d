import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { count as number } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import { Progress, StateMark } from './bar';
import styles from './campaigns.module.css';
import { nameOf, settledCount } from './outcome';
import { campaignsQuery } from './queries';

export function List({ show, create }: { show: (id: string) => void; create: () => void }) {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(campaignsQuery());
  const add = (
    <Button leftSection={<Icon name="plus" size={14} />} onClick={create}>
      {t('campaigns.new')}
    </Button>
  );
  if (error && !data)
    return (
      <Panel>
        <Failed what={t('campaigns.list')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel>
        <Skeleton rows={6} />
      </Panel>
    );
  if (data.length === 0)
    return (
      <Panel>
        <Empty title={t('campaigns.none')} action={add}>
          {t('campaigns.noneText')}
        </Empty>
      </Panel>
    );
  return (
    <Panel title={t('campaigns.title')} aside={add} flush>
      <p className={styles.lead}>{t('campaigns.lead')}</p>
      <TableFrame label={t('campaigns.list')}>
        <thead>
          <tr>
            <th scope="col">{t('campaigns.name')}</th>
            <th scope="col">{t('campaigns.state')}</th>
            <th scope="col">{t('campaigns.progress')}</th>
            <th scope="col">{t('campaigns.started')}</th>
          </tr>
        </thead>
        <tbody>
          {data.map((c) => (
            <tr key={c.id}>
              <th scope="row">
                <button type="button" className={styles.open} onClick={() => show(c.id)}>
                  {nameOf(t, c)}
                </button>
              </th>
              <td>
                <StateMark campaign={c} />
              </td>
              <td>
                <div className={styles.rowProgress}>
                  <Progress counts={c.counts} total={c.stations} />
                  <span className="num">
                    {t('campaigns.of', {
                      done: number(tag, settledCount(c.counts)),
                      all: number(tag, c.stations),
                    })}
                  </span>
                </div>
              </td>
              <td>
                <Age at={c.startedAt} />{' '}
                {c.startedByName && (
                  <span className="meta">{t('campaigns.by', { name: c.startedByName })}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </Panel>
  );
}
