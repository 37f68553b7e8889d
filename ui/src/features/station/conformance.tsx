import { useQuery } from '@tanstack/react-query';
import { conformanceQuery } from '../../api/queries';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { quirkWords } from './quirks';

/** Where this station leaves the specification. Nothing here was held against it: all of it was accepted. */
export function ConformanceList({ station }: { station: string }) {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(conformanceQuery(station));
  return (
    <Panel title={t('conformance.title')} flush>
      {error && !data ? (
        <Failed what={t('conformance.title')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton />
      ) : data.length === 0 ? (
        <Empty title={t('conformance.none')}>{t('conformance.noneText')}</Empty>
      ) : (
        <TableFrame label={t('conformance.title')}>
          <thead>
            <tr>
              <th scope="col">{t('conformance.what')}</th>
              <th scope="col" className={table.end}>
                {t('refused.count')}
              </th>
              <th scope="col">{t('conformance.first')}</th>
              <th scope="col">{t('conformance.last')}</th>
              <th scope="col">{t('conformance.example')}</th>
              <th scope="col">{t('station.firmware')}</th>
            </tr>
          </thead>
          <tbody>
            {data.map((f) => (
              <tr key={`${f.code}/${f.firmware}`}>
                <td className={table.prose}>
                  {quirkWords(t, f.code)}
                  <div className="meta">
                    <span className="mono">{f.code}</span>
                    {f.known && ` · ${t('conformance.known')}`}
                  </div>
                </td>
                <td className={`${table.end} num`}>{count(tag, f.count)}</td>
                <td>
                  <Age at={f.firstAt} />
                </td>
                <td>
                  <Age at={f.lastAt} />
                </td>
                <td className="num">
                  {/^\d+$/.test(f.example) ? t('conformance.event', { seq: f.example }) : f.example}
                </td>
                <td className="mono">{f.firmware}</td>
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
    </Panel>
  );
}
